"""A network with its derivatives by the input: derived, witnessed, generated, verified; mistakes are called wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import backprop
from backprop.codegen.lowering.load import load
from backprop.errors import UsageError
from theory.chapters.networks.tangents import derive_forward, derive_tangents, list_claims, tangents, with_cost
from theory.language.notation import Function, nodes, rewrite
from theory.witnesses.witness import agree, check

COSTS = ["(1 - t)*(y2 + pi^2*sin(pi*x))^2 + t*y^2", "(y2 + y*y1 - t)^2", "y1^2", "exp(y)*y2"]
LINES = {
    "the slope's own slope is left out": ("+ zx1 ** 2 * f_prime_prime(z1)", ""),
    "a factor 2 is lost": ("2 * (dzxx2 @ W2.T)", "(dzxx2 @ W2.T)"),
    "the weights see the outputs only": (" + axx1.T @ dzxx2", ""),
}


def test_every_derived_equation_holds_where_the_cost_reads_both_derivatives():
    for derivation in derive_tangents().values():
        assert check(replace(derivation, system=with_cost(derivation.system))) == []


def test_the_forward_equations_are_derived_step_by_step_and_are_what_the_list_says():
    derived = [derivation for order in derive_forward() for derivation in order]
    assert [check(replace(derivation, system=with_cost(tangents()))) for derivation in derived] == [[]] * 4
    assert [d.equation() for d in derived] == [
        "ż_sj^l = Σ_k w_kj^l ȧ_sk^(l-1)",
        "ȧ_sj^l = f'_l(z_sj^l) ż_sj^l",
        "ž_sj^l = Σ_i w_ij^l ǎ_si^(l-1)",
        "ǎ_sj^l = f'_l(z_sj^l) ž_sj^l + f''_l(z_sj^l) (ż_sj^l)^2",
    ]


def test_they_are_the_derivatives_along_the_input_and_half_of_them_is_not():
    for name, left, right in list_claims():
        assert agree(tangents(), left, right), name
        assert not agree(tangents(), 2 * left, right), name


def test_the_witness_sees_a_derivative_of_the_activation_that_is_of_another_order():
    derivation = derive_tangents()["z"]
    before = next(step.before for step in derivation.steps if step.rule == "entry by entry")
    highest = max(node.order for node in nodes(before) if isinstance(node, Function))

    def lower(node):
        is_highest = isinstance(node, Function) and node.order == highest
        return Function(node.layer, highest - 1, node.argument) if is_highest else None

    system = with_cost(derivation.system)
    assert agree(system, derivation.subject, before)
    assert not agree(system, derivation.subject, rewrite(before, lower))


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize(("sizes", "activation"), [("1-4-1", "tanh"), ("1-3-4-1", "softplus"), ("1-3-1", "sin(x)")])
def test_the_gradient_of_a_cost_with_derivatives_is_verified(sizes, activation, cost):
    report = backprop.verify(backprop.build_with_derivatives(sizes, cost, activation))
    assert report.ok, str(report)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gelu", "x^3"])
def test_the_derivatives_are_those_of_the_outputs(activation):
    net, rng, step = backprop.build_with_derivatives("1-5-4-1", "y2^2", activation), np.random.default_rng(0), 1e-5
    params, X = net.parameters(rng), rng.uniform(-1, 1, size=(6, 1))
    _, first, second = net.derivatives(params, X)
    up, down = net.derivatives(params, X + step), net.derivatives(params, X - step)
    for found, k in ((first, 0), (second, 1)):
        assert np.allclose((up[k] - down[k]) / (2 * step), found, rtol=1e-6, atol=1e-6 * np.abs(found).max())


@pytest.mark.parametrize("mistake", LINES)
def test_a_mistake_in_a_line_is_called_wrong(mistake):
    source = backprop.build_with_derivatives("1-4-1", COSTS[1]).__source__
    right, wrong = LINES[mistake]
    head, _, tail = source.partition("def gradients")
    assert right in tail
    assert not backprop.verify(load(head + "def gradients" + tail.replace(right, wrong))).ok


@pytest.mark.parametrize(
    ("sizes", "cost", "activation", "said"),
    [
        ("2-3-1", "y2^2", "tanh", "one input"),
        ("1-3-2", "y2^2", "tanh", "one output"),
        ("1-3-1", "y2^2", "relu", "kink"),
        ("1-3-1", "y3^2", "tanh", "y3"),
        ("1-3-1", "y2^", "tanh", "cost of a row"),
    ],
)
def test_what_has_no_second_derivative_or_cannot_be_read_is_refused(sizes, cost, activation, said):
    with pytest.raises(UsageError, match=said):
        backprop.build_with_derivatives(sizes, cost, activation)


def test_a_wrong_gradient_of_a_cost_with_derivatives_is_not_called_another_forward_pass():
    source = backprop.build_with_derivatives("1-6-5-1", COSTS[1]).__source__
    head, _, tail = source.partition("def gradients")
    wrong = tail.replace("+ zx1 ** 2 * f_prime_prime(z1)", "")
    said = str(backprop.verify(load(head + "def gradients" + wrong)))
    assert "Part of the cost does not depend on the outputs alone" in said
    assert "another forward pass" not in said


def test_of_an_ordinary_cost_that_reads_the_outputs_alone_it_is_not_said():
    source = backprop.build_with_derivatives("1-6-5-1", "(y - t)^2").__source__
    head, _, tail = source.partition("def gradients")
    assert "delta3 = row_cost_y(X" in tail
    wrong = tail.replace("delta3 = row_cost_y(X", "delta3 = z3 * row_cost_y(X")
    report = backprop.verify(load(head + "def gradients" + wrong))
    assert not report.ok
    assert "outputs alone" not in str(report)
