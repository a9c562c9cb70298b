"""Numbers, sums, products, powers, cases: what the signs of a formula do to values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb

from backprop.formulas.conventions.products import product_kind
from backprop.formulas.meaning.arrays import Array, box, each, full, matrix, total
from backprop.formulas.meaning.dims import ShapeMisfit
from backprop.formulas.meaning.functions import Functions
from backprop.formulas.meaning.numbers import NoPoint, absolute, constant, decimal, raise_to, sign_of
from backprop.formulas.meaning.scene import Scene
from backprop.formulas.text.tree import (
    Bars,
    Bracket,
    Cases,
    Compare,
    Concat,
    Infix,
    Neg,
    NotUnderstood,
    Num,
    Raised,
    Sym,
    Term,
    Turned,
    walk,
)  # fmt: skip

__all__ = ["Expressions"]

Env = Mapping[str, int]
Local = Mapping[str, Array]
Key = tuple[str, tuple[int, ...]]


class Expressions(Functions):
    """Evaluates trees in a scene; `overrides` holds what is moved or kept constant."""

    def __init__(self, scene: Scene, overrides: dict[Key, Array] | None = None, moved: bool = False) -> None:
        self.scene = scene
        self.lookup = scene.lookup
        self.overrides = overrides or {}
        self.moved = moved
        self.memo: dict[Any, Array] = {}
        self.depth = 0

    def value(self, node: Term, env: Env, local: Local) -> Array:
        """The value of a node; env holds index letters, local the arguments of a function."""
        self.depth += 1
        self.scene.spend()
        if self.depth > 150:
            raise NotUnderstood("the definitions go round in a circle")
        try:
            found: Array = getattr(self, "_" + type(node).__name__.lower())(node, env, local)
            return found
        finally:
            self.depth -= 1

    def number(self, node: Term, env: Env, local: Local) -> Any:
        """A value that is one number."""
        value = self.value(node, env, local)
        if value.size != 1:
            raise ShapeMisfit("one number was expected")
        return value.reshape(())[()]

    def _num(self, node: Num, env: Env, local: Local) -> Array:
        return box(decimal(node.text))

    def _neg(self, node: Neg, env: Env, local: Local) -> Array:
        return each(lambda x: -x, self.value(node.value, env, local))

    def _bracket(self, node: Bracket, env: Env, local: Local) -> Array:
        return self.value(node.value, env, local)

    def _turned(self, node: Turned, env: Env, local: Local) -> Array:
        return self.value(node.value, env, local).T

    def _raised(self, node: Raised, env: Env, local: Local) -> Array:
        if isinstance(node.base, Bars) and node.base.kind == "norm" and node.exponent == Num("2"):
            return total(each(lambda x: x * x, self.value(node.base.value, env, local)))
        base, exponent = self.value(node.base, env, local), self.value(node.exponent, env, local)
        if self.is_repeated(node.base, node.exponent, base):
            return self.repeated(base, exponent)
        return each(raise_to, base, exponent)

    def is_repeated(self, node: Term, exponent: Term, base: Array) -> bool:
        """Whether a power of weights is a product of matrices: (W^T)^{T - i}, where factors side by side are one."""
        conventions = self.lookup.conventions
        if isinstance(exponent, Num) or base.ndim != 2 or conventions.products.get("") != "matrix":
            return False
        while isinstance(node, (Bracket, Turned)):
            node = node.value
        role = conventions.role(replace(node, sups=())) if isinstance(node, Sym) else None
        return role in ("weight", "matrix") and any(isinstance(x, Sym) for x in walk(exponent))

    def repeated(self, base: Array, exponent: Array) -> Array:
        """A A ... A"""
        count = constant(exponent.reshape(-1)[0]).unique_fmpz() if exponent.size == 1 else None
        if base.shape[0] != base.shape[1] or count is None or not 0 <= int(count) <= 64:
            raise ShapeMisfit(f"a power of a matrix of shape {base.shape}")
        out = full(base.shape, lambda place: arb(int(place[0] == place[1])))
        for _ in range(int(count)):
            out = matrix(out, base)
        return out

    def _bars(self, node: Bars, env: Env, local: Local) -> Array:
        value = self.value(node.value, env, local)
        if node.kind == "abs":
            return each(absolute, value)
        if node.kind == "norm1":
            return total(each(absolute, value))
        return each(lambda x: x.sqrt(), total(each(lambda x: x * x, value)))

    def _infix(self, node: Infix, env: Env, local: Local) -> Array:
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
        if len(node.values) > 1:
            raise ShapeMisfit("no case is given for these values")
        raise NoPoint

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
        if node.sign == "or":
            sides = (self.value(side, env, local) for side in (node.left, right))
            return each(lambda x, y: x if sign_of(x) else y, *sides)
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
        parts = [self.value(item, env, local) for item in node.items]
        axis = 0 if self.scene.shaper.vectors == "columns" or parts[0].ndim == 1 else 1
        try:
            return np.concatenate(parts, axis=axis)
        except ValueError:
            raise ShapeMisfit("things side by side do not fit") from None


def _divide(x: Any, y: Any) -> Any:
    if sign_of(y) == 0:
        raise NoPoint
    return x / y
