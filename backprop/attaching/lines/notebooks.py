"""What was found in the text of a notebook, in the lines of its cells, and the notebook as it would be mended."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backprop.attaching.looking.documents import Document
from backprop.reading.source import BOM, Edit, Source, Spot

__all__ = ["tell_cells"]

LAYOUTS: Sequence[Mapping[str, Any]] = (
    {"indent": 1},
    {"indent": 2},
    {"indent": 4},
    {},
    {"indent": None, "separators": (",", ":")},
)
"""Ways in which programs write notebooks."""


def tell_cells(found: dict[str, Any], document: Document, raw: str) -> dict[str, Any]:
    """What was read in a notebook: places in cells, one cell as the source, mended texts as whole notebooks."""
    place = found["location"]
    first = place["line"] if place is not None else _most_labelled(found["labels"], document)
    cell, start, end = _find_cell(document, first)
    shown = Source(document.path, document.text).lines[start - 1 : end]
    mine = [label for label in found["labels"] if start <= label["line"] <= end]
    labels = [{**label, "cell": cell, "line": label["line"] - start + 1} for label in mine]
    mends = [told for mend in found["mends"] if (told := _tell_mend(mend, document, raw)) is not None]
    return {
        **found,
        "location": None if place is None else _move(place, document),
        "labels": labels,
        "source": "".join(shown),
        "mends": mends,
        "bom": "",
    }


def _find_cell(document: Document, line: int) -> tuple[int, int, int]:
    """(number of the cell, its first line, its last line) in the text of all cells."""
    starts = [*document.cells, (len(document.text.splitlines()) + 1, -1)]
    k = max(k for k, (first, _) in enumerate(document.cells) if first <= line)
    return document.cells[k][1], starts[k][0], starts[k + 1][0] - 1


def _most_labelled(labels: Sequence[Mapping[str, Any]], document: Document) -> int:
    counted = Counter(_find_cell(document, label["line"])[1] for label in labels)
    return max(counted, key=lambda start: counted[start], default=document.cells[0][0])


def _move(place: Mapping[str, Any], document: Document) -> dict[str, Any]:
    cell, start, _ = _find_cell(document, place["line"])
    moved = {name: place[name] - start + 1 for name in ("line", "end_line")}
    return {**place, "cell": cell, **moved}


def _tell_mend(mend: Mapping[str, Any], document: Document, raw: str) -> dict[str, Any] | None:
    """A mend of one cell; None where the notebook does not hold what was read."""
    edits = [_move(edit, document) for edit in mend["edits"]]
    notebook = json.loads(raw.removeprefix(BOM))
    cells = {edit["cell"] for edit in edits}
    shown = ""
    for cell in cells:
        held = notebook["cells"][cell]
        text = held["source"] if isinstance(held["source"], str) else "".join(held["source"])
        mine = [
            Edit(Spot(e["line"], e["column"], e["end_line"], e["end_column"]), e["replacement"])
            for e in edits
            if e["cell"] == cell
        ]
        after = Source(document.path, text).replace(mine)
        held["source"] = after if isinstance(held["source"], str) else after.splitlines(keepends=True)
        shown = after if cell == edits[0]["cell"] else shown
    text = _write(notebook, raw)
    return {
        **mend,
        "edits": edits,
        "location": _move(mend["location"], document),
        "text": text,
        "shown": shown,
        "diff": _diff(document.path, raw, text),
    }


def _write(notebook: Any, raw: str) -> str:
    """The notebook in the layout in which it was written."""
    before, end = json.loads(raw.removeprefix(BOM)), "\n" if raw.endswith("\n") else ""
    head = BOM if raw.startswith(BOM) else ""
    for plain in (False, True):
        for layout in LAYOUTS:
            if head + json.dumps(before, ensure_ascii=plain, **layout) + end == raw:
                return head + json.dumps(notebook, ensure_ascii=plain, **layout) + end
    return head + json.dumps(notebook, ensure_ascii=False, indent=1) + end


def _diff(path: Path, before: str, after: str) -> str:
    rows = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), path.name, path.name)
    return "".join(row if row.endswith("\n") else row + "\n\\ No newline at end of file\n" for row in rows)
