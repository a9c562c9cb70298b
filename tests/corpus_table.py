"""The table over a folder of real mistakes: `python tests/corpus_table.py PATH`, with PATH/wrong and PATH/right.

Verdict, equation, layer and cause of every file beside what the file's own constants say (EQUATION, LAYER); only this
script reads those. Each file is copied without its comments, docstring and constants that tell, and judged in a
process of its own.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from pathlib import Path
from typing import Any

from backprop.verification.submission import verify_file

TELLING = {
    "NAME", "SOURCE_URL", "WHAT_IS_WRONG", "EQUATION", "LAYER", "WHEN", "ORIGIN", "EVIDENCE", "HARD_TO_NOTICE",
    "STATEFUL", "correct_gradients", "NOTES", "WHY_RIGHT", "CAUSE",
}  # fmt: skip
WORDS = {"cost scaling": "cost", "update rule": "update", "forward": "forward"}


def read_constants(path: Path) -> dict[str, Any]:
    """What the file says about itself."""
    found: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        plain = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if plain and node.targets[0].id in TELLING and not isinstance(node.value, ast.Name):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def strip(path: Path) -> str:
    """The code alone: no comments, no docstring, nothing that tells."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kept = []
    for node in tree.body:
        names = [t.id for t in node.targets if isinstance(t, ast.Name)] if isinstance(node, ast.Assign) else []
        names += [node.name] if isinstance(node, ast.FunctionDef) else []
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not TELLING.intersection(names):
            kept.append(node)
    return ast.unparse(ast.Module(kept, tree.type_ignores)) + "\n"


def expected(constants: dict[str, Any]) -> tuple[str, int]:
    """Equation and topmost layer, in the words of a report."""
    layer = max(constants["LAYER"])
    word = constants["EQUATION"]
    if word == "activation derivative":
        return "BP1 or BP2", layer
    return WORDS.get(word, word.split()[0]), layer


def fits(want: tuple[str, int], equation: str | None, layer: int | None) -> bool:
    """A layer of None stands for the whole network; an activation's derivative is BP1 at the output, BP2 below."""
    same = equation == want[0] or (want[0] == "BP1 or BP2" and equation in ("BP1", "BP2"))
    return same and layer in (want[1], None)


def main(folder: Path) -> int:
    """Print the table and the totals."""
    totals = {"detected": 0, "placed": 0, "named": 0, "files": 0, "right": 0, "alarms": 0}
    with tempfile.TemporaryDirectory() as scratch:
        for kind in ("wrong", "right"):
            for path in sorted((folder / kind).glob("*.py")):
                bare = Path(scratch, "code.py")
                bare.write_text(strip(path), encoding="utf-8")
                report = verify_file(bare)
                first = report.findings[0] if report.findings else None
                shown = ("", None, "") if first is None else (first.equation, first.layer, first.cause)
                line = f"{path.stem[:46]:<47}{report.verdict:<10}{shown[0]!s:<8}{shown[1]!s:<6}{shown[2]}"
                if kind == "right":
                    totals["right"] += 1
                    totals["alarms"] += report.verdict == "wrong"
                    print(line)
                    continue
                want = expected(read_constants(path))
                good = first is not None and fits(want, first.equation, first.layer)
                totals["files"] += 1
                totals["detected"] += report.verdict == "wrong"
                totals["placed"] += good
                totals["named"] += first is not None and first.cause != "unknown"
                print(line + ("" if good else f"   expected {want[0]}, layer {want[1]}"))
    print(
        f"\nwrong: {totals['files']} files, {totals['detected']} detected, {totals['placed']} with equation and layer "
        f"as stated, {totals['named']} with a cause\nright: {totals['right']} files, {totals['alarms']} called wrong"
    )
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/corpus_table.py PATH   (a folder with wrong/ and right/)")
    sys.exit(main(Path(sys.argv[1])))
