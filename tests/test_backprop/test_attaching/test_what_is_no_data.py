"""Objects, chances and samples beside the data: a program is run with none of them changed, and judged all the same."""

from __future__ import annotations

import pytest

from backprop.attaching.entry import load
from backprop.attaching.loading import attach_file
from backprop.attaching.looking.refusals import Refused
from backprop.verification.explanation import judge_and_explain

PROPERTY = """
import numpy as np


class Box:
    shape = property(lambda self: self.v.shape)

    def __init__(self, v):
        self.v = np.asarray(v, dtype=float)

    @staticmethod
    def wrap(x):
        return x if isinstance(x, Box) else Box(x)


rng = np.random.default_rng(0)
X, Y, W = rng.normal(size=(9, 3)), rng.normal(size=(9, 2)), Box(rng.normal(size=(3, 2)))
for turn in range(5):
    gap = Box.wrap(X).v @ W.v - Box.wrap(Y).v
    loss = 0.5 * np.sum(gap ** 2)
    W.v = W.v - 0.01 * (X.T @ gap)
"""
CHANCES = """
import numpy as np

np.random.seed(1)
chances = np.array([0.1, 0.2, 0.3, 0.4])
E, U = np.random.randn(4, 3), np.random.randn(4, 3)


def loss_of(c, o):
    return 0.5 * (E[c] @ U[o] - 1.0) ** 2


for turn in range(6):
    for c in range(4):
        o = np.random.choice(4, p=chances)
        loss = loss_of(c, o)
        gap = E[c] @ U[o] - 1.0
        e = E[c].copy()
        E[c] -= 0.1 * gap * U[o]
        U[o] -= 0.1 * gap * e
"""
ALL_SAMPLES = """
import numpy as np

rng = np.random.default_rng(2)
ratings = [(int(rng.integers(30)), int(rng.integers(20)), float(rng.normal())) for _ in range(60)]


class Factors:
    def __init__(self):
        self.P, self.Q = rng.normal(size=(30, 3)), rng.normal(size=(20, 3))

    def objective(self, rows):
        return sum(0.5 * (r - self.P[u] @ self.Q[i]) ** 2 for u, i, r in rows)

    def learn(self, u, i, r):
        gap, p = r - self.P[u] @ self.Q[i], self.P[u].copy()
        self.P[u] += 0.02 * gap * self.Q[i]
        self.Q[i] += 0.02 * gap * p


model = Factors()
for turn in range(3):
    for u, i, r in ratings:
        model.learn(u, i, r)
    print(model.objective(ratings))
"""
BLOCKS = """
import torch
import torch.nn as nn


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, g):
        return FACTOR * g


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(3, 3) for _ in range(2))

    def forward(self, x):
        for block in self.blocks:
            x = torch.tanh(block(Twice.apply(x)))
        return x


torch.manual_seed(0)
X, Y = torch.randn(8, 3), torch.randn(8, 3)
net = Net()
rule = torch.optim.SGD(net.parameters(), lr=0.1)
for turn in range(4):
    loss = ((net(X) - Y) ** 2).mean()
    rule.zero_grad()
    loss.backward()
    rule.step()
"""


def write(folder, text):
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("text", [PROPERTY, CHANCES], ids=["a property that is called shape", "chances"])
def test_a_right_program_is_verified(text, tmp_path):
    assert judge_and_explain(load(write(tmp_path, text))).verdict == "verified"


def test_a_copy_that_was_left_out_is_found_beside_chances(tmp_path):
    report = judge_and_explain(load(write(tmp_path, CHANCES.replace("E[c].copy()", "E[c]"))))
    assert report.verdict == "wrong"
    assert report.evidence["tensors"]["U"]["verdict"] == "wrong" or report.findings[0].equation == "update"


def test_a_cost_over_all_samples_says_nothing_of_the_step_of_one(tmp_path):
    with pytest.raises(Refused, match=r"no gradient of these was seen|for some samples"):
        attach_file(write(tmp_path, ALL_SAMPLES))


@pytest.mark.parametrize(("factor", "verdict"), [("2", "verified"), ("3", "wrong")])
def test_blocks_in_a_list_keep_their_kind_and_their_names(factor, verdict, tmp_path):
    report = judge_and_explain(load(write(tmp_path, BLOCKS.replace("FACTOR", factor))))
    assert report.verdict == verdict
    assert set(report.evidence["tensors"]) == {f"blocks.{k}.{name}" for k in (0, 1) for name in ("weight", "bias")}


WEIGHTED = """
import numpy as np

rng = np.random.default_rng(3)
X, labels = rng.normal(size=(15, 4)), rng.integers(3, size=15)
weights = np.array([0.5, 1.0, 3.0])
W, b = rng.normal(size=(4, 3)), np.zeros(3)
for turn in range(5):
    z = X @ W + b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = -np.mean(weights[labels] * np.log(p[np.arange(15), labels]))
    e = p.copy()
    e[np.arange(15), labels] -= 1
    e = WEIGHTSe / 15
    W -= 0.1 * (X.T @ e)
    b -= 0.1 * e.sum(axis=0)
"""


@pytest.mark.parametrize(("weights", "verdict"), [("weights[labels][:, None] * ", "verified"), ("", "wrong")])
def test_weights_of_classes_that_the_gradient_lacks_are_its_fault(weights, verdict, tmp_path):
    file = write(tmp_path, WEIGHTED.replace("WEIGHTSe", f"{weights}e"))
    assert judge_and_explain(load(file)).verdict == verdict
