"""Sums over indices, and the components of arrays."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flint import arb

from backprop.formulas.conventions.letters import key_of
from backprop.formulas.conventions.naming import PLACES, Ref
from backprop.formulas.conventions.products import product_kind
from backprop.formulas.meaning.arrays import Array, box, each, matrix, total
from backprop.formulas.meaning.dims import OutOfRange, ShapeMisfit
from backprop.formulas.meaning.expressions import Expressions
from backprop.formulas.meaning.numbers import sign_of
from backprop.formulas.text.patterns import differing, powered, with_leaves
from backprop.formulas.text.tree import (
    Continued,
    Indexed,
    Infix,
    NotUnderstood,
    Num,
    Sum,
    Sym,
    Term,
    walk,
)  # fmt: skip

__all__ = ["Summing"]

Env = Mapping[str, int]
Local = Mapping[str, Array]
Key = tuple[str, tuple[int, ...]]


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda x, y: x + y,
    "prod": lambda x, y: x * y,
    "max": lambda x, y: x if sign_of(x - y) > 0 else y,
    "min": lambda x, y: x if sign_of(x - y) < 0 else y,
}


class Summing(Expressions):
    """What an index letter runs through, and what it picks."""

    @abstractmethod
    def whole(self, node: Sym, ref: Ref, env: Env, local: Local) -> Array:
        """The whole of the quantity that a symbol is (a component of)."""

    def _sum(self, node: Sum, env: Env, local: Local) -> Array:
        if not node.index:
            return total(self.value(node.body, env, local))
        letters = [key_of(i) for i in node.index if isinstance(i, Sym)]
        ranges = [self.range_of(i, node, env, local) for i in node.index if isinstance(i, Sym)]
        if not all(ranges):
            return total(self.value(node.body, env, local))
        out: Array = None
        for values in itertools.product(*[r for r in ranges if r is not None]):
            inner = {**env, **dict(zip(letters, values, strict=True))}
            if node.condition is not None and not sign_of(self.number(node.condition, inner, local)):
                continue
            term = self.value(node.body, inner, local)
            out = term if out is None else each(BINARY[node.sign], out, term)
        return box(arb(int(node.sign == "prod"))) if out is None else out

    def _continued(self, node: Continued, env: Env, local: Local) -> Array:
        leaves = list(differing(node.first, node.last))
        ends = [(path, self.whole_number(a, env, local), self.whole_number(b, env, local)) for path, a, b in leaves]
        steps = max((abs(b - a) for _, a, b in ends), default=0)
        if steps > 100 or any((b - a) % steps for _, a, b in ends if steps):
            raise NotUnderstood("how this pattern goes on", node.start)
        first = powered(node.first, node.last)
        out: Array = None
        for step in range(steps + 1):
            at: dict[tuple[Any, ...], Term] = {
                path: Num(str(a + (b - a) * step // max(steps, 1))) for path, a, b in ends
            }
            term = self.value(with_leaves(first, at), env, local)
            out = term if out is None else self.combined(node.sign, out, term)
        return out

    def combined(self, sign: str, a: Array, b: Array) -> Array:
        """a + b, or a b."""
        if sign == "+":
            return each(lambda x, y: x + y, a, b)
        kind = product_kind(self.lookup.conventions, Infix(sign, Num("1"), Num("1")), a.ndim, b.ndim)
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

    def whole_number(self, node: Term, env: Env, local: Local) -> int:
        """A limit of a sum."""
        found = self.number(node, env, local).unique_fmpz()
        if found is None or abs(int(found)) > 1000:
            raise NotUnderstood("this limit is no whole number", node.start)
        return int(found)

    def axis_length(self, index: Sym, body: Term, env: Env, local: Local) -> int | None:
        """The length of the axis that a letter counts along; two lengths are a misfit."""
        lengths = set(self._lengths(index, body, env, local))
        if len(lengths) > 1:
            raise ShapeMisfit(f"the index {key_of(index)} runs along axes of lengths {sorted(lengths)}")
        return lengths.pop() if lengths else None

    def _lengths(self, index: Sym, body: Term, env: Env, local: Local) -> Iterator[int]:
        key = key_of(index)
        for node in walk(body):
            if isinstance(node, Sum) and any(isinstance(i, Sym) and key_of(i) == key for i in node.index):
                continue
            if isinstance(node, Sym):
                yield from self._lengths_of_symbol(node, key, env, local)
            elif isinstance(node, Indexed) and any(isinstance(s, Sym) and key_of(s) == key for s in node.subs):
                yield from self._lengths_of_index(node, key, env, local)

    def _lengths_of_symbol(self, node: Sym, key: str, env: Env, local: Local) -> Iterator[int]:
        ref = self.lookup.naming.read(node)
        hits = [k for k, c in enumerate(ref.comps) if isinstance(c, Sym) and key_of(c) == key]
        if not hits or self.lookup.is_kronecker(node):
            return
        try:
            whole = self.whole(node, ref, env, local)
        except NotUnderstood:
            return
        if whole.ndim:
            axes = self.axes(whole, len(ref.comps))
            yield from (whole.shape[axes[k]] for k in hits)

    def _lengths_of_index(self, node: Indexed, key: str, env: Env, local: Local) -> Iterator[int]:
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

    def pick(self, whole: Array, comps: tuple[Term, ...], env: Env, local: Local) -> Array:
        """Components of an array."""
        if whole.ndim == 0:
            return whole
        place: list[Any] = [slice(None)] * whole.ndim
        for comp, axis in zip(comps, self.axes(whole, len(comps)), strict=True):
            at = self.component(comp, env, local) - self.lookup.naming.first_component
            if not 0 <= at < whole.shape[axis]:
                kind = OutOfRange if isinstance(comp, Infix) else ShapeMisfit
                raise kind(f"component {at + 1} of an axis of length {whole.shape[axis]}")
            place[axis] = at
        found = whole[tuple(place)]
        if isinstance(found, type(whole)) and found.ndim == 1 and found.size == 1:
            return box(found[0])
        return box(found)

    def component(self, node: Term, env: Env, local: Local) -> int:
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

    def _indexed(self, node: Indexed, env: Env, local: Local) -> Array:
        return self.pick(self.inside(node, env, local), node.subs, env, local)
