"""A cost that is called nothing of the kind, of one row at a time, or of what was drawn with the parameters."""

from __future__ import annotations

import pytest

from backprop.attaching.entry import load
from backprop.examiner.judging.judge import judge

RANKED = """
import numpy as np

class Ranker:
    def __init__(self, rng):
        self.A, self.v = rng.normal(size=(3, 5)), rng.normal(size=5)

    def score(self, x):
        return np.tanh(x @ self.A) @ self.v

    def surprise(self, pairs):
        return np.mean(np.logaddexp(0.0, self.score(pairs[1]) - self.score(pairs[0])))

    def slope(self, pairs):
        p = 1 / (1 + np.exp(self.score(pairs[0]) - self.score(pairs[1]))) / len(pairs[0])
        gA, gv = 0.0, 0.0
        for x, d in ((pairs[0], -p), (pairs[1], p)):
            h = np.tanh(x @ self.A)
            gv = gv + h.T @ d
            gA = gA + x.T @ (np.outer(d, self.v) * (1 - h ** 2))
        return gA, gv

rng = np.random.default_rng(1)
ranker, pairs = Ranker(rng), rng.normal(size=(2, 9, 3))
for epoch in range(40):
    gA, gv = ranker.slope(pairs)
    ranker.A -= 0.1 * gA
    ranker.v -= 0.1 * gv
"""
ROWS = """
import numpy as np
from collections import namedtuple

Visit = namedtuple("Visit", "who what stars")
rng = np.random.default_rng(2)
rows = [Visit(int(rng.integers(7)), int(rng.integers(6)), float(rng.normal())) for _ in range(140)]

class Tables:
    def __init__(self):
        self.P, self.Q = rng.normal(size=(7, 2)), rng.normal(size=(6, 2))

    def part(self, r):
        e = r.stars - self.P[r.who] @ self.Q[r.what]
        return 0.5 * e * e + 0.05 * (self.P[r.who] @ self.P[r.who])

    def objective(self, rows):
        return sum(self.part(r) for r in rows)

    def learn(self, r):
        e = r.stars - self.P[r.who] @ self.Q[r.what]
        old = self.P[r.who].copy()
        self.P[r.who] += 0.05 * (e * self.Q[r.what] - 0.1 * self.P[r.who])
        self.Q[r.what] += 0.05 * e * old

tables = Tables()
for epoch in range(3):
    for r in rows:
        tables.learn(r)
    print(tables.objective(rows))
"""
DRAWN = """
import numpy as np
rng = np.random.default_rng(4)

def policy(W, S):
    z = S @ W
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

def surrogate(W, S, A, adv):
    return -np.mean(adv * policy(W, S)[np.arange(len(A)), A])

def surrogate_grad(W, S, A, adv):
    d = np.exp(policy(W, S)) * adv[:, None]
    d[np.arange(len(A)), A] -= adv
    return S.T @ d / len(A)

W = 0.1 * rng.normal(size=(4, 3))
for epoch in range(30):
    S, A, R = [], [], []
    place = 0
    while place < 3 and len(S) < 12:
        s = np.eye(4)[place]
        a = rng.choice(3, p=np.exp(policy(W, s[None])[0]))
        S.append(s)
        A.append(a)
        R.append(1.0 if a == 2 else -0.3)
        place = place + 1 if a == 2 else max(place - 1, 0)
    S, A, adv = np.array(S), np.array(A), np.cumsum(R[::-1])[::-1]
    W -= 0.1 * surrogate_grad(W, S, A, adv)
"""
CASES = {
    "called a surprise": (RANKED, "surprise", ("(1 - h ** 2)", "(1 - h)")),
    "one row of a table": (ROWS, "part(r)", ("(e * self.Q", "(2 * e * self.Q")),
    "what a policy drew": (DRAWN, "surrogate", ("-= adv\n", "-= adv ** 2\n")),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cost_is_found_by_running_what_takes_the_same_things(case, tmp_path):
    text, name, fault = CASES[case]
    file = tmp_path / "program.py"
    file.write_text(text, encoding="utf-8")
    subject = load(file)
    assert any(name in note for note in subject.notes if "cost: " in note)
    assert judge(subject).verdict == "verified"
    assert fault[0] in text
    file.write_text(text.replace(*fault), encoding="utf-8")
    assert judge(load(file, cost=name.partition("(")[0])).verdict == "wrong"
