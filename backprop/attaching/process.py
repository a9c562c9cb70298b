"""Attaching in a process of its own: the file's code runs there, and what comes back is plain data."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backprop.answers import answer_apart, ask_apart
from backprop.attaching.glue import write_glue
from backprop.attaching.loading import attach_file
from backprop.attaching.looking.refusals import Refused
from backprop.errors import UsageError

__all__ = ["describe_apart", "main"]

SECONDS = 60.0
MEMORY = 4 * 2**30
ENTRY = "backprop.attaching.process:main"


def describe_apart(path: Path, out: Path, options: Mapping[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
    """`lines`: what is taken for what in a file; `glue`: the subject that says so. Errors: UsageError with one line."""
    request = {"path": str(path), "out": str(out), "options": dict(options)}
    try:
        answer = ask_apart(ENTRY, request, seconds, MEMORY)
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{path}: nothing was found in it within {seconds:g} s") from error
    if answer is None:
        raise UsageError(f"{path}: its process ended without an answer")
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    found: dict[str, Any] = answer["found"]
    return found


def main() -> None:
    """Answer one request."""
    answer_apart(_find)


def _find(request: dict[str, Any]) -> dict[str, Any]:
    path, out = Path(request["path"]), Path(request["out"])
    with np.errstate(all="ignore"):
        try:
            found = attach_file(path, **request["options"])
            return {"found": {"lines": found.describe(), "glue": write_glue(found, out, **request["options"])}}
        except Refused as error:
            return {"error": str(error)}
