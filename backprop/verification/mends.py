"""A mend that the judge has verified: what is read in the source of a wrong file, and in the modules beside it.

It may begin before it is asked for: while the cause of the fault is looked for, where there is a processor for it.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from backprop.attaching.looking.protocol import is_subject
from backprop.attaching.words import is_taken_alike, name_taken
from backprop.errors import UsageError
from backprop.examiner.apart.asking import examine_file
from backprop.reading.beside import list_siblings
from backprop.reading.process import read_apart
from backprop.reading.source import Source
from backprop.verification.submission import verify_file

__all__ = ["AskedFile", "Looked", "LookingAhead", "look"]

OPENER = "backprop.attaching.lines.premises:open_attached"
FRESH = 7_919
"""Added to the seed when a mended program is judged: neither the verdict nor the reading has seen these points."""
MOST_JUDGED = 4
MOST_FIRST = 2
"""Mends after which another one is looked for, where none is enough by itself."""
BREAKS = 20.0
"""Seconds for the search of what breaks: where the judge had none, there may be no end to it."""
SIBLING, LOADER = "backprop.reading.running.siblings:open_sibling", "backprop.reading.running.siblings:load_beside"


@dataclass(frozen=True)
class AskedFile:
    """A file, how it is judged, and how it is run where it is read: as a subject, or as a program that was attached.

    With `beside` it is the module of that name, which the subject imports from its folder, that is read and mended.
    """

    path: Path
    seed: int
    timeout: float | None
    taken: tuple[str, ...]
    """What was taken for what, where it is no subject."""
    options: Mapping[str, Any]
    beside: str = ""
    abandon: threading.Event = field(default_factory=threading.Event, compare=False)
    """Set where nobody waits any more: then nothing is begun, and a judge that runs is ended."""

    @cached_property
    def is_program(self) -> bool:
        """Whether it is no subject: then it was attached, or would have been if it ran."""
        return bool(self.taken) or not is_subject(self.path)

    def read(self, what: str, **how: Any) -> dict[str, Any]:
        """What is found in its lines; Errors: UsageError."""
        if self.abandon.is_set():
            raise UsageError(f"{self.path}: the search was ended")
        if self.beside:
            how |= {"opener": SIBLING, "options": {"name": self.beside}}
        elif self.is_program:
            how |= {"opener": OPENER, "options": self.options}
        return read_apart(self.path, what, **how)

    def holds(self, text: str) -> bool:
        """Whether the whole judge verifies a text in its place, at points that nobody has seen, taken as before."""
        how: Any = {"seed": self.seed + FRESH, "timeout": self.timeout, "text": text, "abandon": self.abandon}
        if self.beside:
            return examine_file(self.path, loader=LOADER, options={"name": self.beside}, **how).ok
        if not self.taken:
            return examine_file(self.path, **how).ok
        report = verify_file(self.path, options=self.options, **how)
        return report.ok and is_taken_alike(self.taken, name_taken(report))


@dataclass(frozen=True)
class Looked:
    """What was read, of the file or of a module beside it, and the mend that was chosen; `refused` where it could not
    be read."""

    found: dict[str, Any]
    chosen: dict[str, Any] | None
    others: int
    place: AskedFile
    refused: str = ""


def look(asked: AskedFile, verdict: str, seconds: float) -> Looked:
    """The wrong line of a file, or what breaks in it, and the most natural mend that the judge verifies."""
    try:
        if verdict == "wrong":
            found = asked.read("read", seconds=seconds)
        else:
            found = asked.read("broken", seconds=min(seconds, BREAKS))
            if found["location"] is None:
                return Looked(found, None, 0, asked)
    except (UsageError, OSError) as error:
        return Looked({"location": None}, None, 0, asked, str(error))
    return Looked(*_find_mend(found, asked, seconds))


class LookingAhead:
    """`look` at a wrong file, in a thread that nobody has to wait for."""

    def __init__(self, asked: AskedFile, seconds: float) -> None:
        self.asked = asked
        self._looked: list[Looked] = []
        self._thread = threading.Thread(target=self._look, args=(seconds,), daemon=True)
        self._thread.start()

    def _look(self, seconds: float) -> None:
        self._looked.append(look(self.asked, "wrong", seconds))

    def finish(self, asked: AskedFile, seconds: float) -> Looked:
        """What was found; what is asked for now, where that is something else or nothing was found."""
        self._thread.join()
        return self._looked[0] if self._looked and asked == self.asked else look(asked, "wrong", seconds)


def _find_mend(
    found: dict[str, Any], asked: AskedFile, seconds: float
) -> tuple[dict[str, Any], dict[str, Any] | None, int, AskedFile]:
    """The most natural verified mend, of the file or of a module beside it, with what was read where it stands.

    Where there is none, two are tried together: one of the gradients, one of the step.
    """
    readings = [(found, asked)]
    if not asked.is_program and not found["broke"]:
        readings = [*_read_siblings(asked, seconds), *readings]
    for one, place in sorted(readings, key=lambda pair: min((m["weight"] for m in pair[0]["mends"]), default=math.inf)):
        chosen, others = _choose(one["mends"], place)
        if chosen is not None:
            return one, chosen, others, place
    both = None if asked.is_program or found["broke"] else _mend_twice(found, asked, seconds)
    return found, both, 0, asked


def _read_siblings(asked: AskedFile, seconds: float) -> Iterator[tuple[dict[str, Any], AskedFile]]:
    """What is found in the modules beside a subject that can be read."""
    for name in list_siblings(asked.path):
        place = replace(asked, beside=name)
        with contextlib.suppress(UsageError, OSError):
            yield place.read("read", seconds=seconds), place


def _mend_twice(found: dict[str, Any], asked: AskedFile, seconds: float) -> dict[str, Any] | None:
    """A mend after which another one is found that the judge verifies: the two as one."""
    for first in found["mends"][:MOST_FIRST]:
        with contextlib.suppress(UsageError, OSError):
            more = asked.read("read", text=first["text"], seconds=seconds)
            second, _ = _choose(more["mends"], asked)
            if second is not None:
                return _join(Source(asked.path, found["source"]), first, second)
    return None


def _join(source: Source, first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two mends, the second of a text after the first, as one of the source."""
    edits = source.edits_to(second["text"])
    described = source.describe(edits)
    kinds = " and ".join(dict.fromkeys((first["kind"], second["kind"])))
    more = {"edits": described, "diff": source.diff(edits), "text": second["text"], "kind": kinds}
    return {**first, **more, "labels": second.get("labels"), "weight": first["weight"] + second["weight"]}


def _choose(mends: list[dict[str, Any]], asked: AskedFile) -> tuple[dict[str, Any] | None, int]:
    """The most natural mend after which the whole judge says "verified", and how many others there are on other lines.

    Of the others the most natural of each line is judged as well, as many as `MOST_JUDGED` allows.
    """
    chosen, others, lines = None, 0, set[tuple[Any, int]]()
    for mend in mends[:MOST_JUDGED]:
        line = mend["location"]["cell"], mend["location"]["line"]
        if line in lines or not asked.holds(mend["text"]):
            continue
        others += chosen is not None
        chosen = chosen or mend
        lines.add(line)
    return chosen, others
