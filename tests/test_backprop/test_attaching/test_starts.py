"""Starts at which gradients are degenerate: what is a parameter is asked beside them too, and of some entries."""

from __future__ import annotations

import pytest

from backprop.attaching.entry import load
from backprop.attaching.looking.refusals import Refused
from backprop.examiner.judging.judge import judge

ZEROS = """
import numpy as np
rng = np.random.default_rng(3)
raw = rng.uniform(10, 50, size=(40, 2))
X = (raw - raw.mean(axis=0)) / raw.std(axis=0)
y = (raw @ np.array([0.5, 0.3]) + rng.normal(size=40) > 24).astype(float)TARGET
w, b = WEIGHTS, BIAS
for epoch in range(100):
    a = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a)) + 0.1 / 2 * np.sum(w ** 2)
    d = (a - y) / len(y)
    gw = X.T @ d + 0.1 * w
    gb = SUM
    w = w - 0.5 * gw
    b = b - 0.5 * gb
"""
KINDS = {
    "a vector and a number": ("", "np.zeros(2)", "0.0", "d.sum()"),
    "a column and a number": ("[:, None]", "np.zeros((2, 1))", "0.0", "np.sum(d)"),
    "a column and an array": ("[:, None]", "np.zeros((2, 1))", "np.zeros(1)", "d.sum(axis=0)"),
}


FAULTS = {"none": ("", ""), "penalty": ("+ 0.1 * w", "+ 0.2 * w"), "bias": ("gb = ", "gb = 2 * ")}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_zero_weights_on_standardised_data_are_read_with_their_bias(kind, fault, tmp_path):
    text = ZEROS
    for name, value in zip(("TARGET", "WEIGHTS", "BIAS", "SUM"), KINDS[kind], strict=True):
        text = text.replace(name, value)
    file = tmp_path / "program.py"
    file.write_text(text.replace(*FAULTS[fault]), encoding="utf-8")
    report = judge(load(file))
    assert report.verdict == ("verified" if fault == "none" else "wrong")
    assert any("parameters w, b" in note for note in report.notes)


NEURONS = """
from math import exp
from random import random, seed
seed(SEED)
rows = [[random(), random(), i % 2] for i in range(6)]
net = [[{"weights": [random() for _ in range(3)]} for _ in range(2)] for _ in range(2)]
for epoch in range(20):
    for row in rows:
        below = row[:2]
        for layer in net:
            for neuron in layer:
                z = neuron["weights"][-1] + sum(w * x for w, x in zip(neuron["weights"], below))
                neuron["out"] = 1.0 / (1.0 + exp(-z))
            below = [neuron["out"] for neuron in layer]
        goal = [1 - row[2], row[2]]
        loss = 0.5 * sum((o - t) ** 2 for o, t in zip(below, goal))
        for j, neuron in enumerate(net[1]):
            neuron["delta"] = (below[j] - goal[j]) * below[j] * (1.0 - below[j])
        for j, neuron in enumerate(net[0]):
            back = sum(n["weights"][j] * n["delta"] for n in net[1])
            neuron["delta"] = back * neuron["out"] * (1.0 - neuron["out"])
        below = row[:2]
        for layer in net:
            for neuron in layer:
                for j in range(2):
                    neuron["weights"][j] -= 0.5 * neuron["delta"] * below[j]
                neuron["weights"][-1] -= 0.5 * neuron["delta"]
            below = [neuron["out"] for neuron in layer]
"""
HIDDEN = 'back * neuron["out"] * '


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("verdict", ["verified", "wrong"])
def test_no_neuron_of_a_network_of_lists_is_lost(seed, verdict, tmp_path):
    text = NEURONS.replace("SEED", str(seed))
    file = tmp_path / "program.py"
    file.write_text(text.replace(HIDDEN, "back * ") if verdict == "wrong" else text, encoding="utf-8")
    report = judge(load(file))
    assert report.verdict == verdict
    assert all(f"net[{i}][{j}]['weights']" in report.notes[0] for i in range(2) for j in range(2))


RATES = """
import numpy as np
rng = np.random.default_rng(1)
t = np.linspace(0, 2, 9)
seen = 2.0 * np.exp(-0.7 * t) + rng.normal(0, 0.02, 9)
def solve(theta):
    k, c = theta
    N = np.empty(9)
    N[0] = c
    for i in range(8):
        N[i + 1] = N[i] * (1 - 0.25 * k)
    return N
def adjoint(theta, N):
    k, c = theta
    left = (N - seen) / len(seen)
    lam, gk = left[8], 0.0
    for i in reversed(range(8)):
        gk -= lam * 0.25 * N[i]
        lam = lam * (1 - 0.25 * k) + left[i]
    return np.array([gk, lam])
theta = np.array([0.4, 1.5])
rate = np.array([0.05, 0.5])
for it in range(50):
    N = solve(theta)
    loss = 0.5 * np.mean((N - seen) ** 2)
    g = adjoint(theta, N)
    theta = STEP
"""
STEPS = ("theta - rate * g", "theta - g * rate", "theta + -rate * g", "theta - 0.5 * rate * g")


@pytest.mark.parametrize("cost", [None, "loss"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("verdict", ["verified", "wrong"])
def test_a_rate_for_each_entry_is_no_gradient(step, cost, verdict, tmp_path):
    text = RATES.replace("STEP", step)
    file = tmp_path / "program.py"
    file.write_text(text.replace("gk -=", "gk +=") if verdict == "wrong" else text, encoding="utf-8")
    report = judge(load(file, cost=cost))
    assert report.verdict == verdict
    assert any("gradients from g; the step is not one number times that" in note for note in report.notes)
    assert any("cost: loss" in note for note in report.notes)


def test_a_cost_that_is_not_there_is_told_with_those_that_are(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(RATES.replace("STEP", STEPS[0]), encoding="utf-8")
    with pytest.raises(
        Refused, match=r"--cost price: no such number depends on the parameters; there are loss, half-sse, "
    ):
        load(file, cost="price")


ENGINE = """
class Value:
    def __init__(self, data, before=()):
        self.data, self.grad, self.back = data, 0.0, lambda: None
        self.before = set(before)
    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))
        def back():
            self.grad += out.grad
            other.grad += out.grad
        out.back = back
        return out
    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))
        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.back = back
        return out
    def backward(self):
        order, seen = [], set()
        def build(node):
            if node not in seen:
                seen.add(node)
                for one in node.before:
                    build(one)
                order.append(node)
        build(self)
        self.grad = 1.0
        for node in reversed(order):
            node.back()
a, b = Value(0.7), Value(-0.3)
for step in range(20):
    loss = Value(0.0)
    for x, y in ((0.31, 0.77), (1.13, -0.21), (-0.57, 0.43), (0.89, 0.19)):
        e = a * Value(x) + b + Value(-y)
        loss = loss + e * e + e * e * b * b
    a.grad = b.grad = 0.0
    loss.backward()
    a.data -= 0.01 * a.grad
    b.data -= 0.01 * b.grad
"""


def judge_text(text, folder):
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    return judge(load(file))


def test_an_engine_that_goes_through_a_set_is_right_in_every_order(tmp_path):
    assert judge_text(ENGINE, tmp_path).verdict == "verified"


ORDERED = """
import numpy as np
import time
parts = {1, 2, 3}
x, y = np.arange(6.0) / 6, np.arange(6.0) / 3 + 0.1
w = np.array([0.5, 0.2])
for step in range(20):
    e = w[0] * x + w[1] - y
    loss = 0.5 * np.sum(e ** 2)
    g = np.array([np.sum(e * x), np.sum(e)])
    w = w - 0.05 * g * (1 + SIZE * (time.perf_counter_ns() % 1000))
"""


def test_what_differs_from_run_to_run_by_rounding_is_taken_where_there_is_a_set(tmp_path):
    assert judge_text(ORDERED.replace("SIZE", "1e-18"), tmp_path).verdict == "verified"
    with pytest.raises(Refused, match=r"gives other numbers .* a set is made at line 4, .* dict.fromkeys"):
        judge_text(ORDERED.replace("SIZE", "1e-6"), tmp_path)


def test_without_a_set_no_order_is_spoken_of(tmp_path):
    with pytest.raises(Refused, match="gives other numbers") as refusal:
        judge_text(ORDERED.replace("SIZE", "1e-6").replace("{1, 2, 3}", "[1, 2, 3]"), tmp_path)
    assert "a set is made" not in str(refusal.value)


LATE = """
import numpy as np
rng = np.random.default_rng(3)
w, c = rng.normal(size=(3, 4)), np.zeros(3)
kept, count = 0.0, 0
def chances(s, w, c):
    e = np.exp(w @ s + c)
    return e / e.sum()
def loss(s, a, gain, w, c):
    return -gain * np.log(chances(s, w, c)[a])
def learn(s, a, gain, w, c):
    d = chances(s, w, c)
    d[a] {sign}= 1.0
    d = d * gain
    return np.outer(d, s), d
def play(turns):
    global w, c, kept, count
    for turn in range(turns):
        s = rng.normal(size=4)
        a = int(rng.choice(3, p=chances(s, w, c)))
        reward = float({pays})
        gw, gc = learn(s, a, reward - kept, w, c)
        w = w - 0.1 * gw
        c = c - 0.1 * gc
        count += 1
        kept += (reward - kept) / count
play(900)
"""
PAYS = {"now and then": "rng.random() < 0.6", "after five turns": "turn > 5", "after thirty": "turn % 40 == 30"}


@pytest.mark.parametrize("pays", PAYS)
def test_the_first_turns_may_move_nothing_at_all(pays, tmp_path):
    for sign, verdict in (("-", "verified"), ("+", "wrong")):
        file = tmp_path / "play.py"
        file.write_text(LATE.format(sign=sign, pays=PAYS[pays]), encoding="utf-8")
        report = judge(load(file))
        assert (report.verdict, sorted(report.evidence["tensors"])) == (verdict, ["c", "w"])
