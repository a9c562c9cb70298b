"""Proofs for rectangles: what is proved holds at every point tried, what is refuted is false at the point named."""

from __future__ import annotations

import functools
import json
import math

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation import approximate_2d
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.proving.precision import computing
from backprop.approximation.surfaces import proving
from backprop.approximation.surfaces.certified import certify_surface
from backprop.approximation.surfaces.proving import ORDER, SurfaceClaim, prove_surface
from backprop.door.cli import main
from theory.functions.elementwise import parse
from theory.functions.values import real_symbol

X, Y = real_symbol("x"), real_symbol("y")
UNIT_SQUARE = ((0.0, 1.0), (0.0, 1.0))
ROUNDING = 1e-12


@functools.cache
def make(target, width):
    return approximate_2d(target, width=width)


def make_claim(target, w, b, c, constant, domain=UNIT_SQUARE, activation="tanh(x)"):
    network = ShallowNetwork(*(np.array(part, dtype=float) for part in (w, b, c)), constant)
    return SurfaceClaim(parse(target, ("x", "y")), parse(activation), network, domain)


def measure(claim, side=60):
    """The largest error at many points, by NumPy."""
    (a, b), (c, d) = claim.domain
    x, y = (part.ravel() for part in np.meshgrid(np.linspace(a, b, side), np.linspace(c, d, side)))
    network = claim.network
    values = np.tanh(np.outer(x, network.w[:, 0]) + np.outer(y, network.w[:, 1]) + network.b) @ network.c
    target = sympy.lambdify((X, Y), claim.target, "numpy")(x, y)
    return float(np.max(np.abs(values + network.constant - target)))


def test_the_bound_holds_on_frankes_surface():
    found = certify_surface(make("franke", 8))
    assert found.certified
    assert found.sup_error < found.certificate.bound < 1.06 * found.sup_error
    x, y = np.random.default_rng(0).uniform(0, 1, (2, 20_000))
    error = np.abs(found.f(x, y) - found.function(np.column_stack([x, y])))
    assert np.max(error) < found.certificate.bound
    assert "PROVED: at most" in str(found)
    numbers = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert numbers["certified"] is True
    assert numbers["sup_error_bound"] == found.certificate.bound
    assert numbers["certificate"]["boxes"] > 1


def test_too_small_an_error_is_refuted_at_a_point_that_can_be_checked():
    found = certify_surface(make("franke", 8), 0.9 * make("franke", 8).sup_error)
    assert not found.certified
    assert not found.reached
    assert "REFUTED: at x = " in str(found)
    proof = found.certificate
    assert proof.at_least >= proof.epsilon
    with mpmath.workdps(40):
        x, y = (mpmath.mpf(place) for place in proof.witness)
        network = found.network
        value = mpmath.mpf(network.constant)
        for w, b, c in zip(network.w, network.b, network.c, strict=True):
            value += mpmath.mpf(float(c)) * mpmath.tanh(
                mpmath.mpf(float(w[0])) * x + mpmath.mpf(float(w[1])) * y + float(b)
            )
        target = sympy.lambdify((X, Y), found.function.expression, "mpmath")(x, y)
        assert abs(value - target) >= proof.at_least


@pytest.mark.parametrize("part", ["w", "b", "c", "constant"])
def test_a_network_that_was_tampered_with_is_not_proved(part):
    found = certify_surface(make("x*y", 4), 1e-2)
    assert found.certified
    network = found.network
    changed = network._replace(**{part: getattr(network, part) * 1.5 + 0.1})
    claim = SurfaceClaim(found.function.expression, parse("tanh(x)"), changed, found.domain)
    assert prove_surface(claim, 1e-2).verdict == "refuted"


def test_the_coefficients_are_taylors():
    claim = make_claim("exp(x*y)*sin(x - 2*y)", [[1.5, -0.5]], [0.25], [2.0], 0.5)
    search = proving._SurfaceProof(claim, 1.0, math.inf, 10)
    with computing(terms=ORDER + 1):
        terms = search.expand_target([arb(0.5), arb(0.25)], [arb(1), arb(1)])
        units = search.expand_network(0.5, 0.25)
    network = 2 * sympy.tanh(sympy.Rational(3, 2) * X - Y / 2 + sympy.Rational(1, 4)) + sympy.Rational(1, 2)
    place = {X: sympy.Rational(1, 2), Y: sympy.Rational(1, 4)}
    for i, j in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (0, 3), (3, 2), (2, 5)]:
        factor = sympy.factorial(i) * sympy.factorial(j)
        for expression, rows in ((claim.target, terms), (network, units)):
            derivative = sympy.diff(sympy.diff(expression, (X, i)), (Y, j))
            expected = sympy.N(derivative.subs(place) / factor, 25)
            ball = rows[i + j][j]
            assert abs(float(ball.mid()) - float(expected)) <= ROUNDING * max(1, abs(float(expected)))
            assert float(ball.rad()) < ROUNDING


def test_the_remainder_bounds_what_the_polynomial_leaves():
    claim = make_claim("cos(9*x*y)", [[3.0, 2.0]], [-1.0], [1.0], 0.0)
    search, box = proving._SurfaceProof(claim, 1.0, math.inf, 10), (0.5, 0.75, 0.25, 0.5)
    with computing(terms=ORDER + 1):
        reach = [arb(0.125), arb(0.125)]
        terms = search.expand_target([arb(0.625), arb(0.375)], reach)
        units = search.expand_network(0.625, 0.375)
        remainder = float(search.bound_remainder(box, reach).upper())
    u, v = np.random.default_rng(1).uniform(-1, 1, (2, 4000))
    total = np.zeros_like(u)
    for degree in range(ORDER):
        for j in range(degree + 1):
            size = float(terms[degree][j].mid()) - float(units[degree][j].mid()) * 0.125**degree
            total += size * u ** (degree - j) * v**j
    x, y = 0.625 + 0.125 * u, 0.375 + 0.125 * v
    left = np.abs(np.cos(9 * x * y) - np.tanh(3 * x + 2 * y - 1) - total)
    assert 0.001 * remainder < np.max(left) <= remainder


UNITS = st.lists(
    st.tuples(st.floats(-4, 4), st.floats(-4, 4), st.floats(-2, 2), st.floats(-1, 1)), min_size=1, max_size=3
)


@settings(max_examples=25)
@given(UNITS, st.sampled_from(["x*y", "sin(3*x + y)", "1/(1 + x^2 + y)", "2", "sqrt(1 + x)*exp(-y)"]))
def test_what_is_proved_holds_and_what_is_refuted_does_not(units, target):
    w, b, c = [unit[:2] for unit in units], [unit[2] for unit in units], [unit[3] for unit in units]
    claim = make_claim(target, w, b, c, 0.25, ((-0.5, 0.5), (0.0, 2.0)))
    largest = measure(claim)
    above = prove_surface(claim, 1.2 * largest + 1e-6)
    assert above.verdict == "proved"
    assert largest <= above.bound + ROUNDING
    assert prove_surface(claim, 0.8 * largest).verdict == "refuted"


def test_giving_up_is_an_answer():
    claim = make_claim("x*y", [[1.0, 1.0]], [0.0], [1.0], 0.0)
    assert prove_surface(claim, 0.7, seconds=-1.0).verdict == "undecided"
    assert "time" in prove_surface(claim, 0.7, seconds=-1.0).reason
    kinks = make_claim("x*y", [[1.0, 1.0]], [0.0], [1.0], 0.0, activation="max(x, 0)")
    assert "kinks" in prove_surface(kinks, 10.0).reason
    bent = make_claim("abs(x - y)", [[1.0, 1.0]], [0.0], [1.0], 0.0)
    assert prove_surface(bent, 10.0, most_boxes=50).verdict == "undecided"
    assert "not proved: no decision" in str(certify_surface(make("abs(x - y)", 2), 0.5, seconds=0.05))


def test_the_precision_outside_is_left_alone():
    before = ctx.prec, ctx.cap
    prove_surface(make_claim("x", [[1.0, 0.0]], [0.0], [1.0], 0.0), 0.5)
    assert (ctx.prec, ctx.cap) == before


def test_the_command_line_proves_in_two_dimensions(capsys):
    assert main(["approximate", "x*y", "--epsilon", "1e-2", "--certify"]) == 0
    assert "PROVED: at most" in capsys.readouterr().out
    assert main(["approximate", "franke", "--width", "1", "--epsilon", "0.01", "--certify", "--json"]) == 1
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["certificate"]["verdict"] == "refuted"
    assert numbers["sup_error_bound"] is None
