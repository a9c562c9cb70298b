"""Formulas as they are printed in books, courses and code: each verdict right, each wrong term named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from backprop.formulas.check import check_formula

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from formula_table import names

CASES = json.loads(
    (Path(__file__).resolve().parents[2] / "kit" / "samples" / "printed_formulas.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", [c for c in CASES if c["holds"]], ids=lambda c: c["formula"][:50])
def test_a_right_formula_holds(case):
    answer = check_formula(case["formula"], case["conventions"])
    assert answer.understood, answer.reason
    assert answer.holds, answer.differs


@pytest.mark.parametrize("case", [c for c in CASES if not c["holds"]], ids=lambda c: c["formula"][:50])
def test_a_wrong_formula_is_refuted_and_its_term_named(case):
    answer = check_formula(case["formula"], case["conventions"])
    assert answer.understood, answer.reason
    assert answer.holds is False
    assert names(answer.differs, case["wrong_term"]), answer.differs
    assert answer.nearest is None or check_formula(answer.nearest, case["conventions"]).holds
