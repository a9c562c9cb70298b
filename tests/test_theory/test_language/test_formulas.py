"""Formulas in one line, for docstrings and for the book."""

from __future__ import annotations

import pytest
import sympy

from theory.functions.expressions import parse
from theory.language.formulas import describe, describe_in_latex, shorten


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.044715*x**3 + x", "0.044715*z**3 + z"),
        ("1.234567/(1 + x)", "1.234567/(z + 1)"),
        ("1.234567*(1 + x)", "1.234567*z + 1.234567"),
        ("-1.234567*x", "-1.234567*z"),
        ("x/3", "z/3"),
        ("max(x, 0.1)", "max(1/10, z)"),
        ("min(x, 1) + |x|", "abs(z) + min(1, z)"),
        ("12345678*x", "12345678.0*z"),
        ("x > 1", "Heaviside(z - 1, 0)"),
    ],
)
def test_a_formula_reads_as_one_would_write_it(text: str, shown: str) -> None:
    assert describe(parse(text), "z") == shown


def test_digits_and_latex() -> None:
    assert describe(parse("x*1.23456789012345"), digits=6) == "1.23457*x"
    assert describe_in_latex(parse("x**2*1.23456789012345"), 6) == "1.23457 x^{2}"
    assert describe_in_latex(parse("exp(x)/2")) == r"\frac{e^{x}}{2}"


def test_a_number_beyond_all_floats_is_shown_too() -> None:
    assert describe(sympy.Integer(10) ** 400) == "1.0000000000000000E+400"


def test_long_text_is_cut() -> None:
    assert shorten("abcdef", 5) == "ab..."
    assert shorten("abcde", 5) == "abcde"
