"""Functions that vary along one direction only, F(x, y) = G(p x + q y): their networks and proofs are those of G."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import sympy
from sympy import Expr

from backprop.approximation.ground.named import NAMED_SURFACES
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.target import Floats
from backprop.approximation.surfaces.target import VARIABLES, Rectangle
from theory.functions.values import real_symbol
from theory.language.tokens import split_tokens

__all__ = ["MOST_BITS", "bound_argument", "find_direction", "lay_along", "round_weights", "write_profile"]

MOST_BITS = 20
"""Of p and q: so many bits of a weight are given up so that its products with them are doubles."""
DOUBLE_BITS = 53
X, Y = (real_symbol(name) for name in VARIABLES)


def find_direction(expression: Expr) -> tuple[int, int] | None:
    """The whole numbers p > 0 and q ≠ 0 without a common divisor, where x and y occur in multiples of p x + q y only.

    >>> from theory.functions.elementwise import transcribe
    >>> [find_direction(transcribe(text, VARIABLES)) for text in ("abs(y - 2*x) + exp(4*x - 2*y)", "x*y", "pi*(x + y)")]
    [(2, -1), None, (1, 1)]
    """
    found = set()
    for pair in _list_slopes(expression):
        if pair is None or 0 in pair:
            return None
        across, along = Fraction(int(pair[0].p), int(pair[0].q)), Fraction(int(pair[1].p), int(pair[1].q))
        ratio = along / across
        found.add((ratio.denominator, ratio.numerator))
    if len(found) != 1:
        return None
    (direction,) = found
    return direction if max(abs(part).bit_length() for part in direction) <= MOST_BITS else None


def _list_slopes(node: Expr) -> Iterator[tuple[sympy.Rational, sympy.Rational] | None]:
    """The slopes in x and y of each largest part that is linear in them; None where a variable is in no such part."""
    if not node.free_symbols & {X, Y}:
        return
    if node.is_Symbol or node.is_Add or node.is_Mul:
        flat = sympy.expand(node)
        slopes = (flat.coeff(X, 1), flat.coeff(Y, 1))
        rest = sympy.expand(flat - slopes[0] * X - slopes[1] * Y)
        if all(slope.is_Rational for slope in slopes) and rest.is_Rational:
            yield slopes
            return
    if not node.args:
        yield None
    for part in node.args:
        yield from _list_slopes(part)


def write_profile(text: str, direction: tuple[int, int]) -> str:
    """G(u) = F(u/p, 0) as text, where x stands for u.

    >>> write_profile("abs(2*x + y)", (2, 1))
    'abs(2*(x/2) + 0)'
    """
    stands = {"x": "x" if direction[0] == 1 else f"(x/{direction[0]})", "y": "0"}
    written, behind = "", NAMED_SURFACES.get(text, text)
    for token in reversed(split_tokens(behind)):
        if token.kind == "name" and token.text in stands:
            start = token.column - 1
            written = stands[token.text] + behind[start + len(token.text) :] + written
            behind = behind[:start]
    return behind + written


def bound_argument(direction: tuple[int, int], domain: Rectangle) -> tuple[float, float]:
    """Doubles not above the least and not below the largest p x + q y of the rectangle.

    >>> bound_argument((1, -2), ((0.0, 1.0), (0.0, 1.0)))
    (-2.0, 1.0)
    """
    sides = [sorted(part * Fraction(end) for end in side) for part, side in zip(direction, domain, strict=True)]
    low, high = sides[0][0] + sides[1][0], sides[0][1] + sides[1][1]
    below, above = float(low), float(high)
    return (
        below if Fraction(below) <= low else math.nextafter(below, -math.inf),
        above if Fraction(above) >= high else math.nextafter(above, math.inf),
    )


def round_weights(w: Floats, direction: tuple[int, int]) -> Floats:
    """The weights with so few digits that their products with p and q are doubles.

    >>> w = round_weights(np.array([0.1]), (3, 1))
    >>> from fractions import Fraction
    >>> Fraction(float(3 * w[0])) == 3 * Fraction(float(w[0])), abs(w[0] - 0.1) < 1e-15
    (True, np.True_)
    """
    odd = max((abs(part) // (abs(part) & -abs(part))).bit_length() for part in direction)
    mantissas, exponents = np.frexp(w)
    kept = DOUBLE_BITS - (odd if odd > 1 else 0)
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissas, kept)), exponents - kept), dtype=np.float64)


def lay_along(network: ShallowNetwork, direction: tuple[int, int]) -> ShallowNetwork:
    """The network for G as one for F: each weight times (p, q)."""
    return network._replace(w=np.outer(network.w, np.array(direction, dtype=np.float64)))
