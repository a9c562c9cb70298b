"""One trial: lengths, places and random values for all that no definition fixes, any function, any cost."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from backprop.formulas.conventions.letters import key_of, letters_of
from backprop.formulas.conventions.lookup import Limits, Lookup
from backprop.formulas.conventions.naming import COUNTS, ONE, Ref
from backprop.formulas.meaning.arrays import Array, along, each, full
from backprop.formulas.meaning.chance import Chance, Expectations
from backprop.formulas.meaning.dims import Dim, Dims, ShapeMisfit
from backprop.formulas.meaning.numbers import decimal
from backprop.formulas.meaning.shaping import Shaper
from backprop.formulas.text.tree import NotUnderstood, Sym, Term, walk

__all__ = ["PIECES", "Reach", "Scene"]

FRACTIONS = {"decay rate", "learning rate", "target", "small constant", "distribution"}
POSITIVE = {"parameter", "variance", "standard deviation", "second moment", "scale", "penalty", ONE}
MOST_STEPS = 400_000
"""Steps of evaluation for one comparison of two sides."""
PIECES = 16
"""Drawn values are whole sixteenths, so that a counterexample can be written down."""


@dataclass(frozen=True)
class Reach:
    """Where a letter is drawn from, without the ends; whole numbers with them."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    among: tuple[float, ...] = ()

    def closed(self, span: float) -> Reach:
        """The same with two ends: a side without a limit goes as far as this from the other one, or from 0.

        >>> Reach(low=3.0).closed(2.0)
        Reach(low=3.0, high=5.0, whole=False, among=())
        """
        if self.among:
            return self
        if math.isinf(self.low) and math.isinf(self.high):
            return Reach(-span, span, self.whole)
        low = self.high - span if math.isinf(self.low) else self.low
        return Reach(low, self.low + span if math.isinf(self.high) else self.high, self.whole)


class Scene:
    """Values for one trial, drawn when they are first asked for."""

    def __init__(self, lookup: Lookup, rng: np.random.Generator, *, equal: bool = False, unit: bool = False,
                 wide: bool = False) -> None:  # fmt: skip
        self.lookup = lookup
        self.rng = rng
        self.equal = equal
        self.unit = unit
        self.reach = 6.0 if wide else 2.0
        self.near: list[str] = []
        self.limits = Limits(sample=int(rng.integers(2, 5)))
        self.shaper = Shaper(lookup, self.limits, Dims())
        self.values: dict[tuple[str, tuple[int, ...]], Array] = {}
        self.functions: dict[str, list[arb]] = {}
        self.touched: dict[tuple[str, tuple[int, ...]], None] | None = None
        self.effort = 0
        self.counts: dict[str, int] = {}
        self.costs: dict[str, tuple[list[arb], ...]] = {}
        self.env: dict[str, int] = {}
        self.variances: dict[str, Any] = {}
        self.means: dict[str, Any] = {}
        self.chance = Chance(lookup)
        self._moments: Expectations | None = None
        self.shaper.is_assumed = self.is_assumed
        self.forced: dict[str, Reach] = {}

    def spend(self) -> None:
        """Count one step of evaluation; a formula that needs very many is refused."""
        self.effort += 1
        if self.effort > MOST_STEPS:
            raise NotUnderstood("this takes too long to evaluate")

    def settle(self, definitions: list[tuple[Term, dict[str, Any]]], formula: list[Term], env: dict[str, int]) -> None:
        """Learn the lengths from what is known, then softly from the formula, then draw them."""
        for node, inner in definitions:
            self.shaper.shape(node, inner, {})
        self.shaper.tie_counts()
        self.shaper.dims.soft = True
        for node in formula:
            self.try_shape(node, env)
        self.shaper.dims.draw(self.rng, self.equal, 3 if self.chance.laws else 4)
        self.shaper.dims.soft = False

    def settle_families(self) -> None:
        """Learn the lengths of every defined quantity at all its layers, times and samples."""
        for name, entries in self.lookup.entries.items():
            kinds = entries[0].ref.kinds
            if not kinds or any(kind not in ("layer", "time", "sample") for kind in kinds):
                continue
            for places in itertools.product(*[range(1, self.limits.last(kind) + 1) for kind in kinds]):
                if self.lookup.find(name, places, self.limits) is not None:
                    self.shaper.instance(name, places, entries[0].ref)

    def try_shape(self, node: Term, env: dict[str, int]) -> None:
        """What the formula itself says of lengths, as far as it says anything."""
        letters: dict[str, Dim | int] = dict(env)
        for name in self.free_letters(node):
            letters.setdefault(name, self.shaper.dims.new())
        try:
            self.shaper.shape(node, letters, {})
        except (ShapeMisfit, NotUnderstood):
            return

    def free_letters(self, node: Term) -> list[str]:
        """Index letters that count components."""
        naming = self.lookup.naming
        refs = [naming.read(s) for s in walk(node) if isinstance(s, Sym)]
        letters = [x for ref in refs if not ref.label for c in ref.comps for x in letters_of(c)]
        roles = self.lookup.conventions.roles
        return list(dict.fromkeys(key_of(x) for x in letters if roles.get(x) not in COUNTS))

    def is_assumed(self, name: str, places: tuple[int, ...]) -> bool:
        """Whether the assumptions say how this quantity is distributed, at these very places."""
        for ref in self.chance.placed.get(name, []):
            values = [
                self.lookup.place_value(node, self.env, kind, self.limits, strict=False) for kind, node in ref.places
            ]
            if tuple(values) == places:
                return True
        return False

    def moments(self, meaning: Any) -> Expectations:
        """The atoms of the random variables, drawn once."""
        if self._moments is None:
            self._moments = Expectations(meaning, self.chance)
        return self._moments

    def length_of(self, name: str) -> int | None:
        """A count: a named length, the last place, or a number that is drawn."""
        kind = self.shaper.place_counts.get(name)
        if kind is not None:
            return self.limits.last(kind)
        dim = self.shaper.dims.named.get(name)
        return None if dim is None else dim.length()

    def count(self, name: str, role: str) -> int:
        """The value of a letter that counts something."""
        found = self.length_of(name)
        if found is not None:
            return found
        if role == "number of samples":
            batch = self.shaper.dims.named.get("#samples")
            return self.limits.sample if batch is None else int(batch.length() or 1)
        if role == "number of time steps":
            return self.limits.time
        if name not in self.counts:
            self.counts[name] = int(self.rng.integers(2, 7))
        return self.counts[name]

    def ground(self, name: str, places: tuple[int, ...], ref: Ref) -> Array:
        """The value of what no definition gives."""
        key = (name, places)
        if self.touched is not None and self.chance.is_random(name):
            self.touched[key] = None
        if key not in self.values:
            shape = tuple(self._length(dim) for dim in self.shaper.instance(name, places, ref))
            role = self.shaper.role(name)
            self.values[key] = self.drawn(name, role, shape)
        return self.values[key]

    def drawn(self, name: str, role: str | None, shape: tuple[int, ...]) -> Array:
        """Random values of a shape, as the role asks: one 1, parts of a whole, a symmetric matrix."""
        if role == "one-hot target":
            return self.one_hot(shape)
        if name.startswith("1"):
            return full(shape, lambda _: arb(1))
        values = full(shape, lambda _: self.number(name, role))
        if role == "symmetric" and len(shape) == 2:
            return full(shape, lambda at: values[tuple(sorted(at))])
        if role == "distribution" and shape:
            axis = self.axis_of_units(shape)
            return each(lambda x, whole: x / whole, values, along(values, axis))
        return values

    def axis_of_units(self, shape: tuple[int, ...]) -> int:
        """The axis that the units of one sample lie along."""
        batch = self.lookup.conventions.word("samples")
        return 0 if len(shape) == 1 or batch == "columns" or (shape[1] == 1 and batch != "rows") else 1

    def _length(self, dim: Any) -> int:
        if dim.length() is None:
            self.shaper.dims.draw(self.rng, self.equal, 3 if self.chance.laws else 4)
        return int(dim.length())

    def number(self, name: str, role: str | None) -> arb:
        """One value: whole sixteenths, positive or a fraction where the role asks for it, or near a limit."""
        forced = self.forced.get(name, Reach(-self.reach, self.reach))
        low, high = forced.low, forced.high
        if forced.among:
            return decimal(str(forced.among[int(self.rng.integers(len(forced.among)))]))
        if name not in self.forced and (self.unit or role in FRACTIONS):
            low, high = 0.0, 1.0
        elif name not in self.forced and role in POSITIVE:
            low, high = 0.0, 3.0
        if self.near and (low, high) == (-self.reach, self.reach) and self.rng.random() < 0.75:
            step = arb(int(self.rng.choice([-2, -1, 1, 2]))) / (2 * PIECES)
            return int(self.rng.choice([-1, 1])) * decimal(str(self.rng.choice(self.near))) + step
        if forced.whole:
            return arb(int(self.rng.integers(math.ceil(low), max(math.ceil(low), math.floor(high)) + 1)))
        pieces = PIECES if high - low >= 0.5 else 1024
        first = math.floor(low * pieces) + 1
        whole = int(self.rng.integers(first, max(first, math.ceil(high * pieces) - 1) + 1))
        return arb(whole if whole else 1) / pieces

    def one_hot(self, shape: tuple[int, ...]) -> Array:
        """Ones and zeros, one 1 for each sample."""
        out = full(shape, lambda _: arb(0))
        if not shape:
            out[()] = arb(int(self.rng.integers(0, 2)))
            return out
        axis = self.axis_of_units(shape)
        others = [n for k, n in enumerate(shape) if k != axis]
        for rest in np.ndindex(*others):
            hot = int(self.rng.integers(0, shape[axis]))
            out[(*rest[:axis], hot, *rest[axis:])] = arb(1)
        return out

    def any_function(self, name: str) -> Callable[[Any], Any]:
        """A smooth function that nobody can guess and that grows slowly: a line and two waves."""
        if name not in self.functions:
            self.functions[name] = [self.number(name, None) for _ in range(6)]
        a, b, c, d, e, g = self.functions[name]
        return lambda x: a + b * x + c * (d * x).sin() + e * (g * x / 2).cos()

    def any_cost(self, name: str, values: list[Any]) -> Any:
        """A smooth function of many numbers: linear, quadratic, and waves of them."""
        size = len(values)
        if name not in self.costs:
            self.costs[name] = tuple([self.number(name, None) for _ in range(size)] for _ in range(4))
        linear, left, right, inner = self.costs[name]
        one, two, form, far = arb(0), arb(0), arb(0), arb(0)
        for k, value in enumerate(values):
            one = one + linear[k % len(linear)] * value
            two = two + left[k % len(left)] * value
            form = form + right[k % len(right)] * value
            far = far + inner[k % len(inner)] * value * value
        return one + two * form + two.sin() + (far / 2).cos() * form
