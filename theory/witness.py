"""The witness: it knows no rule.  It evaluates both sides of a claim on random networks and compares numbers.

Numbers are dual numbers over the prime field GF(2^61 - 1), so that equality is exact: a derivative is
found by adding an infinitesimal to a quantity and computing forward through the definitions.  Depth
(1 to 6), widths, samples, weights, the polynomials f_l and the cost C are random; `exp` and `log` are
random tables with exp' = exp and log'(u) = 1/u.  This module imports the nodes (what a formula *is*)
and the statements (what is *given*), never `theory.calculus`, `theory.backward` or any other rule.

A false equation of degree d in the random values survives one trial with probability at most
d / (2^61 - 1) (Schwartz 1980, Zippel 1979).

>>> from theory.layers.dense import dense
>>> from theory.notation import Function, Partial, l, unit, var
>>> z, a = var("z", l, unit("j", l)), var("a", l, unit("j", l))
>>> agree(dense(), Partial(a, z), Function(l, 1, z))
True
>>> agree(dense(), Partial(a, z), Function(l, 0, z))
False
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from typing import Any

import mpmath
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol
from sympy.core.function import Function as NamedFunction

from theory.derivation import Derivation, Step
from theory.matrices import (
    Applied,
    Array,
    Broadcast,
    CostGradient,
    Elementwise,
    Entry,
    Filled,
    Hadamard,
    Outer,
    Plus,
    Power,
    Product,
    RowTotals,
    Rowwise,
    Scaled,
    SumRows,
    Transposed,
    shape,
)
from theory.notation import Delta, Function, Held, Index, Partial, Total, Variable, Width, free_indices
from theory.statement import Definition, System

__all__ = ["PRIME", "World", "agree", "agree_in", "agree_real", "check", "worlds"]

PRIME = 2**61 - 1
MAX_DEPTH, MAX_WIDTH, MAX_ROWS = 6, 4, 3
TRIALS, SAMPLES = 3, 3
DIGITS = 60

Dual = tuple[Any, Any]
Key = tuple[str, int, tuple[int, ...]]
Draw = Callable[..., Any]


class Field:
    """Exact arithmetic: GF(PRIME), where exp and log are random tables with the right derivative."""

    def random(self, rng: random.Random) -> Any:
        return rng.randrange(1, PRIME)

    def ratio(self, above: int, below: int) -> Any:
        return above * pow(below, -1, PRIME) % PRIME

    def add(self, x: Dual, y: Dual) -> Dual:
        return (x[0] + y[0]) % PRIME, (x[1] + y[1]) % PRIME

    def mul(self, x: Dual, y: Dual) -> Dual:
        return x[0] * y[0] % PRIME, (x[0] * y[1] + x[1] * y[0]) % PRIME

    def power(self, x: Dual, exponent: int) -> Dual:
        if exponent == 0:
            return 1, 0
        return pow(x[0], exponent, PRIME), exponent * pow(x[0], exponent - 1, PRIME) * x[1] % PRIME

    def exp(self, x: Dual, draw: Draw) -> Dual:
        value = draw("exp", x[0])
        return value, value * x[1] % PRIME

    def log(self, x: Dual, draw: Draw) -> Dual:
        return draw("log", x[0]), pow(x[0], -1, PRIME) * x[1] % PRIME

    def same(self, x: Any, y: Any) -> bool:
        return bool(x == y)


class Reals(Field):
    """Numbers with DIGITS digits, for the laws of the logarithm, which no finite field has."""

    def random(self, rng: random.Random) -> Any:
        return mpmath.mpf(rng.randrange(1, 10**6)) / (4 * 10**6)  # small: nothing saturates

    def ratio(self, above: int, below: int) -> Any:
        return mpmath.mpf(above) / below

    def add(self, x: Dual, y: Dual) -> Dual:
        return x[0] + y[0], x[1] + y[1]

    def mul(self, x: Dual, y: Dual) -> Dual:
        return x[0] * y[0], x[0] * y[1] + x[1] * y[0]

    def power(self, x: Dual, exponent: int) -> Dual:
        return (x[0] ** exponent, exponent * x[0] ** (exponent - 1) * x[1]) if exponent else (1, 0)

    def exp(self, x: Dual, draw: Draw) -> Dual:
        value = mpmath.exp(x[0])
        return value, value * x[1]

    def log(self, x: Dual, draw: Draw) -> Dual:
        return mpmath.log(x[0]), x[1] / x[0]

    def same(self, x: Any, y: Any) -> bool:
        return bool(abs(x - y) <= mpmath.mpf(10) ** (10 - DIGITS) * (1 + abs(x)))


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
        """exp, log, and softplus and log_sigmoid, which are made of them."""
        number = self.arithmetic
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
        return name in self.system.cuts or (name == "a" and layer == self.depth and self.system.cut_output)

    def cost(self, seed: Key | None, held: bool) -> Dual:
        """The stated cost, or a random cubic polynomial of all outputs."""
        if self.system.cost is not None:
            return self.evaluate(self.system.cost, {}, seed, held)
        batch = any(index.is_sample for d in self.system.definitions for index in d.target.indices)
        rows = [(s,) for s in range(1, self.rows + 1)] if batch else [()]
        number = self.arithmetic
        total, mixed = (0, 0), (0, 0)
        for row, k in product(rows, range(1, self.widths[self.depth] + 1)):
            a = self.quantity(("a", self.depth, (*row, k)), seed, held)
            mixed = number.add(mixed, number.mul((self.draw("mix", row, k), 0), a))
            total = number.add(total, number.mul((self.draw("cost", row, k), 0), number.power(a, 2)))
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
        if isinstance(e, Symbol | Width):
            return self.whole(e), 0
        if isinstance(e, Add | Mul):
            combine, result = (self.arithmetic.add, (0, 0)) if isinstance(e, Add) else (self.arithmetic.mul, (1, 0))
            for arg in e.args:
                result = combine(result, self.evaluate(arg, bound, seed, held))
            return result
        if isinstance(e, Pow):
            return self.arithmetic.power(self.evaluate(e.base, bound, seed, held), int(e.exp))
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
        if isinstance(e, Entry):
            return self.entry(e.matrix, tuple(bound[index] for index in e.indices))
        if isinstance(e, NamedFunction):
            return self.table(type(e).__name__, self.evaluate(e.args[0], bound, seed, held))
        raise TypeError(f"the witness does not know a {type(e).__name__}")

    def derivative(self, e: Partial, bound: dict[Index, int]) -> int:
        """∂u/∂x by computing u once more with an infinitesimal added to x (and, if held, the cuts kept fixed)."""
        seed, held = self.key(e.x, bound), isinstance(e, Held)
        if held and isinstance(e.u, Variable):
            key = self.key(e.u, bound)
            definition = self.definition(key)
            if key != seed and definition is not None:
                return self.follow(definition, key, seed, held)[1]
        return self.evaluate(e.u, bound, seed, held)[1]

    def entry(self, m: Expr, at: tuple[int, ...]) -> Dual:
        """The entry of a matrix expression, from the meaning of each node."""
        number = self.arithmetic
        if isinstance(m, Array | CostGradient):
            bound = dict(zip(m.template.indices, at, strict=True))
            node = m.template if isinstance(m, Array) else Partial(Variable("C", None), m.template)
            return self.evaluate(node, bound)
        if isinstance(m, Transposed):
            return self.entry(m.args[0], at[::-1])
        if isinstance(m, Product):
            left, right = m.args
            size = range(1, self.whole(shape(left)[1]) + 1)
            return self.sum(number.mul(self.entry(left, (at[0], k)), self.entry(right, (k, *at[1:]))) for k in size)
        if isinstance(m, Outer):
            return number.mul(self.entry(m.args[0], at[:1]), self.entry(m.args[1], at[1:]))
        if isinstance(m, Hadamard | Plus):
            combine, result = (number.mul, (1, 0)) if isinstance(m, Hadamard) else (number.add, (0, 0))
            for arg in m.args:
                result = combine(result, self.entry(arg, at))
            return result
        return self.entry_rest(m, at)

    def entry_rest(self, m: Expr, at: tuple[int, ...]) -> Dual:
        if isinstance(m, Scaled):
            return self.arithmetic.mul(self.evaluate(m.args[0], {}), self.entry(m.args[1], at))
        if isinstance(m, Filled):
            return self.evaluate(m.args[0], {})
        if isinstance(m, Power):
            return self.arithmetic.power(self.entry(m.args[0], at), int(m.args[1]))
        if isinstance(m, Applied):
            layer, order, argument = m.args
            return self.polynomial(self.whole(layer), int(order), self.entry(argument, at))
        if isinstance(m, Elementwise):
            return self.table(str(m.args[0].name), self.entry(m.args[1], at))
        if isinstance(m, Rowwise):
            width = range(1, self.whole(shape(m)[1]) + 1)
            return self.rowwise(str(m.args[0].name), [self.entry(m.args[1], (at[0], k)) for k in width], at[1])
        if isinstance(m, SumRows):
            return self.sum(self.entry(m.args[0], (s, *at)) for s in range(1, self.whole(shape(m.args[0])[0]) + 1))
        if isinstance(m, RowTotals):
            inner = range(1, self.whole(shape(m.args[0])[1]) + 1)
            return self.sum(self.entry(m.args[0], (at[0], k)) for k in inner)
        if isinstance(m, Broadcast):
            return self.entry(m.args[0], at[1:])
        raise TypeError(f"the witness does not know a {type(m).__name__}")

    def sum(self, terms: Iterator[Dual]) -> Dual:
        result: Dual = (0, 0)
        for term in terms:
            result = self.arithmetic.add(result, term)
        return result


@lru_cache(maxsize=32)
def worlds(system: System, trials: int = TRIALS, seed: int = 0, real: bool = False) -> tuple[World, ...]:
    """Random worlds; from the second on, neighbouring layers are equally wide (≥ 2), n > 1 and the depth is ≥ 3.

    Equal widths let swapped indices be evaluated at all, so that they are caught by their value.
    """
    made = []
    for trial in range(trials):
        rng = random.Random(f"{seed}/{trial}")
        if trial == 0:
            depth = rng.randint(2, MAX_DEPTH)
            widths = tuple(rng.randint(1, MAX_WIDTH) for _ in range(depth + 1))
            rows = rng.randint(1, MAX_ROWS)
        else:
            depth = rng.randint(3, MAX_DEPTH)
            widths = (rng.randint(2, MAX_WIDTH - 1),) * (depth + 1)
            rows = rng.randint(2, MAX_ROWS)
        layer = rng.randint(1, depth - 1)
        made.append(World(system, depth, widths, rows, layer, rng.randrange(2**32), Reals() if real else Field()))
    return tuple(made)


def agree(system: System, left: Expr, right: Expr, trials: int = TRIALS, seed: int = 0, real: bool = False) -> bool:
    """Do both sides have the same value on every random network, at random values of their free indices?

    Both sides must be open in the same indices, up to indices that the value does not depend on.
    With `real` the numbers are reals of DIGITS digits, compared to DIGITS - 10.
    """
    return all(agree_in(world, left, right) for world in worlds(system, trials, seed, real))


def agree_in(world: World, left: Expr, right: Expr) -> bool:
    """Do both sides have the same value in this world, at SAMPLES random choices of their free indices?"""
    indices = sorted(free_indices(left) | free_indices(right), key=str)
    rng = random.Random(world.seed)
    with mpmath.workdps(DIGITS):
        for _ in range(SAMPLES):
            bound = {index: rng.randint(1, world.whole(index.size)) for index in indices}
            if not world.arithmetic.same(*(world.evaluate(side, bound)[0] for side in (left, right))):
                return False
    return True


def agree_real(system: System, left: Expr, right: Expr) -> bool:
    """`agree` with reals of many digits, for steps that use a law of the logarithm."""
    return agree(system, left, right, real=True)


def check(derivation: Derivation) -> list[Step]:
    """The steps of a derivation that are not equalities, and the chain from subject to result if that is not one.

    >>> from theory.four_equations import derive
    >>> [check(derivation) for derivation in derive().values()]
    [[], [], [], []]
    """
    judge = agree_real if derivation.real else agree
    wrong = derivation.check(judge)
    whole = Step("the whole derivation", derivation.subject, derivation.result)
    return wrong if judge(derivation.system, whole.before, whole.after) else [*wrong, whole]
