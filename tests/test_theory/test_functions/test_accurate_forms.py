"""Accurate forms: derived, proved, of one sign; and polynomial pieces within their proved bound."""

from __future__ import annotations

import pytest
import sympy
from flint import arb

from backprop.examiner.certifying.balls import precision
from theory.functions.accurate_forms import TAU, D, R, W, derive_accurate
from theory.functions.activation_catalogue import NAMES
from theory.functions.decays import G, find_decay
from theory.functions.elementwise import find
from theory.functions.half_line import P, T, X
from theory.functions.polynomial_pieces import tabulate
from theory.functions.values import evaluate_precisely

WITHOUT_EXPONENTIAL = ("identity", "relu", "leaky_relu")
ROOTED = ("silu", "mish", "gelu_tanh")
DIGITS = 60
SAME = 1e-40
BITS = 300
END = 39


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_EXPONENTIAL])
def test_every_activation_with_an_exponential_has_accurate_forms(name: str) -> None:
    assert find(name).accurate is not None


@pytest.mark.parametrize("name", WITHOUT_EXPONENTIAL)
def test_where_there_is_no_exponential_nothing_needs_doing(name: str) -> None:
    assert find(name).accurate is None


@pytest.mark.parametrize("name", ROOTED)
@pytest.mark.parametrize("place", ["1/3", "5/4", "7"])
def test_differences_from_the_root_have_the_value_of_the_derivative(name: str, place: str) -> None:
    activation, p = find(name), sympy.Rational(place)
    form = activation.accurate
    assert form is not None
    product = form.derivative[0].product
    (root,) = [factor.root for factor in product.top if factor.root is not None]
    t = sympy.exp(-form.decay.exponent.subs(P, p))
    here = {P: p, T: t, R: root.place, TAU: root.decay, D: p - root.place, W: t / root.decay - 1}
    difference = evaluate_precisely(product.multiply().subs(here, simultaneous=True), p, DIGITS)
    difference -= evaluate_precisely(activation.derivative, -p, DIGITS)
    assert abs(difference) < SAME


@pytest.mark.parametrize("name", ROOTED)
def test_the_root_is_where_the_derivative_vanishes(name: str) -> None:
    form = find(name).accurate
    assert form is not None
    (root,) = [factor.root for factor in form.derivative[0].product.top if factor.root is not None]
    assert abs(evaluate_precisely(find(name).derivative, -root.place, DIGITS)) < SAME


def test_the_forms_read_as_one_would_write_them() -> None:
    silu, gelu = find("silu").accurate, find("gelu").accurate
    assert silu is not None
    assert gelu is not None
    assert silu.derivative[0].product.multiply() == -T * (D - TAU * W) / (T + 1) ** 2
    assert gelu.value[0].product.multiply() == -G * P * T
    assert (gelu.value[1].offset, gelu.derivative[1].offset, gelu.derivative[1].sign) == (P, 1, -1)


@pytest.mark.parametrize(
    "text", ["x*exp(x)", "sin(x) + x/3", "exp(-x**3)", "sigmoid(x) + erf(x)", "abs(x - 1)*sigmoid(x)"]
)
def test_where_the_method_does_not_apply_it_says_so(text: str) -> None:
    activation = find(text)
    assert derive_accurate(activation.pieces, activation.derivatives) is None


def tail(p: arb) -> arb:
    """g(p) = exp(p**2/2) erfc(p/sqrt 2)/2 in balls."""
    return (p * p / 2).exp() * (p / arb(2).sqrt()).erfc() / 2


@pytest.mark.parametrize("order", ["value", "derivative"])
def test_polynomial_pieces_are_within_their_proved_truncation(order: str) -> None:
    form = find("gelu").accurate
    assert form is not None
    (factor,) = getattr(form, order)[0].product.top
    pieces = tabulate(factor.expression, form.decay, factor.root, END)
    with precision(BITS):
        for i, centre in enumerate(pieces.centres):
            half = pieces.edges[i + 1] - centre
            for step in range(-16, 17):
                y = arb(half) * step / 16
                p = centre + y
                true = tail(p)
                if factor.root is not None:
                    place = arb(int(factor.root.place.p)) / int(factor.root.place.q)
                    true = (arb(2).sqrt() * p - 2 * arb.pi().sqrt() * tail(p)) / (p - place)
                total = arb(pieces.low[i])
                for k, row in enumerate(pieces.coefficients):
                    total += arb(row[i]) * y**k
                assert abs(total / true - 1) <= pieces.truncation
    assert pieces.truncation < 2.0**-54


def test_the_decay_is_found_from_the_functions_that_grow() -> None:
    assert find_decay([sympy.tanh(X), sympy.exp(X)]).exponent == P  # type: ignore[union-attr]
    assert find_decay([sympy.sin(X)]) is None
    assert find_decay([sympy.erf(X), sympy.exp(X)]) is None
