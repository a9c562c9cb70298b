"""Proofs of approximations: true claims are proved, false ones refuted, and a saved proof is checked by other means."""

from __future__ import annotations

import ast
import json
import math
import sys
from itertools import pairwise
from pathlib import Path

import mpmath
import numpy as np
import pytest
from flint import arb, arb_series
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation import approximate, certify
from backprop.approximation.checking import check_certificate
from backprop.approximation.checking.definitions import ACTIVATIONS, TARGETS
from backprop.approximation.checking.evaluate import Place
from backprop.approximation.checking.evaluate import expand as expand_again
from backprop.approximation.checking.intervals import integer
from backprop.approximation.checking.reader import read
from backprop.approximation.ground.named import NAMED
from backprop.approximation.proving.enclosures import expand
from backprop.approximation.proving.kinks import force_kinks
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.prover import IntervalClaim, prove
from backprop.approximation.proving.tight import TightProof, prove_tightly
from backprop.approximation.proving.values import enclose_range
from backprop.approximation.searching.certified import certify_slopes, make_claim
from backprop.approximation.searching.tube import fit_tube
from backprop.codegen.functions.elementwise import evaluate
from backprop.door.cli import main
from backprop.errors import UsageError
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find, parse, transcribe

ROOM = Path(__file__).resolve().parents[3] / "backprop" / "approximation" / "checking"
POINTS = 4001


def write(folder, approximation, **changes):
    """The certificate of an approximation as a file, with some entries changed."""
    data = approximation.to_dict()
    for path, value in changes.items():
        *places, last = path.split("__")
        inner = data
        for place in places:
            inner = inner[place]
        inner[last] = value
    file = folder / "certificate.json"
    file.write_text(json.dumps(data))
    return file


def largest_error(claim):
    """On a dense set of points, in floats."""
    points = np.linspace(*claim.domain, POINTS)
    F, sigma = evaluate(claim.target), evaluate(claim.activation)
    units = zip(claim.w, claim.b, claim.c, strict=True)
    return float(np.max(np.abs(F(points) - claim.constant - sum(c * sigma(w * points + b) for w, b, c in units))))


weights = st.floats(-8, 8).map(lambda v: round(v, 3))
units = st.lists(st.tuples(weights, weights, weights), min_size=1, max_size=4)
parts = st.sampled_from(["sin(3*x)", "exp(-x)", "x**3", "abs(x - 1/3)", "cos(5*x)", "1/(1 + x**2)", "max(x, 1/4)"])


@st.composite
def claims(draw):
    target = parse(f"{draw(parts)} + {draw(parts)}*{draw(parts)}")
    w, b, c = zip(*draw(units), strict=True)
    sigma = find(draw(st.sampled_from(["tanh", "sigmoid", "relu", "gelu", "silu"]))).expression
    return IntervalClaim(target, sigma, w, b, c, draw(weights), (0.0, 1.0))


@settings(max_examples=25)
@given(claims(), st.floats(1.02, 3))
def test_a_proved_bound_is_never_below_the_error_and_a_claim_below_it_is_refuted(claim, looser):
    error = largest_error(claim)
    found = prove(claim, looser * error + 1e-9)
    assert found.verdict == "proved", found
    assert error <= found.bound * (1 + 1e-9) < looser * error + 2e-9
    false = prove(claim, 0.9 * error)
    assert false.verdict == "refuted"
    assert 0.9 * error <= false.at_least <= error * 1.05 + 1e-9


@pytest.mark.parametrize("name", ["sine", "square", "root", "runge", "oscillator", "planck"])
def test_a_named_target_is_proved_to_a_thousandth_and_confirmed(name, tmp_path):
    found = approximate(name, epsilon=1e-3, certify=True)
    assert found.certified
    assert found.certificate.bound < 1e-3
    verdict = check_certificate(write(tmp_path, found))
    assert verdict.ok, verdict
    assert verdict.bound < 1e-3


def test_a_kink_and_a_jump_are_bounded_too():
    bent = approximate("kink", width=2, activation="relu", certify=True)
    assert bent.certified
    assert bent.certificate.bound < 1e-12
    jump = approximate("step", width=2, certify=True)
    assert jump.certified
    assert jump.certificate.bound >= 0.5


@pytest.mark.parametrize(("name", "least", "most"), [("kink", 2, 2), ("root", 5, 5), ("sine", 12, 12)])
def test_the_width_of_relu_networks_is_proved_from_both_sides(name, least, most):
    found = approximate(name, epsilon=1e-2, activation="relu", certify=True)
    assert found.certified
    assert least <= found.width_lower_bound <= found.width <= most
    assert found.to_dict()["width_lower_bound"] == found.width_lower_bound


@settings(max_examples=5)
@given(st.floats(1, 9), st.floats(-1, 1), st.sampled_from([3e-2, 1e-2]))
def test_forced_kinks_are_never_more_than_a_network_in_the_tube_has(speed, bend, epsilon):
    target = parse(f"sin({speed:.3f}*x) + {abs(bend):.3f}*x**3")
    x = np.linspace(0, 1, 1501)
    function = evaluate(target)
    y = function(x)
    kinks = force_kinks(target, x, y, epsilon)
    for kind in (kinks.rising, kinks.falling):
        assert all(a < b < c for a, b, c in kind)
        assert all(one[2] <= other[0] for one, other in pairwise(kind))
    network = fit_tube(function, x, epsilon)
    assert network is not None
    made = network.constant + np.maximum(np.outer(x, network.w) + network.b, 0) @ network.c
    assert np.max(np.abs(made - y)) <= epsilon * (1 + 1e-6)
    assert kinks.least_width <= len(network.w) <= kinks.least_width + 1


def test_an_error_that_is_not_reached_is_refuted_at_a_point():
    found = certify(approximate("sine", width=2), 1e-6)
    assert not found.reached
    x = found.certificate.witness
    assert abs(math.sin(2 * math.pi * x) - float(found.f(x))) >= 1e-6
    assert "REFUTED" in str(found)


def test_time_and_boxes_are_bounded_and_giving_up_is_an_answer():
    claim = IntervalClaim(parse("2*x*sin(50*x)"), find("tanh").expression, (1.0,), (0.0,), (1.0,), 0.0, (0.0, 1.0))
    assert prove(claim, 2.75, most_boxes=2).verdict == "undecided"
    assert prove(claim, 2.75, seconds=0.0).verdict == "undecided"


@pytest.fixture(scope="module")
def proved():
    return approximate("sine", width=4, certify=True)


@pytest.mark.parametrize(
    "change",
    [
        {"constant": 0.3},
        {"hidden__w": [1.0, 2.0, 3.0, 4.0]},
        {"certificate__epsilon": 1e-30},
        {"target": "cos(2*pi*x)"},
        {"activation": "sigmoid"},
    ],
    ids=str,
)
def test_a_certificate_that_was_tampered_with_is_not_confirmed(proved, tmp_path, change):
    assert check_certificate(write(tmp_path, proved)).ok
    assert not check_certificate(write(tmp_path, proved, **change)).ok


@pytest.mark.parametrize(
    "change",
    [
        {"certificate__edges": [0.0, 0.5]},
        {"certificate__edges": [0.0, 0.7, 0.6, 1.0]},
        {"certificate__edges": []},
        {"domain": [0.0, 2.0]},
        {"certificate__verdict": "undecided"},
        {"certificate__epsilon": -1.0},
        {"hidden__c": [1.0]},
        {"hidden__b": "none"},
        {"target": "__import__('os').getcwd()"},
        {"target": "x" * 5000},
        {"activation": "open('x')"},
        {"constant": True},
    ],
    ids=lambda change: str(change)[:50],
)
def test_a_file_that_claims_no_proof_is_refused(proved, tmp_path, change):
    with pytest.raises(UsageError):
        check_certificate(write(tmp_path, proved, **change))


@given(st.integers(0, 7), st.floats(1e-3, 1))
@settings(max_examples=10)
def test_a_changed_weight_is_never_confirmed(proved, tmp_path_factory, place, change):
    data = proved.to_dict()
    data["hidden"]["c"][place % 4] += change * math.copysign(1, place - 3.5)
    file = tmp_path_factory.mktemp("changed") / "c.json"
    file.write_text(json.dumps(data))
    assert not check_certificate(file).ok


def test_the_command_writes_a_proof_and_checks_it(tmp_path, capsys):
    file = tmp_path / "proof.json"
    assert main(["approximate", "square", "--epsilon", "1e-3", "--certificate", str(file)]) == 0
    assert "PROVED" in capsys.readouterr().out
    assert main(["check-certificate", str(file)]) == 0
    assert "CONFIRMED" in capsys.readouterr().out
    assert main(["check-certificate", str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_checker_shares_nothing_with_the_prover():
    allowed = ("backprop.approximation.checking", "backprop.errors", "backprop.shown", "mpmath")  # shown: no arithmetic
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.startswith(allowed) or name.split(".")[0] in sys.stdlib_module_names, (path.name, name)


def test_both_sides_know_the_same_names():
    assert set(TARGETS) == set(NAMED)
    assert set(NAMES) - {"softmax"} <= set(ACTIVATIONS)


# -- tight, steep, derivatives, rounding

TIGHT, OF_SCALE, SEEN = 1.02, 1e-15, 20_001


@pytest.mark.parametrize(
    ("target", "domain", "activation", "width"),
    [("sine", None, "tanh", 9), ("kink", None, "tanh", 12), ("max(x, 0)", (-1.0, 1.0), "silu", 3),
     ("expit(4*x)", None, "tanh", 2), ("root", None, "sigmoid", 8), ("2**x", None, "tanh", 6),
     ("x**2", None, "relu", 6), ("exp(-x)*sin(8*x)", None, "gelu", 4)],
)  # fmt: skip
def test_a_bound_is_hardly_more_than_the_true_error(target, domain, activation, width):
    """The true error is at least what balls say at the worst of many points."""
    found = approximate(target, width=width, domain=domain, activation=activation, certify=True)
    low, high = found.domain
    near = (high - low) * np.geomspace(1e-9, 1, SEEN // 4)
    closing_in = [place + side * near for place in (low, *found.function.breaks, high) for side in (-1, 1)]
    points = np.concatenate([np.linspace(low, high, SEEN), *closing_in])
    points = points[(points >= low) & (points <= high)]
    claim = make_claim(found)
    search = TightProof(claim, found.function.scale, np.inf, np.inf, 1, 1)
    with computing():
        search.begin([float(x) for x in points[np.argsort(-np.abs(found.f(points) - found.function(points)))[:20]]])
    seen = (search.epsilon - 0.9e-15 * found.function.scale) / 1.015
    assert found.certified
    assert seen <= found.certificate.bound <= TIGHT * seen + OF_SCALE * found.function.scale


@pytest.mark.parametrize("slope", [1e3, 1e5, 1e6])
def test_a_steep_unit_is_no_trouble(slope):
    claim = IntervalClaim(transcribe("max(x, 0)"), transcribe("x/(1 + exp(-x))"), (slope,), (0.0,), (1 / slope,), 0.0,
                          (-1.0, 1.0), (0.0,))  # fmt: skip
    found = prove_tightly(claim, 1.0, [-1.2785 / slope])
    assert found.verdict == "proved"
    assert found.bound * slope == pytest.approx(0.27846, rel=0.02)


STEEP = {
    "log(1 + exp(x))": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "1/(1 + exp(x))": lambda z: 1 / (1 + mpmath.exp(z)),
    "log(1/(1 + exp(x)))": lambda z: -mpmath.log(1 + mpmath.exp(z)),
}


@pytest.mark.parametrize("text", STEEP)
@pytest.mark.parametrize(("low", "high"), [(-700.0, -650.0), (-3.0, 2.0), (0.5, 0.75), (100.0, 400.0), (2e3, 3e3)])
def test_where_e_to_z_is_huge_series_are_still_narrow_and_hold_the_values(text, low, high):
    """Both arithmetics, on a box: the true Taylor coefficients at points of it are inside."""
    with computing(terms=4):
        series = expand(find(text).as_written, arb_series([arb((low + high) / 2, (high - low) / 2), 1]))
        ours = [series[k] for k in range(4)]
    box = [(mpmath.mpf(low)._mpf_, mpmath.mpf(high)._mpf_), integer(1)]
    theirs = expand_again(read(text, {}), Place.of({"x": box}, ()), 4)
    with mpmath.workdps(60):
        for point in (low, (low + high) / 2, low + 0.3 * (high - low), high):
            for k, true in enumerate(mpmath.taylor(STEEP[text], mpmath.mpf(point), 3)):
                ends = [mpmath.mpf(end) for end in theirs[k]] if k < len(theirs) else [0, 0]
                slack = mpmath.mpf(10) ** -40
                assert ends[0] - slack <= true <= ends[1] + slack
                assert bool((ours[k] - arb(mpmath.nstr(true, 50))).contains(0) or abs(true) < slack)
    if low >= 100:
        assert ours[3].abs_upper() < 1e-30


def test_a_steep_unit_takes_no_more_boxes_where_it_is_a_line():
    """5e3 x − 2.5e3 for argument: beyond its bend softplus is a line, and few boxes show it."""
    claim = IntervalClaim(parse("max(x - 1/2, 0)"), parse("log(1 + exp(x))"), (5e3,), (-2.5e3,), (2e-4,), 0.0, (0, 1))
    found = prove(claim, 1.5e-4)
    assert found.verdict == "proved"
    assert len(found.edges) < 100


def test_a_bound_of_the_derivative_is_proved_and_confirmed(tmp_path):
    found = certify_slopes(approximate("exp(-x)*sin(3*pi*x)", width=5, certify=True))
    x = np.linspace(0, 1, 4001)
    h = 1e-6
    slope = (found.f(x + h) - found.f(x - h)) / (2 * h)
    true = np.exp(-x) * (3 * np.pi * np.cos(3 * np.pi * x) - np.sin(3 * np.pi * x))
    worst = float(np.max(np.abs(slope - true)))
    assert found.slope_certificate.verdict == "proved"
    assert 0.98 * worst <= found.slope_certificate.bound <= 1.05 * worst
    assert "derivative, |F' - f'|: PROVED" in str(found)
    file = tmp_path / "c.json"
    data = found.to_dict()
    file.write_text(json.dumps(data))
    assert check_certificate(file).holds
    assert "|F' - f'|" in str(check_certificate(file))
    file.write_text(
        json.dumps(data | {"derivative_certificate": data["derivative_certificate"] | {"epsilon": worst / 2}})
    )
    assert check_certificate(file).ok
    assert not check_certificate(file).holds


def test_where_there_is_no_derivative_none_is_proved():
    found = certify_slopes(approximate("x**2", width=3, activation="relu"))
    assert found.slope_certificate.verdict == "undecided"


@pytest.mark.parametrize(
    ("activation", "width"), [("tanh", 12), ("sigmoid", 30), ("relu", 9), ("gelu", 6), ("softplus", 10)]
)
def test_the_rounding_of_the_forward_pass_is_bounded(activation, width):
    """Against the exact network, in balls, at random doubles."""
    found = approximate("2**x*cos(3*x)", width=width, activation=activation, certify=True)
    points = np.random.default_rng(3).uniform(0, 1, 150)
    sigma, worst = find(activation).as_written, 0.0
    with computing():
        for x, computed in zip(points, found.f(points), strict=True):
            exact = arb(found.constant)
            for w, b, c in zip(found.w, found.b, found.c, strict=True):
                z = arb(float(w)) * arb(x) + arb(float(b))
                exact += arb(float(c)) * enclose_range(sigma, arb(z.lower()), arb(z.upper())).to_ball()
            worst = max(worst, float(abs(exact - arb(computed)).upper()))
    assert worst <= found.rounding
    assert found.float64_bound >= found.certificate.bound + found.rounding
    assert found.to_dict()["float64"]["sup_error_bound"] == found.float64_bound
    assert "evaluated in float64: at most" in str(found)


def test_an_activation_that_jumps_has_no_bound_of_rounding():
    found = approximate("x > 1/2", width=2, activation="x > 0", certify=True)
    assert found.float64_bound is None
    assert "float64" not in found.to_dict()
