"""Attaching in a process of its own: the file's code runs there, and what comes back is plain data."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backprop.attaching.glue import write_glue
from backprop.attaching.loading import attach_file
from backprop.attaching.looking.refusals import Refused
from backprop.errors import UsageError
from backprop.processes import end_family, limit_memory, start_python

__all__ = ["describe_apart", "main"]

SECONDS = 60.0
MEMORY = 4 * 2**30


def describe_apart(path: Path, out: Path, options: Mapping[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
    """`lines`: what is taken for what in a file; `glue`: the subject that says so. Errors: UsageError with one line."""
    family, nonce = secrets.token_hex(16), secrets.token_hex(16)
    code = "from backprop.attaching.process import main; main()"
    process = start_python(code, stderr=subprocess.DEVNULL, family=family, start_new_session=True)
    request = {"path": str(path), "out": str(out), "options": dict(options), "nonce": nonce, "memory": MEMORY}
    try:
        said, _ = process.communicate(json.dumps(request).encode() + b"\n", timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{path}: nothing was found in it within {seconds:g} s") from error
    finally:
        end_family(process, family)
    for line in said.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            answer: dict[str, Any] = json.loads(line)
            if answer["nonce"] == nonce:
                return _check(answer)
    raise UsageError(f"{path}: its process ended without an answer")


def _check(answer: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    found: dict[str, Any] = answer["found"]
    return found


def main() -> None:
    """Take the request from standard input, answer with one line on what was standard output."""
    request = json.loads(sys.stdin.buffer.readline())
    private = os.dup(1)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    limit_memory(request["memory"])
    warnings.simplefilter("ignore")
    answer: dict[str, Any] = {"nonce": request["nonce"]}
    with np.errstate(all="ignore"):
        try:
            path, out = Path(request["path"]), Path(request["out"])
            found = attach_file(path, **request["options"])
            answer["found"] = {"lines": found.describe(), "glue": write_glue(found, out, **request["options"])}
        except Refused as error:
            answer["error"] = str(error)
    with os.fdopen(private, "wb") as pipe:
        pipe.write(json.dumps(answer).encode() + b"\n")
    os._exit(0)
