"""Holds or not: both sides in many random trials, in balls; one trial in which they differ is a proof."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from backprop.formulas.conventions.letters import key_of
from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.judging.kinks import has_kinks, limits
from backprop.formulas.judging.ranges import ranges
from backprop.formulas.meaning.arrays import Array
from backprop.formulas.meaning.dims import OutOfRange, ShapeMisfit
from backprop.formulas.meaning.evaluation import Meaning
from backprop.formulas.meaning.numbers import NoPoint, sign_of
from backprop.formulas.meaning.scene import Scene
from backprop.formulas.text.tree import Compare, NotUnderstood, Sym, Term, walk

__all__ = ["Difference", "Draw", "compare", "find_difference", "trials"]

FAILURES = (NotUnderstood, ShapeMisfit, NoPoint, RecursionError)
"""What may happen to a formula that nobody has printed."""
ATTEMPTS = 60
FAR = arb(2) ** -80


@dataclass(frozen=True)
class Difference:
    """Where both sides differ: at which letters, by which values; or why the shapes do not fit."""

    trial: Draw
    env: dict[str, int]
    left: Any
    right: Any
    shapes: str = ""


class Draw:
    """One scene with its meaning; the left side is worked out once for each choice of letters."""

    def __init__(self, claim: PrintedClaim, seed: int, equal: bool) -> None:
        self.claim = claim
        self.equal = equal
        self.seed = seed
        for attempt in range(ATTEMPTS):
            rng = np.random.default_rng([seed, attempt, int(equal)])
            try:
                self._try(rng, unit=attempt % 3 == 2)
                return
            except NoPoint:
                continue
        raise NotUnderstood("no values were found at which this is defined")

    def _try(self, rng: np.random.Generator, unit: bool) -> None:
        claim = self.claim
        wide = self.seed % 4 >= 2 and has_kinks(claim)
        self.scene = Scene(claim.lookup, rng, equal=self.equal, unit=unit and not wide, wide=wide)
        self.scene.forced = ranges(claim, self.seed)
        self.scene.near = limits(claim) if wide else []
        self.scene.env = self.scene.shaper.env = self.choose_places(rng)
        symbols = [(node, dict(self.scene.env)) for node in self.defined_symbols()]
        try:
            self.scene.settle_families()
            self.scene.settle(symbols, [n for side in claim.sides for n in side], self.scene.env)
        except ShapeMisfit as error:
            raise NotUnderstood(f"the definitions do not fit each other: {error}") from None
        if self.scene.shaper.has_flat_matrix():
            raise NotUnderstood("a matrix would have one row or one column only")
        self.meaning = Meaning(self.scene)
        self.lefts: dict[tuple[int, tuple[tuple[str, int], ...]], Array] = {}
        for condition in claim.conventions.domain:
            if not self.allows(condition):
                raise NoPoint
        try:
            if not any(self.has_left(env) for env in self.letters(claim.letters, claim.sides[0])):
                raise NoPoint
        except ShapeMisfit as error:
            raise NotUnderstood(f"the left side does not fit the definitions: {error}") from None

    def has_left(self, env: dict[str, int]) -> bool:
        """Whether the left side can be worked out for these letters: a shifted index may point beyond its axis."""
        try:
            self.left(0, env)
        except OutOfRange:
            return False
        return True

    def allows(self, condition: Term) -> bool:
        """Whether a condition of the domain is kept."""
        if not isinstance(condition, Compare):
            return True
        try:
            value = self.meaning.value(condition, self.scene.env, {})
        except NotUnderstood:
            return True
        return all(sign_of(x) for x in value.reshape(-1))

    def choose_places(self, rng: np.random.Generator) -> dict[str, int]:
        """Layers, times and samples for the letters of the formula."""
        env = {}
        for key, (kind, low, high) in self.claim.places.items():
            last = self.scene.limits.last(kind)
            first = max(1 if kind != "layer" else 2, 1 - low) if kind != "sample" else 1
            env[key] = int(rng.integers(first, max(first, last - high) + 1))
        return env

    def defined_symbols(self) -> Iterator[Term]:
        """What the lengths are learned from: the cost, and every quantity of the formula as a whole."""
        claim = self.claim
        for definition in claim.conventions.definitions:
            if isinstance(definition.left, Sym) and not claim.lookup.naming.read(definition.left).places:
                yield claim.lookup.bare(definition.left)
        nodes = [n for side in claim.sides for n in side]
        nodes += [n for n in claim.conventions.any_arguments or () if not (isinstance(n, Sym) and self.spread(n))]
        for symbol in (s for node in nodes for s in walk(node) if isinstance(s, Sym)):
            ref = claim.lookup.naming.read(symbol)
            if ref.name in claim.lookup.entries and self.can_place(ref):
                yield claim.lookup.bare(symbol)

    def spread(self, symbol: Sym) -> bool:
        """Whether a quantity has places that are not written here."""
        ref = self.claim.lookup.naming.read(symbol)
        return bool(self.claim.lookup.kinds_of(ref.name)) and not ref.places

    def can_place(self, ref: Any) -> bool:
        """Whether its places have numbers."""
        values = [
            self.claim.lookup.place_value(p, self.scene.env, k, self.scene.limits, strict=False) for k, p in ref.places
        ]
        return None not in values

    def letters(self, names: list[str], side: tuple[Term, Term]) -> Iterator[dict[str, int]]:
        """Every choice of the free component letters that the side conditions allow."""
        ranges = [self.range_of(name, side) for name in names]
        for values in itertools.product(*ranges):
            env = {**self.scene.env, **dict(zip(names, values, strict=True))}
            if all(self.meets(condition, env) for condition in self.claim.conditions):
                yield env

    def meets(self, condition: Term, env: dict[str, int]) -> bool:
        """Whether a side condition is met."""
        if not isinstance(condition, Compare) or condition.sign in ("\\in", "~", ":="):
            return True
        if condition.sign == "=" and not all(
            key_of(s) in self.claim.letters for s in walk(condition) if isinstance(s, Sym)
        ):
            return True
        try:
            return bool(sign_of(self.meaning.number(condition, env, {})))
        except (NotUnderstood, ShapeMisfit):
            return True

    def range_of(self, name: str, side: tuple[Term, Term]) -> range:
        """What a free letter runs through: by the left side, else by the right one."""
        start = self.claim.lookup.naming.first_component
        letter = letter_of(name)
        for node in side:
            length = self.meaning.axis_length(letter, node, self.scene.env, {})
            if length is not None:
                return range(start, start + length)
        return range(start, start + 2)

    def renewed(self, claim: PrintedClaim) -> Draw:
        """The same scene for a claim with another left side."""
        other = copy(self)
        other.claim, other.lefts = claim, {}
        return other

    def left(self, at: int, env: dict[str, int]) -> Array:
        """The left side of the equation with that number, remembered."""
        key = (at, tuple(sorted(env.items())))
        if key not in self.lefts:
            self.lefts[key] = self.meaning.value(self.claim.sides[at][0], env, {})
        return self.lefts[key]


def letter_of(name: str) -> Sym:
    """The symbol of a key.

    >>> letter_of("j'").primes
    1
    """
    return Sym(name.rstrip("'"), primes=len(name) - len(name.rstrip("'")))


def agree(left: Any, right: Any, tolerance: float) -> bool:
    """Whether two numbers are the same, as far as their balls say."""
    gap = abs(arb(left) - arb(right))
    if tolerance:
        return bool(gap / (1 + abs(arb(left))) < tolerance)
    scale = 1 + abs(arb(left)) + abs(arb(right))
    if not gap.is_finite() or gap.rad() > FAR * scale:
        raise NoPoint
    return bool(gap.contains(0))


def compare(left: Array, right: Array, tolerance: float) -> tuple[int, ...] | None:
    """The first place where two arrays differ, or None."""
    if left.shape != right.shape:
        if 1 in (right.size, left.size) and (right.ndim == 0 or left.ndim == 0):
            left, right = np.broadcast_arrays(left, right)
        elif left.size == right.size == 1:
            left, right = left.reshape(()), right.reshape(())
        elif sorted(n for n in left.shape if n != 1) == sorted(right.shape) and right.ndim < left.ndim:
            right = right.reshape(left.shape)
        elif sorted(n for n in right.shape if n != 1) == sorted(left.shape) and left.ndim < right.ndim:
            left = left.reshape(right.shape)
        else:
            raise ShapeMisfit(f"the left side has shape {left.shape}, the right side {right.shape}")
    for place in np.ndindex(*left.shape):
        if not agree(left[place], right[place], tolerance):
            return place
    return None


def find_difference(trial: Draw, claim: PrintedClaim) -> Difference | None:
    """Where the two sides differ in this trial."""
    trial.scene.effort = 0
    for at, side in enumerate(claim.sides):
        try:
            found = _differs(trial, claim, at, side)
        except ShapeMisfit as error:
            return Difference(trial, {}, None, None, str(error))
        if found is not None:
            return found
    return None


def _differs(trial: Draw, claim: PrintedClaim, at: int, side: tuple[Term, Term]) -> Difference | None:
    inside = 0
    for env in trial.letters(claim.letters, side):
        try:
            left = trial.left(at, env)
            right = trial.meaning.value(side[1], env, {})
        except OutOfRange:
            continue
        inside += 1
        place = compare(left, right, claim.conventions.tolerance)
        if place is not None:
            shown = {k: v for k, v in env.items() if k in claim.letters or k in claim.places}
            wide = np.broadcast_arrays(left, right) if left.size != right.size else (left, right.reshape(left.shape))
            return Difference(trial, {**shown, **_named(place)}, wide[0][place], wide[1][place])
    if not inside:
        raise NoPoint
    return None


def _named(place: tuple[int, ...]) -> dict[str, int]:
    names = {0: (), 1: ("entry",), 2: ("row", "column")}.get(len(place), ())
    return {name: at + 1 for name, at in zip(names, place, strict=False)}


def trials(claim: PrintedClaim, count: int) -> Iterator[Draw]:
    """Trials with different sizes and with equal ones in turn."""
    for seed in range(count):
        yield Draw(claim, seed, equal=seed % 2 == 1)
