"""Elementwise functions: from one statement f(x) follow its pieces, derivative, kinks, identity and stable form."""

from __future__ import annotations

import difflib
import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import sympy
from sympy import Expr

from theory.functions.accurate_forms import AccurateForm, derive_accurate
from theory.functions.activation_catalogue import ALIASES, NAMES, STATEMENTS
from theory.functions.differentiation import differentiate
from theory.functions.elementary import ELEMENTARY
from theory.functions.expressions import parse as parse_with
from theory.functions.expressions import transcribe as transcribe_with
from theory.functions.half_line import X
from theory.functions.pieces import Piece, split
from theory.functions.stable_forms import Halves, StableForm, differ, make_halves, stabilise
from theory.functions.value_identities import find_identity, find_polynomial, join_cases
from theory.functions.values import SYMPY_ERRORS, evaluate_at
from theory.language.formulas import write
from theory.language.spelling import respell

__all__ = ["KINK_CONVENTION", "ActivationError", "ActivationFunction", "branches", "find", "parse", "transcribe"]

KINK_CONVENTION = "at a kink f' takes its value from the left, that of the piece x <= kink"

_FUNCTIONS = MappingProxyType(
    {**{name: one.formula for name, one in STATEMENTS.items()}, **ELEMENTARY}
    | {alias: STATEMENTS[name].formula for alias, name in ALIASES.items()}
)


class ActivationError(ValueError):
    """An activation that cannot be used, in one line."""


@dataclass(frozen=True)
class ActivationFunction:
    """One activation: what is stated, and what follows from it.

    Units: dimensionless, f: R -> R, elementwise.  Equation: a = f(x); f'(x) is computed, never stated.
    Errors: `ActivationError` where the kinks cannot be found exactly.

    >>> find("sigmoid").identity_in_value
    a*(1 - a)
    >>> find("relu").kinks
    (0,)
    """

    name: str
    expression: Expr
    reference: str = "stated by the user"

    @cached_property
    def text(self) -> str:
        """f(x) by the grammar of `theory.functions.expressions`: as the user wrote it, or the statement of the
        catalogue."""
        return write(self.expression) if self.name in STATEMENTS else self.name

    @cached_property
    def as_written(self) -> Expr:
        """The text read without simplification: what a proof is about."""
        return transcribe(self.text)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The smooth pieces of f, in order."""
        try:
            return split(self.expression)
        except SYMPY_ERRORS as error:
            reason = error if isinstance(error, ValueError) else "its cases cannot be told apart"
            raise ActivationError(f"activation {self.name!r}: {reason}") from None

    @cached_property
    def derivatives(self) -> tuple[Expr, ...]:
        """f' on each piece."""
        pieces = self.pieces
        try:
            return tuple(differentiate(piece.expression, X) for piece in pieces)
        except SYMPY_ERRORS:
            raise ActivationError(f"activation {self.name!r}: its derivative cannot be worked out") from None

    @cached_property
    def derivative(self) -> Expr:
        """f'(x); at a kink the value from the left."""
        return join_cases(zip(self.derivatives, (piece.upper for piece in self.pieces), strict=True), X)

    @cached_property
    def kinks(self) -> tuple[Expr, ...]:
        """The points where f' (or f) jumps, in order."""
        neighbours = zip(itertools.pairwise(self.pieces), itertools.pairwise(self.derivatives), strict=True)
        return tuple(
            left.upper
            for (left, right), (slope, next_slope) in neighbours
            if differ(left.expression, right.expression, left.upper) or differ(slope, next_slope, left.upper)
        )

    @cached_property
    def halves(self) -> Halves:
        """The two half-lines on which f and f' are compared with other forms of them."""
        return make_halves([*(piece.expression for piece in self.pieces), *self.derivatives])

    @cached_property
    def polynomial_in_value(self) -> Expr | None:
        """f' as one polynomial in a = f(x), of degree two at most, where one is found and proved; otherwise None."""
        if len(self.pieces) > 1:
            return None
        return find_polynomial(self.pieces[0], self.derivatives[0], self.halves)

    @cached_property
    def identity_in_value(self) -> Expr | None:
        """f' in terms of a = f(x), where an identity is found and proved; otherwise None."""
        return find_identity(self.pieces, self.derivatives, self.halves)

    @cached_property
    def stable(self) -> StableForm:
        """The proved forms for evaluation; see `branches`."""
        return stabilise(self.pieces, self.derivatives, self.halves)

    @cached_property
    def accurate(self) -> AccurateForm | None:
        """The proved forms that lose no digit; None where the method does not apply."""
        return derive_accurate(self.pieces, self.derivatives)

    def latex(self) -> str:
        """Return LaTeX for f(x)."""
        return str(sympy.latex(self.expression))

    def __str__(self) -> str:
        return f"{self.name}: f(x) = {self.expression}, f'(x) = {self.derivative}"


def branches(activation: ActivationFunction) -> StableForm:
    """Return forms of f and f' in which nothing overflows, each proved equal to the definition.

    With t = exp(-c|x|) in (0, 1], f and f' become on either side of 0 rational functions of x, t, log(1 + t)
    and the like: sigmoid is 1/(1 + t) for x > 0 and t/(1 + t) for x <= 0.  Where there is no exponential of x
    nothing needs doing.  Where the rewriting does not apply (exp(x**3)) or a form does not stand its proof, the
    definition is returned, not `proved`.

    >>> [str(branch.value) for branch in branches(find("softplus")).branches]
    ['log(t + 1)', 'x + log(t + 1)']
    """
    return activation.stable


_DEFINED_AT = (-10.0, -1.7, -0.3, 0.0, 0.3, 1.7, 10.0)  # where a user's activation must have a value


def parse(text: str, variable: str | Sequence[str] = "x") -> Expr:
    """Read an expression in which the activations may be used as functions; see `theory.functions.expressions.parse`.

    >>> parse("x*sigmoid(x)")
    x/(1 + exp(-x))
    """
    return parse_with(text, variable, _FUNCTIONS)


def transcribe(text: str, variable: str | Sequence[str] = "x") -> Expr:
    """Read the same without simplification; see `theory.functions.expressions.transcribe`.

    >>> transcribe("sigmoid(log(x))"), parse("sigmoid(log(x))")
    (1/(1 + exp(-log(x))), 1/(1 + 1/x))
    """
    return transcribe_with(text, variable, _FUNCTIONS)


def find(name_or_expression: str) -> ActivationFunction:
    """Return the activation of that name, or the one that an expression in x states.

    Errors: `ActivationError` for an unknown bare name (with the choices and the nearest spelling), for an
    expression without x, or one without a value at an ordinary x; `theory.functions.expressions.ExpressionError` for
    text that is no expression.  Source: the references in the catalogue.

    >>> find("swish").name, find("x*tanh(x)").derivative
    ('silu', x*(1 - tanh(x)**2) + tanh(x))
    """
    if not isinstance(name_or_expression, str):
        raise ActivationError(f"expected an activation's name or an expression in x, got {name_or_expression!r:.40}")
    text = respell(name_or_expression.strip())
    return _find(ALIASES.get(text, text))


@functools.lru_cache(maxsize=256)
def _find(text: str) -> ActivationFunction:
    if text in STATEMENTS:
        return ActivationFunction(text, STATEMENTS[text].formula(X), STATEMENTS[text].reference)
    if text != "x" and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", text):
        raise ActivationError(_describe_unknown(text))
    activation = ActivationFunction(text, parse(text))
    _check_usable(activation)
    return activation


def _describe_unknown(name: str) -> str:
    known = [*NAMES, *ALIASES]
    near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    guess = f" (did you mean {near[0]!r}?)" if near else ""
    shown = name if len(name) <= 60 else name[:57] + "..."
    choices = ", ".join(NAMES)
    return f"unknown activation {shown!r}{guess}; choose from: {choices}, or write an expression in x"


def _check_usable(activation: ActivationFunction) -> None:
    if X not in activation.expression.free_symbols:
        raise ActivationError(f"activation {activation.name!r} does not depend on x; try 'x*tanh(x)'")
    for point in _DEFINED_AT:
        try:
            evaluate_at(activation.as_written, point)
        except OverflowError:
            continue  # large is not undefined
        except (ArithmeticError, ValueError):
            where = f"has no finite real value at x = {point:g}; it needs one everywhere"
            raise ActivationError(f"activation {activation.name!r} {where}") from None
    activation.derivative  # noqa: B018  finds the kinks, or says that they cannot be found
