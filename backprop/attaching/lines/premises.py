"""Where an attached file is read: its bench, its workshop, and what was found in the lines of the file."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from backprop.attaching.handing import Attached
from backprop.attaching.lines.bench import AttachedBench, Stand
from backprop.attaching.lines.forward import read_forward
from backprop.attaching.lines.notebooks import tell_cells
from backprop.attaching.lines.shop import AttachedShop
from backprop.attaching.loading import attach_file
from backprop.attaching.looking.documents import read_document
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.entrances import Entrance, by_gradients
from backprop.reading.running.workshop import Premises, Workshop
from backprop.reading.source import BOM, Source

__all__ = ["AttachedPremises", "open_attached"]


class AttachedPremises(Premises):
    """One program, run up to its iteration once; what is asked of it afterwards starts there.

    Errors, from whatever is asked first: `Refused`, with what the program raised as its cause.
    """

    def __init__(self, path: Path, raw: str, attach: Callable[[], Attached]) -> None:
        super().__init__(Source(path, read_document(path, raw).text, raw.startswith(BOM)))
        self.path, self.raw, self._attach = path, raw, attach

    @cached_property
    def stand(self) -> Stand:
        """The program where it trains. Behind the file's lines may stand some that train a class nobody trains."""
        attached = self._attach()
        text = attached.flow.iteration.program.document.text
        return Stand(attached, Source(self.path, text, self.source.bom))

    @property
    def own_lines(self) -> int:
        """How many lines are the file's."""
        return len(self.source.lines)

    def open_bench(self, enter: Entrance = by_gradients) -> Bench:
        return AttachedBench(self.stand, enter)

    def open_shop(self, bench: Bench, points: Sequence[Point]) -> Workshop:
        return AttachedShop(self.stand, points, bench.enter)

    @property
    def looks_elsewhere(self) -> bool:
        """Where the cost is another function than the gradient's, `read_more` looks there."""
        return self.stand.attached.chosen.true_cost is not None

    def read_more(self, found: dict[str, Any]) -> dict[str, Any]:
        """Where the backward pass has no mend, or the cost is another function: what a change of that mends."""
        is_other = self.looks_elsewhere
        if found["mends"] and not is_other:
            return found
        with contextlib.suppress(Unusable):
            more = read_forward(self.stand, far=is_other).to_dict()
            if more["mends"]:
                mends = [{**mend, "forward": True} for mend in more["mends"]]
                return {**found, "location": more["location"], "mends": mends}
        return {**found, "location": self._locate_cost(), "mends": []} if is_other else found

    def _locate_cost(self) -> dict[str, Any] | None:
        """Where the cost is made, its largest part: the line to look at where that is another function."""
        candidate = self.stand.attached.chosen.candidate
        sites = self.stand.program.rewritten.sites
        lines = [node for node in ast.walk(self.stand.source.tree) if isinstance(node, ast.stmt)]
        if candidate.key is None:
            return None
        node: Any = sites[candidate.key[0]].node
        around = [one for one in lines if one.lineno <= node.lineno <= (one.end_lineno or 0)]
        made: Any = min(around, key=lambda one: (one.end_lineno or 0) - one.lineno, default=None)
        if isinstance(made, ast.Return) and isinstance(made.value, ast.Name):
            name = made.value.id
            stores = [one for one in lines if isinstance(one, ast.Assign | ast.AugAssign) and one.lineno < made.lineno
                      and name in map(ast.unparse, getattr(one, "targets", None) or [one.target])]  # type: ignore[union-attr]  # fmt: skip
            made = max(stores, key=lambda one: one.lineno, default=made)
        return None if made is None else self.stand.source.locate(self.stand.source.spot(made))

    def tell(self, found: dict[str, Any], what: str) -> dict[str, Any]:
        """In a file the lines are its own; in a notebook they are those of a cell."""
        found = self.read_more(found) if what == "read" else found
        last, place = self.own_lines, found["location"]
        document = read_document(self.path, self.raw)
        found["labels"] = [label for label in found["labels"] if label["line"] <= last]
        found["mends"] = [mend for mend in found["mends"] if all(edit["end_line"] <= last for edit in mend["edits"])]
        found["source"] = self.source.text
        if place is not None and place["line"] > last:
            found["location"] = None
        for mend in found["mends"]:
            mend["text"] = "".join(Source(self.path, mend["text"]).lines[: self._count(mend)])
        return tell_cells(found, document, self.raw) if document.cells else found

    def _count(self, mend: dict[str, Any]) -> int:
        """How many lines of a mended text are the file's."""
        before, after = self.stand.source, Source(self.path, mend["text"])
        return self.own_lines + len(after.lines) - len(before.lines)


def open_attached(path: Path, text: str | None = None, **options: Any) -> AttachedPremises:
    """Those of a file as it is, or of a text in its place; Errors: `Refused` where it is no Python, OSError."""
    raw = path.read_bytes().decode("utf-8") if text is None else text
    return AttachedPremises(path, raw, lambda: attach_file(path, text, **options))
