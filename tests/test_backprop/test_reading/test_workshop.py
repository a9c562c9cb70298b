"""Edited code is run in place of the written one, and the written one is back afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop.reading.running.bench import Bench
from backprop.reading.running.workshop import Workshop
from backprop.reading.source import Edit, Source

TEXT = """
import numpy as np
class Net:
    RATE = 1.0
    @staticmethod
    def slope(z):
        return 1 - np.tanh(z)
    def back(self, X, e, z):
        for k in range(1):
            d = e * self.slope(z)
        return X.T @ d
TABLE = {"back": Net().back}
def parameters(rng):
    return [rng.normal(size=(2, 3))]
def data(rng, n=None):
    return rng.normal(size=(n or 4, 2)), rng.normal(size=(n or 4, 3))
def cost(params, X, Y):
    return 0.5 * ((np.tanh(X @ params[0]) - Y) ** 2).sum()
def gradients(params, X, Y):
    z = X @ params[0]
    return [TABLE["back"](X, np.tanh(z) - Y, z)]
"""


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(Source(Path("net.py"), TEXT))


def edit(bench: Bench, old: str, new: str) -> tuple[Edit, ...]:
    line = next(k for k, text in enumerate(bench.source.lines, start=1) if old in text)
    column = bench.source.lines[line - 1].index(old)
    from backprop.reading.source import Spot

    return (Edit(Spot(line, column, line, column + len(old)), new),)


def test_a_method_behind_a_table_is_mended_in_place(bench):
    points = bench.draw_points([(1, 2), (2, 3)])
    shop = Workshop(bench.source, points)
    assert [all(p.given) for p in points] == [False, False]
    mended = edit(bench, "1 - np.tanh(z)", "1 - np.tanh(z) ** 2")
    assert shop.right_at(mended, points) == [(True,), (True,)]
    assert shop.right_at((), points) == [(False,), (False,)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("d = e * self.slope(z)", "d = e *"),
        ("d = e * self.slope(z)", "d = nothing_of_that_name"),
        ("for k in range(1)", "while True"),
        ("range(1)", "range(10**9)"),
        ("return X.T @ d", "return self.back(X, e, z)"),
        ("return X.T @ d", "raise SystemExit"),
    ],
)
def test_an_edit_that_does_not_work_is_no_mend_and_harms_nothing(bench, old, new):
    points = bench.draw_points([(1, 2)])
    shop = Workshop(bench.source, points)
    assert shop.right_at(edit(bench, old, new), points) == []
    assert shop.right_at((), points) == [(False,)]


def test_what_stands_outside_functions_can_be_edited_too(bench):
    points = bench.draw_points([(1, 2)])
    shop = Workshop(bench.source, points)
    assert shop.right_at(edit(bench, "RATE = 1.0", "RATE = 2.0"), points) == [(False,)]
