"""One request, one answer: a process of its own that is asked once, and ended with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from backprop.copies import start
from backprop.processes import end_family, limit_memory

__all__ = ["answer_apart", "ask_apart"]


def ask_apart(entry: str, request: Mapping[str, Any], seconds: float, memory: int) -> dict[str, Any] | None:
    """What a process of its own answers that runs `answer_apart`; None where it ended without an answer.

    Raises `subprocess.TimeoutExpired`; whatever it started is ended.
    """
    family, nonce = secrets.token_hex(16), secrets.token_hex(16)
    process = start(entry, stderr=subprocess.DEVNULL, family=family, start_new_session=True)
    asked = {**request, "nonce": nonce, "memory": memory}
    try:
        said, _ = process.communicate(json.dumps(asked).encode() + b"\n", timeout=seconds)
    finally:
        end_family(process, family)
    for line in said.splitlines():
        answer: dict[str, Any] = {}
        with contextlib.suppress(ValueError, TypeError):
            answer = dict(json.loads(line))
        if answer.get("nonce") == nonce:
            return answer
    return None


def answer_apart(find: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The other side: one request, one answer on what was standard output; nothing else comes there."""
    request = json.loads(sys.stdin.buffer.readline())
    private = os.dup(1)
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    limit_memory(request["memory"])
    warnings.simplefilter("ignore")
    answer = {"nonce": request["nonce"], **find(request)}
    with os.fdopen(private, "wb") as pipe:
        pipe.write(json.dumps(answer).encode() + b"\n")
    os._exit(0)
