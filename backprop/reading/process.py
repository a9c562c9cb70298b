"""Reading in a process of its own: the subject's code runs there, and what comes back is plain data."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import secrets
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backprop.errors import UsageError
from backprop.processes import end_family, limit_memory, start_python

__all__ = ["SECONDS", "main", "read_apart"]

READER, BROKEN = "backprop.reading.reader", "backprop.reading.broken"
SECONDS = 60.0
"""A guard against code that hangs; the work itself is counted."""
MEMORY = 4 * 2**30


def read_apart(path: Path, what: str = "read", *, text: str | None = None, seconds: float = SECONDS) -> dict[str, Any]:
    """What `read`, `read_broken` or `annotate` finds in a file, as plain data; `text` is annotated in its place.

    Errors: `UsageError` with one line where nothing could be read, or not in time.
    """
    family, nonce = secrets.token_hex(16), secrets.token_hex(16)
    code = "from backprop.reading.process import main; main()"
    process = start_python(code, stderr=subprocess.DEVNULL, family=family, start_new_session=True)
    request = {"path": str(path), "what": what, "nonce": nonce, "memory": MEMORY, "text": text}
    try:
        said, _ = process.communicate(json.dumps(request).encode() + b"\n", timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{path}: its lines could not be read within {seconds:g} s") from error
    finally:
        end_family(process, family)
    for line in said.splitlines():
        answer: dict[str, Any] = {}
        with contextlib.suppress(ValueError, TypeError):
            answer = dict(json.loads(line))
        if answer.get("nonce") == nonce:
            return _check(answer, path)
    raise UsageError(f"{path}: its lines could not be read: the process that read them ended without an answer")


def _check(answer: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if "error" in answer:
        raise UsageError(f"{path}: its lines could not be read: {answer['error']}")
    found: dict[str, Any] = answer["found"]
    return found


def main() -> None:
    """Take the request from standard input, answer with one line on what was standard output.

    What reads is loaded here: who asks does without it.
    """
    import numpy as np

    reader, broken = importlib.import_module(READER), importlib.import_module(BROKEN)
    request = json.loads(sys.stdin.buffer.readline())
    private = os.dup(1)
    os.dup2(2, 1)
    limit_memory(request["memory"])
    warnings.simplefilter("ignore")
    answer: dict[str, Any] = {"nonce": request["nonce"]}
    with np.errstate(all="ignore"):
        try:
            path = Path(request["path"])
            ways = {"read": reader.read, "broken": broken.read_broken}
            ways["annotate"] = lambda path: reader.annotate(path, request["text"])
            answer["found"] = ways[request["what"]](path).to_dict()
        except UsageError as error:
            answer["error"] = str(error)
        except Exception as error:  # what objects of a subject raise, and a text that cannot be parsed
            answer["error"] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    with os.fdopen(private, "wb") as pipe:
        pipe.write(json.dumps(answer).encode() + b"\n")
    os._exit(0)
