"""Check published formulas and print a table: python tests/formula_table.py PATH

PATH is a JSON list of formulas with `formula`, `conventions`, `holds` and, for the wrong ones, `right_form` and
`wrong_term`.  A wrong term counts as named if the answer names it, or a part of it that is what the right form changes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from backprop.formulas.check import check_formula


def plain(text: str) -> str:
    """A term without spaces, brackets and the words round it."""
    return re.sub(r"[\s{}()]|\\left|\\right|\\[,;!]|missing|brackets|\\frac|the", "", text).replace("1/", "1")


def names(differs: str | None, wanted: str) -> bool:
    """Whether what differs is the term that is wrong."""
    if differs is None:
        return False
    parts = [plain(differs), *(plain(part) for part in re.split(r", | at | in ", differs))]
    goal = plain(wanted)
    return any(part == goal or (len(part) > 3 and part in goal) or (len(goal) > 3 and goal in part) for part in parts)


def main(path: Path) -> int:
    """Print a line a formula and the totals; 1 if a verdict is wrong."""
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    understood = right = refuted = wrong = named = 0
    for at, case in enumerate(cases):
        answer = check_formula(case["formula"], case["conventions"])
        understood += answer.understood
        right += answer.understood and answer.holds == case["holds"]
        refuted += bool(answer.understood and case["holds"] and not answer.holds)
        if not case["holds"] and answer.understood:
            wrong += 1
            named += names(answer.differs, case["wrong_term"])
        verdict = {True: "holds", False: "refuted", None: "not understood"}[answer.holds]
        good = "" if answer.holds == case["holds"] else "  <- " + (answer.reason or "wrong verdict")
        print(f"{at:3} {verdict:15} {case['formula'][:70]}{good}")
        if not case["holds"]:
            mark = "named" if names(answer.differs, case["wrong_term"]) else "other"
            print(f"      {mark}: {answer.differs}   (wanted: {case['wrong_term']})")
    print(f"understood {understood} of {len(cases)}; of these right {right}; right ones refuted {refuted}; "
          f"wrong terms named {named} of {wrong}")  # fmt: skip
    return int(right < understood)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
