"""Means over random weights and inputs: two nodes, and a check that counts all cases of a small world.

The check knows no rule of probability: it evaluates both sides of a step in a world where each weight is +s or -s,
with layers of two and three units, and averages over every combination, in exact fractions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from sympy import Expr, Integer, Rational, sympify

from theory.language.derivation import Derivation, Step
from theory.language.notation import Delta, Function, Index, Node, Total, Variable, Width, part
from theory.language.printing import ATOM, Printer

__all__ = ["Mean", "Variance", "agree_in_mean", "check_means", "mean"]


class Mean(Node):
    """E[body]: the mean over everything random in it."""

    def __new__(cls, body: Expr) -> Mean:
        return Expr.__new__(cls, sympify(body))

    body: Expr = part(0)


class Variance(Node):
    """The variance of each entry of a letter at a layer, the same for all."""

    letter: Variable = part(0)


def mean(body: Expr) -> Mean:
    """E[body]."""
    return Mean(body)


Printer.table |= {
    Mean: lambda p, e: (p.alphabet.word("E") + p.alphabet.group(p.show(e.body)), ATOM),
    Variance: lambda p, e: (p.alphabet.word("Var") + p.alphabet.group(p.show(e.letter)), ATOM),
}


World = Mapping[Any, Fraction]
SIZE = Fraction(2, 3)  # s: each weight is +s or -s, so its variance is s^2
INPUTS = ((1, 2, 4), (2, 4, 1), (4, 1, 2), (1, 1, 1))  # neither independent of one another nor of mean zero
SLOPES = (Fraction(1, 2), Fraction(3))


def make_worlds(columns: int, rows: int) -> Iterator[World]:
    """Every combination of weights (rows, columns), of the inputs (or errors) of the rows, and of the slope."""
    places = list(itertools.product(range(rows), range(columns)))
    for signs in itertools.product((-1, 1), repeat=len(places)):
        weights = {("w", *place): sign * SIZE for place, sign in zip(places, signs, strict=True)}
        for values, slope in itertools.product(INPUTS, SLOPES):
            units = {("x", i): Fraction(values[i]) for i in range(rows)}
            yield {**weights, **units, "slope": slope}


def evaluate(e: Expr, world: World, worlds: list[World], at: Mapping[Index, int], rows: int) -> Fraction:
    """The value in one world; a mean is the same in all."""

    def value(part: Expr) -> Fraction:
        return evaluate(part, world, worlds, at, rows)

    if isinstance(e, Integer | Rational):
        return Fraction(int(e.p), int(e.q))
    if isinstance(e, Mean):
        return sum((evaluate(e.body, w, worlds, at, rows) for w in worlds), Fraction(0)) / len(worlds)
    if isinstance(e, Variance):
        return SIZE**2
    if isinstance(e, Width):
        return Fraction(rows)
    if isinstance(e, Delta):
        return Fraction(at[e.args[0]] == at[e.args[1]])
    if isinstance(e, Total):
        return sum((evaluate(e.body, world, worlds, {**at, e.index: k}, rows) for k in range(rows)), Fraction(0))
    if isinstance(e, Function):
        return world["slope"]
    if isinstance(e, Variable) and is_computed(e, at):
        weighted = sum((world["w", k, 0] * world["x", k] for k in range(rows)), Fraction(0))
        return weighted if e.name == "z" else world["slope"] * weighted
    if isinstance(e, Variable):
        return read(e, world, at)
    if e.is_Add:
        return sum((value(arg) for arg in e.args), Fraction(0))
    if e.is_Mul:
        return math.prod(map(value, e.args), start=Fraction(1))
    if e.is_Pow and e.exp.is_Integer:
        return value(e.base) ** int(e.exp)
    raise TypeError(f"no value for {e!r} in a small world")


def is_computed(e: Variable, at: Mapping[Index, int]) -> bool:
    """Is this z_j, or the delta_j of the layer in question (its index is free)?"""
    return e.name in ("z", "delta") and bool(e.indices) and e.indices[0] not in at


def read(e: Variable, world: World, at: Mapping[Index, int]) -> Fraction:
    """A weight: the summed index names the row; what is summed over by it (inputs, errors): the row's own.

    z and the first delta are computed from these, as their layer states it.
    """
    if e.name == "w":
        summed = next((index for index in e.indices if index in at), None)
        return world["w", at.get(summed, 0) if summed else 0, 0]
    return world["x", at[e.indices[0]] if e.indices and e.indices[0] in at else 0]


def agree_in_mean(left: Expr, right: Expr) -> bool:
    """Are both sides, which are means, equal in small worlds, with two and with three summands?"""
    for rows in (2, 3):
        worlds = list(make_worlds(1, rows))
        if evaluate(left, worlds[0], worlds, {}, rows) != evaluate(right, worlds[0], worlds, {}, rows):
            return False
    return True


def check_means(derivation: Derivation) -> list[Step]:
    """The steps of a derivation whose sides differ in a small world (none, if it is right)."""
    return derivation.check(lambda _, left, right: agree_in_mean(left, right))
