"""The value of a formula in one trial: definitions are unfolded, derivatives are coefficients of power series.

Nothing here knows a rule of differentiation: ∂C/∂X is what C does when a component of X is exchanged for itself + ε.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import factorial
from typing import Any

from flint import arb

from backprop.formulas.meaning.arrays import Array, box, each, full, matrix, total
from backprop.formulas.meaning.dims import ShapeMisfit
from backprop.formulas.meaning.functions import Functions
from backprop.formulas.meaning.naming import COUNTS, PLACES, Ref, key_of
from backprop.formulas.meaning.numbers import Undecided, absolute, coefficient, decimal, raise_to, sign_of
from backprop.formulas.meaning.products import product_kind
from backprop.formulas.meaning.scene import Scene
from backprop.formulas.meaning.shaping import Shaper
from backprop.formulas.text.patterns import differing, powered, with_leaves
from backprop.formulas.text.tree import (
    Apply,
    Binary,
    Cases,
    Compare,
    Concat,
    Continued,
    Deriv,
    Group,
    Index,
    Neg,
    Node,
    Norm,
    NotUnderstood,
    Num,
    Power,
    Sum,
    Sym,
    Transpose,
    walk,
)  # fmt: skip

__all__ = ["Meaning"]

Env = Mapping[str, int]
Local = Mapping[str, Array]
Key = tuple[str, tuple[int, ...]]


class Meaning(Functions):
    """Evaluates trees in a scene; `overrides` holds what is moved or kept constant."""

    def __init__(self, scene: Scene, overrides: dict[Key, Array] | None = None, moved: bool = False) -> None:
        self.scene = scene
        self.lookup = scene.lookup
        self.overrides = overrides or {}
        self.moved = moved
        self.memo: dict[Any, Array] = {}
        self.depth = 0

    def value(self, node: Node, env: Env, local: Local) -> Array:
        """The value of a node; env holds index letters, local the arguments of a function."""
        self.depth += 1
        if self.depth > 150:
            raise NotUnderstood("the definitions go round in a circle")
        try:
            found: Array = getattr(self, "_" + type(node).__name__.lower())(node, env, local)
            return found
        finally:
            self.depth -= 1

    def number(self, node: Node, env: Env, local: Local) -> Any:
        """A value that is one number."""
        value = self.value(node, env, local)
        if value.size != 1:
            raise ShapeMisfit("one number was expected")
        return value.reshape(())[()]

    def _num(self, node: Num, env: Env, local: Local) -> Array:
        return box(decimal(node.text))

    def _neg(self, node: Neg, env: Env, local: Local) -> Array:
        return each(lambda x: -x, self.value(node.value, env, local))

    def _group(self, node: Group, env: Env, local: Local) -> Array:
        return self.value(node.value, env, local)

    def _transpose(self, node: Transpose, env: Env, local: Local) -> Array:
        return self.value(node.value, env, local).T

    def _power(self, node: Power, env: Env, local: Local) -> Array:
        return each(raise_to, self.value(node.base, env, local), self.value(node.exponent, env, local))

    def _norm(self, node: Norm, env: Env, local: Local) -> Array:
        value = self.value(node.value, env, local)
        if node.kind == "abs" and value.ndim == 0:
            return each(absolute, value)
        if node.kind == "abs":
            return each(absolute, value)
        return each(lambda x: x.sqrt(), total(each(lambda x: x * x, value)))

    def _binary(self, node: Binary, env: Env, local: Local) -> Array:
        a, b = self.value(node.left, env, local), self.value(node.right, env, local)
        kind = product_kind(self.lookup.conventions, node, a.ndim, b.ndim)
        if kind == "matrix":
            return matrix(a, b)
        if kind == "inner":
            return total(each(lambda x, y: x * y, a, b))
        if kind == "divide":
            return each(_divide, a, b)
        if kind == "add":
            return each(lambda x, y: x + y if node.sign == "+" else x - y, a, b)
        return each(lambda x, y: x * y, a, b)

    def _cases(self, node: Cases, env: Env, local: Local) -> Array:
        for value, condition in zip(node.values, node.conditions, strict=True):
            holds = box(arb(1)) if condition is None else self.value(condition, env, local)
            if holds.ndim:
                return self._cases_of_arrays(node, env, local)
            if sign_of(holds[()]):
                return self.value(value, env, local)
        raise Undecided

    def _cases_of_arrays(self, node: Cases, env: Env, local: Local) -> Array:
        out: Array = None
        for value, condition in reversed(list(zip(node.values, node.conditions, strict=True))):
            here = self.value(value, env, local)
            if condition is None or out is None:
                out = here
                continue
            out = each(lambda p, x, y: x if sign_of(p) else y, self.value(condition, env, local), here, out)
        return out

    def _compare(self, node: Compare, env: Env, local: Local) -> Array:
        right = node.right
        if isinstance(right, Compare):
            first = self._compare(Compare(node.sign, node.left, right.left), env, local)
            return each(lambda x, y: x * y, first, self._compare(right, env, local))
        tests = {"=": (0,), "<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (0, 1), "!=": (-1, 1)}
        if node.sign not in tests:
            raise NotUnderstood(f"the sign {node.sign} is no condition", node.start)
        wanted = tests[node.sign]
        a, b = self.value(node.left, env, local), self.value(right, env, local)
        return each(lambda x, y: arb(int(sign_of(x - y) in wanted)), a, b)

    def _concat(self, node: Concat, env: Env, local: Local) -> Array:
        import numpy as np

        parts = [self.value(item, env, local) for item in node.items]
        axis = 0 if self.scene.shaper.vectors == "columns" or parts[0].ndim == 1 else 1
        try:
            return np.concatenate(parts, axis=axis)
        except ValueError:
            raise ShapeMisfit("things side by side do not fit") from None

    # Sums

    def _sum(self, node: Sum, env: Env, local: Local) -> Array:
        if not node.index:
            return total(self.value(node.body, env, local))
        letters = [key_of(i) for i in node.index if isinstance(i, Sym)]
        ranges = [self.range_of(i, node, env, local) for i in node.index if isinstance(i, Sym)]
        if not all(ranges):
            return total(self.value(node.body, env, local))
        out = box(arb(0 if node.sign == "sum" else 1))
        for values in itertools.product(*[r for r in ranges if r is not None]):
            inner = {**env, **dict(zip(letters, values, strict=True))}
            if node.condition is not None and not sign_of(self.number(node.condition, inner, local)):
                continue
            term = self.value(node.body, inner, local)
            out = each((lambda x, y: x + y) if node.sign == "sum" else (lambda x, y: x * y), out, term)
        return out

    def _continued(self, node: Continued, env: Env, local: Local) -> Array:
        leaves = list(differing(node.first, node.last))
        ends = [(path, self.whole_number(a, env, local), self.whole_number(b, env, local)) for path, a, b in leaves]
        steps = max((abs(b - a) for _, a, b in ends), default=0)
        if steps > 100 or any((b - a) % steps for _, a, b in ends if steps):
            raise NotUnderstood("how this pattern goes on", node.start)
        first = powered(node.first, node.last)
        out: Array = None
        for step in range(steps + 1):
            at = {path: Num(str(a + (b - a) * step // max(steps, 1))) for path, a, b in ends}
            term = self.value(with_leaves(first, at), env, local)
            out = term if out is None else self.combined(node.sign, out, term)
        return out

    def combined(self, sign: str, a: Array, b: Array) -> Array:
        """a + b, or a b."""
        if sign == "+":
            return each(lambda x, y: x + y, a, b)
        kind = product_kind(self.lookup.conventions, Binary(sign, Num("1"), Num("1")), a.ndim, b.ndim)
        return matrix(a, b) if kind == "matrix" else each(lambda x, y: x * y, a, b)

    def range_of(self, index: Sym, node: Sum, env: Env, local: Local) -> range | None:
        """Which numbers an index runs through: its limits, or the axis that it counts along."""
        kind = self.scene.shaper.kind_of(index, node.body)
        first = self.lookup.naming.first_component if kind not in PLACES else 1
        if node.lower is not None:
            first = self.whole_number(node.lower, env, local)
        if kind in PLACES:
            last = self.scene.limits.last(kind)
            return range(first, (self.whole_number(node.upper, env, local) if node.upper else last) + 1)
        length = self.axis_length(index, node.body, env, local)
        if length is None:
            return range(first, self.whole_number(node.upper, env, local) + 1) if node.upper is not None else None
        start = self.lookup.naming.first_component
        if node.upper is not None and not isinstance(node.upper, Sym):
            return range(first, self.whole_number(node.upper, env, local) + 1)
        return range(first, start + length)

    def whole_number(self, node: Node, env: Env, local: Local) -> int:
        """A limit of a sum."""
        found = self.number(node, env, local).unique_fmpz()
        if found is None or abs(int(found)) > 1000:
            raise NotUnderstood("this limit is no whole number", node.start)
        return int(found)

    def axis_length(self, index: Sym, body: Node, env: Env, local: Local) -> int | None:
        """The length of the axis that a letter counts along; two lengths are a misfit."""
        lengths = set(self._lengths(index, body, env, local))
        if len(lengths) > 1:
            raise ShapeMisfit(f"the index {key_of(index)} runs along axes of lengths {sorted(lengths)}")
        return lengths.pop() if lengths else None

    def _lengths(self, index: Sym, body: Node, env: Env, local: Local) -> Iterator[int]:
        key = key_of(index)
        for node in walk(body):
            if isinstance(node, Sum) and any(isinstance(i, Sym) and key_of(i) == key for i in node.index):
                continue
            if isinstance(node, Sym):
                yield from self._lengths_of_symbol(node, key, env, local)
            elif isinstance(node, Index) and any(isinstance(s, Sym) and key_of(s) == key for s in node.subs):
                yield from self._lengths_of_index(node, key, env, local)

    def _lengths_of_symbol(self, node: Sym, key: str, env: Env, local: Local) -> Iterator[int]:
        ref = self.lookup.naming.read(node)
        hits = [k for k, c in enumerate(ref.comps) if isinstance(c, Sym) and key_of(c) == key]
        if not hits or self.is_kronecker(node, ref):
            return
        try:
            whole = self.whole(node, ref, env, local)
        except NotUnderstood:
            return
        if whole.ndim:
            axes = self.axes(whole, len(ref.comps))
            yield from (whole.shape[axes[k]] for k in hits)

    def _lengths_of_index(self, node: Index, key: str, env: Env, local: Local) -> Iterator[int]:
        if any(isinstance(s, Sym) and key_of(s) == key for s in node.subs):
            try:
                whole = self.inside(node, env, local)
            except NotUnderstood:
                return
            axes = self.axes(whole, len(node.subs))
            yield from (
                whole.shape[a] for a, s in zip(axes, node.subs, strict=True) if isinstance(s, Sym) and key_of(s) == key
            )

    @staticmethod
    def axes(whole: Array, count: int) -> list[int]:
        """As in `shaping`, of an array."""
        if count == whole.ndim:
            return list(range(count))
        if count == 1 and whole.ndim == 2:
            return [1 if whole.shape[0] == 1 and whole.shape[1] != 1 else 0]
        raise ShapeMisfit(f"{count} components of something with {whole.ndim} axes")

    def pick(self, whole: Array, comps: tuple[Node, ...], env: Env, local: Local) -> Array:
        """Components of an array."""
        if whole.ndim == 0:
            return whole
        place: list[Any] = [slice(None)] * whole.ndim
        for comp, axis in zip(comps, self.axes(whole, len(comps)), strict=True):
            at = self.component(comp, env, local) - self.lookup.naming.first_component
            if not 0 <= at < whole.shape[axis]:
                raise ShapeMisfit(f"component {at + 1} of an axis of length {whole.shape[axis]}")
            place[axis] = at
        found = whole[tuple(place)]
        if isinstance(found, type(whole)) and found.ndim == 1 and found.size == 1:
            return box(found[0])
        return box(found)

    def component(self, node: Node, env: Env, local: Local) -> int:
        """An index as a number."""
        if isinstance(node, Sym):
            key = key_of(node)
            if key in env:
                return env[key]
            role = self.lookup.conventions.roles.get(node)
            if role in ("target class", "class", "index"):
                return self.scene.counts.setdefault("#" + key, self.lookup.naming.first_component)
            raise NotUnderstood(f"the index {key} is not bound", node.start if node.start >= 0 else None)
        return self.whole_number(node, env, local)

    def _index(self, node: Index, env: Env, local: Local) -> Array:
        return self.pick(self.inside(node, env, local), node.subs, env, local)

    # Symbols

    def _sym(self, node: Sym, env: Env, local: Local) -> Array:
        ref = self.lookup.naming.read(node)
        key = key_of(Sym(node.base, node.subs, (), node.primes))
        if key in env and (not node.sups or ref.power is not None):
            return self._raised(box(arb(env[key])), ref, env, local)
        if self.is_kronecker(node, ref):
            one, two = (self.component(c, env, local) for c in ref.comps)
            return box(arb(int(one == two)))
        value = self.whole(node, ref, env, local)
        comps = self.lookup.components(ref, env)
        if comps:
            value = self.pick(value, comps, env, local)
        if ref.transposed % 2:
            value = value.T
        return self._raised(value, ref, env, local)

    def _raised(self, value: Array, ref: Ref, env: Env, local: Local) -> Array:
        if ref.power is None:
            return value
        return each(raise_to, value, self.value(ref.power, env, local))

    def is_kronecker(self, node: Sym, ref: Ref) -> bool:
        """δ_ik, the sign."""
        return self.lookup.is_kronecker(node)

    def whole(self, node: Sym, ref: Ref, env: Env, local: Local) -> Array:
        """The whole of the quantity that a symbol is (a component of)."""
        if ref.name in local and not ref.places:
            return local[ref.name]
        return self.instance(ref.name, self.scene.shaper.places(ref, env), ref)

    def instance(self, name: str, places: tuple[int, ...], ref: Ref) -> Array:
        """A quantity at given places: moved, remembered, defined, built in or drawn."""
        key = (name, places)
        if key in self.overrides:
            return self.overrides[key]
        if key not in self.memo:
            self.memo[key] = self._find(name, places, ref)
        return self.memo[key]

    def _find(self, name: str, places: tuple[int, ...], ref: Ref) -> Array:
        assumed = self.scene.is_assumed(name, places)
        found = None if assumed else self.lookup.find(name, places, self.scene.limits)
        if found is not None:
            entry, env = found[0], {**self.scene.env, **found[1]}
            if entry.part >= 0:
                return self._part(entry, env)
            return self._defined_value(name, places, ref, entry, env)
        built = self.built_in(name, ref)
        if built is not None:
            return built
        return self._with_fixed_components(name, places, self.scene.ground(name, places, ref))

    def _defined_value(self, name: str, places: tuple[int, ...], ref: Ref, entry: Any, env: dict[str, int]) -> Array:
        comps = [key_of(c) for c in entry.ref.comps if isinstance(c, Sym)]
        dims = self.scene.shaper.instance(name, places, ref)
        shape = tuple(int(d.length() or 2) for d in dims)
        if not comps or entry.ref.label:
            comps = comps if entry.ref.label else []
        if not comps:
            return self._declared_form(name, self.value(entry.body, env, {}), shape)
        start = self.lookup.naming.first_component
        flat = tuple(n for n in shape if n != 1) if len(shape) > len(comps) else shape
        flat = flat if len(flat) == len(comps) else shape[: len(comps)]

        def one(place: tuple[int, ...]) -> Any:
            inner = dict(zip(comps, (p + start for p in place), strict=True))
            return self.number(entry.body, {**env, **inner}, {})

        return full(flat, one).reshape(shape)

    def _declared_form(self, name: str, value: Array, shape: tuple[int, ...]) -> Array:
        """A value in the shape that is declared for it."""
        if name in self.scene.shaper.turned:
            return value.T
        if self.scene.shaper.declared(name) is None or value.shape == shape:
            return value
        if value.T.shape == shape:
            return value.T
        return value.reshape(shape) if value.size == 1 and all(n == 1 for n in shape) else value

    def _part(self, entry: Any, env: dict[str, int]) -> Array:
        """One of the quantities that stand side by side."""
        body = self.value(entry.body, env, {})
        axis = 0 if self.scene.shaper.vectors == "columns" or body.ndim == 1 else 1
        start = 0
        for at, ref in enumerate(entry.parts):
            dims = self.scene.shaper.instance(ref.name, self.scene.shaper.places(ref, env), ref)
            length = int(dims[axis].length() or 1)
            if at == entry.part:
                return body[start : start + length] if axis == 0 else body[:, start : start + length]
            start += length
        raise NotUnderstood("a part that is not there")

    def _with_fixed_components(self, name: str, places: tuple[int, ...], value: Array) -> Array:
        for entry, env in self.lookup.find_components(name, places, self.scene.limits):
            value = value.copy()
            at = self.pick(full(value.shape, lambda p: arb(p[0])), entry.ref.comps, env, {})
            value[int(at[()].unique_fmpz())] = self.number(entry.body, env, {})
        return value

    def built_in(self, name: str, ref: Ref) -> Array | None:
        """Counts, constants, the cost, and a function that is named without its argument."""
        conventions = self.lookup.conventions
        role = self.scene.shaper.role(name)
        if name == conventions.any_cost or (role in ("any cost", "cost") and conventions.any_cost):
            return box(self.scene.any_cost(str(conventions.any_cost), self.arguments_of_cost()))
        if role == "any cost":
            return box(self.scene.any_cost(name, self.weights()))
        if role in ("cost", "any cost", "penalised cost") and conventions.cost is not None:
            return self.value(conventions.cost, {}, {})
        if role in COUNTS or (not ref.places and self.scene.length_of(name) is not None):
            return box(arb(self.scene.count(name, role or "")))
        if role is None and name in ("\\pi", "e"):
            return box(arb.pi() if name == "\\pi" else arb(1).exp())
        entries = self.lookup.functions.get(name)
        return self.value(entries[0].body, {}, {}) if entries else None

    def arguments_of_cost(self) -> list[Any]:
        """The numbers that a cost is a function of."""
        nodes = self.lookup.conventions.any_arguments
        arrays = self.outputs() if nodes is None else [a for node in nodes for a in self.all_places(node)]
        return [array[place] for array in arrays for place in _places(array)]

    def weights(self) -> list[Any]:
        """The parameters that a cost without a formula is a function of."""
        roles, naming = self.lookup.conventions.roles, self.lookup.naming
        kept = ("weight", "bias", "parameter", "scale", "shift")
        symbols = [s for s in naming.symbols if self.lookup.conventions.role(s) in kept or roles.get(Sym(s.base)) in kept]
        found: dict[Key, Array] = {}
        for symbol in symbols:
            bare = self.lookup.bare(symbol)
            ref = naming.read(bare)
            values = [self.lookup.place_value(p, self.scene.env, k, self.scene.limits, strict=False) for k, p in ref.places]
            if None not in values:
                found[(ref.name, tuple(v for v in values if v is not None))] = self.whole(bare, ref, self.scene.env, {})
        return [array[place] for array in found.values() for place in _places(array)]

    def all_places(self, node: Node) -> list[Array]:
        """An argument of the cost; if it is named without its sample (layer, time), at all samples (the last layer)."""
        if isinstance(node, Sym):
            ref = self.lookup.naming.read(node)
            kinds = self.lookup.kinds_of(ref.name)
            if kinds and not ref.places:
                return self.everywhere(ref.name, kinds)
            bare = Sym(node.base, tuple(s for s in node.subs if s not in ref.comps), node.sups)
            return [self.whole(bare, self.lookup.naming.read(bare), self.scene.env, {})]
        return [self.value(node, self.scene.env, {})]

    def everywhere(self, name: str, kinds: tuple[str, ...]) -> list[Array]:
        """A quantity at all its samples and times, at the last layer."""
        limits = self.scene.limits
        ranges = [range(limits.last(k) if k == "layer" else 1, limits.last(k) + 1) for k in kinds]
        return [self.instance(name, places, Ref(name)) for places in itertools.product(*ranges)]

    def outputs(self) -> list[Array]:
        """What no other definition of the same layer uses."""
        names = [name for name in self.lookup.entries if self.lookup.entries[name][0].kind == "definition"]
        found = [name for name in names if not self.lookup.is_used(name) and not self.lookup.is_cost(name)]
        return [a for name in found for a in self.everywhere(name, self.lookup.kinds_of(name))]

    # Chance

    def statistic(self, kind: str, node: Apply, env: Env, local: Local) -> Array:
        """E, Var, std or P of what is in the brackets."""
        if len(node.args) != 1:
            raise NotUnderstood(f"{kind} of several things", node.start)
        inner = node.args[0]
        first = self.expectation(inner, env, local)
        if kind in ("E", "P"):
            return first
        second = self.expectation(Power(Group(inner), Num("2")), env, local)
        variance = each(lambda x, y: x - y * y, second, first)
        return variance if kind == "Var" else each(lambda x: x.sqrt(), variance)

    def expectation(self, node: Node, env: Env, local: Local) -> Array:
        """The mean over the random variables that the value depends on."""
        scene = self.scene
        scene.touched = {}
        Meaning(scene, self.overrides).value(node, env, local)
        keys, scene.touched = list(scene.touched), None
        moments = scene.moments(self)
        shapes = [scene.values[key].shape for key in keys]
        return moments.expectation(
            lambda arrays: Meaning(scene, {**self.overrides, **arrays}).value(node, env, local), keys, shapes
        )

    # Derivatives

    def _deriv(self, node: Deriv, env: Env, local: Local) -> Array:
        if self.moved:
            raise NotUnderstood("a derivative inside what is differentiated", node.start if node.start >= 0 else None)
        below = node.below
        while isinstance(below, Group):
            below = below.value
        if not isinstance(below, Sym):
            raise NotUnderstood("what it is differentiated by is no letter", node.start if node.start >= 0 else None)
        bound = tuple(sorted((k, v) for k, v in env.items()))
        key = (node, bound) if not local else None
        if key is None or key not in self.memo:
            value = self.differentiate(node, below, env, local)
            if key is None:
                return value
            self.memo[key] = value
        return self.memo[key]

    def differentiate(self, node: Deriv, below: Sym, env: Env, local: Local) -> Array:
        """Every component of the variable is moved, one at a time."""
        below, ref = self.followed(below)
        places = self.scene.shaper.places(ref, env)
        base = self.whole(below, ref, env, {})
        comps = self.lookup.components(ref, env)
        if comps and base.ndim > len(comps) and base.shape.count(1) == 0:
            whole = self.value(replace(node, below=self.lookup.bare(below)), env, local)
            return self.pick(whole, comps, env, local)
        if node.second is not None:
            return self.mixed(node, (ref, places, base), env, local)
        moves = list(_places(base)) if not comps or base.ndim == 0 else [self.place_of(base, comps, env)]
        kept = self.kept(node, env)
        slopes = {}
        for place in moves:
            moved = Meaning(self.scene, {**self.overrides, **kept, (ref.name, places): move(base, place)}, True)
            top = moved.value(node.top, env, local)
            slopes[place] = each(lambda x: coefficient(x, node.order) * factorial(node.order), top)
        if comps or base.ndim == 0:
            return next(iter(slopes.values()))
        result = self.laid_out(base, slopes)
        return result.T if ref.transposed % 2 else result

    def mixed(self, node: Deriv, first: tuple[Ref, tuple[int, ...], Array], env: Env, local: Local) -> Array:
        """d²C / dx dy = (C(x + ε, y + ε) - C(x + ε, y) - C(x, y + ε)) at ε²."""
        ref, places, base = first
        if not isinstance(node.second, Sym):
            raise NotUnderstood("what it is differentiated by is no letter", node.start)
        other, place = self.lookup.naming.read(node.second), self.one_place(ref, base, env)
        places2 = self.scene.shaper.places(other, env)
        base2 = self.whole(node.second, other, env, {})
        place2 = self.one_place(other, base2, env)
        one, two = {(ref.name, places): move(base, place)}, {(other.name, places2): move(base2, place2)}
        both = {**one, **two} if one.keys() != two.keys() else {(ref.name, places): move(move(base, place), place2)}
        seconds = []
        for moved in (both, one, two):
            value = Meaning(self.scene, {**self.overrides, **moved}, True).value(node.top, env, local)
            seconds.append(each(lambda x: coefficient(x, 2), value))
        return each(lambda x, y, z: x - y - z, *seconds)

    def one_place(self, ref: Ref, base: Array, env: Env) -> tuple[int, ...]:
        """The component that a second derivative is by."""
        comps = self.lookup.components(ref, env)
        if base.ndim and not comps:
            raise NotUnderstood("a second derivative by a whole vector")
        return self.place_of(base, comps, env) if base.ndim else ()

    def followed(self, below: Sym) -> tuple[Sym, Ref]:
        """The letter itself, or the one that it is another name for."""
        ref = self.lookup.naming.read(below)
        entries = self.lookup.entries.get(ref.name, [])
        if (
            len(entries) == 1
            and isinstance(entries[0].body, Sym)
            and not ref.places
            and entries[0].kind == "definition"
        ):
            users = [s for d in self.lookup.conventions.definitions for s in walk(d.right) if isinstance(s, Sym)]
            if not any(self.lookup.naming.read(s).name == ref.name for s in users):
                return entries[0].body, self.lookup.naming.read(entries[0].body)
        return below, ref

    def place_of(self, base: Array, comps: tuple[Node, ...], env: Env) -> tuple[int, ...]:
        """Where a component stands in the array."""
        start = self.lookup.naming.first_component
        place = [0] * base.ndim
        for comp, axis in zip(comps, self.axes(base, len(comps)), strict=True):
            place[axis] = self.component(comp, env, {}) - start
            if not 0 <= place[axis] < base.shape[axis]:
                raise ShapeMisfit(f"component {place[axis] + 1} of an axis of length {base.shape[axis]}")
        return tuple(place)

    def laid_out(self, base: Array, slopes: dict[tuple[int, ...], Array]) -> Array:
        """The derivatives in the layout that is declared."""
        layout = self.lookup.conventions.word("layout")
        top = next(iter(slopes.values()))
        if top.size == 1:
            gradient = full(base.shape, lambda place: slopes[place].reshape(())[()])
            return gradient.T if layout == "numerator" else gradient
        if layout is None:
            if top.shape != base.shape:
                raise NotUnderstood("in which layout this derivative is written")
            return full(base.shape, lambda place: slopes[place][place])
        places = list(slopes)
        table = full((top.size, len(places)), lambda at: slopes[places[at[1]]].reshape(-1)[at[0]])
        return table if layout == "numerator" else table.T

    def kept(self, node: Deriv, env: Env) -> dict[Key, Array]:
        """What the conventions keep constant during this derivative."""
        out: dict[Key, Array] = {}
        for pattern, items in self.lookup.conventions.fixed:
            if not isinstance(pattern, Deriv) or not isinstance(pattern.below, Sym) or not isinstance(node.below, Sym):
                continue
            mine, theirs = self.lookup.naming.read(node.below), self.lookup.naming.read(pattern.below)
            if mine.name != theirs.name:
                continue
            inner = self.lookup.match(theirs, self.scene.shaper.places(mine, env), self.scene.limits) or {}
            for item in items:
                if isinstance(item, Sym):
                    ref = self.lookup.naming.read(item)
                    places = self.scene.shaper.places(ref, {**env, **inner})
                    out[(ref.name, places)] = self.instance(ref.name, places, ref)
        return out


def move(base: Array, place: tuple[int, ...]) -> Array:
    """The array with ε added at one place."""
    from flint import arb_series

    moved = base.copy()
    moved[place] = base[place] + arb_series([arb(0), arb(1)])
    return moved


def _places(array: Array) -> Iterator[tuple[int, ...]]:
    import numpy as np

    return iter(np.ndindex(*array.shape))


def _divide(x: Any, y: Any) -> Any:
    if sign_of(y) == 0:
        raise Undecided
    return x / y


__all__ += ["Shaper"]
