"""The witness catches every wrong equation, by its value, and passes every right one."""

from __future__ import annotations

import pytest
from kit.mutations import mutate

from theory.chapters.networks.costs import COSTS, derive_cost_gradient
from theory.chapters.networks.four_equations import derive
from theory.chapters.networks.softmax import derive_output_error, derive_slope
from theory.language.derivation import Derivation, Step
from theory.language.notation import Integer, Partial, l, total, unit, var
from theory.layers.dense import dense
from theory.witnesses import witness
from theory.witnesses.witness import agree, agree_in, check, worlds

LEAST_MUTANTS = 100
RIGHT = [
    *derive(batch=False).values(),
    *derive(batch=True).values(),
    *(derive_cost_gradient(name) for name in COSTS),
    derive_slope("softmax"),
    derive_output_error("softmax", "cross-entropy"),
    derive_output_error("softmax", "mse"),
    derive_output_error("sigmoid", "binary-cross-entropy"),
    derive_output_error("tanh", "half-sse"),
]
MUTANTS = [(d, name, mutant) for d in RIGHT for name, mutant in mutate(d.result) if mutant != d.result]


def catching_worlds(derivation: Derivation) -> list[witness.World]:
    """The worlds in which indices, batch sizes and depths cannot hide a fault."""
    return list(worlds(derivation.system))[1:]


def test_there_are_enough_mutants():
    assert len(MUTANTS) >= LEAST_MUTANTS


def test_the_catching_nets_have_equal_widths_several_samples_and_depth():
    for derivation in RIGHT:
        for world in catching_worlds(derivation):
            assert len(set(world.widths)) == 1
            assert world.widths[0] >= 2
            assert world.rows > 1
            assert world.depth >= 3


def test_every_mutated_equation_is_caught_by_its_value():
    survivors = [
        f"{derivation.label}: {name}"
        for derivation, name, mutant in MUTANTS
        if all(agree_in(world, derivation.subject, mutant) for world in catching_worlds(derivation))
    ]
    assert survivors == []


@pytest.mark.parametrize("derivation", RIGHT, ids=lambda d: f"{d.label} {d.title}")
def test_every_step_of_a_right_derivation_holds(derivation):
    assert check(derivation) == []


def test_a_derivation_with_one_wrong_step_is_refused_at_that_step():
    right = derive()["BP2"]
    broken = list(right.steps)
    broken[5] = Step(broken[5].rule, broken[5].before, 2 * broken[5].after)
    wrong = check(Derivation(right.label, right.title, right.subject, tuple(broken), right.system))
    assert broken[5] in wrong


def test_a_derivation_whose_steps_do_not_join_is_refused():
    right = derive()["BP4"]
    gap = Derivation(right.label, right.title, right.subject, (*right.steps[:2], *right.steps[3:]), right.system)
    assert check(gap) != []


def test_laws_of_the_logarithm_are_refused_over_the_field_and_hold_for_reals():
    from theory.chapters.networks.softmax import derive_stable_cost

    derivation = derive_stable_cost("softmax", "cross-entropy")
    step = derivation.steps[-1]
    assert not agree(derivation.system, step.before, step.after)
    assert check(derivation) == []


def test_another_seed_gives_another_world_and_the_same_verdict():
    first, second = worlds(dense(), seed=0)[1], worlds(dense(), seed=1)[1]
    assert first.draw("x") != second.draw("x")
    j = unit("j", l)
    assert agree(dense(), Partial(var("a", l, j), var("z", l, j)), Integer(1), seed=1) is False


def test_an_unknown_node_is_an_error_that_names_it():
    from sympy import sin

    with pytest.raises(TypeError, match="sin"):
        agree(dense(), total(sin(var("z", l, unit("j", l))), unit("j", l)), Integer(0))
