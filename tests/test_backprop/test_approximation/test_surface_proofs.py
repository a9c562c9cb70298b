"""Proofs for rectangles: what is proved holds at every point tried, what is refuted is false at the point named."""

from __future__ import annotations

import contextlib
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
from kit.surface_claims import run

from backprop.approximation import approximate_2d
from backprop.approximation.checking import check_certificate
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.proving.bisection import telling
from backprop.approximation.proving.precision import computing
from backprop.approximation.surfaces import proving, ridges
from backprop.approximation.surfaces.certified import certify_surface
from backprop.approximation.surfaces.claims import ORDER, SurfaceClaim
from backprop.approximation.surfaces.proving import prove_surface
from backprop.codegen.functions.elementwise import evaluate
from backprop.door.cli import main
from backprop.errors import UsageError
from theory.functions.elementwise import parse, transcribe
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
        units = search.units.expand(0.5, 0.25, search.units.bound_rest(0.5, 0.25, 1.0, 1.0))
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
        rest = search.units.bound_rest(0.625, 0.375, 0.125, 0.125)
        units = search.units.expand(0.625, 0.375, rest)
        remainder = float(search.bound_target(box, reach).upper()) + rest.total
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
    bent = make_claim("max(x, y)", [[1.0, 1.0]], [0.0], [1.0], 0.0)
    assert prove_surface(bent, 0.5001, most_boxes=5).verdict == "undecided"
    assert "not proved: no decision" in str(certify_surface(make("max(x, y)", 2), 0.5, seconds=0.0))


@pytest.mark.parametrize("activation", ["max(x, 0)", "max(x, x/100)", "abs(x)"])
def test_kinks_inside_boxes_are_bounded_by_values(activation):
    claim = make_claim("max(x, y) + abs(x*y - 1/4)", [[1.0, -1.0], [0.5, 1.0]], [0.0, -0.75], [1.0, 0.5], 0.25,
                       activation=activation)  # fmt: skip
    found = prove_surface(claim, 2.0)
    assert found.verdict == "proved"
    x, y = np.random.default_rng(2).uniform(0, 1, (2, 5000))
    units = sympy.lambdify(X, claim.activation, "numpy")(np.outer(x, [1.0, 0.5]) + np.outer(y, [-1.0, 1.0]) - [0, 0.75])
    error = np.abs(np.maximum(x, y) + np.abs(x * y - 0.25) - units @ [1.0, 0.5] - 0.25)
    assert np.max(error) <= found.bound
    assert prove_surface(claim, 0.9 * np.max(error)).verdict == "refuted"


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


SHAPES = ("exp(-{0}**2)", "abs({0})", "sin(3*{0}) + {0}**2", "where({0} < 1/2, {0}, 1/2)", "max({0}, 0)*pi")


@given(st.sampled_from(SHAPES), st.integers(1, 9), st.integers(-9, 9).filter(bool), st.integers(-3, 3).filter(bool))
@settings(max_examples=25)
def test_a_function_of_one_direction_is_seen_and_its_profile_is_the_same_function(shape, p, q, times):
    p, q = p // math.gcd(p, q), q // math.gcd(p, q)
    text = shape.format(f"({times * p}*x/7 + {times * q}/7*y)")
    assert ridges.find_direction(transcribe(text, ("x", "y"))) == (p, q)
    profile = evaluate(parse(ridges.write_profile(text, (p, q))))
    surface = evaluate(parse(text, ("x", "y")), ("x", "y"))
    x, y = np.random.default_rng(0).uniform(-1, 1, (2, 50))
    np.testing.assert_allclose(profile(p * x + q * y), surface(x, y), atol=1e-12)


@pytest.mark.parametrize("text", ["x*y", "x + y + x*y", "exp(x) + y", "abs(x - y) + x", "max(x, y)", "x/y"])
def test_a_function_of_two_directions_is_none_of_one(text):
    assert ridges.find_direction(transcribe(text, ("x", "y"))) is None


def test_along_a_direction_everything_of_one_variable_holds():
    found = approximate_2d("abs(x - y)", epsilon=1e-3, activation="relu", certify=True)
    assert found.certified
    assert (found.width, found.width_lower_bound) == (2, 2)
    assert found.sup_error <= found.certificate.bound < 1e-3
    steep = approximate_2d("tanh(20*(x + y - 1))", epsilon=1e-3, certify=True)
    assert (steep.width, steep.certified) == (1, True)
    assert "any tanh network, of any width, errs by at least 0.5" in str(approximate_2d("x + y > 1", width=1))


@functools.cache
def save(target, **options):
    return json.dumps(approximate_2d(target, certify=True, **options).to_dict(), allow_nan=False)


SAVED = {
    "smooth": ("x*y", {"epsilon": 1e-3}),
    "named": ("franke", {"width": 2, "epsilon": 0.7}),
    "bent": ("max(x, y)", {"epsilon": 0.05, "activation": "relu"}),
    "along": ("exp(-(2*x + 3*y)^2)", {"epsilon": 1e-3}),
    "along a kink": ("abs(x - y)", {"epsilon": 1e-2, "activation": "relu"}),
}


@pytest.mark.parametrize("name", SAVED)
def test_what_is_proved_is_confirmed_by_the_checker(name, tmp_path, capsys):
    target, options = SAVED[name]
    file = tmp_path / "proof.json"
    file.write_text(save(target, **options))
    assert main(["check-certificate", str(file), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["ok"] is True
    assert verdict["bound"] < verdict["epsilon"]
    assert f"F = {target} on [0.0, 1.0] × [0.0, 1.0]" in verdict["subject"]


TAMPERED = {
    "weights": lambda data: data["hidden"]["w"][0].__setitem__(0, data["hidden"]["w"][0][0] * 1.25 + 0.5),
    "biases": lambda data: data["hidden"]["b"].__setitem__(0, data["hidden"]["b"][0] + 1.5),
    "output": lambda data: data["hidden"]["c"].__setitem__(0, data["hidden"]["c"][0] * 1.5 + 1),
    "constant": lambda data: data.update(constant=data["constant"] + 0.5),
    "target": lambda data: data.update(target="x*y*(1 + y)"),
    "domain": lambda data: data.update(domain=[[0.0, 1.0], [0.0, 7.0]]),
    "epsilon": lambda data: [part.update(epsilon=1e-9) for part in (data, data["certificate"])],
    "activation": lambda data: data.update(activation="sigmoid"),
    "places": lambda data: data["certificate"].update(cuts="xy.", edges=[0.0, 0.5]),
}


@pytest.mark.parametrize("name", ["smooth", "along"])
@pytest.mark.parametrize("part", TAMPERED)
def test_what_was_tampered_with_is_not_confirmed(name, part, tmp_path):
    target, options = SAVED[name]
    data = json.loads(save(target, **options))
    TAMPERED[part](data)
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(data))
    with contextlib.suppress(UsageError):  # it contradicts itself
        assert not check_certificate(file).holds


@pytest.mark.parametrize("cuts", ["", "x", "x.", "x...", "..", "z..", "x.y.", None, 3, ["."], "." * 3])
def test_cuts_that_are_no_tree_are_refused(cuts, tmp_path):
    data = json.loads(save("x*y", epsilon=1e-3))
    data["certificate"]["cuts"] = cuts
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(data))
    with pytest.raises(UsageError, match="no tree"):
        check_certificate(file)


def test_who_waits_hears_which_share_is_proved():
    heard = []
    with telling(heard.append):
        assert prove_surface(make_claim("sin(9*x*y)", [[1.0, 1.0]], [0.0], [1.0], 0.0), 2.5).verdict == "proved"
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1)


def test_nothing_false_of_two_variables_is_proved_or_confirmed():
    found = run(32, seed=5)
    assert sum(n for (_, what), n in found.items() if what == "false drawn") == 16
    assert {kind: what for (kind, what), n in found.items() if what in ("false proved", "false confirmed") and n} == {}
    assert sum(n for (_, what), n in found.items() if what == "true not proved") < 8
