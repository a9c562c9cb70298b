"""Chance: which quantities are random, and a distribution of a few atoms for each that meets the assumptions exactly.

An expectation is a finite sum over all combinations of atoms, so it is a ball like every other number.  A uniform or a
normal variable is replaced by the Gauss points of its distribution, which have its moments up to the fifth.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from flint import arb

from backprop.formulas.conventions.naming import Ref
from backprop.formulas.meaning.arrays import each, full
from backprop.formulas.meaning.numbers import NoPoint
from backprop.formulas.text.tree import Apply, Bracket, Compare, Infix, NotUnderstood, Sym, Term, walk

__all__ = ["Chance", "Expectations", "Law", "is_statistic"]

MEANS = ("E", "mean", "\\mathbb{E}")
VARIANCES = ("Var", "var", "\\mathbb{V}")
DEVIATIONS = ("std", "Std", "SD", "sd")
MOST = 1500
"""Combinations of atoms; with more of them, smaller sizes are drawn."""
Atoms = list[tuple[Any, Any]]


@dataclass
class Law:
    """What is assumed of one family of random variables; None: free."""

    mean: Term | None = None
    variance: Term | None = None
    symmetric: bool = False
    points: list[tuple[Term, Term]] = field(default_factory=list)
    drawn_from: Apply | None = None
    same_variance: list[str] = field(default_factory=list)
    same_mean: list[str] = field(default_factory=list)


def is_statistic(name: str) -> str | None:
    """E, Var, std or P, however it is written.

    >>> is_statistic("Var"), is_statistic("tanh")
    ('Var', None)
    """
    plain = name.lstrip("\\")
    for short, words in (
        ("E", MEANS[:1]),
        ("Var", VARIANCES),
        ("std", DEVIATIONS),
        ("P", ("P", "Pr")),
        ("Cov", ("Cov",)),
    ):
        if plain in words:
            return short
    return None


class Chance:
    """The laws of all random families of a claim."""

    def __init__(self, lookup: Any) -> None:
        self.lookup = lookup
        self.laws: dict[str, Law] = {}
        self.placed: dict[str, list[Ref]] = {}
        self.constraints: list[Compare] = []
        for node in lookup.conventions.assumptions:
            self._read(node)

    def _read(self, node: Term) -> None:
        if isinstance(node, Apply) and node.function.base == "independent":
            for arg in node.args:
                if isinstance(arg, Sym) and arg.base != "...":
                    self.law(arg)
        elif isinstance(node, Compare) and node.sign == "~" and isinstance(node.left, Sym):
            right = node.right
            while isinstance(right, Bracket):
                right = right.value
            if isinstance(right, Apply):
                self.law(node.left).drawn_from = right
        elif isinstance(node, Compare) and node.sign == "=" and not self._settles(node):
            self.constraints.append(node)

    def _settles(self, node: Compare) -> bool:
        """Whether an equation says what a law is, rather than what follows from it."""
        left, right = node.left, node.right
        if not (isinstance(left, Apply) and len(left.args) == 1):
            return False
        kind, inner = is_statistic(left.function.base), left.args[0]
        if kind == "P" and isinstance(inner, Compare) and isinstance(inner.left, Sym):
            if inner.sign == "=":
                self.law(inner.left).points.append((inner.right, right))
            else:
                self.law(inner.left).symmetric = True
            return True
        if kind not in ("E", "Var", "std") or not isinstance(inner, Sym) or self.is_defined(inner):
            return False
        law = self.law(inner)
        if law.drawn_from is not None:
            return False
        if kind == "std":
            law.variance = product(right, right)
        elif isinstance(right, Apply) and is_statistic(right.function.base) == kind and isinstance(right.args[0], Sym):
            return self._share(inner, right.args[0], kind)
        elif kind == "E":
            law.mean = right
        else:
            law.variance = right
        return True

    def _share(self, one: Sym, other: Sym, kind: str) -> bool:
        if self.is_defined(other):
            return False
        self.law(other)
        if self.family(one) == self.family(other):
            return True
        mine = self.law(one).same_variance if kind == "Var" else self.law(one).same_mean
        mine.append(self.family(other))
        return True

    def is_defined(self, symbol: Sym) -> bool:
        """Whether a definition gives the quantity, so that its law follows."""
        ref = self.lookup.naming.read(symbol)
        entries = self.lookup.entries.get(ref.name, [])
        return bool(entries) and (not ref.places or any(entry.ref.places == ref.places for entry in entries))

    def family(self, symbol: Sym) -> str:
        """All components, samples and layers of a letter have one law (unless a layer defines it)."""
        return str(self.lookup.naming.read(symbol).name)

    def law(self, symbol: Sym) -> Law:
        """The law of a letter's family."""
        ref = self.lookup.naming.read(symbol)
        if ref.places and ref.name in self.lookup.entries:
            self.placed.setdefault(ref.name, []).append(ref)
        return self.laws.setdefault(ref.name, Law())

    def is_random(self, name: str) -> bool:
        """Whether a name is a random family."""
        return name in self.laws

    def touches(self, node: Term) -> bool:
        """Whether an equation speaks of something random."""
        return any(isinstance(s, Sym) and self.family(s) in self.laws for s in walk(node))


def product(one: Term, two: Term) -> Term:
    """one · two"""
    return Infix("*", Bracket(one), Bracket(two))


class Expectations:
    """Expectations in one scene: atoms are drawn once for each family."""

    def __init__(self, meaning: Any, chance: Chance) -> None:
        self.meaning = meaning
        self.chance = chance
        self.atoms: dict[str, Atoms] = {}

    def atoms_of(self, name: str) -> Atoms:
        """The values of one variable with their probabilities."""
        if name not in self.atoms:
            law = self.chance.laws[name]
            if law.drawn_from is not None:
                self.atoms[name] = self._gauss(law.drawn_from)
            elif law.points:
                self.atoms[name] = self._points(law.points)
            else:
                self.atoms[name] = self._free(name, law)
        return self.atoms[name]

    def variance_of(self, name: str) -> Any:
        """The variance of one variable of a family."""
        atoms = self.atoms_of(name)
        mean = sum((value * chance for value, chance in atoms), arb(0))
        return sum((value * value * chance for value, chance in atoms), arb(0)) - mean * mean

    def _points(self, points: list[tuple[Term, Term]]) -> Atoms:
        """The values that are given with their probabilities; what is missing to 1 is the chance of 0."""
        env = self.meaning.scene.env
        found = [
            (self.meaning.number(value, env, {}), self.meaning.number(chance, env, {})) for value, chance in points
        ]
        rest = 1 - sum((chance for _, chance in found), arb(0))
        return found if rest.contains(0) else [*found, (arb(0), rest)]

    def _gauss(self, source: Apply) -> Atoms:
        name = source.function.base.lstrip("\\").strip("{}")
        args = [a for arg in source.args for a in (getattr(arg, "items", None) or (arg,))]
        if name.startswith(("Bernoulli", "Bern", "Ber")):
            chance = self.meaning.number(args[0], self.meaning.scene.env, {})
            return [(arb(1), chance), (arb(0), 1 - chance)]
        one, two = (self.meaning.number(arg, self.meaning.scene.env, {}) for arg in args[:2])
        root = arb(3).sqrt() if name.startswith(("N", "mathcal{N", "Normal")) else (arb(3) / 5).sqrt()
        if name.startswith(("U", "mathcal{U", "Uniform")):
            middle, half = (one + two) / 2, (two - one) / 2
            return [(middle - half * root, arb(5) / 18), (middle, arb(4) / 9), (middle + half * root, arb(5) / 18)]
        if name.startswith(("N", "mathcal{N", "Normal")):
            deviation = two.sqrt()
            return [(one - deviation * root, arb(1) / 6), (one, arb(2) / 3), (one + deviation * root, arb(1) / 6)]
        raise NotUnderstood(f"the distribution {name} is not known", source.start)

    def _free(self, name: str, law: Law) -> Atoms:
        """Two lopsided atoms, three where symmetry is assumed, with the mean and the variance that are assumed."""
        scene, env = self.meaning.scene, self.meaning.scene.env
        mean = self.meaning.number(law.mean, env, {}) if law.mean is not None else self._shared(law.same_mean, "mean")
        if mean is None:
            mean = arb(0) if law.symmetric else scene.number(name, None)
        variance = scene.variances.get(name)
        if variance is None:
            variance = (
                self.meaning.number(law.variance, env, {})
                if law.variance is not None
                else self._shared(law.same_variance, "variance")
            )
        if variance is None:
            variance = scene.number(name, "variance")
        scene.variances[name] = variance
        scene.means[name] = mean
        values = [arb(-1), arb(0), arb(1)] if law.symmetric else [arb(-1), arb(2)]
        chances = [arb(1) / 4, arb(1) / 2, arb(1) / 4] if law.symmetric else [arb(3) / 5, arb(2) / 5]
        middle = sum((v * p for v, p in zip(values, chances, strict=True)), arb(0))
        spread = sum((v * v * p for v, p in zip(values, chances, strict=True)), arb(0)) - middle * middle
        scale = (variance / spread).sqrt()
        return [((v - middle) * scale + mean, p) for v, p in zip(values, chances, strict=True)]

    def _shared(self, names: list[str], what: str) -> Any:
        for name in names:
            if name in self.chance.laws:
                self.atoms_of(name)
                store = self.meaning.scene.variances if what == "variance" else self.meaning.scene.means
                if name in store:
                    return store[name]
        return None

    def expectation(self, function: Any, keys: list[tuple[str, tuple[int, ...]]], shapes: list[tuple[int, ...]]) -> Any:
        """The mean of a function of arrays over all combinations of atoms."""
        spots = [(k, place) for k, shape in enumerate(shapes) for place in itertools.product(*map(range, shape))]
        atoms = [self.atoms_of(keys[k][0]) for k, _ in spots]
        count = 1
        for one in atoms:
            count *= len(one)
        if count > MOST:
            raise NoPoint
        total: Any = None
        for choice in itertools.product(*atoms):
            values = dict(zip(spots, (value for value, _ in choice), strict=True))
            arrays = {key: arranged(values, k, shapes[k]) for k, key in enumerate(keys)}
            term = weighted(function(arrays), [chance for _, chance in choice])
            total = term if total is None else each(lambda x, y: x + y, total, term)
        return total


def arranged(values: dict[tuple[int, tuple[int, ...]], Any], number: int, shape: tuple[int, ...]) -> Any:
    """One choice of atoms as an array."""
    return full(shape, lambda place: values[(number, place)])


def weighted(term: Any, chances: list[Any]) -> Any:
    """A value times the probability of its choice."""
    weight = arb(1)
    for chance in chances:
        weight = weight * chance
    return each(lambda x: x * weight, term)
