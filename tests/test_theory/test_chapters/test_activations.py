"""The catalogue of activations: what is stated, and what is worked out from it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy

from theory.chapters.chapter import FORMATS, Format
from theory.chapters.networks.activations import CHAPTER
from theory.functions.activation_catalogue import ALIASES, NAMES, SELU_ALPHA, SELU_SCALE
from theory.functions.elementwise import ActivationError, ActivationFunction, find
from theory.functions.half_line import X
from theory.functions.value_identities import A
from theory.functions.values import evaluate_precisely
from theory.language.tokens import ExpressionError

DIGITS = 60
STEP = mpmath.mpf(10) ** -25  # of the central difference; its error is of the order of the square
SLOPES_AGREE = mpmath.mpf(10) ** -30
VALUES_AGREE = mpmath.mpf(10) ** -50
PUBLISHED_DIGITS = 1e-15  # the constants of SELU are compared with their defining equations in floats
POINTS = [sympy.Rational(n, 7) for n in (-200, -31, -9, -3, -1, 1, 2, 5, 12, 40, 200)]


def phi(z: Any) -> Any:
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


# Written down a second time, by another hand and in other words: an oracle may not import its suspect.
DEFINITIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": mpmath.tanh,
    "relu": lambda z: z if z > 0 else z * 0,
    "leaky_relu": lambda z: z if z > 0 else z / 100,
    "elu": lambda z: z if z > 0 else mpmath.expm1(z),
    "selu": lambda z: (
        mpmath.mpf("1.0507009873554804934193349852946")
        * (z if z > 0 else mpmath.mpf("1.6732632423543772848170429916717") * mpmath.expm1(z))
    ),
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    "log_sigmoid": lambda z: -mpmath.log1p(mpmath.exp(-z)),
    "gelu": lambda z: z * phi(z),
    "gelu_tanh": lambda z: z / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (z + mpmath.mpf("0.044715") * z**3))),
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "mish": lambda z: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))),
}


def test_the_catalogue_has_the_published_names() -> None:
    assert set(NAMES) == set(DEFINITIONS)
    assert dict(ALIASES) == {"swish": "silu"}
    assert find("swish") is find("silu")


def test_there_is_no_slot_for_a_derivative_typed_by_hand() -> None:
    assert {field.name for field in dataclasses.fields(ActivationFunction)} == {"name", "expression", "reference"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        find("relu").name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_value_and_derivative_match_the_definition(name: str, point: sympy.Rational) -> None:
    with mpmath.workdps(DIGITS):
        z = mpmath.mpf(point.p) / point.q
        f = DEFINITIONS[name]
        slope = (f(z + STEP) - f(z - STEP)) / (2 * STEP)
        assert abs(evaluate_precisely(find(name).expression, point, DIGITS) - f(z)) <= VALUES_AGREE * max(1, abs(z))
        assert abs(evaluate_precisely(find(name).derivative, point, DIGITS) - slope) <= SLOPES_AGREE


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_says_where_it_comes_from(name: str) -> None:
    assert find(name).reference
    assert name in str(find(name))
    assert find(name).latex()


def test_the_constants_of_selu_solve_their_fixed_point_equations() -> None:
    """Mean 0 and variance 1 of a standard normal variable are kept: E selu = 0, E selu**2 = 1."""
    alpha, scale = float(SELU_ALPHA), float(SELU_SCALE)
    density, half = 1 / mpmath.sqrt(2 * mpmath.pi), mpmath.mpf(1) / 2
    below = mpmath.exp(half) * phi(mpmath.mpf(-1)) - half  # E[exp(z) - 1; z < 0]
    squared = mpmath.exp(2) * phi(mpmath.mpf(-2)) - 2 * mpmath.exp(half) * phi(mpmath.mpf(-1)) + half
    assert abs(density + alpha * below) < PUBLISHED_DIGITS
    assert abs(scale**2 * (half + alpha**2 * squared) - 1) < PUBLISHED_DIGITS


# ------------------------------------------------------------------------------------------------ kinks

KINKS = {
    "relu": {0: 0},
    "leaky_relu": {0: sympy.Rational(1, 100)},
    "selu": {0: SELU_ALPHA * SELU_SCALE},
    "elu": {},
    "sigmoid": {},
    "gelu": {},
    "abs(x)": {0: -1},
    "abs(1 - x)": {1: -1},
    "max(0, -x)": {0: -1},
    "max(0, min(6, x + 3))/6*x": {-3: 0, 3: sympy.Rational(3, 2)},
    "max(x, 0)**2": {},
    "x*abs(x)": {},
    "sign(x)*x + x": {0: 0},
    "(x > 1)*(x - 1) + x": {1: 1},
    "max(x, exp(x) - 2)": None,
    "abs(tanh(x) - 1/2)": {sympy.atanh(sympy.Rational(1, 2)): -sympy.Rational(3, 4)},
}


@pytest.mark.parametrize("name", [name for name, kinks in KINKS.items() if kinks is not None])
def test_kinks_are_found_and_the_slope_there_is_the_one_from_the_left(name: str) -> None:
    kinks = KINKS[name]
    assert kinks is not None
    activation = find(name)
    assert list(activation.kinks) == list(kinks)
    for kink, slope in kinks.items():
        found = evaluate_precisely(activation.derivative, sympy.sympify(kink), DIGITS)
        assert abs(found - evaluate_precisely(sympy.sympify(slope), sympy.Integer(0), DIGITS)) < VALUES_AGREE


def test_kinks_that_cannot_be_found_are_an_error() -> None:
    with pytest.raises(ActivationError, match="cannot be found exactly"):
        find("max(x, exp(x) - 2)")


# ------------------------------------------------------------------------------------------- identities

IDENTITIES = {
    "identity": sympy.Integer(1),
    "sigmoid": A * (1 - A),
    "tanh": 1 - A**2,
    "softplus": 1 - sympy.exp(-A),
    "log_sigmoid": 1 - sympy.exp(A),
    "relu": sympy.Piecewise((0, A <= 0), (1, True)),
    "leaky_relu": sympy.Piecewise((sympy.Rational(1, 100), A <= 0), (1, True)),
    "elu": sympy.Piecewise((A + 1, A <= 0), (1, True)),
    "selu": sympy.Piecewise((A + SELU_ALPHA * SELU_SCALE, A <= 0), (SELU_SCALE, True)),
    "gelu": None,
    "gelu_tanh": None,
    "silu": None,
    "mish": None,
    "exp(-x)": -A,
    "3*sigmoid(2*x) - 1": None,
    "abs(x)": None,
}
WITH_IDENTITY = [name for name in NAMES if IDENTITIES[name] is not None]


@pytest.mark.parametrize("name", [name for name in IDENTITIES if not name.startswith("3")])
def test_the_derivative_in_terms_of_the_value_is_found(name: str) -> None:
    found, expected = find(name).identity_in_value, IDENTITIES[name]
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert sympy.expand(found) == sympy.expand(expected)


def test_an_identity_nobody_wrote_down_is_found_too() -> None:
    identity = find("3*sigmoid(2*x) - 1").identity_in_value
    assert sympy.expand(identity - sympy.Rational(2, 3) * (A + 1) * (2 - A)) == 0


@pytest.mark.parametrize("name", [*WITH_IDENTITY, "3*sigmoid(2*x) - 1", "max(x, 2*x) + 1"])
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_an_identity_holds_at_every_point(name: str, point: sympy.Rational) -> None:
    activation = find(name)
    assert activation.identity_in_value is not None
    value = activation.expression.subs(X, point)
    slope = activation.derivative.subs(X, point)
    difference = activation.identity_in_value.subs(A, value) - slope
    assert abs(difference.evalf(DIGITS // 2)) < SLOPES_AGREE


# --------------------------------------------------------------------------------------------- finding


def test_an_expression_is_an_activation() -> None:
    activation = find("x*tanh(x)")
    assert activation.name == "x*tanh(x)"
    assert activation.derivative == sympy.tanh(X) + X * (1 - sympy.tanh(X) ** 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rellu", r"unknown activation 'rellu' \(did you mean 'relu'\?\); choose from: identity, sigmoid, .* in x"),
        ("leaky-relu", r"did you mean 'leaky_relu'\?"),
        ("3", "does not depend on x"),
        ("x - x", "does not depend on x"),
        ("log(x)", "no finite real value at x = -10"),
        ("1/x", "no finite real value at x = 0"),
        ("abs(sin(x))", "cannot be found exactly"),
    ],
)
def test_what_cannot_be_an_activation_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ActivationError, match=message) as caught:
        find(text)
    assert "\n" not in str(caught.value)


def test_text_that_is_no_expression_is_refused() -> None:
    with pytest.raises(ExpressionError, match="column 2"):
        find("x.real + 1/0; import os")
    with pytest.raises(ActivationError, match="expected an activation's name"):
        find(None)  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------- the chapter

LONGEST_NUMBER = 12  # characters; a student should not meet a fraction of sixty digits


@pytest.mark.parametrize("form", FORMATS)
def test_the_chapter_shows_every_entry_with_readable_numbers(form: Format) -> None:
    text = CHAPTER.render(form)
    for name in NAMES:
        assert (name if form != "latex" else name.replace("_", r"\_")) in text
    assert max(map(len, re.findall(r"[0-9.]{4,}", re.sub("arXiv:[0-9.]+", "", text)))) <= LONGEST_NUMBER


def test_the_chapter_states_identities_kinks_and_the_gap_between_the_forms_of_gelu() -> None:
    text = CHAPTER.render()
    assert "sigmoid, derivative by the value a = f(x): f' = a*(1 - a)" in text
    assert "kink at x = 0; there f' = 1/100, the value from the left" in text
    assert "|gelu - gelu_tanh| reaches 4.7e-04, at x = +-2.7" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_polynomial_in_the_value_is_the_identity_where_there_is_one(name: str) -> None:
    found, identity = find(name).polynomial_in_value, find(name).identity_in_value
    if found is None:
        assert identity is None or len(find(name).pieces) > 1 or identity.has(sympy.exp)
    else:
        assert found == identity
