"""Stable forms: right, quiet, as a textbook gives them, and a wrong one does not pass."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import branches, find
from theory.functions.half_line import HalfLine, M, T, X
from theory.functions.stable_forms import ProofError, list_sides, prove_on
from theory.functions.values import evaluate_precisely

FEW = 20  # examples where each one is a proof
DIGITS = 60
VALUES_AGREE = mpmath.mpf(10) ** -50
POINTS = [sympy.Rational(n, 7) for n in (-200, -31, -9, -3, -1, 1, 2, 5, 12, 40, 200)]


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_proved_form(name: str) -> None:
    form = branches(find(name))
    assert form.proved
    assert form.branches[0].lower == -sympy.oo
    assert form.branches[-1].upper == sympy.oo


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_stable_form_has_the_value_of_the_definition(name: str, point: sympy.Rational) -> None:
    activation, form = find(name), branches(find(name))
    branch = next(b for b in form.branches if b.lower < point <= b.upper)
    decay = sympy.exp(-(form.rate or 1) * abs(point))
    here = {X: point, T: decay, M: decay - 1}
    for stable, definition in ((branch.value, activation.expression), (branch.derivative, activation.derivative)):
        difference = evaluate_precisely(stable.subs(here), point, DIGITS)
        difference -= evaluate_precisely(definition, point, DIGITS)
        assert abs(difference) < VALUES_AGREE * max(1, abs(point))


@pytest.mark.parametrize("name", NAMES)
def test_no_stable_form_holds_an_exponential_that_can_overflow(name: str) -> None:
    for branch in branches(find(name)).branches:
        exponents = {node.args[0] for part in (branch.value, branch.derivative) for node in part.atoms(sympy.exp)}
        assert exponents <= {-(X**2) / 2}


def test_the_forms_are_the_ones_a_textbook_gives() -> None:
    left, right = branches(find("sigmoid")).branches
    assert (left.value, right.value) == (T / (1 + T), 1 / (1 + T))
    assert left.derivative == right.derivative == T / (1 + T) ** 2
    left, right = branches(find("softplus")).branches
    assert (left.value, right.value) == (sympy.log(1 + T), X + sympy.log(1 + T))
    left, right = branches(find("elu")).branches
    assert (left.value, left.derivative, right.value) == (M, T, X)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [-1, 1])
def test_a_stable_slope_is_the_derivative_of_the_stable_value(name: str, side: int) -> None:
    form = branches(find(name))
    rate = form.rate or sympy.Integer(1)
    half = HalfLine(side, rate)
    for branch in form.branches:
        if side in list_sides(branch):
            slope = branch.value.diff(X) - side * rate * T * (branch.value.diff(T) + branch.value.diff(M))
            assert (half.convert(slope) - half.convert(branch.derivative)).is_zero


WRONG_FORMS = [
    ("sigmoid", T / (1 + T), 1),
    ("sigmoid", 1 / (1 + T), -1),
    ("sigmoid", 1 / (1 - T), 1),
    ("sigmoid", 1 / (1 + T**2), 1),
    ("softplus", sympy.log(1 + T), 1),
    ("softplus", X - sympy.log(1 + T), 1),
    ("softplus", X + T, 1),
    ("silu", X * T / (1 + T), 1),
    ("silu", -X * T / (1 + T), -1),
    ("mish", X * (1 + 2 * T) / (1 + 2 * T + T**2), 1),
    ("tanh", M / (1 + T), 1),
    ("gelu", X * (1 + sympy.erf(X)) / 2, 1),
    ("sigmoid", 1 / (1 + T) + T / 10**12, 1),
]


@pytest.mark.parametrize(("name", "wrong", "side"), WRONG_FORMS, ids=str)
def test_a_wrong_form_does_not_pass_the_proof(name: str, wrong: sympy.Expr, side: int) -> None:
    with pytest.raises(ProofError, match="is not"):
        prove_on(HalfLine(side, sympy.Integer(1)), find(name).expression, wrong)


def test_a_form_with_the_wrong_rate_does_not_pass_the_proof() -> None:
    with pytest.raises(ProofError):
        prove_on(HalfLine(1, sympy.Integer(1)), find("sigmoid(2*x)").expression, 1 / (1 + T))
    prove_on(HalfLine(1, sympy.Integer(2)), find("sigmoid(2*x)").expression, 1 / (1 + T))


def test_a_form_that_cannot_be_compared_is_not_proved() -> None:
    with pytest.raises(ProofError, match="could not be compared"):
        prove_on(HalfLine(1, sympy.Integer(1)), sympy.sin(sympy.exp(X)), sympy.sin(1 / T))


@settings(max_examples=FEW, deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(-3, 3), st.integers(-2, 2))
def test_random_combinations_of_sigmoids_get_proved_forms(a: int, b: int, c: int, d: int) -> None:
    activation = find(f"{a}*x*sigmoid({b}*x/2) + {c}*softplus({b}*x) + {d}*x")
    assert branches(activation).proved


def test_where_the_rewriting_does_not_apply_the_definition_is_kept_and_said_to_be_unproved() -> None:
    form = branches(find("x*exp(x)"))
    assert not form.proved
    assert form.branches[0].value == X * sympy.exp(X)
