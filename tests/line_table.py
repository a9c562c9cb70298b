"""How often the wrong line is found and a mend verified, on a folder of wrong programs with known lines.

`python tests/line_table.py PATH` reads PATH/lines.json, `{"folder/file.py": {"lines": [numbers]}}`, and the files it
names, in PATH or in PATH/wrong.  Comments, docstrings and telling constants should not be in them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import median

from backprop.errors import UsageError
from backprop.examiner.apart.asking import examine_file
from backprop.reading.process import read_apart
from backprop.verification.mends import FRESH, MOST_JUDGED


def examine(path: Path, lines: list[int]) -> tuple[bool, bool, float, str]:
    """Whether the line is right, whether a mend was verified, the seconds of the reading, and what was proposed."""
    began = time.perf_counter()
    try:
        found = read_apart(path)
    except UsageError as error:
        return False, False, time.perf_counter() - began, str(error)
    seconds = time.perf_counter() - began
    mends = found["mends"][:MOST_JUDGED]
    verified = next((m for m in mends if examine_file(path, seed=FRESH, text=m["text"]).ok), None)
    place = (verified or found)["location"]
    if place is None:
        return False, False, seconds, "no line"
    said = f"{place['line']}: {place['text'][:50]}"
    if verified:
        said += " -> " + "; ".join(edit["replacement"][:60] for edit in verified["edits"])
    return place["line"] in lines, verified is not None, seconds, said


def main() -> None:
    """Print a row a program and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    folder = parser.parse_args().path
    known = json.loads((folder / "lines.json").read_text(encoding="utf-8"))
    rows = []
    for name, entry in sorted(known.items()):
        path = next((p for p in (folder / name, folder / "wrong" / name) if p.is_file()), None)
        if path is None:
            continue
        row = examine(path, entry["lines"])
        rows.append(row)
        marks = f"{'line' if row[0] else '-':5} {'mend' if row[1] else '-':5}"
        print(f"{marks} {row[2]:6.1f} s  {name}  {row[3]}", flush=True)
    right, mended, seconds = (sum(r[0] for r in rows), sum(r[1] for r in rows), median(r[2] for r in rows))
    print(f"{len(rows)} programs: line right {right}, mend verified {mended}, reading {seconds:.1f} s (median)")


if __name__ == "__main__":
    main()
