"""How many ReLU units any network needs: kinks that are forced, one by one, proved in ball arithmetic.

A network of n ReLU units is continuous and affine between at most n kinks. Let a < b < c and F lie at b below its chord
from a to c by more than 2 ε: so does every f within ε of F, which is therefore not concave between a and c and has a
kink there at which the slope rises. With F above its chord the slope falls at the kink. Triples of one kind that are
disjoint force different kinks, and a kink of one kind is none of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray
from sympy import Expr

from backprop.approximation.proving.enclosures import Undecided, enclose_values
from backprop.approximation.stabbing import lay_lines

__all__ = ["ForcedKinks", "Triple", "force_kinks"]

BITS = 128
MARGIN = 1e-9
"""How much wider than ε, relatively, the tube is in which a triple is looked for before it is proved."""

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class ForcedKinks:
    """Triples (a, b, c), each of which forces a kink of every network within epsilon of F.

    Attributes:
        rising: triples that force the slope to rise somewhere between a and c; in order, disjoint but for ends.
        falling: triples that force it to fall; likewise.

    Errors: `ArithmeticError` where two triples of one kind overlap.
    """

    epsilon: float
    rising: tuple[Triple, ...]
    falling: tuple[Triple, ...]

    def __post_init__(self) -> None:
        for kind in (self.rising, self.falling):
            for one, other in pairwise(kind):
                if one[2] > other[0]:
                    raise ArithmeticError(f"the triples {one} and {other} overlap: they may force the same kink")

    @property
    def least_width(self) -> int:
        """No ReLU network with fewer hidden units is within epsilon."""
        return len(self.rising) + len(self.falling)


def force_kinks(target: Expr, grid: Floats, values: Floats, epsilon: float) -> ForcedKinks:
    """Find where the fewest lines in the tube around F have to turn, and prove each of these triples.

    Shapes: grid, values (m,), increasing points and F there in floats; they only say where to look.

    >>> from theory.activations import parse
    >>> x = np.linspace(0, 1, 1001)
    >>> force_kinks(parse("x**2"), x, x**2, 1 / 128).least_width
    3
    """
    found: dict[bool, list[Triple]] = {True: [], False: []}
    height = epsilon * (1 + MARGIN)
    _, turns = lay_lines(grid, values - height, values + height)
    for turn in turns:
        a, b, c = (float(grid[place]) for place in turn.places)
        if _is_proved(target, (a, b, c), turn.rises, epsilon):
            found[turn.rises].append((a, b, c))
    return ForcedKinks(epsilon, tuple(found[True]), tuple(found[False]))


def _is_proved(target: Expr, triple: Triple, rises: bool, epsilon: float) -> bool:
    """±((c − b) F(a) + (b − a) F(c) − (c − a) F(b)) > 2 ε (c − a), in balls; + where the slope rises."""
    before = ctx.prec
    ctx.prec = BITS
    try:
        a, b, c = map(arb, triple)
        at_a, at_b, at_c = (enclose_values(target, point, point) for point in triple)
        gap = (c - b) * at_a + (b - a) * at_c - (c - a) * at_b
        return bool((gap if rises else -gap) > 2 * arb(epsilon) * (c - a))
    except Undecided:
        return False
    finally:
        ctx.prec = before
