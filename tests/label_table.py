"""How many values of the backward pass of right programs have a label, and whether any label fails at other points.

`python tests/label_table.py PATH …` annotates every .py file in the folders twice, at points with nothing in common.
The programs run in this process.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np

from backprop.errors import UsageError
from backprop.reading.adjoints import list_known
from backprop.reading.labels import label_lines, list_backward
from backprop.reading.reader import LABELLED
from backprop.reading.running.bench import Bench
from backprop.reading.source import Source

FRESH = ((71, 3), (72, 2), (73, 4))


def examine(path: Path) -> tuple[int, int, list[str], list[str]]:
    """How many lines make a backward value, how many of them have a label, those without, and labels that fail."""
    bench = Bench(Source.read(path))
    points = bench.draw_points(LABELLED)
    first = {label.line: set(label.texts) for label in label_lines(bench, points)}
    fresh = bench.draw_points(FRESH)
    again = {label.line: set(label.texts) for label in label_lines(bench, fresh)}
    measured = {known.name for known in list_known(bench, fresh)}
    lines = list_backward(bench, points[0])
    bare = [f"{n}: {bench.source.lines[n - 1].strip()}" for n in lines if n not in first]
    gone = [(n, text) for n, texts in first.items() for text in texts - again.get(n, set())]
    # What could not be measured there, near a kink or in too many entries, refutes nothing.
    failed = [f"{n}: {text}" for n, text in gone if any(text.rstrip(")ᵀ").endswith(f"∂{name}") for name in measured)]
    return len(lines), len(lines) - len(bare), bare, failed


def main() -> None:
    """Print a row a program and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--bare", action="store_true", help="print the lines that have no label as well")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    sums = np.zeros(3, int)
    for path in sorted(file for folder in asked.paths for file in folder.glob("*.py")):
        try:
            with np.errstate(all="ignore"):
                lines, labelled, bare, failed = examine(path)
        except (UsageError, IndexError) as error:
            print(f"{path.name}: {error}")
            continue
        sums += lines, labelled, len(failed)
        print(f"{labelled:3} of {lines:3}  {path.name}", *failed, flush=True)
        if asked.bare:
            print(*(f"           {text}" for text in bare), sep="\n")
    part = sums[1] / max(sums[0], 1)
    print(f"{sums[0]} lines, labelled {sums[1]} ({part:.0%}), labels that fail at other points {sums[2]}")


if __name__ == "__main__":
    main()
