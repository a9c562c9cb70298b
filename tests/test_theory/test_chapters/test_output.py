"""Costs and output functions: derived slopes, collapses, safe forms."""

from __future__ import annotations

import pytest
from sympy import Symbol, exp, log

from theory.chapters.networks.costs import COSTS, derive_cost_gradient
from theory.chapters.networks.softmax import derive_output_error, derive_slope, derive_stable_cost, slope_by_sigmoid
from theory.language.notation import L, Total, Width, kinds, n, same, sample, unit, var
from theory.rules.matrix_form import lift_derivation
from theory.witnesses.witness import check

S, J = sample(), unit("j", L)
A, Y = var("a", L, S, J), var("y", None, S, J)
PAIRS = [
    (output, cost.name)
    for cost in COSTS.values()
    for output in (cost.outputs or ("identity", "tanh", "sigmoid", "softmax"))
]


@pytest.mark.parametrize(
    ("output", "cost", "error"),
    [
        ("softmax", "cross-entropy", (A - Y) / n),
        ("sigmoid", "binary-cross-entropy", (A - Y) / n),
        ("identity", "half-sse", A - Y),
        ("identity", "mse", 2 * (A - Y) / (n * Width(L))),
        ("sigmoid", "cross-entropy", Y * (A - 1) / n),
    ],
)
def test_the_error_collapses(output, cost, error):
    assert (derive_output_error(output, cost).result - error).expand() == 0


@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_every_output_error_is_right_in_every_step_and_lifts_to_matrices(output, cost):
    assert check(lift_derivation(derive_output_error(output, cost), (S, J))) == []


@pytest.mark.parametrize("cost", list(COSTS))
def test_every_cost_gradient_is_right_in_every_step(cost):
    derivation = derive_cost_gradient(cost)
    assert check(derivation) == []
    assert Total not in kinds(derivation.result)


def test_the_collapse_of_softmax_uses_that_targets_sum_to_one():
    rules = [step.rule for step in derive_output_error("softmax", "cross-entropy").steps]
    assert "targets sum to one" in rules


def test_the_jacobian_of_softmax_is_full():
    i = unit("i", L)
    result = derive_slope("softmax").result
    assert var("a", L, sample("r"), J) in result.atoms(type(A))
    assert var("a", L, sample("r"), i) in result.atoms(type(A))


@pytest.mark.parametrize(
    ("output", "cost"),
    [("softmax", "cross-entropy"), ("sigmoid", "cross-entropy"), ("sigmoid", "binary-cross-entropy")],
)
def test_the_safe_form_of_an_entropy_holds_and_takes_no_logarithm_of_an_output(output, cost):
    derivation = derive_stable_cost(output, cost)
    assert check(derivation) == []
    assert A not in derivation.result.atoms(type(A))


@pytest.mark.parametrize(("output", "cost"), [("identity", "half-sse"), ("tanh", "mse"), ("softmax", "mse")])
def test_costs_without_logarithms_stay_as_they_are(output, cost):
    assert derive_stable_cost(output, cost) is None


def test_a_slope_that_is_no_function_of_the_sigmoid_is_refused():
    x = Symbol("x", real=True)
    assert str(slope_by_sigmoid(log(1 + exp(x)), x)) == "a"
    with pytest.raises(ValueError, match="sigmoid"):
        slope_by_sigmoid(x * exp(x), x)


def test_scales_differ_by_the_stated_factor():
    half, mean = (derive_cost_gradient(name).result for name in ("half-sse", "mse"))
    assert same((mean / half).simplify(), 2 / (n * Width(L)))
