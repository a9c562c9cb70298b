"""A cost that no name tells is that of the last layer's gradient, whatever the other layers' gradients look like."""

from __future__ import annotations

import pytest

from backprop.attaching.entry import load
from backprop.attaching.words import TAKEN
from backprop.examiner.judging.judge import judge

ROWS = """
import numpy as np
rng = np.random.default_rng({seed})
X, Y = rng.normal(size=(7, {inputs})), rng.random(size=(7, 1))
first, last = rng.normal(size=({inputs}, {hidden})), rng.normal(size=({hidden}, 1))
f = lambda z: 1 / (1 + np.exp(-z))
for step in range(200):
    h = f(X @ first)
    o = f(h @ last)
    e = o - Y
    back = {back} @ last.T * h * (1 - h)
    last -= 0.1 * h.T @ (e * o * (1 - o))
    first -= 0.1 * X.T @ back
"""
COLUMNS = """
import numpy as np
rng = np.random.default_rng({seed})
X, Y = rng.normal(size=({inputs}, 7)), rng.random(size=(1, 7))
first, last = rng.normal(size=({hidden}, {inputs})), rng.normal(size=(1, {hidden}))
f = lambda z: 1 / (1 + np.exp(-z))
for step in range(200):
    h = f(first @ X)
    o = f(last @ h)
    e = o - Y
    back = last.T @ {back} * h * (1 - h)
    last -= 0.1 * (e * o * (1 - o)) @ h.T
    first -= 0.1 * back @ X.T
"""
RIGHT, OTHER = "(e * o * (1 - o))", "e"
"""The second is the error of a cross-entropy: what the first layer gets alone is that of another cost."""


@pytest.mark.parametrize("layout", [ROWS, COLUMNS], ids=["rows", "columns"])
@pytest.mark.parametrize("sizes", [(2, 2), (3, 2), (2, 3), (3, 3)])
def test_the_last_layer_says_which_cost_it_is_also_where_one_unit_follows_a_square_matrix(layout, sizes, tmp_path):
    file = tmp_path / "net.py"
    inputs, hidden = sizes
    for back, verdict in ((RIGHT, "verified"), (OTHER, "wrong")):
        file.write_text(layout.format(seed=sum(sizes), inputs=inputs, hidden=hidden, back=back))
        report = judge(load(file))
        assert report.verdict == verdict
        (cost,) = [str(note) for note in report.notes if str(note).startswith(f"{TAKEN}cost: ")]
        assert cost.startswith(f"{TAKEN}cost: half the sum of squares (inferred: ")
        assert ("of the last layer is" in cost) == (verdict == "wrong")
    (found,) = report.findings
    assert (found.equation, found.layer, found.parameters) == ("BP2", 1, ("first",))
