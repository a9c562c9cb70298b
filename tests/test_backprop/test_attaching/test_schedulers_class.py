"""A class with schedulers, its bias in the matrix of the weights, a cost made for each target: right, and faulty."""

from __future__ import annotations

import pytest
from kit.samples.schedulers_class import RULES, USES, write_class

from backprop.attaching.entry import load
from backprop.attaching.words import HABIT
from backprop.verification.explanation import judge_and_explain

RIGHT = ("regression", "two classes", "classes", "rectified")
BIASES = ("b1", "b2", "b3")


def examine(folder, *parts, **more):
    file = folder / "network.py"
    file.write_text(write_class(*parts, **more), encoding="utf-8")
    return judge_and_explain(load(file))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("use", RIGHT)
def test_the_right_class_is_verified_of_the_cost_that_it_holds(use, rule, tmp_path):
    report = examine(tmp_path, use, "", rule)
    assert report.verdict == "verified", str(report)
    assert set(BIASES[: USES[use][1].count(",", 0, USES[use][1].index(")"))]) <= set(report.evidence["tensors"])
    assert any("cost: self.cost (the file's own)" in str(note) for note in report.notes)
    assert not any(str(note).startswith(HABIT) for note in report.notes)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("use", ["regression", "classes"])
def test_a_bias_that_meets_a_hundredth_and_has_the_gradient_of_one(use, rule, tmp_path):
    (found,) = examine(tmp_path, use, "bias gradient times 100", rule).findings
    assert found.equation == "BP3"
    assert found.cause == "bias_gradient_factor_wrong"
    assert "100" in found.explanation
    assert set(found.parameters) <= set(BIASES)


@pytest.mark.parametrize("column", ["0.01", "-3.0", "1.0"])
def test_the_number_that_the_bias_meets_may_be_any_where_its_gradient_has_it(column, tmp_path):
    with_factor = f"{column} * np.sum(delta, axis=0).reshape(1, -1)"
    assert examine(tmp_path, "regression", column=column, for_bias=with_factor).verdict == "verified"


@pytest.mark.parametrize("rule", ["plain", "heavy"])
@pytest.mark.parametrize("use", ["regression", "two classes"])
def test_deltas_from_weights_that_have_been_updated_are_a_fault_of_the_step(use, rule, tmp_path):
    (found,) = examine(tmp_path, use, "deltas from updated weights", rule).findings
    assert found.equation == "update"
    assert found.cause == "weights_updated_before_error_goes_back"


def test_where_the_step_adapts_deltas_from_updated_weights_are_wrong_below_the_last_layer(tmp_path):
    found, *_ = examine(tmp_path, "regression", "deltas from updated weights", "adaptive").findings
    assert (found.equation, found.layer) == ("BP2", 2)


@pytest.mark.parametrize("rule", RULES)
def test_a_cost_over_samples_and_classes_with_the_gradient_of_their_sum(rule, tmp_path):
    (found,) = examine(tmp_path, "classes", "cost scale n·K", rule).findings
    assert (found.equation, found.cause) == ("cost", "outputs_not_averaged")
    assert "the number found is 3n" in found.explanation  # 3 classes


@pytest.mark.parametrize("rule", RULES)
def test_the_short_cut_of_another_cost_is_said_to_be_that_cost_s(rule, tmp_path):
    (found,) = examine(tmp_path, "squares", "softmax output with another cost", rule).findings
    assert found.equation == "cost"
    assert "those of cost_entropy" in found.explanation


@pytest.mark.parametrize(("use", "place"), [("softmax hidden", ("BP2", 1)), ("squares", ("BP1", 2))])
def test_softmax_with_a_slope_entry_by_entry_is_wrong_where_it_stands(use, place, tmp_path):
    found, *_ = examine(tmp_path, use).findings
    assert (found.equation, found.layer) == place
    assert found.cause == "softmax_treated_elementwise" or use == "squares"


def test_rows_drawn_with_replacement_are_a_note(tmp_path):
    report = examine(tmp_path, "regression", "rows drawn with replacement")
    assert report.verdict == "verified"
    (said,) = [str(note) for note in report.notes if str(note).startswith(HABIT)]
    assert "with replacement" in said
