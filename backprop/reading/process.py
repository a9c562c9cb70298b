"""Reading in a process of its own: the subject's code runs there, and what comes back is plain data."""

from __future__ import annotations

import importlib
import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backprop.answers import answer_apart, ask_apart
from backprop.errors import UsageError

__all__ = ["SECONDS", "main", "read_apart"]

READER, BROKEN = "backprop.reading.reader", "backprop.reading.broken"
OPENER = "backprop.reading.running.workshop:open_premises"
SECONDS = 60.0
"""A guard against code that hangs; the work itself is counted."""
MEMORY = 4 * 2**30
ENTRY = "backprop.reading.process:main"


def read_apart(
    path: Path,
    what: str = "read",
    *,
    text: str | None = None,
    seconds: float = SECONDS,
    opener: str = OPENER,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What `read`, `read_broken` or `annotate` finds in a file, as plain data; `text` is read in its place.

    `opener`, "package.module:function" of (path, text) and `options`, gives the `Premises` where it is run, and what
    is found is told by its `tell`. The first mend of `read` comes with the `labels` of its text. Errors: `UsageError`
    with one line where nothing could be read, or not in time.
    """
    request = {"path": str(path), "what": what, "text": text, "opener": opener, "options": dict(options or {})}
    try:
        answer = ask_apart(ENTRY, request, seconds, MEMORY)
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{path}: its lines could not be read within {seconds:g} s") from error
    said = "the process that read them ended without an answer" if answer is None else answer.get("error")
    if answer is None or said is not None:
        raise UsageError(f"{path}: its lines could not be read: {said}")
    found: dict[str, Any] = answer["found"]
    return found


def main() -> None:
    """Answer one request. What reads is loaded here: who asks does without it."""
    answer_apart(_find)


def _find(request: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    with np.errstate(all="ignore"):
        try:
            found = _look(request, request["what"], request["text"])
            if request["what"] == "read" and found["mends"]:
                found["mends"][0]["labels"] = _label(request, found["mends"][0]["text"])
            return {"found": found}
        except UsageError as error:
            return {"error": str(error)}
        except Exception as error:  # what objects of a subject raise, and a text that cannot be parsed
            return {"error": f"{type(error).__name__}: {textwrap.shorten(str(error), 200, placeholder=' …')}"}


def _look(request: dict[str, Any], what: str, text: str | None) -> dict[str, Any]:
    reader, broken = importlib.import_module(READER), importlib.import_module(BROKEN)
    ways = {"read": reader.read, "broken": broken.read_broken, "annotate": reader.annotate}
    module, _, function = request["opener"].partition(":")
    opener = getattr(importlib.import_module(module), function)
    premises = opener(Path(request["path"]), text, **request["options"])
    found: dict[str, Any] = premises.tell(ways[what](premises).to_dict(), what)
    return found


def _label(request: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """The labels after the most natural mend, which is the one that is told nearly always; none where it has none."""
    try:
        labels: list[dict[str, Any]] = _look(request, "annotate", text)["labels"]
    except Exception:  # as above; what was read stands without them
        return []
    return labels
