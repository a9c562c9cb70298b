"""An expression's tree on intervals: Taylor series where a branch is decided, a hull of values elsewhere."""

from __future__ import annotations

import ast
from fractions import Fraction

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.intervals import Interval, Series, Unclear

__all__ = ["expand", "value"]

PEAK = Fraction("2.8214393721220788934")
"""Where Planck's law u³/(e^u − 1) is largest."""


def expand(node: ast.expr, x: Series, length: int) -> Series:
    """The Taylor series of an expression at x.  Errors: Unclear."""
    match node:
        case ast.Constant():
            return [iv.rational(Fraction(str(node.value)))]
        case ast.Name(id="x"):
            return x
        case ast.Name(id="pi"):
            return [iv.pi()]
        case ast.Name():
            return iv.FUNCTIONS["exp"]([iv.rational(Fraction(1))], 1)
        case ast.UnaryOp(op=op, operand=operand):
            inner = expand(operand, x, length)
            return iv.negate(inner) if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(expand(left, x, length), right, x, length)
        case ast.BinOp(left=left, op=op, right=right):
            return _combine(op, expand(left, x, length), expand(right, x, length), length)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            gap = iv.subtract(expand(left, x, length), expand(right, x, length))[0]
            above = iv.sign_of(gap) > 0
            return [iv.rational(Fraction(int(above == isinstance(op, ast.Gt | ast.GtE))))]
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, [expand(argument, x, length) for argument in arguments], length)
    raise Unclear(f"no series for {ast.dump(node)[:40]}")


def _combine(op: ast.operator, left: Series, right: Series, length: int) -> Series:
    if isinstance(op, ast.Add):
        return iv.add(left, right)
    if isinstance(op, ast.Sub):
        return iv.subtract(left, right)
    if isinstance(op, ast.Mult):
        return iv.multiply(left, right, length)
    if len(left) == len(right) == 1:
        length = 1
    return iv.divide(left, right, length)


def _power(base: Series, exponent: ast.expr, x: Series, length: int) -> Series:
    whole = _whole(exponent)
    if whole is not None:
        return iv.power(base, whole, length)
    return iv.FUNCTIONS["exp"](
        iv.multiply(expand(exponent, x, length), iv.FUNCTIONS["log"](base, length), length), length
    )


def _whole(node: ast.expr) -> int | None:
    """An integer exponent."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _whole(node.operand)
        return None if inner is None else -inner
    is_integer = isinstance(node, ast.Constant) and isinstance(node.value, int)
    return node.value if is_integer and abs(node.value) <= 1000 else None  # type: ignore[attr-defined]


def _call(name: str, arguments: list[Series], length: int) -> Series:
    z = arguments[0]
    if name in ("abs", "max", "min"):
        return _choose(name, arguments)
    if name in ("sign", "heaviside"):
        above = iv.sign_of(z[0]) > 0
        return [iv.rational(Fraction(1 if above else -1 if name == "sign" else 0))]
    if name == "planck":
        one = [iv.rational(Fraction(1))]
        law = iv.divide(iv.power(z, 3, length), iv.subtract(iv.FUNCTIONS["exp"](z, length), one), length)
        return iv.multiply(law, [_planck_scale()], length)
    if name in ("sinh", "cosh"):
        up, down = iv.FUNCTIONS["exp"](z, length), iv.FUNCTIONS["exp"](iv.negate(z), length)
        whole = iv.subtract(up, down) if name == "sinh" else iv.add(up, down)
        return iv.multiply(whole, [iv.rational(Fraction(1, 2))], length)
    if name == "tan":
        return iv.divide(iv.FUNCTIONS["sin"](z, length), iv.FUNCTIONS["cos"](z, length), length)
    if name == "erfc":
        return iv.subtract([iv.rational(Fraction(1))], iv.FUNCTIONS["erf"](z, length))
    return iv.FUNCTIONS[name](z, 1 if len(z) == 1 else length)


def _choose(name: str, arguments: list[Series]) -> Series:
    if name == "abs":
        return arguments[0] if iv.sign_of(arguments[0][0]) > 0 else iv.negate(arguments[0])
    best = arguments[0]
    for other in arguments[1:]:
        above = iv.sign_of(iv.subtract(other, best)[0]) > 0
        best = other if above == (name == "max") else best
    return best


def _planck_scale() -> Interval:
    """1 / max of u³/(e^u − 1), rounded to a double as the target states it."""
    u = [iv.rational(PEAK)]
    one = [iv.rational(Fraction(1))]
    law = iv.divide(iv.power(u, 3, 1), iv.subtract(iv.FUNCTIONS["exp"](u, 1), one), 1)[0]
    return iv.number(1 / iv.upper_float(law))


def value(node: ast.expr, box: Interval) -> Interval:
    """An interval of all values on a box, hulls where a branch is not decided.  Errors: Unclear."""
    try:
        return expand(node, [box], 1)[0]
    except (Unclear, ZeroDivisionError):
        return _hull(node, box)


def _hull(node: ast.expr, box: Interval) -> Interval:
    zero, one = iv.rational(Fraction(0)), iv.rational(Fraction(1))
    match node:
        case ast.UnaryOp(op=op, operand=operand):
            inner = value(operand, box)
            return iv.negate([inner])[0] if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right) if not isinstance(op, ast.Pow | ast.Div):
            return _combine(op, [value(left, box)], [value(right, box)], 1)[0]
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return iv.divide([value(left, box)], [value(right, box)], 1)[0]
        case ast.BinOp(left=left, op=ast.Pow(), right=right) if (_whole(right) or 0) > 0:
            return iv.power([value(left, box)], _whole(right) or 1, 1)[0]
        case ast.Compare():
            return iv.hull(zero, one)
        case ast.Call(func=ast.Name(id="sign" | "heaviside" as name)):
            return iv.hull(iv.negate([one])[0] if name == "sign" else zero, one)
        case ast.Call(func=ast.Name(id="abs"), args=[argument]):
            return iv.absolute(value(argument, box))
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=arguments):
            return _extreme(name, [value(argument, box) for argument in arguments])
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument]):
            top = value(argument, box)[1]
            return iv.hull(zero, iv.root([(top, top)], 1)[0])
        case ast.Call(func=ast.Name(id="planck"), args=[argument]):
            # 0 <= u³/(e^u − 1) <= u² for u >= 0, because e^u >= 1 + u.
            top = iv.largest(value(argument, box))
            square = iv.multiply([top], [top], 1)
            return iv.hull(zero, iv.multiply(square, [_planck_scale()], 1)[0])
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _call(name, [[value(argument, box)]], 1)[0]
    raise Unclear(f"no values for {ast.dump(node)[:40]}")


def _extreme(name: str, parts: list[Interval]) -> Interval:
    """[max of the lower ends, max of the upper ends], or the same with min."""
    low, high = zip(*parts, strict=True)
    pick = max if name == "max" else min
    key = lambda end: iv.upper_float((end, end))  # noqa: E731
    return pick(low, key=key), pick(high, key=key)
