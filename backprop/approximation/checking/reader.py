"""An own reader of the grammar in this room's README: text becomes a tree of exact numbers, x and operations."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from backprop.errors import UsageError

__all__ = ["ACTIVATIONS", "TARGETS", "Tree", "fold", "read"]

LONGEST, DEEPEST, MOST_PARTS = 1000, 40, 150
"""Characters, levels and parts of an expression."""
MOST_DIGITS, LARGEST_EXPONENT = 40, 1000
"""Of one number."""
MOST_BITS = 4096
"""Of an exact number that is worked out."""

FUNCTIONS = {"exp", "log", "ln", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "arctan",
             "erf", "abs", "sign", "heaviside"}  # fmt: skip
MANY = {"min", "max"}
SYNONYMS = {"ln": "log", "arctan": "atan", "swish": "silu", "^": "**"}

SELU = "1.0507009873554804934193349852946 * (max(x, 0) + 1.6732632423543772848170429916717 * (exp(min(x, 0)) - 1))"
ACTIVATIONS: Mapping[str, str] = MappingProxyType({
    "identity": "x",
    "sigmoid": "1/(1 + exp(-x))",
    "tanh": "tanh(x)",
    "relu": "max(x, 0)",
    "leaky_relu": "max(x, x/100)",
    "elu": "max(x, 0) + exp(min(x, 0)) - 1",
    "selu": SELU,
    "softplus": "log(1 + exp(x))",
    "log_sigmoid": "-log(1 + exp(-x))",
    "gelu": "x*(1 + erf(x/sqrt(2)))/2",
    "gelu_tanh": "x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2",
    "silu": "x/(1 + exp(-x))",
    "mish": "x*tanh(log(1 + exp(x)))",
    "swish": "x/(1 + exp(-x))",
})  # fmt: skip
TARGETS: Mapping[str, str] = MappingProxyType({
    "sine": "sin(2*pi*x)",
    "square": "x**2",
    "kink": "abs(x - 1/2)",
    "root": "sqrt(x)",
    "runge": "1/(1 + 25*(2*x - 1)**2)",
    "wave": "exp(-x)*sin(8*pi*x)",
    "oscillator": "exp(-3*x)*cos(6*pi*x)",
    "planck": "planck(12*x)",
    "step": "x > 1/2",
    "weierstrass": "cos(pi*x) + cos(3*pi*x)/2 + cos(9*pi*x)/4 + cos(27*pi*x)/8 + cos(81*pi*x)/16 + cos(243*pi*x)/32",
})  # fmt: skip
"""The definitions that names stand for, stated once more: a checker shares nothing with what it checks."""

LEXEME = re.compile(
    r"[ \t]*(?:((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|([A-Za-z_][A-Za-z_0-9]*)|(\*\*|[<>]=?|[-+*/^(),|]))"
)
STRENGTH = {"<": 1, "<=": 1, ">": 1, ">=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "**": 5, "^": 5}
OF_A_SIGN = 4


@dataclass(frozen=True)
class Tree:
    """A number, `x`, `pi`, `e`, or an operation or function with its parts."""

    kind: str
    parts: tuple[Tree, ...] = ()
    number: Fraction = Fraction(0)


def read(text: str, names: Mapping[str, str]) -> Tree:
    """The tree of an expression, or of what a name stands for.

    Errors: UsageError for text outside the grammar, or beyond its bounds.

    >>> read("square", TARGETS) == read("x^2", TARGETS)
    True
    """
    known = text in names
    try:
        if len(text) > LONGEST:
            raise ValueError(f"{len(text)} characters are too many (at most {LONGEST})")
        return _Reading(names.get(text, text), {"planck"} if known else set()).run()
    except ValueError as error:
        raise UsageError(f"{text[:80]!a} is no expression in x: {error}") from None


class _Reading:
    """Operators by their strength: an operand, then whatever binds more strongly than what stands before it."""

    def __init__(self, text: str, own: set[str]) -> None:
        self.lexemes = list(_cut(text))
        self.functions = FUNCTIONS | ACTIVATIONS.keys() | own
        self.place = self.level = self.count = 0

    def run(self) -> Tree:
        found = self.above(0)
        if self.peek() != ("end", ""):
            raise ValueError(f"unexpected {self.peek()[1]!r}")
        return found

    def peek(self) -> tuple[str, str]:
        return self.lexemes[self.place]

    def expect(self, symbol: str) -> None:
        if self.peek() != ("symbol", symbol):
            raise ValueError(f"expected {symbol!r}, got {self.peek()[1]!r}")
        self.place += 1

    def inside(self, strength: int) -> Tree:
        """What stands one level deeper."""
        self.level += 1
        if self.level > DEEPEST:
            raise ValueError(f"nested too deeply (at most {DEEPEST} levels)")
        found = self.above(strength)
        self.level -= 1
        return found

    def make(self, kind: str, *parts: Tree, number: Fraction = Fraction(0)) -> Tree:
        self.count += 1
        if self.count > MOST_PARTS:
            raise ValueError(f"too many parts (at most {MOST_PARTS})")
        found = Tree(SYNONYMS.get(kind, kind), parts, number)
        known = fold(found) if parts and all(part.kind == "number" for part in parts) else None
        return found if known is None else Tree("number", number=known)

    def above(self, least: int) -> Tree:
        """An operand and all operators of at least this strength; one comparison at most."""
        left, most = self.operand(), 9
        while True:
            kind, symbol = self.peek()
            strength = STRENGTH.get(symbol, -1) if kind == "symbol" else -1
            if not max(least, 1) <= strength <= most:
                return left
            self.place += 1
            right = self.inside(OF_A_SIGN) if strength == STRENGTH["**"] else self.above(strength + 1)
            left = self.make(symbol, left, right)
            most = 0 if strength == STRENGTH["<"] else most

    def operand(self) -> Tree:
        kind, text = self.peek()
        self.place += 1
        if kind == "number":
            return self.make("number", number=_number(text))
        if kind == "name":
            return self.named(text)
        if text in ("+", "-"):
            inner = self.inside(OF_A_SIGN)
            return self.make("negative", inner) if text == "-" else inner
        if text in ("(", "|"):
            inner = self.inside(0)
            self.expect(")" if text == "(" else "|")
            return self.make("abs", inner) if text == "|" else inner
        raise ValueError(f"unexpected {text!r}" if text else "it ends too early")

    def named(self, name: str) -> Tree:
        if name in ("x", "pi", "e"):
            return self.make(name)
        if name not in self.functions | MANY:
            raise ValueError(f"unknown name {name[:40]!r}")
        self.expect("(")
        arguments = [self.inside(0)]
        while self.peek() == ("symbol", ","):
            self.place += 1
            arguments.append(self.inside(0))
        self.expect(")")
        low, high = (2, 8) if name in MANY else (1, 1)
        if not low <= len(arguments) <= high:
            raise ValueError(f"{name} of {len(arguments)} arguments")
        return self.make(name, *arguments)


def _cut(text: str) -> list[tuple[str, str]]:
    found, place, end = [], 0, len(text.rstrip(" \t"))
    while place < end:
        match = LEXEME.match(text, place)
        if match is None:
            raise ValueError(f"unexpected character at column {place + 1}")
        number, name, symbol = match.groups()
        found.append(("number", number) if number else ("name", name) if name else ("symbol", symbol))
        place = match.end()
    return [*found, ("end", "")]


def _number(text: str) -> Fraction:
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > MOST_DIGITS or len(exponent) > 6 or abs(int(exponent or 0)) > LARGEST_EXPONENT:
        raise ValueError(f"the number {text[:50]} has too many digits")
    return Fraction(text)


def fold(tree: Tree) -> Fraction | None:
    """The rational number that a tree of numbers, signs, + - * / and whole powers is; None for any other.

    >>> fold(read("3/2 - 2**-1", TARGETS))
    Fraction(1, 1)
    """
    if tree.kind == "number":
        return tree.number
    parts = [fold(part) for part in tree.parts]
    if None in parts or tree.kind not in ARITHMETIC:
        return None
    try:
        found = ARITHMETIC[tree.kind](*parts)
    except ZeroDivisionError:
        return None
    small = found is not None and max(abs(found.numerator), found.denominator).bit_length() <= MOST_BITS
    return found if small else None


def _raise(a: Fraction, b: Fraction) -> Fraction | None:
    size = max(abs(a.numerator), a.denominator).bit_length()
    return Fraction(a ** int(b)) if b.denominator == 1 and abs(b) * size <= MOST_BITS else None


ARITHMETIC: dict[str, Callable[..., Fraction | None]] = {
    "negative": operator.neg,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": _raise,
}
