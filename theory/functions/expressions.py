"""Expressions: text that a stranger typed becomes a SymPy expression, and nothing else ever happens.

The grammar is our own (no Python is evaluated), loosest first:

    comparison  :=  sum { ("<" | "<=" | ">" | ">=") sum }        1 where all of them hold, 0 elsewhere
    sum         :=  product { ("+" | "-") product }
    product     :=  sign { ("*" | "/") sign }
    sign        :=  { "+" | "-" } power
    power       :=  atom [ ("**" | "^") sign ]                   to the right: 2**3**2 = 2**9
    atom        :=  number | name | call | "(" comparison ")" | "|" comparison "|"
    call        :=  name "(" comparison { "," comparison } ")"

In `where(comparison, then, else)` the first part has to be a comparison.
Numbers are exact (0.1 is 1/10).  Every constant that arises must be a finite real number.
"""

from __future__ import annotations

import difflib
import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import sympy
from sympy import Expr, Rational

from theory.functions.elementary import (
    COMPARISONS,
    CONSTANTS,
    ELEMENTARY,
    MAX_BITS,
    MAX_EXPONENT,
    FunctionTable,
    check_exponent,
    count_bits,
    count_power_bits,
    count_terms,
    exponentiate,
    find_largest,
    is_longer,
    take_absolute,
)
from theory.functions.transcript import AS_WRITTEN, fold, rebuild
from theory.functions.values import SYMPY_ERRORS, WrittenChoice, evaluate_at, holds, real_symbol
from theory.language.compositions import COMPOSITIONS, Composition, find_composition
from theory.language.tokens import ExpressionError, Token, shorten, split_tokens

__all__ = ["parse", "transcribe"]

Found = TypeVar("Found")

MAX_TEXT = 1000  # characters
MAX_DEPTH = 40  # brackets, signs and powers inside one another
MAX_NODES = 150  # numbers, names and operations
MAX_SIZE = 500  # nodes of what they become, functions of the catalogue written out
MAX_WRITTEN = 4 * MAX_SIZE  # the same, not simplified
MAX_TERMS = 100  # after multiplying out
MAX_DIGITS = 40  # of one number
MAX_POWER = 32  # of anything with x in it
MAX_ARGUMENTS = 8  # of min and max
COUNTS = {"min": (2, MAX_ARGUMENTS), "max": (2, MAX_ARGUMENTS), "atan2": (2, 2)}
"""Least and largest number of arguments where it is not one."""
WHERE = "where"
WORKED_OUT: dict[str, Callable[..., Expr]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "negative": operator.neg,
    "**": lambda u, v: exponentiate(v) if u is sympy.E else u**v,
    "|": take_absolute,
    **COMPARISONS,
}
"""What an operator makes of its operands where SymPy may simplify."""
RELATIONS: dict[str, Callable[..., sympy.Basic]] = {">": sympy.Gt, ">=": sympy.Ge, "<": sympy.Lt, "<=": sympy.Le}


def parse(text: str, variable: str | Sequence[str] = "x", functions: FunctionTable = ELEMENTARY) -> Expr:
    """Read an expression of one variable, or of several if `variable` lists their names.

    The result is a SymPy expression in `real_symbol(name)` for these names, or a constant; numbers stay exact.

    Errors: `ExpressionError`, one line with the column, for anything outside the grammar of this module,
    beyond its bounds, or with a constant that is not a finite real number (1/0, sqrt(-1), exp(1000)).

    Source: the grammar above; no other evaluation of the text takes place.

    >>> parse("1/(1 + 25*(2*x - 1)^2)")
    1/(25*(2*x - 1)**2 + 1)
    >>> parse("x*y", ("x", "y"))
    x*y
    >>> parse("1/0")
    Traceback (most recent call last):
    theory.language.tokens.ExpressionError: expression '1/0' at column 2: division by zero
    """
    return _read(text, variable, functions, _Parser)


def transcribe(text: str, variable: str | Sequence[str] = "x", functions: FunctionTable = ELEMENTARY) -> Expr:
    """Read by the same grammar, without simplification: every operation that is written is still there.

    So are its side conditions: `sqrt(x)**2` has no value at -1. The bounds are those of the grammar alone; that
    constants are real and finite is not looked at.

    Errors: `ExpressionError` for anything outside the grammar of this module.

    >>> transcribe("x/x"), parse("x/x")
    (x/x, 1)
    """
    return _read(text, variable, functions, _Transcriber)


def _read(text: str, variable: str | Sequence[str], functions: FunctionTable, reader: type[_Parser]) -> Expr:
    if not isinstance(text, str):
        raise ExpressionError(repr(text), 0, f"expected text, got {type(text).__name__}")
    if len(text) > MAX_TEXT:
        raise ExpressionError(text, 0, f"{len(text)} characters are too many (at most {MAX_TEXT})")
    if not text.strip():
        raise ExpressionError(text, 0, "it is empty; write for example 'sin(2*pi*x)'")
    try:
        return reader(text, (variable,) if isinstance(variable, str) else variable, functions).read()
    except ExpressionError:
        raise
    except SYMPY_ERRORS:
        raise ExpressionError(text, 0, "it cannot be worked out; write it in a simpler way") from None


class _Parser:
    """Recursive descent; one method a line of the grammar."""

    operations: Mapping[str, Callable[..., Expr]] = WORKED_OUT

    def __init__(self, text: str, variables: Sequence[str], functions: FunctionTable) -> None:
        self.text, self.variables, self.functions = text, variables, functions
        self.bindings: Mapping[str, Expr] = {}
        self.tokens = split_tokens(text)
        self.position = self.depth = self.nodes = 0

    def read(self) -> Expr:
        result = self.read_comparison()
        if self.next.kind != "end":
            raise self.complain(self.next, self.describe_surprise())
        return result

    # -- helpers

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self, *symbols: str) -> Token | None:
        """Step over the next token if it is one of these symbols."""
        token = self.next
        if token.kind != "symbol" or token.text not in symbols:
            return None
        self.position += 1
        return token

    def complain(self, token: Token, complaint: str) -> ExpressionError:
        return ExpressionError(self.text, token.column, complaint)

    def describe_surprise(self) -> str:
        token = self.next
        if token.kind == "end":
            return "it ends too early"
        if token.text == ")":
            return "unexpected ')' without a '('"
        if token.kind != "symbol" and self.position:
            before = self.tokens[self.position - 1].text
            return f"expected an operator before {token.text!r} (for a product write {before}*{token.text})"
        return f"unexpected {token.text!r}"

    def descend(self, token: Token, reader: Callable[[], Found]) -> Found:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.complain(token, f"nested too deeply (at most {MAX_DEPTH} levels)")
        result = reader()
        self.depth -= 1
        return result

    def count(self, token: Token) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.complain(token, f"too many parts (at most {MAX_NODES})")

    def build(self, token: Token, make: Callable[..., Expr], *arguments: Expr) -> Expr:
        """Make one node and hold it to the rules: counted, real, finite, of bounded size."""
        self.count(token)
        try:
            result = make(*arguments)
            if result.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
                raise ValueError("not real")
            if not result.free_symbols:
                evaluate_at(result)
        except OverflowError:
            raise self.complain(token, f"{token.text!r} gives a number that is too large") from None
        except SYMPY_ERRORS:
            raise self.complain(token, f"{token.text!r} gives no finite real number here") from None
        if is_longer(result, MAX_SIZE) or count_terms(result) > MAX_TERMS:
            raise self.complain(token, f"too many parts: more than {MAX_TERMS} terms if it were multiplied out")
        if any(abs(power.exp) > MAX_POWER for power in result.atoms(sympy.Pow) if is_power_of_variable(power)):
            raise self.complain(token, f"the exponent is too large (at most {MAX_POWER} with {self.variables[0]})")
        if count_bits(result) > MAX_BITS:
            raise self.complain(token, f"{token.text!r} gives an exact number of more than {MAX_BITS} bits")
        return result

    # -- the grammar

    def read_comparison(self) -> Expr:
        first, chain = self.read_chain()
        steps = [self.build(token, self.operations[token.text], u, v) for token, u, v in chain]
        return self.multiply(steps) if steps else first

    def read_chain(self) -> tuple[Expr, list[tuple[Token, Expr, Expr]]]:
        """The first sum, and each comparison with the sums on its sides."""
        first = left = self.read_sum()
        chain = []
        while token := self.take("<", "<=", ">", ">="):
            right = self.read_sum()
            chain.append((token, left, right))
            left = right
        return first, chain

    def multiply(self, factors: list[Expr]) -> Expr:
        return functools.reduce(self.operations["*"], factors)

    def read_where(self, token: Token, opening: Token) -> Expr:
        """where(comparison, then, else): only the part that holds needs a value."""
        _, chain = self.descend(opening, self.read_chain)
        if not chain:
            raise self.complain(token, "the first argument of 'where' must be a comparison: where(x < 1, x, 2 - x)")
        parts = []
        while self.take(","):
            parts.append(self.descend(opening, self.read_comparison))
        self.close(opening, ")")
        if len(parts) != 2:
            raise self.complain(token, f"'where' takes a comparison and two values, got {len(parts) + 1} arguments")
        then, otherwise = parts
        for _ in chain:
            self.count(token)
        return self.build(token, lambda *u: self.choose(chain, *u), then, otherwise)

    def choose(self, chain: list[tuple[Token, Expr, Expr]], then: Expr, otherwise: Expr) -> Expr:
        """One case in another where a comparison has several signs."""
        for token, left, right in reversed(chain):
            then = self.choose_one(token.text, (left, right), then, otherwise)
        return then

    def choose_one(self, sign: str, sides: tuple[Expr, Expr], then: Expr, otherwise: Expr) -> Expr:
        condition = RELATIONS[sign](*sides, evaluate=False)
        if not condition.free_symbols:
            return then if holds(condition, 0.0) else otherwise
        return sympy.Piecewise((then, condition), (otherwise, sympy.true), evaluate=False)

    def read_sum(self) -> Expr:
        result = self.read_product()
        while token := self.take("+", "-"):
            result = self.build(token, self.operations[token.text], result, self.read_product())
        return result

    def read_product(self) -> Expr:
        result = self.read_sign()
        while token := self.take("*", "/"):
            right = self.read_sign()
            self.check_divisor(token, right)
            result = self.build(token, self.operations[token.text], result, right)
        return result

    def read_sign(self) -> Expr:
        token = self.take("+", "-")
        if token is None:
            return self.read_power()
        operand = self.descend(token, self.read_sign)
        return operand if token.text == "+" else self.build(token, self.operations["negative"], operand)

    def read_power(self) -> Expr:
        base = self.read_atom()
        token = self.take("**", "^")
        if token is None:
            return base
        exponent = self.descend(token, self.read_sign)
        self.check_power(token, base, exponent)
        return self.build(token, self.operations["**"], base, exponent)

    def check_divisor(self, token: Token, divisor: Expr) -> None:
        if token.text == "/" and divisor.is_zero:
            raise self.complain(token, "division by zero")

    def check_power(self, token: Token, base: Expr, exponent: Expr) -> None:
        """Refuse a power before SymPy works it out exactly."""
        constant = not exponent.free_symbols
        largest = MAX_POWER if base.free_symbols else MAX_EXPONENT
        size = math.ceil(abs(evaluate_at(exponent))) if constant else find_largest(exponent)
        if constant and size > largest:
            raise self.complain(token, f"the exponent is too large (at most {largest})")
        if base.is_zero and exponent.is_negative:
            raise self.complain(token, "division by zero")
        if count_power_bits(base, size) > MAX_BITS:
            raise self.complain(token, f"{token.text!r} gives an exact number of more than {MAX_BITS} bits")

    def read_atom(self) -> Expr:
        token = self.next
        self.position += 1
        if token.kind == "number":
            number = self.read_number(token)
            return self.build(token, lambda: number)
        if token.kind == "name":
            return self.read_name(token)
        if token.kind == "symbol" and token.text == "(":
            result = self.descend(token, self.read_comparison)
            self.close(token, ")")
            return result
        if token.kind == "symbol" and token.text == "|":
            result = self.descend(token, self.read_comparison)
            self.close(token, "|")
            return self.build(token, self.operations["|"], result)
        self.position -= 1
        raise self.complain(token, self.describe_surprise())

    def read_number(self, token: Token) -> Expr:
        mantissa, _, exponent = token.text.lower().partition("e")
        if len(mantissa) > MAX_DIGITS:
            raise self.complain(token, f"{len(mantissa)} digits are too many (at most {MAX_DIGITS})")
        if len(exponent) > 6 or abs(int(exponent or 0)) > MAX_EXPONENT:
            raise self.complain(token, f"the exponent is too large (at most {MAX_EXPONENT})")
        return Rational(token.text)

    def read_name(self, token: Token) -> Expr:
        name = token.text
        if name in self.variables:
            return self.build(token, lambda: real_symbol(name))
        if name in self.bindings:
            return self.build(token, lambda: self.bindings[name])
        if name in CONSTANTS:
            return self.build(token, lambda: CONSTANTS[name])
        if name not in (*self.functions, *COMPOSITIONS, WHERE):
            raise self.complain(token, self.describe_unknown(name))
        opening = self.take("(")
        if opening is None:
            raise self.complain(token, f"{name!r} is a function: write {name}({self.variables[0]})")
        if name == WHERE:
            return self.read_where(token, opening)
        arguments = [self.descend(opening, self.read_comparison)]
        while self.take(","):
            arguments.append(self.descend(opening, self.read_comparison))
        self.close(opening, ")")
        composition = find_composition(name, len(arguments))
        if composition is not None:
            return self.build(token, lambda *u: self.compose(composition, *u), *arguments)
        self.check_arguments(token, len(arguments))
        return self.build(token, lambda *u: self.call(name, *u), *arguments)

    def compose(self, composition: Composition, *arguments: Expr) -> Expr:
        """The body of a composition, with arguments in the place of its letters."""
        inner = type(self)(composition.body, self.variables, self.functions)
        inner.bindings = dict(zip(composition.letters, arguments, strict=True))
        return inner.read()

    def call(self, name: str, *arguments: Expr) -> Expr:
        """Apply a function; those that are not elementary may hold exponentials."""
        if name not in ELEMENTARY and arguments[0].free_symbols:
            check_exponent(arguments[0])
        return self.functions[name](*arguments)

    def check_arguments(self, token: Token, count: int) -> None:
        known = [len(one.letters) for one in COMPOSITIONS.get(token.text, ())]
        usual = (1, 1) if token.text in self.functions else (min(known), max(known))
        low, high = COUNTS.get(token.text, usual)
        if not low <= count <= high:
            wanted = f"{low} to {high} arguments" if high > low else "one argument" if low == 1 else f"{low} arguments"
            raise self.complain(token, f"{token.text!r} takes {wanted}, got {count}")

    def close(self, opening: Token, closing: str) -> None:
        if self.take(closing):
            return
        if self.next.kind == "end":
            raise self.complain(opening, f"{opening.text!r} is never closed")
        raise self.complain(self.next, self.describe_surprise())

    def describe_unknown(self, name: str) -> str:
        names = sorted({*self.functions, *COMPOSITIONS, WHERE})
        near = difflib.get_close_matches(name.lower(), [*names, *self.variables, *CONSTANTS], n=1)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        allowed = f"{', '.join([*self.variables, *CONSTANTS])} and the functions {', '.join(names)}"
        return f"unknown name {shorten(name, 0)}{guess}; allowed: {allowed}"


class _Transcriber(_Parser):
    """The same, but nothing that is read is simplified, numbers among themselves aside, nor looked at."""

    operations = AS_WRITTEN

    def build(self, token: Token, make: Callable[..., Expr], *arguments: Expr) -> Expr:
        self.count(token)
        result = make(*arguments)
        number = fold(result) if arguments and all(isinstance(u, Rational) for u in arguments) else None
        result = result if number is None else number
        if is_longer(result, MAX_WRITTEN):
            raise self.complain(token, f"too many parts (at most {MAX_WRITTEN}, activations written out)")
        return result

    def choose_one(self, sign: str, sides: tuple[Expr, Expr], then: Expr, otherwise: Expr) -> Expr:
        return WrittenChoice(self.operations[sign](*sides), then, otherwise)

    def check_power(self, token: Token, base: Expr, exponent: Expr) -> None:
        """Nothing is worked out."""

    def check_divisor(self, token: Token, divisor: Expr) -> None:
        """Nor here."""

    def call(self, name: str, *arguments: Expr) -> Expr:
        letters = [sympy.Dummy(real=True) for _ in arguments]
        return rebuild(self.functions[name](*letters), dict(zip(letters, arguments, strict=True)))


def is_power_of_variable(power: Expr) -> bool:
    """Whether a power has a rational exponent and a base that is no constant."""
    return isinstance(power.exp, Rational) and bool(power.base.free_symbols)
