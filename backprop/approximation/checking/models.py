"""Taylor models of F - f on a box, of intervals, from a stated claim alone; and where there surely is no value."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.claims import StatedClaim
from backprop.approximation.checking.evaluate import Place, expand, value
from backprop.approximation.checking.intervals import Interval, NoValue, Series, Unclear
from backprop.approximation.checking.reader import Tree

__all__ = ["TERMS", "expand_error", "expand_term", "find_hole", "measure_radius"]

SURE = iv.rational(Fraction(1, 10**20))
"""A remainder below this is not looked at again."""
TERMS = 8
"""Terms h^0 … h^7 and a remainder h^8."""


def measure_radius(a: float, b: float, centre: float) -> Interval:
    """The longer of the two distances."""
    return iv.rational(max(Fraction(b) - Fraction(centre), Fraction(centre) - Fraction(a)))


def expand_error(claim: StatedClaim, a: float, b: float, centre: float, watch: Callable[[], None]) -> Series:
    """Coefficients of F - f, or of F' - f': 0 … 7 at the centre, the eighth on the box; values without a series are in
    the first one. `watch` is called between units.

    Errors: Unclear where F or a unit is not shown to have a value.
    """
    here: Series = [iv.number(centre), iv.ONE]
    there: Series = [iv.from_numbers(a, b), iv.ONE]
    radius = measure_radius(a, b, centre)
    watch()
    make_term = _slope_term if claim.of_slopes else expand_term
    constant = iv.ZERO if claim.of_slopes else claim.constant
    total = iv.subtract(make_term(claim.target, here, there, radius, claim.continued_at), [constant])
    for w, shift, c in claim.units:
        watch()
        inner = [iv.add(iv.multiply([w], x, 2), [shift]) for x in (here, there)]
        unit = make_term(claim.activation, inner[0], inner[1], radius)
        total = iv.subtract(total, iv.multiply([c], unit, TERMS + 1))
    return total


def find_hole(claim: StatedClaim, point: float) -> str:
    """What is said if F or a unit surely has no value at a point; nothing if that is not seen."""
    x = iv.number(point)
    try:
        value(claim.target, Place.of({"x": x}, claim.continued_at))
        for w, shift, _ in claim.units:
            value(claim.activation, Place({"x": iv.add(iv.multiply([w], [x], 1), [shift])[0]}))
    except NoValue as error:
        return f"there is no value at x = {point!r}: {error}"
    except Unclear:
        return ""  # it may have one
    return ""


def _slope_term(node: Tree, here: Series, there: Series, radius: Interval, points: tuple[Fraction, ...] = ()) -> Series:
    """The same for the derivative: k + 1 times the coefficient k + 1."""
    whole = iv.pad(expand(node, Place.of({"x": there}, points), TERMS + 2), TERMS + 2)
    remainder = iv.times(iv.integer(TERMS + 1), whole[TERMS + 1])
    reach = iv.multiply([iv.largest(remainder)], iv.power([radius], TERMS, 1), 1)[0]
    if iv.is_below(iv.width(whole[1]), reach):
        return [whole[1]]
    near = iv.pad(expand(node, Place.of({"x": here}, points), TERMS + 1), TERMS + 1)
    return [*(iv.times(iv.integer(k + 1), near[k + 1]) for k in range(TERMS)), remainder]


def expand_term(node: Tree, here: Series, there: Series, radius: Interval, points: tuple[Fraction, ...] = ()) -> Series:
    """Coefficients 0..7 at the centre and the eighth on the box, or the interval of all values alone if that is less
    (a unit that is saturated on the box has few values, but bounds of its derivatives that are useless)."""
    try:
        remainder = expand(node, Place.of({"x": there}, points), TERMS + 1)
        near = expand(node, Place.of({"x": here}, points), TERMS)
    except Unclear:
        return [value(node, Place.of({"x": there[0]}, points))]
    padded = [*near[:TERMS], *[iv.ZERO] * (TERMS - len(near))]
    if len(remainder) <= TERMS:
        return padded
    reach = iv.multiply([iv.largest(remainder[TERMS])], iv.power([radius], TERMS, 1), 1)[0]
    if not iv.is_below(reach, SURE):
        values = value(node, Place.of({"x": there[0]}, points))
        if iv.is_below(iv.width(values), reach):
            return [values]
    return [*padded, remainder[TERMS]]
