"""The table over a folder of files as people have them: `python tests/attach_table.py PATH`, with PATH/index.json.

Each file is examined by the command's own way, with nothing but its name; verdict and place beside what the index says
(verdict, equation, layer, line). Only this script reads the index. Without one the files are examined, not compared.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from backprop.verification.lines import read_lines
from backprop.verification.submission import verify_file

VERDICTS = {"wrong": "wrong", "right": "verified"}


def as_set(value: Any) -> set[Any]:
    """A number, a list or nothing, as a set."""
    return set(value) if isinstance(value, list) else set() if value is None else {value}


def place_fits(want: dict[str, Any], findings: list[dict[str, Any]]) -> bool:
    """The first equation is one of those that are wrong, its layer one of theirs (None: the whole network)."""
    if not findings:
        return False
    equation, layer = findings[0]["equation"], findings[0]["layer"]
    layers = as_set(want["layer"])
    return equation in want["equation"].split("+") and (not layers or layer is None or layer in layers)


def main(folder: Path, names: list[str]) -> None:
    """Print the table and its sums."""
    index = json.loads((folder / "index.json").read_text()) if (folder / "index.json").exists() else {}
    files = sorted(
        one for one in folder.iterdir() if one.suffix in (".py", ".ipynb") and (not names or one.name in names)
    )
    sums = {"files": 0, "examined": 0, "verdict": 0, "wrong": 0, "place": 0, "line": 0}
    for file in files:
        began = time.monotonic()
        report = verify_file(file)
        took = time.monotonic() - began
        report = read_lines(report, file)
        want = index.get(file.name, {})
        told = report.to_dict()
        sums["files"] += 1
        examined = report.verdict in ("verified", "wrong")
        sums["examined"] += examined
        right = examined and VERDICTS.get(want.get("verdict")) == report.verdict
        sums["verdict"] += right
        here = lines = None
        if right and report.verdict == "wrong":
            here = place_fits(want, told["findings"])
            lines = report.location is not None and report.location["line"] in as_set(want["line"])
            sums["wrong"] += 1
            sums["place"] += here
            sums["line"] += lines
        found = [(f["equation"], f["layer"]) for f in told["findings"]]
        said = "" if examined else " ".join(map(str, report.notes))[:160]
        wanted = f"want {want.get('equation')} {want.get('layer')}"
        print(f"{file.name:26} {report.verdict:10} {took:5.1f} s  {found}  {wanted}"
              f"  place {here} line {lines}  {told.get('reason', '')} {said}", flush=True)  # fmt: skip
    print(sums)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
