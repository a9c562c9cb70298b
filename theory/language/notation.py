"""The nodes that every derivation is made of: indices that carry their range, variables, sums, derivatives.

SymPy is the expression kernel (sums, products, powers, exact numbers).  What it lacks for
derivations with symbolic depth and width is added here: an index that knows its range, a
variable of a symbolic layer, a one-index sum with honest renaming, an unevaluated derivative.

>>> from theory.language.notation import l, unit, var, total
>>> i, j = unit("i", l - 1), unit("j", l)
>>> total(var("w", l, i, j) * var("a", l - 1, i), i) == total(var("w", l, i, j) * var("a", l - 1, i), i)
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, count
from operator import attrgetter
from typing import Any

from sympy import Basic, Expr, Integer, S, Symbol, sympify
from sympy.core.symbol import Str

from theory.language.glossary import GLOSSARY

__all__ = [
    "Delta", "Function", "Held", "Index", "L", "Partial", "Total", "Variable", "Width",
    "canonical", "epsilon", "free_indices", "fresh", "is_constant", "kinds", "l", "n", "nodes", "part", "rewrite",
    "same", "sample", "substitute", "total", "unit", "var",
]  # fmt: skip

l = Symbol("l", integer=True, positive=True)
L = Symbol("L", integer=True, positive=True)
epsilon = Symbol("epsilon", positive=True)
n = Symbol("n", integer=True, positive=True)
NO_LAYER = Str("")


class Node(Expr):
    """A node of our own inside SymPy's expressions: a commuting scalar of which nothing else is assumed.

    Saying so spares SymPy a search for facts each time a new node is asked (a fifth of a derivation's time).
    """

    is_commutative, binds_layer = True, False
    is_zero = None
    is_finite = None
    is_infinite = None
    is_extended_real = None


def part(place: int, read: Callable[[Any], Any] | None = None) -> Any:
    """The argument of a node at this place, or what is read from it, as an attribute with a name."""
    return property((lambda self: read(self.args[place])) if read else (lambda self: self.args[place]))


class Width(Node):
    """M_l, the number of units of layer l."""

    def __new__(cls, layer: object) -> Width:
        return Expr.__new__(cls, sympify(layer))

    layer: Expr = part(0)


class Index(Node):
    """An index that carries its range: 1..size (a `Width`, or n for the samples of a batch)."""

    def __new__(cls, name: object, size: object) -> Index:
        return Expr.__new__(cls, name if isinstance(name, Str) else Str(str(name)), sympify(size))

    name: str = part(0, attrgetter("name"))
    size: Expr = part(1)

    @property
    def is_sample(self) -> bool:
        """Does it count samples (rows of the batch) rather than units?"""
        return bool(self.size == n)


class Variable(Node):
    """A letter of the glossary at a layer, with its indices: w_ij^l is Variable("w", l, i, j)."""

    def __new__(cls, name: object, layer: object, *indices: Index) -> Variable:
        layer = NO_LAYER if layer is None else layer
        layer = layer if isinstance(layer, Str) else sympify(layer)
        return Expr.__new__(cls, name if isinstance(name, Str) else Str(str(name)), layer, *indices)

    name: str = part(0, attrgetter("name"))

    @property
    def layer(self) -> Expr | None:
        return None if isinstance(self.args[1], Str) else self.args[1]

    @property
    def indices(self) -> tuple[Index, ...]:
        return tuple(self.args[2:])

    @property
    def family(self) -> tuple[str, Expr | None]:
        """Letter and layer: what all entries of one array share."""
        return self.name, self.layer

    def at(self, *indices: Index) -> Variable:
        """The same variable at other indices."""
        return Variable(self.args[0], self.args[1], *indices)


class Function(Node):
    """f_l^(order)(z): the arbitrary activation of layer l, or a derivative of it; of layer 0: σ of all gates."""

    def __new__(cls, layer: object, order: object, argument: Expr) -> Function:
        return Expr.__new__(cls, sympify(layer), sympify(order), argument)

    layer: Expr = part(0)
    order: int = part(1, int)
    argument: Expr = part(2)


class Delta(Node):
    """The Kronecker delta: 1 where both indices agree, else 0; written [i=j], since δ is the error."""

    def __new__(cls, left: Index, right: Index) -> Expr:
        if left == right:
            return S.One
        return Expr.__new__(cls, *sorted((left, right), key=lambda index: index.sort_key()))


class Total(Node):
    """One sum over one index: Total(body, k) is the sum of body over k = 1..k.size.  Sums nest; they never merge."""

    def __new__(cls, body: Expr, index: Index) -> Expr:
        body = sympify(body)
        return S.Zero if body == 0 else Expr.__new__(cls, body, index)

    body: Expr = part(0)
    index: Index = part(1)


class Partial(Node):
    """An unevaluated derivative: how u changes when x is changed and everything computed from x follows."""

    def __new__(cls, u: Expr, x: Variable) -> Partial:
        return Expr.__new__(cls, sympify(u), x)

    u: Expr = part(0)
    x: Variable = part(1)


class Held(Partial):
    """The same with every other *named* quantity (a cut) held fixed: only the direct dependence counts."""


def unit(name: str, layer: object) -> Index:
    """An index over the units of a layer."""
    return Index(name, Width(layer))


def sample(name: str = "s") -> Index:
    """An index over the n samples, the rows of a batch."""
    return Index(name, n)


def var(name: str, layer: object, *indices: Index) -> Variable:
    """A variable of the glossary.

    >>> var("t", l)
    Traceback (most recent call last):
    KeyError: "no letter 't' in the glossary; it has: a, z, a_x, z_x, a_xx, z_xx, y, delta, w, b, C, x, h, v, e, \
c, g, alpha, mu, nu, rho, u, gamma, beta, epsilon, m, r, omega, p, q, e_i, w_i, b_i, g_i, e_f, w_f, b_f, g_f, e_o, \
w_o, b_o, g_o, e_r, w_r, b_r, g_r, e_u, w_u, b_u, g_u"
    """
    if name not in GLOSSARY:
        raise KeyError(f"no letter {name!r} in the glossary; it has: {', '.join(GLOSSARY)}")
    return Variable(name, layer, *indices)


def total(body: Expr, *indices: Index) -> Expr:
    """Sum over the indices, the last one innermost."""
    for index in reversed(indices):
        body = Total(body, index)
    return body


def nodes(expr: Expr) -> Iterator[Expr]:
    """Every node of an expression tree, parents first."""
    yield expr
    for arg in expr.args:
        yield from nodes(arg)


def free_indices(expr: Expr) -> frozenset[Index]:
    """The indices that no sum inside the expression binds.

    >>> i, j = unit("i", l - 1), unit("j", l)
    >>> free_indices(total(var("w", l, i, j), i)) == {j}
    True
    """
    if isinstance(expr, Index):
        return frozenset((expr,))
    if isinstance(expr, Total):
        return free_indices(expr.body) - {expr.index}
    return frozenset().union(*(free_indices(arg) for arg in expr.args))


NAMES = "ijkmpqtuvgh"


def fresh(index: Index, avoid: Iterable[Index]) -> Index:
    """An index over the same range whose name none of `avoid` has, keeping its own name where possible."""
    taken = {other.name for other in avoid}
    pool = [index.name, *(("s", "r") if index.is_sample else NAMES)]
    name = next(name for name in chain(pool, (f"{index.name}{k}" for k in count(1))) if name not in taken)
    return Index(name, index.size)


def substitute(expr: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """Replace nodes without capture: a bound index that would swallow an incoming one is renamed first.

    >>> i, j, k = unit("i", l), unit("j", l), unit("k", l)
    >>> inner = total(var("w", l, i, j), i)
    >>> free_indices(substitute(inner, {j: i})) == {i}
    True
    """
    if expr in mapping:
        return mapping[expr]
    if not expr.args:
        return expr
    if isinstance(expr, Total):
        inner = {old: new for old, new in mapping.items() if old != expr.index}
        incoming = frozenset().union(*(free_indices(new) for new in inner.values())) if inner else frozenset()
        index, body = expr.index, expr.body
        if any(other.name == index.name for other in incoming):
            renamed = fresh(index, incoming | free_indices(body) | bound_indices(body))
            body, index = substitute(body, {index: renamed}), renamed
        return Total(substitute(body, inner), substitute(index, inner))
    if getattr(expr, "binds_layer", False):
        mapping = {old: new for old, new in mapping.items() if old != l}
    return expr.func(*(substitute(arg, mapping) for arg in expr.args))


def bound_indices(expr: Expr) -> frozenset[Index]:
    """The indices of all sums inside the expression."""
    return frozenset(node.index for node in nodes(expr) if isinstance(node, Total))


def canonical(expr: Expr, depth: int = 0) -> Expr:
    """Rename every bound index by its nesting level, so that equal means equal up to the names of bound indices."""
    if not expr.args:
        return expr
    if isinstance(expr, Total):
        renamed = Index(f"_{depth}", expr.index.size)
        return Total(canonical(substitute(expr.body, {expr.index: renamed}), depth + 1), renamed)
    return expr.func(*(canonical(arg, depth) for arg in expr.args))


def same(left: Expr, right: Expr) -> bool:
    """Structurally equal up to the names of bound indices.

    >>> i, k = unit("i", l), unit("k", l)
    >>> same(total(var("a", l, i), i), total(var("a", l, k), k))
    True
    """
    return bool(canonical(left) == canonical(right))


@lru_cache(maxsize=8192)
def kinds(expr: Expr) -> frozenset[type]:
    """The types of all nodes of an expression."""
    return frozenset((type(expr),)).union(*(kinds(arg) for arg in expr.args))


def rewrite(expr: Expr, rule: Callable[[Expr], Expr | None], wanted: frozenset[type] = frozenset((Basic,))) -> Expr:
    """Apply a rule at every outermost place where it applies; where it returns None, look inside.

    `wanted` are the node types the rule can apply to: parts without any of them are left alone unseen.
    """
    anything = Basic in wanted
    if not anything and wanted.isdisjoint(kinds(expr)):
        return expr
    new = rule(expr) if anything or type(expr) in wanted else None
    if new is not None:
        return new
    if not expr.args:
        return expr
    args = [rewrite(arg, rule, wanted) for arg in expr.args]
    if all(a is b for a, b in zip(args, expr.args, strict=True)):
        return expr
    return expr.func(*args)


def shift(expr: Expr, layer: Symbol, to: object) -> Expr:
    """The same statement for another layer: l becomes `to` everywhere, ranges included."""
    return substitute(expr, {layer: sympify(to) if not isinstance(to, int) else Integer(to)})


def is_constant(expr: Expr) -> bool:
    """Free of variables: numbers, the batch size n, widths."""
    return Variable not in kinds(expr)
