"""Optimisers: the generated code against the equations, the published formulas and torch; schedules; clipping."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backprop.codegen.printing.updates import compile_rule
from backprop.errors import UsageError
from backprop.training import (
    OPTIMISERS,
    AdaGrad,
    AdaGradMomentum,
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    RMSProp,
    clip_by_norm,
    clip_by_value,
    constant,
    cosine,
    exponential,
    find_optimiser,
    one_cycle,
    step,
    time_decay,
)
from backprop.training.updating.optimiser import PIECE, Optimiser
from theory.chapters.training.optimisers import GRADIENT, PARAMETER, RATE, RULES, STEP, before, now

ROUNDING = 1e-12
"""Relative to the largest entry: what the roundings of a step, of a thousand steps come to."""
DIGITS = 40
NAMES = sorted(OPTIMISERS)
MOVING = st.floats(1e-3, 10) | st.floats(-10, -1e-3)
GRADIENTS = arrays(np.float64, (4, 2), elements=MOVING)
LONG_RUN = 1000


def follow(rule: Optimiser, gradients, start=None) -> np.ndarray:
    """The parameters after each step."""
    theta = np.zeros(gradients.shape[1]) if start is None else start.copy()
    path = []
    for gradient in gradients:
        rule.step(theta, gradient)
        path.append(theta.copy())
    return np.array(path)


def evaluate_equations(rule: Optimiser, gradients, start) -> np.ndarray:
    """The book's equations, one entry after the other, with many digits and no generated code."""
    stated = RULES[rule.name]
    settings = {s.letter: sympy.Float(rule.settings[s.name], DIGITS) for s in stated.settings}
    path = np.zeros(gradients.shape)
    for entry in range(gradients.shape[1]):
        memory = {letter: sympy.Integer(0) for letter in stated.memory}
        theta = sympy.Float(start[entry], DIGITS)
        for k, gradient in enumerate(gradients[:, entry]):
            known = settings | {before(letter): value for letter, value in memory.items()}
            known |= {GRADIENT: sympy.Float(gradient, DIGITS), PARAMETER: theta, STEP: sympy.Integer(k + 1)}
            known |= {RATE: sympy.Float(rule.rate, DIGITS)}
            for update in stated.equations:
                known[now(update.letter)] = update.expression.subs(known).evalf(DIGITS)
            theta = theta - stated.change.subs(known).evalf(DIGITS)
            memory = {letter: known[now(letter)] for letter in stated.memory}
            path[k, entry] = float(theta)
    return path


def assert_close(mine, theirs):
    np.testing.assert_allclose(mine, theirs, rtol=ROUNDING, atol=ROUNDING * np.max(np.abs(theirs)))


# ------------------------------------------------------------------------------------ against the book


@pytest.mark.parametrize("name", NAMES)
def test_the_generated_code_computes_the_equations_of_the_book(name):
    gradients = np.random.default_rng(0).normal(size=(6, 2))
    start = np.array([0.5, -2.0])
    assert_close(
        follow(find_optimiser(name), gradients, start), evaluate_equations(find_optimiser(name), gradients, start)
    )


def test_every_rule_of_the_book_has_a_class_and_no_other():
    assert set(OPTIMISERS) == set(RULES)
    assert all(find_optimiser(name).equations == RULES[name].lines() for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_generated_code_has_each_equation_beside_it(name):
    source = compile_rule(name).source
    remembered = [line for line in RULES[name].lines() if line.split("_t =")[0] in (*RULES[name].memory, "θ")]
    assert all(f"# {line}" in source for line in remembered)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_makes_no_array(name):
    rule, theta, gradient = find_optimiser(name), np.ones(50_000), np.ones(50_000)
    rule.step(theta, gradient)
    tracemalloc.start()
    rule.step(theta, gradient)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < gradient.nbytes / 10


# ------------------------------------------------------------------------- against published equations


@given(GRADIENTS)
def test_gradient_descent_steps_against_the_gradient(gradients):
    assert_close(follow(GradientDescent(0.3), gradients), -0.3 * np.cumsum(gradients, axis=0))


@given(GRADIENTS, st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_momentum_under_a_schedule_has_each_rate_inside_its_own_gradient(gradients, rates):
    rule = Momentum(0.1)
    changes = []
    for gradient, rule.rate in zip(gradients, rates, strict=True):
        changes.append(rule.update_change(gradient).copy())
    last = sum(0.9 ** (3 - k) * rates[k] * gradients[k] for k in range(4))
    np.testing.assert_allclose(changes[-1], last, rtol=ROUNDING, atol=10 * ROUNDING)


def test_nesterov_takes_the_gradient_at_the_point_looked_ahead_to():
    slope = np.array([1.0, 30.0])
    rule, phi = Nesterov(0.02, momentum=0.9), np.array([1.0, 1.0])
    theta, velocity = phi.copy(), np.zeros(2)
    for _ in range(20):
        rule.step(phi, slope * phi)
        velocity = 0.9 * velocity - 0.02 * slope * (theta + 0.9 * velocity)  # Sutskever et al., equations 3 and 4
        theta = theta + velocity
        assert phi == pytest.approx(theta + 0.9 * velocity, rel=1e-10)


@given(GRADIENTS)
def test_adagrad_divides_by_the_root_of_the_sum_of_squares(gradients):
    wanted = -0.1 * np.cumsum(gradients / (np.sqrt(np.cumsum(gradients**2, axis=0)) + 1e-10), axis=0)
    assert_close(follow(AdaGrad(0.1), gradients), wanted)


@given(GRADIENTS)
def test_adagrad_with_momentum_is_momentum_of_the_scaled_gradients(gradients):
    scaled = gradients / (np.sqrt(np.cumsum(gradients**2, axis=0)) + 1e-10)
    assert_close(follow(AdaGradMomentum(0.1, momentum=0.7), gradients), follow(Momentum(0.1, momentum=0.7), scaled))
    assert np.array_equal(follow(AdaGradMomentum(0.1, momentum=0), gradients), follow(AdaGrad(0.1), gradients))


@given(GRADIENTS)
def test_adam_is_the_algorithm_of_its_paper(gradients):
    m = v = np.zeros(2)
    theta, wanted = np.zeros(2), []
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        theta = theta - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        wanted.append(theta)
    assert_close(follow(Adam(0.01), gradients), np.array(wanted))


# --------------------------------------------------------------------------------------- against torch

PEERS = {
    "gradient-descent": (GradientDescent(0.05), "SGD", {"lr": 0.05}),
    "momentum": (Momentum(0.05, momentum=0.8), "SGD", {"lr": 0.05, "momentum": 0.8}),
    "nesterov": (Nesterov(0.05, momentum=0.8), "SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    "adagrad": (AdaGrad(0.05), "Adagrad", {"lr": 0.05, "eps": 1e-10}),
    "rmsprop": (RMSProp(0.01), "RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-8}),
    "adam": (Adam(0.01), "Adam", {"lr": 0.01}),
    "adamw": (AdamW(0.01, weight_decay=0.1), "AdamW", {"lr": 0.01, "weight_decay": 0.1}),
}


@pytest.mark.parametrize("name", sorted(PEERS))
def test_a_thousand_steps_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    rule, peer, options = PEERS[name]
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(LONG_RUN, 6)) * 10.0 ** rng.uniform(-3, 3, size=6)
    start = rng.normal(size=6)
    theta = torch.tensor(start, requires_grad=True)
    optimiser = getattr(torch.optim, peer)([theta], **options)
    path = []
    for gradient in gradients:
        theta.grad = torch.tensor(gradient)
        optimiser.step()
        path.append(theta.detach().numpy().copy())
    rule.reset()
    mine = follow(rule, gradients, start)
    difference = np.abs(mine - np.array(path)) / np.max(np.abs(path), axis=0)
    assert np.max(difference) <= ROUNDING


def test_the_clipped_norm_is_torchs_but_for_its_safety_term():
    torch = pytest.importorskip("torch")
    gradient = np.random.default_rng(3).normal(size=50)
    parameter = torch.zeros(50, dtype=torch.float64, requires_grad=True)
    parameter.grad = torch.tensor(gradient)
    length = torch.nn.utils.clip_grad_norm_([parameter], 0.5)
    assert clip_by_norm(gradient, 0.5) == pytest.approx(float(length), rel=ROUNDING)
    assert gradient == pytest.approx(parameter.grad.numpy() * (float(length) + 1e-6) / float(length), rel=ROUNDING)


# -------------------------------------------------------------------------------- what all optimisers do


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_updates_in_place_keeps_the_type_and_leaves_the_gradient(name, dtype):
    theta, gradient = np.ones(4, dtype), np.arange(4, dtype=dtype)
    same, kept = theta, gradient.copy()
    rule = find_optimiser(name)
    rule.step(theta, gradient)
    rule.step(theta, gradient)
    assert theta is same
    assert theta.dtype == rule.update_change(gradient, theta).dtype == dtype
    assert theta[1] < 1
    assert np.array_equal(gradient, kept)


@pytest.mark.parametrize("name", NAMES)
def test_a_long_vector_is_updated_piece_by_piece_as_if_it_were_whole(name):
    rng = np.random.default_rng(3)
    size = 2 * PIECE + 5
    rule, other = find_optimiser(name), find_optimiser(name)
    if name == "adamw":
        rule, other = (AdamW(weight_decay=np.linspace(0, 1, size)) for _ in range(2))
    theta = rng.normal(size=size)
    whole = theta.copy()
    for _ in range(3):
        gradient = rng.normal(size=size)
        rule.step(theta, gradient)
        whole -= other.update_change(gradient, whole)
    assert np.array_equal(theta, whole)


@pytest.mark.parametrize("name", NAMES)
def test_reset_forgets_everything(name):
    gradients = np.random.default_rng(2).normal(size=(5, 4))
    rule = find_optimiser(name)
    first = follow(rule, gradients)
    rule.reset()
    assert np.array_equal(follow(rule, gradients), first)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_remembered_can_be_recalled(name):
    gradients = np.random.default_rng(2).normal(size=(6, 4))
    rule, other = find_optimiser(name), find_optimiser(name)
    whole = follow(find_optimiser(name), gradients)
    half = follow(rule, gradients[:3])[-1]
    other.recall(*rule.remember())
    assert np.array_equal(follow(other, gradients[3:], half), whole[3:])


def test_the_decay_may_differ_from_parameter_to_parameter():
    rule = AdamW(0.1, weight_decay=np.array([0.0, 0.5]))
    theta = np.array([1.0, 1.0])
    rule.step(theta, np.zeros(2))
    assert theta.tolist() == [1.0, 0.95]


def test_a_rule_that_reads_the_parameters_asks_for_them():
    with pytest.raises(UsageError, match="update_change\\(gradient, theta\\)"):
        AdamW().update_change(np.ones(2))


def test_a_gradient_of_another_shape_is_refused():
    rule = Adam()
    rule.update_change(np.ones(2))
    with pytest.raises(UsageError, match=r"call reset\(\) first"):
        rule.update_change(np.ones(3))


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf, "fast", True])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(UsageError, match="learning rate"):
        find_optimiser("adam", rate)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Momentum(momentum=1), r"momentum must be a number in \[0, 1\)"),
        (lambda: Adam(beta1=-0.1), r"in \[0, 1\)"),
        (lambda: Adam(beta2=math.nan), r"in \[0, 1\)"),
        (lambda: RMSProp(epsilon=0), "epsilon must be a number > 0"),
        (lambda: AdamW(weight_decay=-1), "weight_decay must be a number >= 0"),
        (lambda: AdamW(weight_decay=np.array([-1.0])), "weight_decay must be a number >= 0"),
        (lambda: Adam(beta3=0.5), "unknown setting of adam 'beta3' \\(did you mean"),
        (lambda: GradientDescent(momentum=0.5), "none, it has only a rate"),
        (lambda: find_optimiser("Adamm"), "did you mean 'adam'"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()


# ------------------------------------------------------------------------------------------- schedules


def test_a_schedule_falls_from_its_peak_to_nothing():
    rates = [cosine(0.2)(done, 10) for done in range(11)]
    assert rates[0] == 0.2
    assert rates[5] == pytest.approx(0.1)
    assert rates[10] == pytest.approx(0, abs=ROUNDING)
    assert rates == sorted(rates, reverse=True)
    assert constant(0.2)(3, 10) == 0.2


def test_one_cycle_rises_to_its_peak_and_falls_far_below_its_start():
    rate = one_cycle(0.1, warm=0.2, start=10, end=100)
    rates = [rate(done / 10, 10) for done in range(101)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == rates[20] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(1e-4)
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)


@pytest.mark.parametrize(
    ("schedule", "done", "rate"),
    [
        (step(1.0, factor=0.5, every=10), 9.99, 1.0),
        (step(1.0, factor=0.5, every=10), 20, 0.25),
        (exponential(1.0, factor=0.9), 2, 0.81),
        (time_decay(5, 50), 0, 0.1),
        (time_decay(5, 50), 50, 0.05),
    ],
)
def test_a_schedule_is_its_formula(schedule, done, rate):
    assert schedule(done, 100) == pytest.approx(rate, rel=ROUNDING)


@pytest.mark.parametrize(
    "make",
    [
        lambda: step(0.1, every=0),
        lambda: step(0.1, factor=2),
        lambda: exponential(0.1, factor=0),
        lambda: time_decay(0, 1),
        lambda: one_cycle(0.1, warm=1),
        lambda: cosine(0),
        lambda: one_cycle(0.1, end=math.inf),
    ],
)
def test_an_impossible_schedule_is_refused(make):
    with pytest.raises(UsageError, match="must be"):
        make()


# -------------------------------------------------------------------------------------------- clipping


@given(arrays(np.float64, 5, elements=st.floats(-1e3, 1e3)), st.floats(1e-3, 1e3))
def test_clipping_by_norm_keeps_the_direction_and_the_limit(gradient, limit):
    clipped = gradient.copy()
    length = clip_by_norm(clipped, limit)
    assert np.linalg.norm(clipped) <= limit * (1 + ROUNDING) or length <= limit
    if length <= limit:
        assert np.array_equal(clipped, gradient)
    else:
        assert clipped * length == pytest.approx(gradient * limit, rel=1e-9, abs=ROUNDING)


@given(arrays(np.float64, 5, elements=st.floats(-1e3, 1e3)), st.floats(1e-3, 1e3))
def test_clipping_by_value_cuts_every_entry(gradient, limit):
    clipped = gradient.copy()
    clip_by_value(clipped, limit)
    assert np.array_equal(clipped, np.sign(gradient) * np.minimum(np.abs(gradient), limit))
