"""An expression's tree on intervals: Taylor series where a branch is decided, a hull of values elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import TypeVar

from backprop.approximation.checking import functions as fn
from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking import special
from backprop.approximation.checking.continued import divide_out, entropy, find_entropy, vanishing_exponential
from backprop.approximation.checking.definitions import ACTIVATIONS, COMPOSED
from backprop.approximation.checking.intervals import HALF, ONE, ZERO, Interval, NoValue, Series, TooLarge, Unclear
from backprop.approximation.checking.lines import find_half_line
from backprop.approximation.checking.reader import LETTERS, Tree, fold, read, rename

__all__ = ["Place", "expand", "value"]

HIGHEST_POWER = 1000
BODIES: dict[tuple[str, int], Tree] = {
    **{(name, 1): rename(read(name, ACTIVATIONS), "x", "u") for name in ACTIVATIONS if name != "tanh"},
    **{key: read(text, {}, LETTERS) for key, text in COMPOSED.items()},
}
FUNCTIONS = fn.FUNCTIONS | special.FUNCTIONS


Content = TypeVar("Content", Series, Interval)


class Place(dict[str, Content]):
    """The variables' series, or intervals; and at which points of x the expression is continued by its limit."""

    points: tuple[Fraction, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Content], points: tuple[Fraction, ...]) -> Place[Content]:
        """So many points."""
        made = cls(content)
        made.points = points
        return made


def expand(node: Tree, x: Place[Series], length: int) -> Series:
    """The Taylor series of an expression at those of its variables.

    Errors: Unclear, also where it is not shown to have a value.
    """
    match node.kind:
        case "number":
            return [iv.rational(node.number)]
        case "pi" | "e":
            return [iv.pi()] if node.kind == "pi" else fn.exponential([ONE], 1)
        case "**":
            return _power(node, x, length)
        case "where":
            return expand(node.parts[1 if _holds(node.parts[0], x) else 2], x, length)
    if node.kind in x:
        return x[node.kind]
    if x.points and node.kind in ("*", "/"):
        return _continued(node, x, length)
    return _operate(node, x, length)


def _continued(node: Tree, x: Place[Series], length: int) -> Series:
    """A product or quotient, also of two parts that vanish where it is continued."""
    try:
        return _operate(node, x, length)
    except Unclear:
        straight = len(x["x"]) == 1 or x["x"][1:] == [ONE]
        if not straight:
            raise
    return divide_out(node, x["x"][0], x.points, length, lambda u, at, n: expand(u, Place.of({"x": at}, x.points), n))


def _operate(node: Tree, x: Place[Series], length: int) -> Series:
    if node.kind == "*" and node.parts[0] == node.parts[1]:
        return iv.power(expand(node.parts[0], x, length), 2, length)
    steep = special.steep(node, length, lambda part: expand(part, x, length))
    if steep is not None:
        return steep
    parts = [expand(part, x, length) for part in node.parts]
    if node.kind in OPERATIONS:
        return OPERATIONS[node.kind](parts, 1 if all(len(part) == 1 for part in parts) else length)
    body = find_body(node)
    if body is not None:
        return expand(body, Place(zip(LETTERS, parts, strict=False)), length)
    return FUNCTIONS[node.kind](parts[0], 1 if len(parts[0]) == 1 else length)


def find_body(node: Tree) -> Tree | None:
    """What a function of the catalogue, or one that is put together, stands for; in u, v, w."""
    return BODIES.get((node.kind, len(node.parts)))


def _holds(condition: Tree, x: Place[Series]) -> bool:
    """Whether a comparison holds on the whole box.  Errors: Unclear where that is not decided."""
    return expand(condition, Place.of({name: series[:1] for name, series in x.items()}, x.points), 1)[0] == ONE


def _power(node: Tree, x: Place[Series], length: int) -> Series:
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
    if length == 1:
        return [iv.absolute(z[0])]
    if not (iv.is_positive(z[0]) or iv.is_negative(z[0])):  # a tie does not say where the box is
        raise Unclear("the sign is not the same on the whole box")
    return z if iv.is_positive(z[0]) else iv.negate(z)


def _step(low: Interval, parts: list[Series], length: int) -> Series:
    return [ONE if iv.sign_of(parts[0][0]) > 0 else low]


def _choose(largest: bool, parts: list[Series], length: int) -> Series:
    best = parts[0]
    for other in parts[1:]:
        gap = iv.subtract(other, best)[0]
        above = iv.is_positive(gap)
        if not (above or iv.is_negative(gap)):
            raise Unclear("which of two is larger is not the same on the whole box")
        best = other if above == largest else best
    return best


def _hyperbolic(sign: int, parts: list[Series], length: int) -> Series:
    up, down = fn.exponential(parts[0], length), fn.exponential(iv.negate(parts[0]), length)
    return iv.multiply(iv.add(up, down) if sign > 0 else iv.subtract(up, down), [HALF], length)


def _tangent(parts: list[Series], length: int) -> Series:
    sine, cosine = fn.sine_and_cosine(parts[0], length)
    return iv.divide(sine, cosine, length)


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
    "planck": special.planck,
    "atan2": special.angle,
}


def value(node: Tree, box: Place[Interval]) -> Interval:
    """An interval of all values on a box, hulls where a branch is not decided.

    Errors: Unclear, also where it is not shown to have a value at every point of the box.
    """
    try:
        return expand(node, Place.of({name: [interval] for name, interval in box.items()}, box.points), 1)[0]
    except Unclear as error:
        if isinstance(error, TooLarge) or (isinstance(error, NoValue) and not box.points):
            raise
        return _hull(node, box)


def _hull(node: Tree, box: Place[Interval]) -> Interval:
    if node.kind == "where":
        return _hull_of_cases(node, box)
    if box.points:
        found = _limit(node, box)
        if found is not None:
            return found
    parts = [value(part, box) for part in node.parts]
    body = find_body(node)
    if body is not None:
        return value(body, Place(zip(LETTERS, parts, strict=False)))
    if node.kind == "**":
        whole = _whole(node.parts[1])
        return iv.power([parts[0]], whole, 1)[0] if whole is not None else _real_power(*parts)
    if node.kind == "*" and node.parts[0] == node.parts[1]:
        return iv.power([parts[0]], 2, 1)[0]
    try:
        if node.kind in FUNCTIONS:
            return FUNCTIONS[node.kind]([parts[0]], 1)[0]
        return OPERATIONS[node.kind]([[part] for part in parts], 1)[0]
    except Unclear:
        if node.kind not in HULLS:
            raise
    return HULLS[node.kind](parts)


def _limit(node: Tree, box: Place[Interval]) -> Interval | None:
    """v log v and v**v for v >= 0, and exp(u/v) for u < 0 <= v; None for any other."""
    if node.kind in ("*", "/") and (found := find_entropy(node)) is not None:
        v, above, below = found
        total = entropy(value(v, box))
        for part in above:
            total = iv.times(total, value(part, box))
        for part in below:
            total = iv.over(total, value(part, box))
        return total
    if node.kind == "**" and node.parts[0] == node.parts[1]:
        return fn.exponential([entropy(value(node.parts[0], box))], 1)[0]
    if node.kind != "exp":
        return None
    try:
        return vanishing_exponential(node.parts[0], lambda part: value(part, box))
    except Unclear:
        return None


def _hull_of_cases(node: Tree, box: Place[Interval]) -> Interval:
    """Both cases of a comparison that is not decided, each where it may hold."""
    condition, *cases = node.parts
    decided = value(condition, box)
    if decided in (ONE, ZERO):
        return value(cases[0 if decided == ONE else 1], box)
    found = []
    for case, truth in zip(cases, (True, False), strict=True):
        try:
            found.append(value(case, restrict(condition, truth, box)))
        except NoValue as error:
            raise Unclear(str(error)) from error  # it may not hold anywhere
    return iv.hull(*found)


def restrict(condition: Tree, truth: bool, box: Place[Interval]) -> Place[Interval]:
    """The part of a box where a linear comparison with one variable holds (or not); all of it for any other."""
    found = find_half_line(condition, truth)
    if found is None:
        return box
    name, end, is_above, is_open = found
    place, (low, high) = iv.rational(end), box[name]
    part = (iv.pull("max", [(low, low), (place[0], place[0])])[0], high) if is_above else (
        low, iv.pull("min", [(high, high), (place[1], place[1])])[1])  # fmt: skip
    points = (*box.points, end) if is_open and name == "x" else box.points  # there the case need not have a value
    return Place.of({**box, name: part}, points) if iv.is_ordered(part) else box


HULLS: dict[str, Callable[[list[Interval]], Interval]] = {
    **dict.fromkeys(("<", "<=", ">", ">=", "heaviside"), lambda parts: iv.hull(ZERO, ONE)),
    "sign": lambda parts: iv.hull(iv.negate([ONE])[0], ONE),
    "abs": lambda parts: iv.absolute(parts[0]),
    "max": partial(iv.pull, "max"),
    "min": partial(iv.pull, "min"),
    **special.HULLS,
}
"""All values where a branch is not decided."""
