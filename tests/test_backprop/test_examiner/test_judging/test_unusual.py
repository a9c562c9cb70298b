"""Right code with unusual habits is never called wrong: forty of them by hand, and drawn networks."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kit.right_code import RIGHT, changed
from kit.right_habits import draw_right

from backprop.examiner.judging.judge import judge

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
DRAWN = 2000 if THOROUGH else 12
"""Networks drawn: the thorough profile takes some ten minutes."""


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_is_never_called_wrong(name):
    report = judge(RIGHT[name]())
    assert report.verdict != "wrong", str(report)
    assert report.verdict != "unusable", report.notes


@pytest.mark.parametrize("name", [name for name in RIGHT if "guard" in name or "clipped" in name])
def test_a_fault_beside_a_guard_is_still_wrong(name):
    base = RIGHT[name]()
    fault = 1 + 1e-3 * np.arange(3)
    wrong = changed(
        base,
        gradients=lambda p, X, Y: [
            (W * fault[: W.shape[1]] if W.shape[1] == 3 else W, b) for W, b in base["gradients"](p, X, Y)
        ],
    )
    assert judge(wrong).verdict == "wrong"


@settings(max_examples=DRAWN)
@example(seed=9301)  # a kink at a distance of 1e-5, far below the curvature of the cost
@given(seed=st.integers(0, 10**6))
def test_drawn_networks_with_drawn_habits_are_never_called_wrong(seed):
    label, subject = draw_right(seed)
    report = judge(subject)
    assert report.verdict in ("verified", "undecided"), f"{label}\n{report}\n{report.notes}"
