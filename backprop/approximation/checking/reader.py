"""An own reader of the grammar in this room's README: text becomes a tree of exact numbers, x and operations."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from backprop.approximation.checking.definitions import ACTIVATIONS, COMPOSED
from backprop.errors import UsageError

__all__ = ["COMPARISONS", "LETTERS", "Tree", "find_definition", "fold",
           "read", "rename"]  # fmt: skip

LONGEST, DEEPEST, MOST_PARTS = 1000, 40, 150
"""Characters, levels and parts of an expression."""
MOST_DIGITS, LARGEST_EXPONENT = 40, 1000
"""Of one number."""
MOST_BITS = 4096
"""Of an exact number that is worked out."""

FUNCTIONS = {"exp", "log", "ln", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "arctan",
             "asinh", "acosh", "atanh", "erf", "erfc", "gamma", "lgamma", "sinc", "floor", "ceil", "abs", "sign",
             "heaviside"}  # fmt: skip
COUNTS = {"min": (2, 8), "max": (2, 8), "atan2": (2, 2)}
"""Least and largest number of arguments where it is not one."""
SYNONYMS = {"ln": "log", "arctan": "atan", "swish": "silu", "^": "**"}
LETTERS = "uvw"
COMPOSED_NAMES = {name for name, _ in COMPOSED}

LEXEME = re.compile(
    r"[ \t]*(?:((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|([A-Za-z_][A-Za-z_0-9]*)|(\*\*|[<>]=?|[-+*/^(),|]))"
)
COMPARISONS = ("<", "<=", ">", ">=")
STRENGTH = {"+": 2, "-": 2, "*": 3, "/": 3, "**": 5, "^": 5}
OF_A_SIGN = 4

Found = TypeVar("Found")


@dataclass(frozen=True)
class Tree:
    """A number, a variable, `pi`, `e`, or an operation or function with its parts."""

    kind: str
    parts: tuple[Tree, ...] = ()
    number: Fraction = Fraction(0)

    @property
    def is_one(self) -> bool:
        """Whether it is the number 1."""
        return self.kind == "number" and self.number == 1


def read(text: str, names: Mapping[str, str], variables: Sequence[str] = "x") -> Tree:
    """The tree of an expression in some variables, or of what a name stands for.

    Errors: UsageError for text outside the grammar, or beyond its bounds.

    >>> read("square", {"square": "x**2"}) == read("x^2", {})
    True
    """
    known = text in names
    try:
        if len(text) > LONGEST:
            raise ValueError(f"{len(text)} characters are too many (at most {LONGEST})")
        return _Reading(names.get(text, text), {"planck"} if known else set(), variables).run()
    except ValueError as error:
        raise UsageError(f"{text[:80]!a} is no expression in x: {error}") from None


class _Reading:
    """Operators by their strength: an operand, then whatever binds more strongly than what stands before it."""

    def __init__(self, text: str, own: set[str], variables: Sequence[str]) -> None:
        self.variables = variables
        self.lexemes = list(_cut(text))
        self.functions = FUNCTIONS | ACTIVATIONS.keys() | own
        self.place = self.level = self.count = 0

    def run(self) -> Tree:
        found = self.comparison()
        if self.peek() != ("end", ""):
            raise ValueError(f"unexpected {self.peek()[1]!r}")
        return found

    def peek(self) -> tuple[str, str]:
        return self.lexemes[self.place]

    def expect(self, symbol: str) -> None:
        if self.peek() != ("symbol", symbol):
            raise ValueError(f"expected {symbol!r}, got {self.peek()[1]!r}")
        self.place += 1

    def inside(self, reading: Callable[[], Found]) -> Found:
        """What stands one level deeper."""
        self.level += 1
        if self.level > DEEPEST:
            raise ValueError(f"nested too deeply (at most {DEEPEST} levels)")
        found = reading()
        self.level -= 1
        return found

    def comparison(self) -> Tree:
        """A sum, or the product of the comparisons in a chain."""
        first, chain = self.chain()
        return functools.reduce(lambda a, b: Tree("*", (a, b)), chain) if chain else first

    def chain(self) -> tuple[Tree, list[Tree]]:
        """The first sum, and each comparison of two neighbours."""
        first = left = self.above(STRENGTH["+"])
        found = []
        while self.peek()[0] == "symbol" and self.peek()[1] in COMPARISONS:
            symbol = self.peek()[1]
            self.place += 1
            right = self.above(STRENGTH["+"])
            found.append(self.make(symbol, left, right))
            left = right
        return first, found

    def make(self, kind: str, *parts: Tree, number: Fraction = Fraction(0)) -> Tree:
        self.count += 1
        if self.count > MOST_PARTS:
            raise ValueError(f"too many parts (at most {MOST_PARTS})")
        found = Tree(SYNONYMS.get(kind, kind), parts, number)
        known = fold(found) if parts and all(part.kind == "number" for part in parts) else None
        return found if known is None else Tree("number", number=known)

    def above(self, least: int) -> Tree:
        """An operand and all operators of at least this strength."""
        left = self.operand()
        while True:
            kind, symbol = self.peek()
            strength = STRENGTH.get(symbol, -1) if kind == "symbol" else -1
            if strength < least:
                return left
            self.place += 1
            right = self.inside(self.sign) if strength == STRENGTH["**"] else self.above(strength + 1)
            left = self.make(symbol, left, right)

    def sign(self) -> Tree:
        return self.above(OF_A_SIGN)

    def operand(self) -> Tree:
        kind, text = self.peek()
        self.place += 1
        if kind == "number":
            return self.make("number", number=_number(text))
        if kind == "name":
            return self.named(text)
        if text in ("+", "-"):
            inner = self.inside(self.sign)
            return self.make("negative", inner) if text == "-" else inner
        if text in ("(", "|"):
            inner = self.inside(self.comparison)
            self.expect(")" if text == "(" else "|")
            return self.make("abs", inner) if text == "|" else inner
        raise ValueError(f"unexpected {text!r}" if text else "it ends too early")

    def named(self, name: str) -> Tree:
        if name in (*self.variables, "pi", "e"):
            return self.make(name)
        if name not in self.functions | COUNTS.keys() | COMPOSED_NAMES | {"where"}:
            raise ValueError(f"unknown name {name[:40]!r}")
        self.expect("(")
        if name == "where":
            return self.choice()
        arguments = [self.inside(self.comparison)]
        while self.peek() == ("symbol", ","):
            self.place += 1
            arguments.append(self.inside(self.comparison))
        self.expect(")")
        low, high = COUNTS.get(name, (1, 1) if name in self.functions else (0, 0))
        if not low <= len(arguments) <= high and (name, len(arguments)) not in COMPOSED:
            raise ValueError(f"{name} of {len(arguments)} arguments")
        return self.make(name, *arguments)

    def choice(self) -> Tree:
        """where(comparison, then, else), one in another for each comparison of a chain."""
        _, chain = self.inside(self.chain)
        self.expect(",")
        then = self.inside(self.comparison)
        self.expect(",")
        otherwise = self.inside(self.comparison)
        self.expect(")")
        if not chain:
            raise ValueError("where of what is no comparison")
        for condition in reversed(chain[1:]):
            then = Tree("where", (condition, then, otherwise))
        return self.make("where", chain[0], then, otherwise)


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


def find_definition(tree: Tree) -> Tree | None:
    """A function that is put together, with its arguments in the place of the letters; None for any other."""
    text = COMPOSED.get((tree.kind, len(tree.parts)))
    if text is None:
        return None
    body = read(text, {}, LETTERS)
    for letter, part in zip(LETTERS, tree.parts, strict=False):
        body = _replace(body, letter, part)
    return body


def _replace(tree: Tree, letter: str, part: Tree) -> Tree:
    if tree.kind == letter:
        return part
    return Tree(tree.kind, tuple(_replace(p, letter, part) for p in tree.parts), tree.number)


def rename(tree: Tree, old: str, new: str) -> Tree:
    """The same with another letter for a variable."""
    return Tree(new if tree.kind == old else tree.kind, tuple(rename(p, old, new) for p in tree.parts), tree.number)


def fold(tree: Tree) -> Fraction | None:
    """The rational number that a tree of numbers, signs, + - * / and whole powers is; None for any other.

    >>> fold(read("3/2 - 2**-1", {}))
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
