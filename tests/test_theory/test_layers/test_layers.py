"""Layers of the book: stated forward, derived by the same rules, every step re-checked by the witness."""

from __future__ import annotations

from dataclasses import replace

import pytest

from theory.chapters.book import CHAPTERS
from theory.chapters.networks.batch_norm import compact_form, derive_by_cuts, derive_compact_form, is_compact_form_equal
from theory.chapters.networks.costs import COSTS, derive_cost_gradient, find_cost
from theory.chapters.networks.layer_chapters import derive_residual
from theory.chapters.networks.recurrent import derive_through_time, lift_through_time
from theory.chapters.networks.softmax import derive_output_error, derive_stable_cost
from theory.language.layer_sums import LayerTotal
from theory.language.matrices import MatrixEntry
from theory.language.notation import L, Partial, l, nodes, sample, substitute, total, unit, var
from theory.layers.activation import activation
from theory.layers.batch_norm import batch_norm, batch_norm_given
from theory.layers.dropout import dropout
from theory.layers.gated import gated
from theory.layers.layer_norm import layer_norm
from theory.layers.penalty import penalty
from theory.layers.prelu import prelu
from theory.layers.recurrent import recurrent
from theory.layers.residual import residual, residual_stack
from theory.layers.weighted_sum import weighted_sum
from theory.rules.backward import derive_adjoint
from theory.rules.layer_equations import derive_layer, layer_equations
from theory.rules.matrix_form import lift_derivation
from theory.witnesses.witness import agree, agree_real, check

STATEMENTS = [
    activation, batch_norm, batch_norm_given, dropout, gated, layer_norm, prelu, residual, weighted_sum,
]  # fmt: skip
S, J = sample(), unit("j", l)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.__name__)
def test_every_step_of_every_layer_holds_up_to_the_matrix_form(statement):
    derived = derive_layer(statement)
    for equation in layer_equations(statement).backward:
        lifted = lift_derivation(derived[equation.target.name], equation.target.indices)
        assert check(lifted) == []
        assert lifted.result.matrix == equation.matrix


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.__name__)
def test_the_forward_equations_hold_as_matrices(statement):
    system = statement()
    same = agree_real if statement in (batch_norm, batch_norm_given, layer_norm) else agree
    for equation in layer_equations(statement).forward:
        assert same(system, equation.target, MatrixEntry(equation.matrix, *equation.target.indices))


def test_the_penalty_is_derived():
    assert check(derive_layer(penalty)["w"]) == []


def test_the_compact_form_of_batch_norm_is_what_was_derived_for_every_batch_size():
    assert is_compact_form_equal()
    system = derive_compact_form().system
    assert agree_real(system, derive_compact_form().subject, compact_form())


def test_a_compact_form_without_the_path_through_the_variance_is_refused():
    r = sample("r")
    d, d_r = Partial(var("C", None), var("h", l, S, J)), Partial(var("C", None), var("h", l, r, J))
    system, x = batch_norm(), Partial(var("C", None), var("x", l, S, J))
    wrong = var("gamma", l, J) * var("rho", l, J) * (d - total(d_r, r) / r.size)
    assert not agree_real(system, x, wrong)


def test_batch_norm_by_cuts_holds_and_its_mean_is_read_twice():
    by_cuts = derive_by_cuts()
    assert [check(derivation) for derivation in by_cuts.values()] == [[]] * len(by_cuts)
    assert set(by_cuts["mu"].system.cut_consumers(("mu", l))) == {("u", l), ("nu", l)}


def test_a_residual_network_sends_the_error_through_two_cuts():
    derived = derive_residual()
    assert [check(derivation) for derivation in derived.values()] == [[], []]
    assert set(residual_stack().cut_consumers(("h", l))) == {("z", l + 1), ("h", l + 1)}
    assert "through z^(l+1) and h^(l+1)" in derived["h"].to_text()


@pytest.mark.parametrize("letter", ["w", "b"])
def test_the_parameters_of_a_residual_network_are_derived(letter):
    indices = (unit("i", 0), unit("j", 0)) if letter == "w" else (unit("j", 0),)
    assert check(derive_adjoint(residual_stack(), var(letter, l, *indices), "BP4", "parameter")) == []


def test_the_last_residual_layer_is_derived():
    z = var("z", L, sample(), unit("j", 0))
    assert check(derive_adjoint(residual_stack(), z, "BP1", "last layer")) == []


def test_one_cut_of_two_forgotten_is_refused():
    derivation = derive_residual()["h"]
    shortened = replace(derivation, steps=derivation.steps[:1])
    only_skip = next(node for node in nodes(derivation.result) if isinstance(node, Partial))
    assert check(shortened.then("forgotten", only_skip))


@pytest.mark.parametrize("cost", COSTS)
def test_a_weighted_cost_is_derived_with_the_weight_of_each_sample(cost):
    assert check(derive_cost_gradient(cost, weighted=True)) == []
    for output in find_cost(cost).outputs or ("identity", "softmax", "tanh"):
        error = derive_output_error(output, cost, weighted=True)
        assert check(error) == []
        assert any(node == var("omega", None, S) for node in nodes(error.result))
        stable = derive_stable_cost(output, cost, weighted=True)
        assert stable is None or check(stable) == []


def test_softmax_with_weighted_cross_entropy_still_collapses():
    error = derive_output_error("softmax", "cross-entropy", weighted=True)
    assert error.equation() == "δ_sj^L = ω_s (a_sj^L - y_sj)/n"


@pytest.mark.parametrize("form", ["text", "latex", "markdown", "html"])
@pytest.mark.parametrize(
    "name",
    ["batch_norm", "layer_norm", "gates", "prelu", "dropout", "residual", "penalties", "lstm", "gru", "derivatives"],
)
def test_the_chapters_of_the_layers_print_themselves(name, form):
    text = CHAPTERS[name].render(form)
    assert CHAPTERS[name].title.split(":")[0] in text
    assert "DOES NOT HOLD" not in text


def test_backpropagation_through_time_is_derived_and_a_gradient_of_one_step_only_is_caught():
    lifted = lift_through_time()
    assert [check(derivation) for derivation in lifted.values()] == [[]] * 5
    for name in ("e", "w", "b"):
        summed = derive_through_time()[name]
        assert isinstance(summed.result, LayerTotal)
        assert not agree(summed.system, summed.subject, summed.result.body)
        last = substitute(summed.result.body, {l: L})
        assert not agree(summed.system, summed.subject, last)


def test_a_recurrent_layer_holds_as_matrices():
    for equation in layer_equations(recurrent).forward:
        assert agree(recurrent(), equation.target, MatrixEntry(equation.matrix, *equation.target.indices))
    for equation in layer_equations(recurrent).backward:
        slope = Partial(var("C", None), equation.target)
        assert agree(recurrent(), slope, MatrixEntry(equation.matrix, *equation.target.indices))
