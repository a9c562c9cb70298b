"""The values of symbols: moved, remembered, defined, built in or drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from flint import arb

from backprop.formulas.conventions.letters import key_of
from backprop.formulas.conventions.naming import COUNTS, Ref
from backprop.formulas.meaning.arrays import Array, box, each, full
from backprop.formulas.meaning.numbers import raise_to
from backprop.formulas.meaning.summing import Summing
from backprop.formulas.text.tree import (
    Deriv,
    NotUnderstood,
    Num,
    Sym,
    Term,
    walk,
)  # fmt: skip

__all__ = ["Symbols"]

Env = Mapping[str, int]
Local = Mapping[str, Array]
Key = tuple[str, tuple[int, ...]]


class Symbols(Summing):
    """Quantities at their places."""

    def _sym(self, node: Sym, env: Env, local: Local) -> Array:
        ref = self.lookup.naming.read(node)
        key = key_of(Sym(node.base, node.subs, (), node.primes))
        if key in env and (not node.sups or ref.power is not None):
            return self._to_power(box(arb(env[key])), ref, env, local)
        counted = self.lookup.count_at(node, env, self.scene.limits)
        if counted is not None:
            return self._to_power(box(arb(self.scene.count(counted, "number of units"))), ref, env, local)
        if self.lookup.is_kronecker(node):
            one, two = (self.component(c, env, local) for c in ref.comps)
            return box(arb(int(one == two)))
        value = self.whole(node, ref, env, local)
        comps = self.lookup.components(ref, env)
        if comps:
            value = self.pick(value, comps, env, local)
        if ref.transposed % 2:
            value = value.T
        return self._to_power(value, ref, env, local, node)

    def _to_power(self, value: Array, ref: Ref, env: Env, local: Local, node: Sym | None = None) -> Array:
        if ref.power is None:
            return value
        exponent = self.value(ref.power, env, local)
        if node is not None and self.is_repeated(node, ref.power, value):
            return self.repeated(value, exponent)
        return each(raise_to, value, exponent)

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
            return self._declared_form(name, places, self.value(entry.body, env, {}), shape)
        start = self.lookup.naming.first_component
        flat = tuple(n for n in shape if n != 1) if len(shape) > len(comps) else shape
        flat = flat if len(flat) == len(comps) else shape[: len(comps)]

        def one(place: tuple[int, ...]) -> Any:
            inner = dict(zip(comps, (p + start for p in place), strict=True))
            return self.number(entry.body, {**env, **inner}, {})

        return full(flat, one).reshape(shape)

    def _declared_form(self, name: str, places: tuple[int, ...], value: Array, shape: tuple[int, ...]) -> Array:
        """A value in the shape that is declared for it."""
        if (name, places) in self.scene.shaper.turned:
            return value.T
        if self.scene.shaper.declared(name, places) is None or value.shape == shape:
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
        if name == "e" and role is None and ref.power is not None:
            return box(arb(1).exp())
        if role in COUNTS or (not ref.places and self.scene.length_of(name) is not None):
            return box(arb(self.scene.count(name, role or "")))
        if role in ("target class", "class", "index") and not ref.comps:
            return box(arb(self.scene.counts.setdefault("#" + name, self.lookup.naming.first_component)))
        if role is None and name in ("\\pi", "e"):
            return box(arb.pi() if name == "\\pi" else arb(1).exp())
        entries = self.lookup.functions.get(name) if not (ref.places or ref.comps) else None
        return self.value(entries[0].body, {}, {}) if entries else None

    def arguments_of_cost(self) -> list[Any]:
        """The numbers that a cost is a function of."""
        nodes = self.lookup.conventions.any_arguments
        arrays = self.outputs() if nodes is None else [a for node in nodes for a in self.all_places(node)]
        return [array[place] for array in arrays for place in all_indices(array)]

    def weights(self) -> list[Any]:
        """The parameters that a cost without a formula is a function of."""
        roles, naming = self.lookup.conventions.roles, self.lookup.naming
        kept = ("weight", "bias", "parameter", "scale", "shift")
        symbols = [
            s for s in naming.symbols if self.lookup.conventions.role(s) in kept or roles.get(Sym(s.base)) in kept
        ]
        found: dict[Key, Array] = {}
        for symbol in symbols:
            bare = self.lookup.bare(symbol)
            ref = naming.read(bare)
            values = [
                self.lookup.place_value(p, self.scene.env, k, self.scene.limits, strict=False) for k, p in ref.places
            ]
            if None not in values:
                found[(ref.name, tuple(v for v in values if v is not None))] = self.whole(bare, ref, self.scene.env, {})
        return [array[place] for array in found.values() for place in all_indices(array)]

    def all_places(self, node: Term) -> list[Array]:
        """An argument of the cost; if it is named without its sample (layer, time), at all samples (the last layer)."""
        if isinstance(node, Sym):
            ref = self.lookup.naming.read(node)
            kinds = self.lookup.kinds_of(ref.name)
            if kinds and not ref.places:
                return self.everywhere(ref.name, kinds)
            if ref.places:
                return [self.instance(ref.name, self.scene.shaper.places(ref, self.scene.env), ref)]
            bare = Sym(node.base, tuple(s for s in node.subs if s not in ref.comps), node.sups)
            return [self.whole(bare, self.lookup.naming.read(bare), self.scene.env, {})]
        return [self.value(node, self.scene.env, {})]

    def everywhere(self, name: str, kinds: tuple[str, ...]) -> list[Array]:
        """A quantity at all its samples and times, at the last layer."""
        limits = self.scene.limits
        ranges = [range(limits.last(k) if k == "layer" else 1, limits.last(k) + 1) for k in kinds]
        return [self.instance(name, spot, placed_at(name, kinds, spot)) for spot in itertools.product(*ranges)]

    def outputs(self) -> list[Array]:
        """What no other definition of the same layer uses."""
        firsts = {name: entries[0] for name, entries in self.lookup.entries.items()}
        derived = {name for name, one in firsts.items() if any(isinstance(node, Deriv) for node in walk(one.body))}
        names = [name for name, one in firsts.items() if one.kind == "definition" and name not in derived]
        numbered = [name for name in names if self.lookup.is_numbered(name)]
        found = [name for name in names if not self.lookup.is_used(name) and not self.lookup.is_cost(name)]
        arrays = [
            a for name in found if name not in numbered for a in self.everywhere(name, self.lookup.kinds_of(name))
        ]
        refs = [entry.ref for name in numbered for entry in self.lookup.entries[name]]
        ends = [ref for ref in refs if not self.lookup.is_used_there(ref)]
        return arrays + [self.instance(ref.name, self.scene.shaper.places(ref, {}), ref) for ref in ends]


def placed_at(name: str, kinds: tuple[str, ...], spot: tuple[int, ...]) -> Ref:
    """The quantity of that name at places that are numbers."""
    return Ref(name, tuple((kind, Num(str(value))) for kind, value in zip(kinds, spot, strict=True)))


def all_indices(array: Array) -> Iterator[tuple[int, ...]]:
    return iter(np.ndindex(*array.shape))
