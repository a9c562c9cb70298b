"""A world: one random network in which every letter and every formula has a value.

This module says what nodes *mean*; it knows no rule.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from itertools import product

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol
from sympy.core.function import Function as NamedFunction

from theory.language import matrices as mf
from theory.language.layer_sums import LayerSum, LayerTotal
from theory.language.notation import Delta, Function, Held, Index, Partial, Total, Variable, Width, epsilon
from theory.language.statement import Definition, System
from theory.witnesses.numbers import Dual, Field

__all__ = ["World"]

Key = tuple[str, int, tuple[int, ...]]


@lru_cache(maxsize=4096)
def parts(x: Variable) -> tuple[str, Expr | None, tuple[Index, ...]]:
    """Letter, layer and indices of a variable (asked for very often)."""
    return x.name, x.layer, x.indices


@lru_cache(maxsize=1024)
def definitions_of(system: System, name: str) -> tuple[tuple[Definition, bool], ...]:
    """The definitions of a letter, the last layer's own first, and whether each is for any layer."""
    found = [(d, d.is_general) for d in system.definitions if d.target.name == name]
    return tuple(sorted(found, key=lambda pair: pair[1]))


@dataclass
class World:
    """One random network with its cost: a place where every letter has a value.

    `depth` is L, `widths[l]` is M_l, `rows` is n; `layer` is the value of the letter l.
    """

    system: System
    depth: int
    widths: tuple[int, ...]
    rows: int
    layer: int
    seed: int
    arithmetic: Field = field(default_factory=Field)
    drawn: dict[tuple[object, ...], int] = field(default_factory=dict)
    places: dict[Expr | None, int] = field(default_factory=dict)
    views: dict[int, World] = field(default_factory=dict)
    forward: dict[tuple[Key | None, bool], dict[Key, Dual]] = field(default_factory=dict)

    def at_layer(self, layer: int) -> World:
        """The same world seen from another value of the letter l; everything drawn or computed is shared."""
        if layer not in self.views:
            self.views[layer] = replace(self, layer=layer, places={})
        return self.views[layer]

    @property
    def adjoints(self) -> dict[str, str]:
        """delta -> z: the letters whose value is a derivative of C."""
        return {adjoint: name for name, adjoint in self.system.adjoints}

    def draw(self, *what: object) -> int:
        """A random field element that depends on nothing but the seed and what it is for."""
        if what not in self.drawn:
            self.drawn[what] = self.arithmetic.random(random.Random(repr((self.seed, what))))
        return self.drawn[what]

    def whole(self, expr: Expr) -> int:
        """A layer, a width or n as a number."""
        if isinstance(expr, Integer):
            return int(expr)
        if isinstance(expr, Width):
            return self.widths[self.whole(expr.layer)]
        if isinstance(expr, Symbol):
            return {"l": self.layer, "L": self.depth, "n": self.rows}[expr.name]
        if isinstance(expr, Add):
            return sum(self.whole(term) for term in expr.args)
        raise TypeError(f"not a layer or a size: {expr}")

    def polynomial(self, layer: int, order: int, x: Dual) -> Dual:
        """f_l^(order)(x) for a random polynomial f_l of degree 4."""
        number = self.arithmetic
        value: Dual = (0, 0)
        for k in range(order, 5):
            coefficient = (self.draw("f", layer, k), 0)
            for factor in range(k, k - order, -1):
                coefficient = number.mul(coefficient, (factor, 0))
            value = number.add(value, number.mul(coefficient, number.power(x, k - order)))
        return value

    def given(self, key: Key) -> int:
        """The value of a parameter, an input or a target; targets of a sample sum to one where the system says so."""
        name, _, indices = key
        if name == "y" and self.system.sums_to_one and indices[-1] == self.widths[self.depth]:
            others = [self.given((name, key[1], (*indices[:-1], k))) for k in range(1, indices[-1])]
            return self.arithmetic.add((1 - sum(others), 0), (0, 0))[0]
        return self.draw("given", key)

    def table(self, name: str, x: Dual) -> Dual:
        """exp, log, and sigmoid, softplus and log_sigmoid, which are made of them."""
        number = self.arithmetic
        if name == "sigmoid":
            return number.power(number.add((1, 0), self.table("exp", number.mul((-1, 0), x))), -1)
        if name == "log_sigmoid":
            return number.mul((-1, 0), self.table("softplus", number.mul((-1, 0), x)))
        if name == "softplus":
            return number.log(number.add((1, 0), number.exp(x, self.draw)), self.draw)
        if name not in ("exp", "log"):
            raise TypeError(f"the witness has no table for {name}")
        return (number.exp if name == "exp" else number.log)(x, self.draw)

    def rowwise(self, name: str, row: list[Dual], k: int) -> Dual:
        """Entry k of softmax or of its logarithm, from the definition."""
        number = self.arithmetic
        powers = [number.exp(z, self.draw) for z in row]
        whole = self.sum(iter(powers))
        if name == "softmax":
            return number.mul(powers[k - 1], number.power(whole, -1))
        return number.add(row[k - 1], number.mul((-1, 0), number.log(whole, self.draw)))

    # -- the network, computed forward from the definitions, with an infinitesimal added at one place

    def quantity(self, key: Key, seed: Key | None, held: bool) -> Dual:
        """A quantity and how it changes when the seed changes (with the cuts held fixed, or not)."""
        if key == seed:
            return self.quantity(key, None, False)[0], 1
        known = self.forward.setdefault((seed, held), {})
        if key not in known:
            known[key] = self.compute(key, seed, held)
        return known[key]

    def compute(self, key: Key, seed: Key | None, held: bool) -> Dual:
        name, layer, _ = key
        if name == "C":
            return self.cost(seed, held)
        definition = self.definition(key)
        if definition is None:
            return self.given(key), 0
        value = self.follow(definition, key, seed, held)
        return (value[0], 0) if held and self.cuts(name, layer) else value

    def definition(self, key: Key) -> Definition | None:
        """What computes a quantity at this layer; the last layer's own definition wins over the general one."""
        name, layer, _ = key
        for definition, general in definitions_of(self.system, name):
            if 1 <= layer <= self.depth if general else layer == self.depth:
                return definition
        return None

    def follow(self, definition: Definition, key: Key, seed: Key | None, held: bool) -> Dual:
        """Evaluate a definition's right-hand side for one layer and one set of indices."""
        world = self.at_layer(key[1])
        return world.evaluate(definition.expr, dict(zip(definition.target.indices, key[2], strict=True)), seed, held)

    def cuts(self, name: str, layer: int) -> bool:
        return name in self.system.cuts or (
            self.system.cut_output and name == self.system.output and layer == self.whole(self.system.last)
        )

    def cost(self, seed: Key | None, held: bool) -> Dual:
        """The stated cost, or a random cubic polynomial of all outputs."""
        if self.system.cost is not None:
            return self.evaluate(self.system.cost, {}, seed, held)
        output = self.system.template((self.system.output, self.system.last))
        last, ranges = self.whole(self.system.last), [range(1, self.whole(i.size) + 1) for i in output.indices]
        number = self.arithmetic
        total, mixed = (0, 0), (0, 0)
        for at in product(*ranges):
            a = self.quantity((self.system.output, last, at), seed, held)
            mixed = number.add(mixed, number.mul((self.draw("mix", at), 0), a))
            total = number.add(total, number.mul((self.draw("cost", at), 0), number.power(a, 2)))
        return number.add(total, number.power(mixed, 3))

    # -- meaning of the nodes

    def key(self, x: Variable, bound: dict[Index, int]) -> Key:
        name, layer, indices = parts(x)
        where = self.places.get(layer)
        if where is None:
            where = self.places[layer] = -1 if layer is None else self.whole(layer)
        return name, where, tuple([bound[index] for index in indices])

    def evaluate(self, e: Expr, bound: dict[Index, int], seed: Key | None = None, held: bool = False) -> Dual:
        """The value of a formula, with its infinitesimal part along the seed."""
        if isinstance(e, Rational):
            return self.arithmetic.ratio(e.p, e.q), 0
        if isinstance(e, Variable):
            name, layer, indices = self.key(e, bound)
            if name in self.adjoints:
                return self.quantity(("C", -1, ()), (self.adjoints[name], layer, indices), False)[1], 0
            return self.quantity((name, layer, indices), seed, held)
        if e == epsilon:
            return self.draw("epsilon"), 0
        if isinstance(e, Symbol | Width):
            return self.whole(e), 0
        if isinstance(e, Add | Mul):
            combine = self.sum if isinstance(e, Add) else self.multiply
            return combine(self.evaluate(arg, bound, seed, held) for arg in e.args)
        if isinstance(e, Pow):
            return self.arithmetic.power(self.evaluate(e.base, bound, seed, held), e.exp)
        if isinstance(e, Function):
            x, layer = self.evaluate(e.argument, bound, seed, held), self.whole(e.layer)
            return self.polynomial(layer, e.order, x)
        if isinstance(e, Total):
            sizes = range(1, self.whole(e.index.size) + 1)
            return self.sum(self.evaluate(e.body, {**bound, e.index: k}, seed, held) for k in sizes)
        return self.evaluate_rest(e, bound, seed, held)

    def evaluate_rest(self, e: Expr, bound: dict[Index, int], seed: Key | None, held: bool) -> Dual:
        if isinstance(e, Delta):
            return int(bound[e.args[0]] == bound[e.args[1]]), 0
        if isinstance(e, Partial):
            return self.derivative(e, bound), 0
        if isinstance(e, LayerTotal):
            return self.sum(w.evaluate(e.body, bound, seed, held) for w in map(self.at_layer, range(1, self.depth + 1)))
        if isinstance(e, mf.MatrixEntry):
            return self.entry(e.matrix, tuple(bound[index] for index in e.indices))
        if isinstance(e, NamedFunction):
            return self.table(type(e).__name__, self.evaluate(e.args[0], bound, seed, held))
        raise TypeError(f"the witness does not know a {type(e).__name__}")

    def derivative(self, e: Partial, bound: dict[Index, int]) -> int:
        """∂u/∂x by computing u once more with an infinitesimal added to x (and, if held, the cuts kept fixed)."""
        return self.evaluate(e.u, bound, self.key(e.x, bound), isinstance(e, Held))[1]

    def entry(self, m: Expr, at: tuple[int, ...]) -> Dual:
        """The entry of a matrix expression, from the meaning of each node."""
        if type(m) not in ENTRIES:
            raise TypeError(f"the witness does not know a {type(m).__name__}")
        return ENTRIES[type(m)](self, at, *m.args)

    def product(self, at: tuple[int, ...], left: Expr, right: Expr) -> Dual:
        """Σ_k A_pk B_kq; a vector on the left is a row, one on the right a column."""
        own = at[: len(mf.shape(left)) - 1]
        pairs = (((*own, k), (k, *at[len(own) :])) for k in self.along(left, len(own)))
        return self.sum(self.arithmetic.mul(self.entry(left, one), self.entry(right, two)) for one, two in pairs)

    def along(self, m: Expr, axis: int) -> range:
        """The places along an axis of a matrix expression."""
        return range(1, self.whole(mf.shape(m)[axis]) + 1)

    def multiply(self, factors: Iterator[Dual]) -> Dual:
        return reduce(self.arithmetic.mul, factors, (1, 0))

    def sum(self, terms: Iterator[Dual]) -> Dual:
        return reduce(self.arithmetic.add, terms, (0, 0))


ENTRIES: dict[type, Callable[..., Dual]] = {
    mf.Array: lambda w, at, x: w.evaluate(x, dict(zip(x.indices, at, strict=True))),
    mf.CostGradient: lambda w, at, x: w.evaluate(
        Partial(Variable("C", None), x), dict(zip(x.indices, at, strict=True))
    ),
    mf.Transposed: lambda w, at, m: w.entry(m, at[::-1]),
    mf.Product: lambda w, at, left, right: w.product(at, left, right),
    **dict.fromkeys(
        (mf.Outer, mf.RowOuter), lambda w, at, u, v: w.arithmetic.mul(w.entry(u, at[:1]), w.entry(v, at[1:]))
    ),
    mf.Hadamard: lambda w, at, *factors: w.multiply(w.entry(m, at) for m in factors),
    mf.Plus: lambda w, at, *terms: w.sum(w.entry(m, at) for m in terms),
    mf.Scaled: lambda w, at, c, m: w.arithmetic.mul(w.evaluate(c, {}), w.entry(m, at)),
    mf.Filled: lambda w, at, c, *_: w.evaluate(c, {}),
    mf.EntryPower: lambda w, at, m, exponent: w.arithmetic.power(w.entry(m, at), exponent),
    mf.Applied: lambda w, at, layer, order, m: w.polynomial(w.whole(layer), int(order), w.entry(m, at)),
    mf.Elementwise: lambda w, at, f, m: w.table(str(f.name), w.entry(m, at)),
    mf.Rowwise: lambda w, at, f, m: w.rowwise(str(f.name), [w.entry(m, (at[0], k)) for k in w.along(m, 1)], at[1]),
    mf.Columnwise: lambda w, at, f, m: w.rowwise(str(f.name), [w.entry(m, (k, at[1])) for k in w.along(m, 0)], at[0]),
    mf.SumOverRows: lambda w, at, m: w.sum(w.entry(m, (s, *at)) for s in w.along(m, 0)),
    mf.RowTotals: lambda w, at, m, _: w.sum(w.entry(m, (at[0], k)) for k in w.along(m, 1)),
    mf.RowSums: lambda w, at, m: w.sum(w.entry(m, (at[0], k)) for k in w.along(m, 1)),
    **dict.fromkeys((mf.Broadcast, mf.Stacked), lambda w, at, m, _: w.entry(m, at[1:])),
    mf.Columns: lambda w, at, m, _: w.entry(m, at[:1]),
    LayerSum: lambda w, at, m: w.sum(layer.entry(m, at) for layer in map(w.at_layer, range(1, w.depth + 1))),
}
"""What each matrix node means at one place."""
