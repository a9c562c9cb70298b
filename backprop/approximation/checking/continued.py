"""Removable singularities: quotients whose parts vanish at a stated point, v log v, and exp(−u/v).

At a point p where both parts of u/v have a zero, that of v of order m and exact, u/v is ũ/ṽ with ũ(x) = u(x)/(x − p)^m.
On a box that holds p, ũ_k is a mean of the Taylor coefficients u_{k+m} between p and x: no other numbers are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from backprop.approximation.checking import functions as fn
from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.intervals import ONE, ZERO, Interval, Series, Unclear
from backprop.approximation.checking.reader import Tree, find_definition, fold

__all__ = ["Expand", "divide_out", "entropy", "find_entropy", "split", "vanishing_exponential"]

Expand = Callable[[Tree, Series, int], Series]
"""The Taylor series of a tree at that of x, with so many terms."""
HIGHEST_ORDER = 8
"""Of a zero; and so many factors are looked at."""


def split(node: Tree) -> tuple[list[Tree], list[Tree]]:
    """The factors of a product above and below the line.

    >>> from backprop.approximation.checking.reader import read
    >>> [[part.kind for part in side] for side in split(read("x*cot(x)/x**2", {}))]
    [['x', 'cos'], ['sin', 'x', 'x']]
    """
    body = find_definition(node)
    if body is not None:
        return split(body)
    if node.kind in ("*", "/"):
        (above, below), (more, less) = map(split, node.parts)
        return (above + more, below + less) if node.kind == "*" else (above + less, below + more)
    if node.kind == "negative":
        above, below = split(node.parts[0])
        return [Tree("number", number=Fraction(-1)), *above], below
    if node.kind == "**":
        times = fold(node.parts[1])
        if times is not None and times.denominator == 1 and 0 < abs(times) <= HIGHEST_ORDER:
            above, below = (part * int(abs(times)) for part in split(node.parts[0]))
            return (above, below) if times > 0 else (below, above)
    return [node], []


def _multiply(trees: Sequence[Tree], x: Series, length: int, expand: Expand) -> Series:
    total: Series = [ONE]
    for tree in trees:
        total = iv.multiply(total, expand(tree, x, length), length)
    return iv.pad(total, length)


def _count_zeros(series: Series) -> int:
    """How many of the first coefficients are exactly 0; none if all are."""
    return next((k for k, coefficient in enumerate(series) if coefficient != ZERO), 0)


def divide_out(node: Tree, x: Interval, points: Sequence[Fraction], length: int, expand: Expand) -> Series:
    """The series of a quotient whose parts vanish at a point of the box.  Errors: Unclear where they do not."""
    above, below = split(node)
    for point in points:
        place = iv.rational(point)
        if not below or not iv.holds(x, place):
            continue
        order, other = (_count_zeros(_multiply(part, [place, ONE], HIGHEST_ORDER, expand)) for part in (below, above))
        if not 0 < order <= other:
            continue
        parts = [_multiply(part, [x, ONE], length + order, expand)[order:] for part in (above, below)]
        return iv.divide(parts[0], parts[1], length)
    raise Unclear("a denominator may be 0, and no quotient of two zeros is seen")


def entropy(v: Interval) -> Interval:
    """v log v for v >= 0; 0 at 0. It falls up to 1/e and rises from there on."""
    if not iv.is_positive(v, or_zero=True):
        raise Unclear("v log v for what may be negative")
    ends = [ZERO if end == ZERO[0] else iv.times((end, end), fn.logarithm([(end, end)], 1)[0]) for end in v]
    least = iv.negate(fn.exponential([iv.negate([ONE])[0]], 1))[0]
    falls = iv.is_positive(iv.minus(iv.rational(Fraction(3678, 10_000)), v), or_zero=True)
    return iv.hull(*ends) if falls else iv.hull(least, *ends)


def find_entropy(node: Tree) -> tuple[Tree, list[Tree], list[Tree]] | None:
    """v, and the other factors above and below, where a product holds v and log v."""
    above, below = split(node)
    for factor in above:
        if factor.kind == "log" and factor.parts[0] in above:
            rest = list(above)
            rest.remove(factor)
            rest.remove(factor.parts[0])
            return factor.parts[0], rest, below
    return None


def vanishing_exponential(exponent: Tree, value: Callable[[Tree], Interval]) -> Interval:
    """exp(u/v) for u < 0 and v >= 0, which tends to 0 where v does.  Errors: Unclear for any other."""
    above, below = split(exponent)
    top, bottom = ONE, ONE
    for tree in above:
        top = iv.times(top, value(tree))
    for tree in below:
        bottom = iv.times(bottom, value(tree))
    if not (below and iv.is_negative(top) and iv.is_positive(bottom, or_zero=True)):
        raise Unclear("an exponential of what is not bounded")
    highest = (top[1], top[1]), (bottom[1], bottom[1])
    return ZERO if highest[1] == ZERO else iv.hull(ZERO, fn.exponential([iv.over(*highest)], 1)[0])
