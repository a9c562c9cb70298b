"""The network of the proof: its bound is never below its error, and every number of it is what the proof says."""

from __future__ import annotations

import functools
import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation import approximate_by, certify, construct
from backprop.approximation.ground.named import NAMED
from backprop.approximation.ground.target import read_target
from backprop.approximation.searching.apriori import compute_steepness
from backprop.approximation.searching.constructive import MOST_UNITS
from backprop.approximation.searching.modulus import Modulus, TargetJump, enclose_modulus, find_jump
from backprop.door.cli import main
from backprop.errors import UsageError

ROUNDING = 1e-12
SINE = "sin(2*pi*x)"
FEW = settings(max_examples=10)
CONTINUOUS = [name for name in NAMED if name != "step"]
CELLS = (4, 16, 64, 256)


@functools.cache
def read(text, domain=(0.0, 1.0)):
    return read_target(text, domain)


@functools.cache
def make(text, cells, domain=(0.0, 1.0)):
    return construct(read(text, domain), width=cells - 1)


@st.composite
def targets(draw):
    """Waves, kinks, roots and slopes, added up, on some interval."""
    low, length = draw(st.sampled_from([-3.0, 0.0, 0.25, 1000.0])), draw(st.sampled_from([0.5, 1.0, 7.0]))
    number = st.floats(-2, 2).map(lambda value: f"({value:.3f})")
    place = st.floats(0, 1).map(lambda share: f"{low + share * length:.4f}")
    wave = st.builds("{}*sin({}*x + {})".format, number, st.integers(1, 12), number)
    kink = st.builds("{}*abs(x - {})".format, number, place)
    root = number.map(lambda factor: f"{factor}*sqrt(x - ({low}))")
    bell = st.builds("{}*exp(-(x - {})**2)".format, number, place)
    terms = draw(st.lists(st.one_of(wave, kink, root, bell), min_size=1, max_size=3))
    return " + ".join(terms), (low, low + length)


@FEW
@given(targets(), st.integers(1, 40))
def test_the_bound_is_never_below_the_error(target, width):
    text, domain = target
    found = construct(read_target(text, domain), width=width)
    assert found.width == width
    assert found.sup_error <= found.bound.total + ROUNDING


@pytest.mark.parametrize("name", NAMED)
def test_every_named_target_has_a_bound_above_its_error(name):
    for cells in (2, 16):
        found = make(name, cells)
        assert found.sup_error <= found.bound.total <= 4 * found.sup_error


@pytest.mark.parametrize("name", CONTINUOUS)
def test_bounds_of_continuous_targets_fall_with_the_width(name):
    bounds = [make(name, cells).bound for cells in (4, 16, 64)]
    assert all(wide.total < narrow.total for narrow, wide in pairwise(bounds))
    assert all(bound.remark == "" for bound in bounds)


def test_bound_and_error_are_of_the_first_order():
    found = [make(SINE, cells) for cells in CELLS]
    for narrow, wide in pairwise(found):
        assert narrow.sup_error / wide.sup_error == pytest.approx(4, rel=0.1)
        assert narrow.bound.total / wide.bound.total == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("domain", [(-3.0, 2.0), (1e6, 1e6 + 6), (0.0, 1e-6), (-1e8, 1e8)])
def test_any_interval_will_do(domain):
    low, high = domain
    text = f"sin(6*(x - {low:.0f})/({high:.6f} - ({low:.0f})))"
    found = construct(read_target(text, domain), width=31)
    x = np.linspace(low, high, 777)
    assert np.max(np.abs(found.f(x) - found.function(x))) <= found.bound.total < 0.2


def test_the_numbers_are_those_of_the_proof():
    found, n = make(SINE, 16), 16
    values = [math.sin(2 * math.pi * (k - 0.5) / n) for k in range(1, n + 1)]
    assert found.constant == pytest.approx(values[0], abs=ROUNDING)
    assert found.c == pytest.approx(np.diff(values), abs=ROUNDING)
    assert np.array_equal(-found.b / found.w, np.arange(1, n) / n), "the knots, exactly"
    assert set(found.w) == {found.bound.steepness}
    assert math.log2(found.bound.steepness).is_integer()
    assert found.activation == "sigmoid"


def test_the_network_evaluated_by_hand_is_within_the_bound():
    found = make("kink", 16)
    for x in np.linspace(0, 1, 333):
        units = [c / (1 + math.exp(-max(w * x + b, -700))) for w, b, c in zip(found.w, found.b, found.c, strict=True)]
        assert abs(sum(units) + found.constant - abs(x - 0.5)) <= found.bound.total


def test_the_bound_is_made_of_its_parts():
    bound = make("root", 16).bound
    tail = bound.variation / (1 + math.exp(bound.steepness / 16 / 2))
    assert bound.tail == pytest.approx(tail, rel=1e-9)
    assert bound.total == pytest.approx((bound.half_change + bound.change) / 2 + tail + bound.rounding, rel=1e-9)
    assert math.sqrt(1 / 32) <= bound.half_change <= 1.1 * math.sqrt(1 / 32)
    assert math.sqrt(1 / 16) <= bound.change <= 1.1 * math.sqrt(1 / 16)


def test_tails_that_are_wide_awake_are_paid_for():
    steepness = compute_steepness(2.0, 0.1, 0.25)
    assert 2 / (1 + math.exp(steepness * 0.125)) <= 0.1
    assert steepness == pytest.approx(8 * math.log(20))


def test_the_error_can_be_proved_too_and_lies_below_the_bound():
    found = certify(make(SINE, 8))
    assert found.certified
    assert found.certificate.bound <= found.bound.total


def test_rounded_weights_are_paid_for():
    big = construct(read_target("10**12 + sin(x)", (0, 1)), width=7)
    assert big.bound.rounding > 1e-6
    parts = (big.bound.half_change + big.bound.change) / 2 + big.bound.tail + big.bound.rounding
    assert big.bound.total == pytest.approx(parts, rel=1e-9)
    assert big.sup_error <= big.bound.total + 1e-3, "floats near 10^12 are 1.2e-4 apart"


def test_a_constant_needs_one_unit():
    found = construct(read("3"), epsilon=1e-9)
    assert (found.width, found.sup_error) == (1, 0)
    assert found.bound.total < 1e-12


# --------------------------------------------------------------------------------------------- epsilon


@pytest.mark.parametrize(("name", "epsilon"), [("sine", 0.1), ("kink", 0.01), ("root", 0.1), ("runge", 0.2)])
def test_the_width_is_the_least_whose_bound_is_below_epsilon(name, epsilon):
    found = construct(read(name), epsilon=epsilon)
    assert found.reached
    assert found.sup_error <= found.bound.total < epsilon
    narrower = construct(read(name), width=round(0.9 * found.width))
    assert narrower.bound.total > 0.98 * epsilon
    assert "below the" in str(found)


def test_a_jump_has_no_bound_that_tends_to_zero():
    for cells in (4, 64):
        found = make("step", cells)
        assert 1 <= found.bound.total < 1.01
        assert found.sup_error == pytest.approx(0.5, abs=0.02)
        assert "jumps by 1 at x = 0.5" in found.bound.remark
        assert "nearer than 0.5" in str(found)
    assert construct(read("step"), epsilon=1.5).bound.total < 1.5
    with pytest.raises(UsageError, match=r"jumps by 1 at x = 0\.5.*does not tend to 0"):
        construct(read("step"), epsilon=0.3)


def test_an_epsilon_beyond_the_widest_is_refused_with_what_it_reaches():
    with pytest.raises(UsageError, match=rf"more than {MOST_UNITS} units for 0\.0001.*is about 0\.00"):
        construct(read("x**2"), epsilon=1e-4)


# --------------------------------------------------------------------------------------------- modulus


@FEW
@given(targets(), st.floats(0.001, 0.7), st.integers(10, 300))
def test_the_modulus_is_never_below_what_is_sampled(target, share, pieces):
    text, (low, high) = target
    function, distance = read_target(text, (low, high)), share * (high - low)
    bound = enclose_modulus(function, pieces).bound(distance)
    x = np.linspace(low, high, 400)
    y = np.clip(x[:, None] + distance * np.linspace(0, 1, 21), low, high)
    assert np.max(np.abs(function(y) - function(x)[:, None])) <= bound + ROUNDING


def test_pieces_that_two_points_can_reach_together_are_in_one_window():
    modulus = Modulus(np.arange(5.0), np.array([0.0, 0, 0, -1]), np.array([1.0, 0, 0, 0]))
    assert modulus.bound(1.9) == pytest.approx(1), "from the first piece to the third at most"
    assert modulus.bound(2.1) == pytest.approx(2), "from the end of the first to the start of the fourth"


def test_the_modulus_is_nearly_sharp_and_grows_with_the_distance():
    modulus = enclose_modulus(read("x**2"), 2000)
    for distance in (0.01, 0.1, 0.5):
        truth = 1 - (1 - distance) ** 2
        assert truth <= modulus.bound(distance) <= truth + 3 * 2 / 2000
    assert modulus.bound(0.1) < modulus.bound(0.2) < modulus.bound(2.0) <= 1.001


@pytest.mark.parametrize(
    ("text", "jump"),
    [("x > 1/3", (1 / 3, 1)), ("x + 2*(x > 1/4) - (x > 3/4)", (0.25, 2)), ("abs(x - 1/2)", None), ("x", None)],
)
def test_jumps_are_found_and_kinks_are_none(text, jump):
    found = find_jump(read(text))
    assert found == (None if jump is None else TargetJump(jump[0], pytest.approx(jump[1])))


def test_a_target_that_cannot_be_enclosed_is_refused_in_one_line():
    with pytest.raises(UsageError, match="no modulus of continuity") as caught:
        construct(read_target("sin(x - 1/3)/(x - 1/3)", (0, 1)), width=4)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------ the command line


def run(capsys, *words):
    status = main(["approximate", *words])
    out, err = capsys.readouterr()
    return status, out, err


def test_the_command_prints_bound_and_error(capsys):
    status, out, _ = run(capsys, SINE, "--method", "constructive", "--width", "15")
    assert status == 0
    assert "written down as in the proof: largest error 1.95e-01" in out
    assert "a-priori bound 2.97" in out
    status, out, _ = run(capsys, SINE, "--method", "constructive", "--width", "15", "--json")
    numbers = json.loads(out)
    assert (status, numbers["method"], numbers["activation"]) == (0, "constructive", "sigmoid")
    assert numbers["sup_error_on_grid"] <= numbers["a_priori_bound"] == numbers["a_priori"]["total"]


def test_other_methods_have_no_a_priori_bound(capsys):
    numbers = json.loads(run(capsys, "x**2", "--width", "2", "--json")[1])
    assert (numbers["method"], numbers["a_priori_bound"], numbers["activation"]) == ("fit", None, "tanh")
    assert "a_priori" not in numbers


def test_a_width_with_an_epsilon_is_compared(capsys):
    assert run(capsys, SINE, "--method", "constructive", "--width", "3", "--epsilon", "0.01")[0] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "constructive", "--width", "4", "--activation", "tanh"], "about sigmoid units; got"),
        (["--method", "constructive"], "needs a width"),
        (["--method", "constructive", "--width", "0"], f"from 1 to {MOST_UNITS}"),
        (["--method", "constructive", "--epsilon", "-1"], "epsilon must be"),
        (["--method", "constructiv", "--width", "4"], "did you mean 'constructive'"),
        (["--method", "adam", "--epsilon", "0.1"], "adam needs a width"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_status_two(capsys, words, message):
    status, out, err = run(capsys, SINE, *words)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_every_method_makes_a_network_of_the_width_asked_for():
    for method in ("fit", "constructive"):
        found = approximate_by(method, "cos(3*x)", width=3, domain=(-1, 1))
        assert (found.method, found.width, found.domain) == (method, 3, (-1, 1))
