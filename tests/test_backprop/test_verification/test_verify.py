"""verify: what was generated passes, what was broken is found, random runs shrink and can be repeated."""

from __future__ import annotations

import json
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop
from backprop.errors import UsageError
from backprop.examiner.apart.generated import judge_with_exact
from backprop.specification.network import Network
from backprop.verification import strategies
from backprop.verification.explanation import judge_and_explain
from backprop.verification.random_runs import verify_random
from backprop.verification.submission import verify_file
from backprop.verification.verify import command_for, verify, verify_network

RANDOM = 12


def test_a_generated_network_is_verified_exactly_and_numerically():
    report = verify(backprop.build("4-4-4-3", "tanh", "softmax", "cross-entropy"))
    assert report.ok
    assert report.evidence["exact"]["parameters"] == 55
    assert 0 < report.evidence["exact"]["false_pass_bound"] < 1e-10
    assert report.evidence["exact_fast"]["ok"]
    assert report.evidence["exact_fast"]["parameters"] == 55
    assert "the wiring of all 55 parameters is right" in str(report)
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_specification_is_verified_as_well():
    assert verify(Network.parse("2-2-1")).ok


def test_the_file_of_a_generated_network_closes_the_circle(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(backprop.build("3-3-2", "relu").source, encoding="utf-8")
    report = verify_file(path)
    assert report.ok
    assert report.evidence["exact"]["ok"]


BROKEN = [
    ("delta2 @ W2.T", "delta2 @ W2", "BP2", 1),
    ("* f_prime(z1)", "* f_prime(a1)", "BP2", 1),
    ("X.T @ delta1", "(X.T @ delta1) * 2", "BP4", 1),
    ("np.sum(delta1, axis=0)", "np.mean(delta1, axis=0)", "BP3", 1),
    ("np.sum(delta3, axis=0)", "-np.sum(delta3, axis=0)", "BP3", 3),
    ("a1.T @ delta2", "z1.T @ delta2", "BP4", 2),
    ("(delta3 @ W3.T) * f_prime(z2)", "(delta3 @ W3.T)", "BP2", 2),
    ("delta3 = a3 - Y", "delta3 = Y - a3", "BP1", 3),
]


@pytest.mark.parametrize(("right", "wrong", "equation", "layer"), BROKEN)
def test_a_broken_line_is_found_in_a_file_and_named(tmp_path, right, wrong, equation, layer):
    """The first in a process of its own, as the command does it; the others here, which is quicker."""
    source = backprop.build("3-3-3-3", "tanh").source
    assert source.count(right) == 1
    path = tmp_path / "broken.py"
    path.write_text(source.replace(right, wrong), encoding="utf-8")
    report = verify_file(path) if wrong == BROKEN[0][1] else judge_and_explain(path)
    assert report.verdict == "wrong"
    assert not report.evidence["exact"]["ok"]
    first = report.findings[0]
    assert first.equation in ({equation} if wrong != "delta3 = Y - a3" else {"BP1", "cost"})
    assert first.layer in (layer, None)


def test_a_module_without_a_table_is_judged_without_the_exact_check():
    module = types.SimpleNamespace(
        fun=lambda t: float(t @ t), grad=lambda t: 2 * t, theta0=lambda rng: rng.normal(size=4)
    )
    report = judge_with_exact(module)
    assert report.ok
    assert "exact" not in report.evidence


def test_random_networks_are_verified_and_what_was_covered_is_told():
    seen = []
    run = verify_random(RANDOM, seed=5, progress=lambda done, whole: seen.append((done, whole)))
    assert run.ok
    assert run.networks == RANDOM
    assert seen[-1] == (RANDOM, RANDOM)
    assert {"depth", "activation", "output", "cost", "batch size", "equal neighbouring widths"} <= set(run.covered)
    assert run.to_dict()["evidence"]["networks"] == RANDOM


def test_the_same_seed_draws_the_same_networks():
    first, second = verify_random(4, seed=9), verify_random(4, seed=9)
    assert first.covered == second.covered


def break_two_layers(network, seed):
    """A generator with a planted fault: with two or more layers the error sent back is doubled."""
    net = backprop.build(network)
    net.source = net.source.replace("@ W2.T", "@ W2.T * 2")
    return verify_network(net, seed)


def test_a_failure_shrinks_to_the_smallest_network_and_names_the_command():
    run = verify_random(60, seed=0, check=break_two_layers)
    assert not run.ok
    assert run.smallest.depth == 2
    assert run.smallest.size <= 12
    assert run.to_dict()["verdict"] == "wrong"
    assert run.reproduce.startswith("backprop verify " + "-".join(map(str, run.smallest.sizes)))
    assert "smallest that fails" in str(run)


@pytest.mark.parametrize("count", [0, -3, 10**9])
def test_an_impossible_number_of_networks_is_a_usage_error(count):
    with pytest.raises(UsageError, match="from 1 to"):
        verify_random(count)


@given(strategies.networks())
def test_the_command_for_a_network_names_that_network(network):
    import shlex

    from backprop.door.commands import read_network

    words = shlex.split(command_for(network, 7))
    options = dict(zip(words[3::2], words[4::2], strict=True))
    hidden = options.get("--activation", "sigmoid")
    assert read_network(words[2], hidden, options["--output"], options["--cost"]) == network


@given(strategies.networks(max_depth=3), st.data())
def test_drawn_batches_and_parameters_fit_their_network(network, data):
    theta = data.draw(strategies.parameters(network))
    X, Y = data.draw(strategies.batches(network))
    assert backprop.build(network).gradient(theta, X, Y).shape == theta.shape


def test_a_fast_source_that_is_wired_wrongly_is_found_though_the_readable_one_is_right():
    net = backprop.build("3-4-2", "tanh")
    right = net.fast.write_exact_subject
    net.fast.write_exact_subject = lambda form: right(form).replace("multiply(delta1", "add(delta1")
    report = verify(net)
    assert report.verdict == "wrong"
    assert report.evidence["exact"]["ok"]
    assert not report.evidence["exact_fast"]["ok"]
    assert "W1" in str(report)
