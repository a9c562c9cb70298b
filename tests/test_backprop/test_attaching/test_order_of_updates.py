"""Weights that change while the error is still going back are wrong, and otherwise right, in whatever form."""

from __future__ import annotations

import textwrap

import pytest

from backprop.attaching.entry import load
from backprop.examiner.judging.judge import judge

PROGRAM = """
import numpy as np
rng = np.random.default_rng(0)

class Momentum:
    def __init__(self, rate):
        self.rate, self.memory = rate, {{}}
    def step(self, name, weights, slope):
        self.memory[name] = 0.9 * self.memory.get(name, 0.0) - self.rate * slope
        weights += self.memory[name]

class Model:
    def __init__(self):
        self.rate, self.count = 0.1, 0
        self.inner, self.outer = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
        self.table = {{"inner": self.inner, "outer": self.outer}}
        self.row = [self.inner, self.outer]
        self.speed = {{"inner": np.zeros((3, 5)), "outer": np.zeros((5, 2))}}
        self.size = {{"inner": np.zeros((3, 5)), "outer": np.zeros((5, 2))}}
        self.optimiser = Momentum(0.1)
{helper}
    def learn(self, data, goal):
        self.count += 1
        hidden = np.tanh(data @ {inner})
        error = hidden @ {outer} - goal
        loss = 0.5 * np.sum(error ** 2) / len(data)
        error = error / len(data)
{body}
        return loss

    def train(self, data, goal):
        for turn in range(50):
            self.learn(data, goal)

Model().train(rng.normal(size=(9, 3)), rng.normal(size=(9, 2)))
"""

ADAPTED = """
def change(self, name, slope):
    self.speed[name] = 0.9 * self.speed[name] + 0.1 * slope
    self.size[name] = 0.99 * self.size[name] + 0.01 * slope ** 2
    first, second = self.speed[name] / (1 - 0.9 ** self.count), self.size[name] / (1 - 0.99 ** self.count)
    setattr(self, name, getattr(self, name) - self.rate * first / (np.sqrt(second) + 1e-8))
"""
ADAPTED_LINES = """
slope = {g}
self.speed["{n}"] = 0.9 * self.speed["{n}"] + 0.1 * slope
self.size["{n}"] = 0.99 * self.size["{n}"] + 0.01 * slope ** 2
self.{n} -= self.rate * (self.speed["{n}"] / (1 - 0.9 ** self.count)) / (
    np.sqrt(self.size["{n}"] / (1 - 0.99 ** self.count)) + 1e-8)
"""
ATTRIBUTE, ITEM, ELEMENT = (
    ("self.inner", "self.outer"),
    ('self.table["inner"]', 'self.table["outer"]'),
    ("self.row[0]", "self.row[1]"),
)
MOVE = "def change(self, name, slope):\n    "
FORMS = {
    "in place": (ATTRIBUTE, "", "self.{n} -= self.rate * ({g})"),
    "assigned": (ATTRIBUTE, "", "self.{n} = self.{n} - self.rate * ({g})"),
    "by a slice": (ATTRIBUTE, "", "self.{n}[:] = self.{n} - self.rate * ({g})"),
    "setattr": (ATTRIBUTE, "", "setattr(self, '{n}', self.{n} - self.rate * ({g}))"),
    "setattr in a method": (
        ATTRIBUTE, MOVE + "setattr(self, name, getattr(self, name) - self.rate * slope)", "self.change('{n}', {g})",
    ),
    "attributes as a table": (
        ATTRIBUTE, MOVE + "self.__dict__[name] = self.__dict__[name] - self.rate * slope", "self.change('{n}', {g})",
    ),
    "a method that returns": (
        ATTRIBUTE, "def less(self, w, g):\n    return w - self.rate * g", "self.{n} = self.less(self.{n}, {g})",
    ),
    "in place in a method": (ATTRIBUTE, "def less(self, w, g):\n    w -= self.rate * g", "self.less(self.{n}, {g})"),
    "item": (ITEM, "", "self.table['{n}'] = self.table['{n}'] - self.rate * ({g})"),
    "item in a method": (
        ITEM, MOVE + "self.table[name] = self.table[name] - self.rate * slope", "self.change('{n}', {g})",
    ),
    "items by update": (ITEM, "", "self.table.update({{'{n}': self.table['{n}'] - self.rate * ({g})}})"),
    "element": (ELEMENT, "", "self.row[{k}] = self.row[{k}] - self.rate * ({g})"),
    "element in place": (ELEMENT, "", "self.row[{k}] -= self.rate * ({g})"),
    "into an output": (ATTRIBUTE, "", "np.subtract(self.{n}, self.rate * ({g}), out=self.{n})"),
    "copied to": (ATTRIBUTE, "", "np.copyto(self.{n}, self.{n} - self.rate * ({g}))"),
    "an optimiser for each": (ATTRIBUTE, "", "self.optimiser.step('{n}', self.{n}, {g})"),
    "momentum": (
        ATTRIBUTE, "", "self.speed['{n}'] = 0.9 * self.speed['{n}'] - self.rate * ({g})\nself.{n} += self.speed['{n}']",
    ),
    "momentum, setattr in a method": (
        ATTRIBUTE,
        MOVE + "self.speed[name] = 0.9 * self.speed[name] - self.rate * slope\n"
        "    setattr(self, name, getattr(self, name) + self.speed[name])",
        "self.change('{n}', {g})",
    ),
    "momentum into an output": (
        ATTRIBUTE,
        "",
        "self.speed['{n}'] *= 0.9\nself.speed['{n}'] -= self.rate * ({g})\n"
        "np.add(self.{n}, self.speed['{n}'], out=self.{n})",
    ),
    "adapted": (ATTRIBUTE, "", ADAPTED_LINES),
    "adapted, setattr in a method": (ATTRIBUTE, ADAPTED, "self.change('{n}', {g})"),
}  # fmt: skip
BACK = "back = (error @ {outer}.T) * (1 - hidden ** 2)"


def write_program(form, *, late):
    """A program that changes its weights in a form, with the error taken back before or after the first change."""
    (inner, outer), helper, change = FORMS[form]
    first = change.format(n="outer", k=1, g="hidden.T @ error")
    back = BACK.format(outer=outer)
    lines = [first, back] if late else [back, first]
    body = "\n".join([*lines, change.format(n="inner", k=0, g="data.T @ back")])
    return PROGRAM.format(
        inner=inner, outer=outer, helper=textwrap.indent(helper, " " * 4), body=textwrap.indent(body, " " * 8)
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_updates_decides_in_every_form(form, tmp_path):
    verdicts = []
    for late in (False, True):
        file = tmp_path / f"late_{late}.py"
        file.write_text(write_program(form, late=late), encoding="utf-8")
        report = judge(load(file))
        verdicts.append(report.verdict)
        if late:
            assert {finding.equation for finding in report.findings}.isdisjoint({"BP1", "cost"}), str(report)
    assert verdicts == ["verified", "wrong"]
