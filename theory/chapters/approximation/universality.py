"""Which activations the theorems of universal approximation speak of, found from the catalogue.

>>> [theorem.name for theorem in THEOREMS if theorem.covers(find_traits("relu"))]
['Leshno, Lin, Pinkus, Schocken']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import sympy
from sympy import Expr, Poly, Symbol

from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find
from theory.functions.half_line import X
from theory.language.formulas import describe

__all__ = ["THEOREMS", "Theorem", "Traits", "degree_of_power_network", "describe_coverage", "find_traits"]

SHOWN_DIGITS = 6
FUNCTIONS = (sympy.exp, sympy.log, sympy.tanh, sympy.erf)
"""Continuous wherever they are defined."""


@dataclass(frozen=True)
class Traits:
    """What the theorems ask of an activation.

    `limits`: at minus and plus infinity. `continuous`: on the whole line; False where it could not be shown.
    """

    limits: tuple[Expr, Expr]
    continuous: bool
    constant: bool
    polynomial: bool

    @property
    def bounded(self) -> bool:
        """Continuous with finite limits at both ends."""
        return self.continuous and all(bool(limit.is_finite) for limit in self.limits)

    @property
    def sigmoidal(self) -> bool:
        """From 0 to 1."""
        return self.limits == (0, 1)

    @property
    def nearly_sigmoidal(self) -> bool:
        """Sigmoidal after a shift and a scale of its values, which the output layer can do."""
        return self.bounded and bool(self.limits[0] != self.limits[1])


@cache
def find_traits(activation: str) -> Traits:
    """The traits of an activation, worked out from its expression.

    >>> find_traits("tanh").limits, find_traits("identity").polynomial, find_traits("gelu").bounded
    ((-1, 1), True, False)
    """
    found = find(activation)
    pieces = found.pieces
    ends = (pieces[0].expression, -sympy.oo), (pieces[-1].expression, sympy.oo)
    joined = all(_agree(a.expression, b.expression, a.upper) for a, b in pairwise(pieces))
    return Traits(
        limits=tuple(sympy.limit(e, X, point) for e, point in ends),
        continuous=joined and all(_is_continuous(piece.expression) for piece in pieces),
        constant=len(pieces) == 1 and X not in pieces[0].expression.free_symbols,
        polynomial=len(pieces) == 1 and bool(pieces[0].expression.expand().is_polynomial(X)),
    )


def _agree(left: Expr, right: Expr, point: Expr) -> bool:
    return bool(sympy.simplify(left.subs(X, point) - right.subs(X, point)) == 0)


def _is_continuous(expression: Expr) -> bool:
    """Made of continuous functions only, with denominators and arguments of logarithms that are positive."""
    for node in sympy.preorder_traversal(expression):
        if isinstance(node, sympy.Pow) and not (node.exp.is_Integer and node.exp > 0) and not node.is_number:
            if not node.base.is_positive:
                return False
        elif isinstance(node, sympy.Function) and not _is_harmless(node):
            return False
    return True


def _is_harmless(node: Expr) -> bool:
    return isinstance(node, FUNCTIONS) and not (isinstance(node, sympy.log) and not node.args[0].is_positive)


@dataclass(frozen=True)
class Theorem:
    """A statement: what it supposes of the activation, what follows, and which activations it covers."""

    name: str
    hypotheses: str
    conclusion: str
    source: str
    covers: Callable[[Traits], bool]


THEOREMS = (
    Theorem(
        "Cybenko",
        "σ is continuous and discriminatory: only the zero measure on the cube integrates every σ(w.x + b) to "
        "0. Every continuous σ with limits 0 and 1 (sigmoidal) is discriminatory; it need not be monotone",
        "dense in the continuous functions on the cube [0, 1]^n, measured by the largest error",
        "G. Cybenko, Math. Control Signals Systems 2 (1989) 303, theorems 1 and 2",
        lambda traits: traits.continuous and traits.sigmoidal,
    ),
    Theorem(
        "Hornik, mean error",
        "σ is bounded and not constant",
        "dense in L^p(mu) for every finite measure mu on R^n and 1 <= p < infinity",
        "K. Hornik, Neural Networks 4 (1991) 251, theorem 1",
        lambda traits: traits.bounded and not traits.constant,
    ),
    Theorem(
        "Hornik, largest error",
        "σ is continuous, bounded and not constant",
        "dense in the continuous functions on every compact set of R^n, measured by the largest error",
        "K. Hornik, Neural Networks 4 (1991) 251, theorem 2",
        lambda traits: traits.continuous and traits.bounded and not traits.constant,
    ),
    Theorem(
        "Leshno, Lin, Pinkus, Schocken",
        "σ is bounded on every bounded set, and the closure of the points where it is discontinuous has measure 0",
        "dense in the continuous functions on R^n, uniformly on every compact set, if and only if σ is not almost "
        "everywhere equal to a polynomial",
        "M. Leshno, V. Lin, A. Pinkus, S. Schocken, Neural Networks 6 (1993) 861, theorem 1",
        lambda traits: traits.continuous and not traits.polynomial,
    ),
)
"""The statements. `covers` asks for continuity where less would do: the whole catalogue is continuous."""


def describe_coverage(activation: str) -> str:
    """A line of the table: limits, and the theorems that apply.

    >>> describe_coverage("identity")
    'identity: limits -oo and oo; a polynomial: none applies'
    """
    traits = find_traits(activation)
    low, high = (describe(limit, digits=SHOWN_DIGITS) for limit in traits.limits)
    names = [theorem.name for theorem in THEOREMS if theorem.covers(traits)]
    if traits.nearly_sigmoidal and not traits.sigmoidal:
        names.insert(0, "Cybenko after a shift and a scale")
    kind = "a polynomial" if traits.polynomial else "bounded" if traits.bounded else "unbounded"
    return f"{activation}: limits {low} and {high}; {kind}: {'; '.join(names) or 'none applies'}"


def list_coverage() -> list[str]:
    """The table."""
    return [describe_coverage(name) for name in NAMES]


def degree_of_power_network(power: int, width: int) -> int:
    """The degree in x of a network Σ c_k (w_k x + b_k)^power with letters for its weights.

    >>> [degree_of_power_network(power, width=3) for power in (1, 2, 3)]
    [1, 2, 3]
    """
    x = Symbol("x")
    terms = [Symbol(f"c{k}") * (Symbol(f"w{k}") * x + Symbol(f"b{k}")) ** power for k in range(width)]
    return int(Poly(sympy.expand(sum(terms)), x).degree())
