"""Pieces: cut exactly where a case switches, with the values of the whole."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from theory.functions.expressions import parse
from theory.functions.pieces import split
from theory.functions.values import evaluate_at, real_symbol

X = real_symbol("x")
CLOSE = 1e-14


def test_pieces_are_cut_where_the_cases_switch() -> None:
    pieces = split(parse("||x| - 1|"))
    assert [piece.upper for piece in pieces] == [-1, 0, 1, sympy.oo]
    assert [piece.expression for piece in pieces] == [-X - 1, X + 1, 1 - X, X - 1]
    assert [piece.lower for piece in pieces] == [-sympy.oo, -1, 0, 1]


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("abs(x**2 - 2)", [-sympy.sqrt(2), sympy.sqrt(2)]),
        ("abs(exp(x) - 2)", [sympy.log(2)]),
        ("abs(tanh(x) + 2)", []),
        ("abs(x*exp(x))", [0]),
        ("max(x, 2*x)", [0]),
        ("min(1, max(0, x))", [0, 1]),
        ("x >= 1/2", [sympy.Rational(1, 2)]),
        ("sin(x)", []),
        ("max(2, 1)*x", []),
    ],
)
def test_the_cuts_are_found_exactly(text: str, cuts: list[sympy.Expr]) -> None:
    assert [piece.upper for piece in split(parse(text))] == [*cuts, sympy.oo]


@pytest.mark.parametrize("text", ["abs(x - 1/3)*x", "max(x, x**2, 1/2)", "|x**3 - x|", "sign(x)*min(x, 1)"])
@given(point=st.floats(-3, 3))
def test_pieces_have_the_values_of_the_whole(text: str, point: float) -> None:
    expression = parse(text)
    piece = next(p for p in split(expression) if float(p.lower) < point <= float(p.upper))
    assert evaluate_at(piece.expression, point) == pytest.approx(evaluate_at(expression, point), abs=CLOSE)


def test_cuts_that_cannot_be_found_are_an_error_not_a_guess() -> None:
    with pytest.raises(ValueError, match=r"Abs\(sin\(x\)\) switches .* cannot be found exactly"):
        split(parse("abs(sin(x))"))
