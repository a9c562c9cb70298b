"""Variance conditions: every step counted in small worlds, wrong ones refused; moments against sampling and papers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from sympy import Integer, oo

import backprop
from backprop.errors import UsageError
from backprop.training import draw_parameters, fit
from theory.chapters.training.expectation import Mean, Variance, check_means
from theory.chapters.training.initialisation import SCHEMES, derive_backward, derive_forward, gain, variance
from theory.chapters.training.moments import integrate_piece, measure_moments
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import ActivationError, find
from theory.functions.half_line import X
from theory.language.notation import Width, l, var

SAMPLES = 400_000
SAMPLING = 0.02
"""Relative: five standard errors of a mean of squares over the samples."""
ROUNDING = 1e-12


@pytest.mark.parametrize("derive", [derive_forward, derive_backward])
def test_every_step_holds_in_small_worlds(derive):
    assert check_means(derive()) == []


@pytest.mark.parametrize("derive", [derive_forward, derive_backward])
@pytest.mark.parametrize("wrong", [2, Variance(var("w", l))])
def test_a_wrong_factor_in_any_step_is_found(derive, wrong):
    right = derive()
    for k, step in enumerate(right.steps):
        changed = replace(step, after=step.after * wrong)
        assert changed in check_means(replace(right, steps=(*right.steps[:k], changed, *right.steps[k + 1 :])))


def test_the_mean_of_a_square_is_not_the_square_of_the_mean():
    right = derive_forward()
    last = right.steps[-1]
    wrong = replace(last, after=Width(l - 1) * Variance(var("w", l)) * Mean(var("a", l - 1)) ** 2)
    assert check_means(replace(right, steps=(*right.steps[:-1], wrong))) == [wrong]


@pytest.mark.parametrize("name", NAMES)
def test_moments_are_those_of_many_samples(name):
    z = np.random.default_rng(0).standard_normal(SAMPLES)
    activation = backprop.activation(name)
    moments = measure_moments(find(name))
    assert float(moments.value) == pytest.approx(np.mean(activation.f(z) ** 2), rel=SAMPLING)
    assert float(moments.slope) == pytest.approx(np.mean(activation.f_prime(z) ** 2), rel=SAMPLING)


def test_closed_forms_are_found_where_they_exist():
    exact = {name for name in NAMES if measure_moments(find(name)).exact}
    assert exact == {"identity", "relu", "leaky_relu", "elu", "selu"}
    assert measure_moments(find("leaky_relu")).value == (1 + sympy.Rational("0.01") ** 2) / 2


def test_selu_keeps_the_variance_that_its_constants_were_made_for():
    assert float(measure_moments(find("selu")).value) == pytest.approx(1, abs=ROUNDING)


@pytest.mark.parametrize(("power", "moment"), [(0, 1), (1, 0), (2, 1), (4, 3), (6, 15)])
def test_the_moments_of_the_normal_distribution_are_known(power, moment):
    assert sympy.simplify(integrate_piece(-oo, oo, X**power)) == moment


def test_an_exponential_is_integrated_and_a_root_is_not():
    assert sympy.simplify(integrate_piece(-oo, oo, sympy.exp(2 * X))) == sympy.exp(2)
    assert integrate_piece(Integer(0), oo, sympy.sqrt(X)) is None


def test_an_activation_that_grows_too_fast_has_no_moments():
    with pytest.raises(ActivationError, match="grows so fast"):
        measure_moments(find("exp(x**2)"))


def test_the_schemes_are_those_of_the_papers():
    inputs, outputs = sympy.symbols("M_in M_out", positive=True)
    assert SCHEMES["lecun"].formula == 1 / inputs
    assert SCHEMES["he"].formula == 2 / inputs
    assert SCHEMES["glorot"].formula == 2 / (inputs + outputs)
    assert variance("forward", 50, 7, "relu") == variance("he", 50, 7, "tanh")
    assert variance("both", 50, 7, "identity") == variance("glorot", 50, 7, "relu")
    assert gain("identity") == 1


@pytest.mark.parametrize("activation", ["tanh", "relu", "selu", "sin(x)"])
def test_outputs_keep_their_variance_through_twenty_layers(activation):
    net = backprop.build([200] * 21, activation=activation)
    theta = draw_parameters(net, np.random.default_rng(1), "forward")
    X = np.random.default_rng(2).standard_normal((100, 200))
    assert 0.3 < net.forward(theta, X).var() < 3


def test_uniform_weights_have_the_same_variance():
    net = backprop.build("300-200-1", activation="relu")
    for shape in ("normal", "uniform"):
        (W, b), _ = net.views(draw_parameters(net, np.random.default_rng(0), "he", shape))
        assert W.var() == pytest.approx(2 / 300, rel=SAMPLING)
        assert not b.any()
    assert np.abs(W).max() <= np.sqrt(3 * 2 / 300)


def test_unknown_initialisers_and_two_starts_are_refused():
    net = backprop.build("2-1")
    with pytest.raises(UsageError, match="did you mean 'glorot'"):
        draw_parameters(net, np.random.default_rng(0), "glorott")
    with pytest.raises(UsageError, match="unknown shape"):
        draw_parameters(net, np.random.default_rng(0), "he", "square")
    with pytest.raises(UsageError, match="give one of them"):
        fit(net, np.ones((3, 2)), np.ones((3, 1)), theta=np.zeros(3), initialiser="he")


def test_fit_starts_where_the_initialiser_says():
    net, data = backprop.build("2-3-1"), np.random.default_rng(0).normal(size=(9, 2))
    drawn = draw_parameters(net, np.random.default_rng(5), "he")
    history = fit(net, data, data[:, :1], initialiser="he", seed=5, epochs=1)
    assert history.costs[0] == net.cost(drawn, data, data[:, :1])
