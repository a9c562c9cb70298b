"""The four equations: what was derived, and that the induction closes or refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer

from theory.chapters.networks.four_equations import (
    check_induction,
    derive,
    derive_matrix_form,
    forward_matrix_form,
    system,
)
from theory.language.derivation import Step
from theory.language.matrices import Applied, Array, Hadamard, MatrixEntry, Outer, Product, SumOverRows, Transposed
from theory.language.notation import Function, L, Partial, l, same, sample, total, unit, var
from theory.language.printing import show
from theory.layers.dense import batched, dense
from theory.rules.backward import derive_adjoint
from theory.witnesses.witness import check

I, J, K, S = unit("i", l - 1), unit("j", l), unit("k", l + 1), sample()


def test_bp1_to_bp4_are_the_lecture_equations_with_the_order_of_indices_of_its_definition():
    bp1, bp2, bp3, bp4 = (derivation.result for derivation in derive().values())
    j = unit("j", L)
    assert same(bp1, Function(L, 1, var("z", L, j)) * Partial(var("C", None), var("a", L, j)))
    assert same(bp2, Function(l, 1, var("z", l, J)) * total(var("w", l + 1, J, K) * var("delta", l + 1, K), K))
    assert same(bp3, var("delta", l, J))
    assert same(bp4, var("a", l - 1, I) * var("delta", l, J))


def test_a_batch_sums_over_its_samples_in_bp3_and_bp4_only():
    bp1, bp2, bp3, bp4 = (derivation.result for derivation in derive(batch=True).values())
    assert same(bp3, total(var("delta", l, S, J), S))
    assert same(bp4, total(var("a", l - 1, S, I) * var("delta", l, S, J), S))
    assert not any(index.is_sample for e in (bp1, bp2) for index in bound_indices(e))


def bound_indices(expr):
    from theory.language.notation import bound_indices as bound

    return bound(expr)


def test_the_transpose_and_the_sum_over_rows_appear_in_the_batch_form():
    W, delta = Array(var("w", l + 1, J, K)), Array(var("delta", l + 1, S, K))
    bp2 = derive_matrix_form("BP2").result
    assert isinstance(bp2, MatrixEntry)
    assert bp2.matrix == Hadamard(Product(delta, Transposed(W)), Applied(l, Integer(1), Array(var("z", l, S, J))))
    assert isinstance(derive_matrix_form("BP3").result.matrix, SumOverRows)
    assert isinstance(derive_matrix_form("BP4").result.matrix.args[0], Transposed)
    assert isinstance(derive_matrix_form("BP4", batch=False).result.matrix, Outer)


def test_the_reader_is_told_where_the_transpose_comes_from():
    notes = [step.note for step in derive_matrix_form("BP2").steps]
    assert any("transpose" in note for note in notes)
    assert any("samples" in step.note for step in derive_matrix_form("BP3").steps)


@pytest.mark.parametrize("label", ["BP1", "BP2", "BP3", "BP4"])
@pytest.mark.parametrize("batch", [False, True])
def test_every_lift_is_checked_entry_by_entry(label, batch):
    assert check(derive_matrix_form(label, batch)) == []


def test_forward_matrix_forms_read_as_in_the_notation():
    assert show(forward_matrix_form(batch=False)["F1"]) == "(W^l)ᵀ a^(l-1) + b^l"
    assert show(forward_matrix_form(batch=True)["F2"]) == "f_l(Z^l)"


def test_the_induction_closes():
    equations = derive()
    assert all(closure.holds for closure in check_induction(equations["BP1"], equations["BP2"]))


def failing(base, step):
    return [closure.what for closure in check_induction(base, step) if not closure.holds]


def test_the_induction_refuses_a_step_that_uses_the_error_of_its_own_layer():
    equations = derive()
    step = equations["BP2"]
    wrong = replace(step, steps=(*step.steps, Step("wrong", step.result, var("delta", l, J))))
    assert any("shifted by one layer" in what for what in failing(equations["BP1"], wrong))


def test_the_induction_refuses_a_derivative_that_is_left():
    equations = derive()
    step = equations["BP2"]
    left = Partial(var("C", None), var("z", l + 1, K)) * var("delta", l + 1, K)
    wrong = replace(step, steps=(*step.steps, Step("wrong", step.result, left)))
    assert any("unevaluated" in what for what in failing(equations["BP1"], wrong))


def test_the_induction_refuses_a_network_where_the_next_layer_is_not_a_cut():
    from theory.language.statement import Definition, System

    i2 = unit("i", l - 2)
    plain = dense()
    residual = plain.definitions[0].expr + total(var("w", l, I, J) * var("a", l - 2, i2), i2, I)
    skipping = System((Definition("F1", plain.definitions[0].target, residual), plain.definitions[1]), last=L)
    step = replace(derive()["BP2"], system=skipping)
    assert any("is a cut" in what for what in failing(derive()["BP1"], step))


def test_base_and_step_must_speak_of_the_same_quantity():
    equations = derive()
    base = replace(equations["BP1"], steps=(Step("other", equations["BP1"].subject, var("delta", L, J)),))
    assert failing(base, equations["BP2"]) != []


def test_the_number_of_steps_is_small_enough_to_read():
    assert all(len(derivation.steps) <= 15 for derivation in derive(batch=True).values())


def test_the_engine_derives_any_quantity_for_example_an_input():
    a = var("a", l, S, J)
    derivation = derive_adjoint(batched(dense()), a, "∂C/∂a", "an activation inside")
    assert same(derivation.result, total(var("w", l + 1, J, K) * var("delta", l + 1, S, K), K))
    assert check(derivation) == []
    assert system(True).cut_consumers(("a", l)) == (("z", l + 1),)
