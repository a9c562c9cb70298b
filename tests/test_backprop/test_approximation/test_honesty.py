"""What is said of an approximation is what was measured and proved: files that contradict themselves, data, nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backprop.approximation import approximate, approximate_by
from backprop.approximation.checking import check_certificate
from backprop.approximation.searching.certified import make_claim
from backprop.door.cli import main
from backprop.errors import UsageError


@pytest.fixture(scope="module")
def saved():
    """A true certificate as the file has it."""
    return approximate("sin(2*pi*x)", epsilon=1e-2, certify=True).to_dict()


def write(folder, data):
    path = folder / "claim.json"
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize(
    ("field", "said"), [("width", 99), ("sup_error_bound", 1e-12), ("epsilon", 1e-9), ("certified", False)]
)
def test_a_file_that_contradicts_itself_is_refused(saved, tmp_path, field, said):
    with pytest.raises(UsageError, match=f"contradicts itself: {field}"):
        check_certificate(write(tmp_path, saved | {field: said}))


def test_a_number_too_large_for_a_float_is_refused(saved, tmp_path, capsys):
    path = write(tmp_path, saved | {"constant": 10**400})
    assert main(["check-certificate", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_was_confirmed_and_what_was_not_looked_at_is_said(saved, tmp_path):
    said = str(check_certificate(write(tmp_path, saved)))
    assert "sin(2*pi*x)" in said
    assert "tanh unit" in said
    assert "not checked: " in said


def test_a_unit_without_values_is_no_network_even_with_weight_0(tmp_path):
    hole = {"target": "x", "activation": "1/x", "domain": [0.0, 0.05], "constant": 0.0}
    hole |= {"hidden": {"w": [1.0], "b": [0.0], "c": [0.0]}}
    hole |= {"certificate": {"verdict": "proved", "epsilon": 0.1, "bound": 0.06, "edges": [0.0, 0.05]}}
    assert not check_certificate(write(tmp_path, hole)).ok


def test_units_with_weight_0_are_part_of_a_claim_where_they_may_jump():
    found = approximate("x", width=2, activation="heaviside(x)")
    assert len(make_claim(found).w) == 2


STEPS = [("sign(x - 1/2)", (0, 1), "tanh", 1.1), ("cos(x)", (0, 3), "heaviside(x)", 0.1)]


@pytest.mark.parametrize(("target", "domain", "activation", "epsilon"), STEPS)
def test_steps_are_checked_again(tmp_path, target, domain, activation, epsilon):
    found = approximate(target, domain=domain, epsilon=epsilon, activation=activation, certify=True)
    assert found.certified
    assert check_certificate(write(tmp_path, found.to_dict())).ok


def test_no_units_at_all_can_be_enough(capsys):
    assert main(["approximate", "sin(x)", "--epsilon", "2", "--activation", "relu", "--certify"]) == 0
    assert "by 0 relu units" in capsys.readouterr().out


def test_training_on_data_is_measured_at_the_data():
    x = np.linspace(0, 10, 40)
    found = approximate_by("adam", (x, np.sin(x)), width=4)
    assert found.grid_points == 40
    assert found.sup_error == pytest.approx(float(np.max(np.abs(found.f(x) - np.sin(x)))))


def test_a_function_with_hundreds_of_turns_is_no_endless_work_and_nothing_is_open():
    found = approximate("sin(1/(x + 0.006))", epsilon=0.1, activation="relu", certify=True)
    assert found.certified
    assert found.width == found.width_lower_bound > 100
