"""A network of one unit more is never worse, also where each width is asked for by a call of its own."""

from __future__ import annotations

from itertools import pairwise

import pytest

from backprop.approximation import approximate
from backprop.approximation.searching.search import SMALL

ROUNDING = 1e-12


@pytest.mark.parametrize(
    ("target", "activation"),
    [("sin(9*x)*exp(-x)", "tanh"), ("abs(x - 1/3)", "gelu"), ("x > 2/5", "sigmoid"), ("sqrt(x)", "relu")],
)
def test_up_to_the_small_widths_calls_apart_are_nested(target, activation):
    errors = [approximate(target, width=width, activation=activation).sup_error for width in (2, 3, 4, 5)]
    assert SMALL >= 5
    assert all(wide <= narrow + ROUNDING for narrow, wide in pairwise(errors))
