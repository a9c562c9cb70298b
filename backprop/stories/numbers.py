"""A small network with numbers in it: what every formula of a derivation comes to, term by term.

>>> from theory.chapters.networks.four_equations import derive
>>> from theory.language.alphabets import ALPHABETS
>>> step = derive(batch=True)["BP2"].steps[-1]
>>> Numbers(derive(batch=True)["BP2"].system).spell(step.after, ALPHABETS["text"])
'0.2198 × 0.8 × (−0.114) = −0.02005'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import mpmath
from sympy import Add, Expr, Mul, Pow, Rational, Symbol

from theory.language.alphabets import Alphabet
from theory.language.matrices import MatrixEntry
from theory.language.notation import Delta, Index, Total, Variable, Width, free_indices, l, nodes
from theory.language.printing import rank, show
from theory.language.statement import System
from theory.notations.choices import LECTURE, NotationChoice
from theory.witnesses.numbers import Dual, Reals
from theory.witnesses.world import Key, World

__all__ = ["ACTIVATION", "COST", "GIVEN", "Numbers", "list_given"]

ACTIVATION, COST = "sigmoid", "half-sse"
GIVEN: dict[str, Any] = {
    "x": ((1.0, 0.5), (-0.5, 1.0)),
    "w": {1: ((0.5, -0.5), (0.25, 1.0)), 2: ((0.8, 0.5), (-1.5, 0.25))},
    "b": {1: (0.1, -0.2), 2: (0.3, -0.1)},
    "y": ((1.0, 0.0), (0.0, 1.0)),
}
"""Two samples and the parameters of a network 2-2-1 (of 2-2-2 where one output would say nothing)."""


def list_given(notation: NotationChoice = LECTURE) -> list[tuple[str, Any]]:
    """What is given of the small network, by the names that a reader knows, as it lies in a notation.

    >>> from theory.notations.choices import NOTATIONS
    >>> dict(list_given(NOTATIONS["columns"]))["X"]
    ((1.0, -0.5), (0.5, 1.0))
    """
    w, b = GIVEN["w"], GIVEN["b"]
    weights = {k: tuple(zip(*w[k], strict=True)) if notation.own_first else w[k] for k in (1, 2)}
    x, y = (tuple(zip(*GIVEN[k], strict=True)) if notation.sample_columns else GIVEN[k] for k in ("x", "y"))
    return [("X", x), ("W^1", weights[1]), ("b^1", b[1]), ("W^2", weights[2]), ("b^2", b[2]), ("Y", y)]


PLEASANT = (0.5, -0.25, 0.75, 0.2, -0.4, 0.6, 1.25, -0.8)
MOST_TERMS = 4
DIGITS = 4
ENOUGH = 20
"""Digits in which values are computed."""


class _Example(World):
    """The witness's world with numbers that a reader can follow: those given above, f = sigmoid, C = half-sse."""

    def given(self, key: Key) -> Any:
        name, layer, at = key
        places = tuple(k - 1 for k in at)
        if name == "a" and layer == 0:
            table: Any = GIVEN["x"]
        elif name == "y":
            table = GIVEN["y"]
        else:
            table = GIVEN.get(name, {}).get(layer) if name in ("w", "b") else None
        if table is None or len(places) > 2:
            return self.ratio(PLEASANT[(layer + 3 * sum(places) + len(name) + ord(name[0])) % len(PLEASANT)])
        places = (0, *places) if name in ("a", "y") and len(places) == 1 else places
        for place in places:
            table = table[place % len(table)]
        return self.ratio(table)

    def ratio(self, value: float) -> Any:
        return mpmath.mpf(value)

    def draw(self, *what: object) -> Any:
        return mpmath.mpf("0.1") if what[0] == "epsilon" else super().draw(*what)

    def polynomial(self, layer: int, order: int, x: Dual) -> Dual:
        value, slope = (mpmath.diff(sigmoid, x[0], n) for n in (order, order + 1))
        return value, slope * x[1]

    def cost(self, seed: Key | None, held: bool) -> Dual:
        if self.system.cost is not None:
            return super().cost(seed, held)
        output = self.system.template((self.system.output, self.system.last))
        ranges = [range(1, self.whole(index.size) + 1) for index in output.indices]
        target = [self.given(("y", -1, at)) for at in product(*ranges)]
        number, last = self.arithmetic, self.whole(self.system.last)
        off = [
            number.add(self.quantity((self.system.output, last, at), seed, held), (-y, 0))
            for at, y in zip(product(*ranges), target, strict=True)
        ]
        return self.sum(number.mul((mpmath.mpf(1) / 2, 0), number.power(one, 2)) for one in off)


@dataclass
class Numbers:
    """Values of formulas in the small network; every free index is 1."""

    system: System
    widths: tuple[int, ...] = ()
    world: World = field(init=False)

    def __post_init__(self) -> None:
        dense = self.system.cuts == ("z",) and not self.system.sums_to_one
        alone = dense and not any(d.expr.has(Total) for d in self.system.definitions if d.target.name == "a")
        self.widths = self.widths or ((2, 2, 1) if alone else (2, 2, 2))
        self.world = _Example(self.system, 2, self.widths, rows=2, layer=1, seed=0, arithmetic=Reals())

    @property
    def sizes(self) -> str:
        """The network, as 2-2-1."""
        return "-".join(map(str, self.widths))

    def value(self, expr: Expr, bound: dict[Index, int] | None = None) -> Any:
        """What a formula comes to.  Errors: TypeError for what has no value here (a mean, a variance)."""
        with mpmath.workdps(ENOUGH):
            return self.world.evaluate(expr, self.places(expr) if bound is None else bound)[0]

    def places(self, expr: Expr) -> dict[Index, int]:
        """Each free index is 1."""
        return dict.fromkeys(free_indices(expr), 1)

    def spell(self, expr: Expr, alphabet: Alphabet) -> str:
        """The formula with numbers for its letters, and what it comes to; only that where it would be long."""
        bound = self.places(expr)
        value = alphabet.number(write(self.value(expr, bound)))
        if self.count(expr) > MOST_TERMS or isinstance(expr, Variable | MatrixEntry):
            return value
        spelled = self.spell_out(expr, bound, alphabet, 0)
        return value if spelled == value else spelled + alphabet.equals + value

    def count(self, expr: Expr) -> int:
        """How many products are added up."""
        if isinstance(expr, Total):
            return self.world.whole(expr.index.size) * self.count(expr.body)
        parts = [self.count(arg) for arg in expr.args] if isinstance(expr, Add | Mul) else []
        return sum(parts) if isinstance(expr, Add) else max(parts, default=1)

    def spell_out(self, e: Expr, bound: dict[Index, int], alphabet: Alphabet, tightness: int) -> str:
        """Sums term by term, products factor by factor, all else as its value; `tightness` is 1 within a product."""
        if isinstance(e, Rational | Symbol | Width):
            return alphabet.number(write(self.value(e, bound)))
        if isinstance(e, Total):
            terms = [{**bound, e.index: k} for k in range(1, self.world.whole(e.index.size) + 1)]
            return self.join([(e.body, at) for at in terms], alphabet, tightness)
        if isinstance(e, Add):
            return self.join([(arg, bound) for arg in e.args], alphabet, tightness)
        if isinstance(e, Mul) and not any(isinstance(arg, Pow) and arg.exp.is_negative for arg in e.args):
            factors = [self.spell_out(arg, bound, alphabet, 1) for arg in sorted(e.args, key=rank)]
            return alphabet.operator("×").join(factors) if alphabet.times != " " else " × ".join(factors)
        text = write(self.value(e, bound))
        return alphabet.group(alphabet.number(text)) if text[0] == "−" and tightness else alphabet.number(text)

    def join(self, terms: list[tuple[Expr, dict[Index, int]]], alphabet: Alphabet, tightness: int) -> str:
        """Terms with a plus between them, in brackets where they stand in a product."""
        plus = alphabet.operator("+") if alphabet.times != " " else " + "
        text = plus.join(self.spell_out(term, at, alphabet, 1 if len(terms) > 1 else tightness) for term, at in terms)
        return alphabet.group(text) if tightness and len(terms) > 1 else text

    def indices(self, expr: Expr) -> dict[str, int]:
        """The values of the free indices, and of l where it occurs."""
        found = {index.name: 1 for index in sorted(free_indices(expr), key=str)}
        return found | ({"l": self.world.layer} if expr.has(l) else {})

    def shapes(self, expr: Expr) -> list[tuple[str, str, str]]:
        """(letter, its shape, the shape here) of every array that a formula reads, in the text of the book."""
        rows: dict[str, tuple[str, str, str]] = {}
        for node in nodes(expr):
            if isinstance(node, Variable) and node.indices and not isinstance(node, Delta):
                name = show(Variable(node.name, node.layer))
                sizes = [index.size for index in node.indices]
                here = ", ".join(str(self.world.whole(size)) for size in sizes)
                rows[name] = (name, f"({', '.join(show(size) for size in sizes)})", f"({here})")
        return list(rows.values())


def sigmoid(z: Any) -> Any:
    """The example's activation."""
    return 1 / (1 + mpmath.exp(-z))


def write(value: Any) -> str:
    """A number in a few digits; a minus sign, not a hyphen.

    >>> write(mpmath.mpf("-0.5")), write(2), write(mpmath.mpf("1e-9"))
    ('−0.5', '2', '1e−09')
    """
    return f"{float(value):.{DIGITS}g}".replace("-", "−").replace("−0e", "0e")
