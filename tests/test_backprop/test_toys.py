"""An activation and a cost that the house does not know, each written in its allowed places only, go all the way.

The places are edited in a copy of the house, whose own command line is then run: nothing is patched that a person who
adds one would not write.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from kit.house import PACKAGES, ROOT

ACTIVATION = {
    "theory/functions/activation_catalogue.py": (
        '        "mish": Statement(',
        '        "toy": Statement(lambda x: x * sympy.tanh(x), "a toy"),\n',
    ),
    "backprop/examiner/certifying/balls.py": ('        "mish": lambda', '        "toy": lambda x: x * x.tanh(),\n'),
    "backprop/approximation/checking/definitions.py": ('    "mish": "', '    "toy": "x*tanh(x)",\n'),
}
"""The catalogue, and the two statements that judge it and share nothing with it: file -> (before this, a line)."""

COST = {
    "theory/chapters/networks/costs.py": (
        '        Cost("mse",',
        '        Cost("toy", "fourth powers", over_samples((OUTPUT - TARGET) ** 4, 1 / n),\n'
        '             "mean over samples of the sum over outputs", "real", None, "a toy"),\n',
    ),
}
SEVERAL = "import json, sys; from backprop.door.cli import main; print([main(a) for a in json.loads(sys.argv[1])])"


def build_house(folder, edits):
    """A copy of the house with a line more in each of these places."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (place, line) in edits.items():
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(place) == 1, name
        (folder / name).write_text(text.replace(place, line + place), encoding="utf-8")
    return folder


def run(house, *commands):
    """The lines that these commands of that house print, and their statuses as the last one."""
    argv = [sys.executable, "-c", SEVERAL, json.dumps(commands)]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=house, check=False)
    assert done.returncode == 0, done.stderr
    *lines, statuses = done.stdout.splitlines()
    return lines, json.loads(statuses)


def plant(house, name, right, wrong):
    """A mistake in a generated file."""
    text = (house / name).read_text(encoding="utf-8")
    assert text.count(right) == 1
    (house / name).write_text(text.replace(right, wrong), encoding="utf-8")


@pytest.fixture(scope="module")
def with_activation(tmp_path_factory):
    return build_house(tmp_path_factory.mktemp("activation"), ACTIVATION)


@pytest.fixture(scope="module")
def with_cost(tmp_path_factory):
    return build_house(tmp_path_factory.mktemp("cost"), COST)


def test_a_new_activation_is_built_verified_and_certified(with_activation):
    lines, statuses = run(
        with_activation,
        ["generate", "3-4-2", "--activation", "toy", "-o", "right.py"],
        ["verify", "3-4-2", "--activation", "toy", "--certify"],
        ["verify", "right.py"],
    )
    assert statuses == [0, 0, 0]
    words = "\n".join(lines)
    assert "exact in its wiring" in words
    assert "units in the last place" in words or "ulp" in words


def test_a_mistake_with_a_new_activation_is_named(with_activation):
    run(with_activation, ["generate", "3-4-2", "--activation", "toy", "-o", "wrong.py"])
    plant(with_activation, "wrong.py", "db1 = np.sum(delta1, axis=0)", "db1 = np.mean(delta1, axis=0)")
    (line,), statuses = run(with_activation, ["verify", "wrong.py", "--json"])
    finding = json.loads(line)["findings"][0]
    assert statuses == [1]
    assert (finding["equation"], finding["layer"], finding["cause"]) == ("BP3", 1, "bias_gradient_mean_instead_of_sum")


def test_a_network_of_a_new_activation_is_found_proved_and_checked(with_activation):
    lines, statuses = run(
        with_activation,
        ["approximate", "sin(2*x)", "--activation", "toy", "--epsilon", "0.05", "--certificate", "proof.json"],
        ["check-certificate", "proof.json"],
    )
    assert statuses == [0, 0]
    assert "PROVED" in lines[0]
    assert any(line.startswith("CONFIRMED") for line in lines)


def test_a_new_cost_is_built_and_verified(with_cost):
    lines, statuses = run(with_cost, ["verify", "3-4-2", "--cost", "toy"])
    assert statuses == [0]
    assert "exact in its wiring" in lines[0]


def test_a_mistake_under_a_new_cost_is_named(with_cost):
    run(with_cost, ["generate", "3-4-2", "--activation", "tanh", "--cost", "toy", "-o", "wrong.py"])
    plant(with_cost, "wrong.py", "delta1 = (delta2 @ W2.T) * f_prime(z1)", "delta1 = (delta2 @ W2.T)")
    (line,), statuses = run(with_cost, ["verify", "wrong.py", "--json"])
    finding = json.loads(line)["findings"][0]
    assert statuses == [1]
    assert (finding["equation"], finding["layer"], finding["cause"]) == ("BP2", 1, "derivative_missing")
