"""Bounds the error of a network for two variables on every box again."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property

from mpmath.libmp import to_fixed

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.boxes import BoxCheck, Deadline
from backprop.approximation.checking.evaluate import Place, expand, value
from backprop.approximation.checking.intervals import ONE, ZERO, Interval, Series, Unclear
from backprop.approximation.checking.models import measure_radius
from backprop.approximation.checking.rectangles import Rectangle, StatedSurface, halve

__all__ = ["SurfaceCheck"]

TERMS = 12
"""Degrees 0 … 11, and a remainder of degree 12."""
BITS = 200
"""Behind the point, of the whole numbers in which the terms of many units are summed."""
CELL_BITS = 4
CELL = Fraction(1, 2**CELL_BITS)
MOST_CELLS = 64
"""A unit's last coefficient is bounded once on each interval so wide; on more of them at once it is expanded anew."""


Reach = tuple[Interval, Interval]
"""Half the sides of a box."""


class SurfaceCheck(BoxCheck[Rectangle]):
    """Of two variables: the boxes are rectangles."""

    halvings = 6

    def __init__(self, claim: StatedSurface, deadline: Deadline) -> None:
        super().__init__(claim.epsilon, claim.subject, claim.doubt)
        self.claim, self.deadline = claim, deadline
        self.cells: dict[int, Interval | None] = {}

    def name(self, box: Rectangle) -> str:
        return "[{!r}, {!r}] × [{!r}, {!r}]".format(*box)

    def halve(self, box: Rectangle) -> tuple[Rectangle, Rectangle] | None:
        """Across the longer side."""
        a, b, c, d = box
        halves = halve(box, "x" if b - a >= d - c else "y")
        return None if box in halves else halves

    def bound(self, box: Rectangle) -> float:
        """Σ |e_ij| r^i s^j + max |E_n|"""
        self.deadline.watch()
        a, b, c, d = box
        centre = min(max(a / 2 + b / 2, a), b), min(max(c / 2 + d / 2, c), d)
        reach = measure_radius(a, b, centre[0]), measure_radius(c, d, centre[1])
        terms, rest = self.expand_network(centre, reach, box)
        own, more = self.expand_target(centre, reach, box)
        total = iv.plus(rest, more)
        for degree, row in enumerate(terms):
            for j, term in enumerate(row):
                mine = own[degree][j] if degree < len(own) else ZERO
                total = iv.plus(total, iv.largest(iv.minus(mine, term)))
        self.look(iv.minus(own[0][0], terms[0][0]), centre)
        return iv.upper_float(total)

    def look(self, error: Interval, centre: tuple[float, float]) -> None:
        """Whether the error at the centre, or all over the box, is surely too large."""
        if iv.is_below(iv.number(self.epsilon), iv.smallest(error)):
            x, y = centre
            self.refuted = f"at x = {x!r}, y = {y!r} it is not below {self.epsilon:g}"

    def expand_target(self, centre: tuple[float, float], reach: Reach, box: Rectangle) -> tuple[list[Series], Interval]:
        """F_ij r^i s^j, by degree and then by j, and max |F_n|; all values of F, as one, where it has no terms."""
        x, y = (iv.number(part) for part in centre)
        r, s = reach
        sides, tree = _list_sides(box), self.claim.target
        try:
            series = [
                iv.pad(expand(tree, Place({"x": [x, r], "y": [y, iv.times(s, direction)]}), TERMS), TERMS)
                for direction in self.directions
            ]
            moves = (iv.hull(iv.negate([r])[0], r), iv.hull(iv.negate([s])[0], s))
            there = Place({"x": [sides[0], moves[0]], "y": [sides[1], moves[1]]})
            last = iv.pad(expand(tree, there, TERMS + 1), TERMS + 1)[TERMS]
        except Unclear:
            return [[value(tree, Place({"x": sides[0], "y": sides[1]}))]], ZERO
        rows = [[self.interpolate(series, degree, j) for j in range(degree + 1)] for degree in range(TERMS)]
        return rows, iv.largest(last)

    def interpolate(self, series: list[Series], degree: int, j: int) -> Interval:
        """Coefficient j of what the series have for coefficient `degree`, as a polynomial of the direction."""
        total = ZERO
        for weight, one in zip(self.interpolation[j], series, strict=True):
            total = iv.plus(total, iv.times(weight, one[degree]))
        return total

    def expand_network(
        self, centre: tuple[float, float], reach: Reach, box: Rectangle
    ) -> tuple[list[Series], Interval]:
        """f_ij r^i s^j, by degree and then by j, and what the units leave; all values of a unit where it has none."""
        x, y = (iv.number(part) for part in centre)
        sides, sums = _list_sides(box), _Sums()
        rest, loose = ZERO, iv.number(self.claim.constant)
        for (first, second, shift, weight), powers in zip(self.units, self.powers, strict=True):
            whole = iv.plus(iv.plus(iv.times(first, sides[0]), iv.times(second, sides[1])), shift)
            last = self.bound_last(whole)
            if last is None:
                loose = iv.plus(loose, iv.times(weight, value(self.claim.activation, Place({"x": whole}))))
                continue
            z = iv.plus(iv.plus(iv.times(first, x), iv.times(second, y)), shift)
            sums.add(expand(self.claim.activation, Place({"x": [z, ONE]}), TERMS), powers)
            step = iv.plus(iv.times(iv.largest(first), reach[0]), iv.times(iv.largest(second), reach[1]))
            part = iv.times(iv.times(iv.largest(weight), last), iv.power([step], TERMS, 1)[0])
            rest = iv.plus(rest, iv.largest(part))
        rows = sums.scale(reach)
        rows[0][0] = iv.plus(rows[0][0], loose)
        return rows, rest

    def bound_last(self, argument: Interval) -> Interval | None:
        """max |σ_n| where the argument lies; None where σ is not shown to have a series everywhere."""
        first, last = (_floor(end) for end in iv.finite(argument))
        cells = range(first, last + 1)
        found = [self.look_up(cell) for cell in cells] if len(cells) <= MOST_CELLS else [self.work_out(argument)]
        known = [one for one in found if one is not None]
        return iv.pull("max", known) if len(known) == len(found) else None

    def look_up(self, cell: int) -> Interval | None:
        """The same on one of the short intervals, worked out once."""
        if cell not in self.cells:
            ends = [iv.rational(CELL * (cell + k)) for k in (0, 1)]
            self.cells[cell] = self.work_out(iv.hull(*ends))
        return self.cells[cell]

    def work_out(self, argument: Interval) -> Interval | None:
        try:
            series = expand(self.claim.activation, Place({"x": [argument, ONE]}), TERMS + 1)
        except Unclear:
            return None
        return iv.largest(iv.pad(series, TERMS + 1)[TERMS])

    @cached_property
    def units(self) -> list[tuple[Interval, Interval, Interval, Interval]]:
        """The units as intervals of one number each."""
        return [tuple(iv.number(part) for part in unit) for unit in self.claim.units]  # type: ignore[misc]

    @cached_property
    def powers(self) -> list[list[list[int]]]:
        """For each unit, degree k and j: c binomial(k, j) w1^(k−j) w2^j times 2^BITS, rounded down."""
        found = []
        for first, second, _, weight in self.claim.units:
            u, v, c = Fraction(first), Fraction(second), Fraction(weight)
            rows = [[c * math.comb(k, j) * u ** (k - j) * v**j for j in range(k + 1)] for k in range(TERMS)]
            found.append([[math.floor(number * 2**BITS) for number in row] for row in rows])
        return found

    @cached_property
    def directions(self) -> list[Interval]:
        return [iv.rational(number) for number in _list_directions()]

    @cached_property
    def interpolation(self) -> list[Series]:
        """The inverse of the matrix of powers direction^j: coefficient j from the values along the directions."""
        return [[iv.rational(entry) for entry in row] for row in _invert_powers(_list_directions())]


def _list_directions() -> list[Fraction]:
    return [Fraction(2 * m - TERMS + 1, TERMS - 1) for m in range(TERMS)]


def _invert_powers(points: list[Fraction]) -> list[list[Fraction]]:
    """Row j, column m: coefficient j of the polynomial that is 1 at point m and 0 at the others (Lagrange's)."""
    columns = []
    for m, point in enumerate(points):
        coefficients = [Fraction(1)]
        for other in points[:m] + points[m + 1 :]:
            scale = 1 / (point - other)
            shifted = [Fraction(0), *coefficients]
            coefficients = [
                scale * (shifted[k] - other * (coefficients[k] if k < len(coefficients) else 0))
                for k in range(len(shifted))
            ]
        columns.append(coefficients)
    return [list(row) for row in zip(*columns, strict=True)]


def _floor(end: object) -> int:
    """Which of the short intervals the end of another lies in."""
    return int(to_fixed(end, CELL_BITS))


class _Sums:
    """Terms of many units, added up as whole numbers times 2^(−2 BITS) with a radius."""

    def __init__(self) -> None:
        self.middle = [[0] * (degree + 1) for degree in range(TERMS)]
        self.radius = [[0] * (degree + 1) for degree in range(TERMS)]

    def add(self, series: Series, powers: list[list[int]]) -> None:
        """A unit: its coefficients, and c binomial(k, j) w1^(k−j) w2^j times 2^BITS, rounded down."""
        for degree, coefficient in enumerate(series[:TERMS]):
            low, high = (to_fixed(iv.finite(coefficient)[end], BITS) for end in (0, 1))
            mid, off = (low + high) // 2, (high - low) // 2 + 2
            for j, power in enumerate(powers[degree]):
                self.middle[degree][j] += power * mid
                self.radius[degree][j] += (abs(power) + 1) * off + abs(mid)

    def scale(self, reach: Reach) -> list[Series]:
        """The sums times r^(k−j) s^j."""
        ranks = [[iv.power([length], k, 1)[0] for k in range(TERMS)] for length in reach]
        return [
            [
                iv.times(_from_fixed(middle, radius), iv.times(ranks[0][degree - j], ranks[1][j]))
                for j, (middle, radius) in enumerate(zip(self.middle[degree], self.radius[degree], strict=True))
            ]
            for degree in range(TERMS)
        ]


def _list_sides(box: Rectangle) -> tuple[Interval, Interval]:
    return iv.from_numbers(box[0], box[1]), iv.from_numbers(box[2], box[3])


def _from_fixed(middle: int, radius: int) -> Interval:
    """An interval from whole numbers times 2^(−2 BITS)."""
    unit = Fraction(1, 2 ** (2 * BITS))
    return iv.hull(iv.rational((middle - radius) * unit), iv.rational((middle + radius) * unit))
