"""An expression's tree on intervals: Taylor series where a branch is decided, a hull of values elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial

from backprop.approximation.checking import functions as fn
from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.intervals import HALF, ONE, ZERO, Interval, NoValue, Series, TooLarge, Unclear
from backprop.approximation.checking.reader import ACTIVATIONS, Tree, fold, read

__all__ = ["expand", "value"]

PEAK = Fraction("2.8214393721220788934")
"""Where Planck's law u³/(e^u − 1) is largest."""
HIGHEST_POWER = 1000
CATALOGUE = {name: read(name, ACTIVATIONS) for name in ACTIVATIONS if name != "tanh"}


def expand(node: Tree, x: Series, length: int) -> Series:
    """The Taylor series of an expression at x.  Errors: Unclear, also where it is not shown to have a value."""
    match node.kind:
        case "number":
            return [iv.rational(node.number)]
        case "x":
            return x
        case "pi":
            return [iv.pi()]
        case "e":
            return fn.exponential([ONE], 1)
        case "**":
            return _power(node, x, length)
    if node.kind == "*" and node.parts[0] == node.parts[1]:
        return iv.power(expand(node.parts[0], x, length), 2, length)
    parts = [expand(part, x, length) for part in node.parts]
    if node.kind in OPERATIONS:
        return OPERATIONS[node.kind](parts, 1 if all(len(part) == 1 for part in parts) else length)
    if node.kind in CATALOGUE:
        return expand(CATALOGUE[node.kind], parts[0], length)
    return fn.FUNCTIONS[node.kind](parts[0], 1 if len(parts[0]) == 1 else length)


def _power(node: Tree, x: Series, length: int) -> Series:
    """A whole power by multiplications; any other of what is shown to be positive, e^(v log u)."""
    base, whole = expand(node.parts[0], x, length), _whole(node.parts[1])
    if whole is not None:
        return iv.power(base, whole, length)
    exponent = expand(node.parts[1], x, length)
    if fold(node.parts[1]) == Fraction(1, 2):
        return fn.root(base, 1 if len(base) == 1 else length)
    if len(base) == len(exponent) == 1:
        return [_real_power(base[0], exponent[0])]
    return fn.exponential(iv.multiply(exponent, fn.logarithm(base, length), length), length)


def _whole(exponent: Tree) -> int | None:
    """An exponent that is a whole number by its text."""
    number = fold(exponent)
    if number is None or number.denominator != 1:
        return None
    if abs(number) > HIGHEST_POWER:
        raise TooLarge("a power is too high")
    return int(number)


def _real_power(base: Interval, exponent: Interval) -> Interval:
    """u^v for u > 0, and 0 for u = 0 and v > 0."""
    if iv.is_positive(base):
        return fn.exponential(iv.multiply([exponent], fn.logarithm([base], 1), 1), 1)[0]
    if not (iv.is_positive(base, or_zero=True) and iv.is_positive(exponent)):
        raise (NoValue if iv.is_negative(base) else Unclear)("a power of what may be 0 or negative")
    top = iv.largest(base)
    return iv.hull(ZERO, _real_power(top, exponent)) if iv.is_positive(top) else ZERO


def _divide(parts: list[Series], length: int) -> Series:
    return iv.divide(parts[0], parts[1], length)


def _compare(kind: str, parts: list[Series], length: int) -> Series:
    """1 where it holds, 0 elsewhere."""
    left, right = parts if kind in (">", ">=") else parts[::-1]
    gap = iv.subtract(left, right)[0]
    if iv.is_positive(gap, or_zero=kind in (">=", "<=")):
        return [ONE]
    if iv.is_negative(gap, or_zero=kind in (">", "<")):
        return [ZERO]
    raise Unclear("whether a comparison holds is not the same on the whole box")


def _absolute(parts: list[Series], length: int) -> Series:
    z = parts[0]
    if not (iv.is_positive(z[0], or_zero=True) or iv.is_negative(z[0], or_zero=True)):
        raise Unclear("the sign is not the same on the whole box")
    return z if iv.is_positive(z[0], or_zero=True) else iv.negate(z)


def _step(low: Interval, parts: list[Series], length: int) -> Series:
    return [ONE if iv.sign_of(parts[0][0]) > 0 else low]


def _choose(largest: bool, parts: list[Series], length: int) -> Series:
    best = parts[0]
    for other in parts[1:]:
        gap = iv.subtract(other, best)[0]
        above = iv.is_positive(gap, or_zero=True)
        if not (above or iv.is_negative(gap, or_zero=True)):
            raise Unclear("which of two is larger is not the same on the whole box")
        best = other if above == largest else best
    return best


def _hyperbolic(sign: int, parts: list[Series], length: int) -> Series:
    up, down = fn.exponential(parts[0], length), fn.exponential(iv.negate(parts[0]), length)
    return iv.multiply(iv.add(up, down) if sign > 0 else iv.subtract(up, down), [HALF], length)


def _tangent(parts: list[Series], length: int) -> Series:
    sine, cosine = fn.sine_and_cosine(parts[0], length)
    return iv.divide(sine, cosine, length)


def _planck(parts: list[Series], length: int) -> Series:
    """u³/(e^u − 1) over its largest value; 0 where u <= 0."""
    u = parts[0]
    if iv.is_negative(u[0], or_zero=True):
        return [ZERO]
    law = iv.divide(iv.power(u, 3, length), iv.subtract(fn.exponential(u, length), [ONE]), length)
    return iv.multiply(law, [_planck_scale()], length)


OPERATIONS: dict[str, Callable[[list[Series], int], Series]] = {
    "+": lambda parts, n: iv.add(*parts),
    "-": lambda parts, n: iv.subtract(*parts),
    "*": lambda parts, n: iv.multiply(parts[0], parts[1], n),
    "/": _divide,
    "negative": lambda parts, n: iv.negate(parts[0]),
    **{kind: partial(_compare, kind) for kind in ("<", "<=", ">", ">=")},
    "abs": _absolute,
    "sign": partial(_step, iv.negate([ONE])[0]),
    "heaviside": partial(_step, ZERO),
    "max": partial(_choose, True),
    "min": partial(_choose, False),
    "sinh": partial(_hyperbolic, -1),
    "cosh": partial(_hyperbolic, 1),
    "tan": _tangent,
    "planck": _planck,
}


@cache
def _planck_scale() -> Interval:
    """1 / max of u³/(e^u − 1), rounded to a double as the target states it."""
    u = [iv.rational(PEAK)]
    law = iv.divide(iv.power(u, 3, 1), iv.subtract(fn.exponential(u, 1), [ONE]), 1)[0]
    return iv.number(1 / iv.upper_float(law))


def value(node: Tree, box: Interval) -> Interval:
    """An interval of all values on a box, hulls where a branch is not decided.

    Errors: Unclear, also where it is not shown to have a value at every point of the box.
    """
    try:
        return expand(node, [box], 1)[0]
    except (NoValue, TooLarge):
        raise
    except Unclear:
        return _hull(node, box)


def _hull(node: Tree, box: Interval) -> Interval:
    if node.kind in CATALOGUE:
        return value(CATALOGUE[node.kind], value(node.parts[0], box))
    parts = [value(part, box) for part in node.parts]
    if node.kind == "**":
        whole = _whole(node.parts[1])
        return iv.power([parts[0]], whole, 1)[0] if whole is not None else _real_power(*parts)
    if node.kind == "*" and node.parts[0] == node.parts[1]:
        return iv.power([parts[0]], 2, 1)[0]
    try:
        if node.kind in fn.FUNCTIONS:
            return fn.FUNCTIONS[node.kind]([parts[0]], 1)[0]
        return OPERATIONS[node.kind]([[part] for part in parts], 1)[0]
    except Unclear:
        if node.kind not in HULLS:
            raise
    return HULLS[node.kind](parts)


def _hull_planck(parts: list[Interval]) -> Interval:
    """0 <= u³/(e^u − 1) <= u² for u >= 0, because e^u >= 1 + u; 0 for u <= 0."""
    square = iv.multiply([iv.largest(parts[0])], [iv.largest(parts[0])], 1)
    return iv.hull(ZERO, iv.multiply(square, [_planck_scale()], 1)[0])


HULLS: dict[str, Callable[[list[Interval]], Interval]] = {
    **dict.fromkeys(("<", "<=", ">", ">=", "heaviside"), lambda parts: iv.hull(ZERO, ONE)),
    "sign": lambda parts: iv.hull(iv.negate([ONE])[0], ONE),
    "abs": lambda parts: iv.absolute(parts[0]),
    "max": partial(iv.pull, "max"),
    "min": partial(iv.pull, "min"),
    "planck": _hull_planck,
}
"""All values where a branch is not decided."""
