"""Where a proof fails because of huge weights, a network with smaller ones takes its place, and that is said."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backprop.approximation import approximate, certify
from backprop.approximation.checking import check_certificate
from backprop.approximation.searching import certified
from backprop.approximation.searching.certified import certify_calmly
from backprop.approximation.searching.pruning import SMALLER, calm

EPSILON = 1e-3
CANCELLED = 1e14
"""The output weight of two units more, of opposite sign and all but equal."""


def cancel(found):
    """The same network and two huge units that cancel but for rounding."""
    w, b, c = found.network[:3]
    network = found.network._replace(
        w=np.append(w, [1.0, 1.0]), b=np.append(b, [0.25, 0.25]), c=np.append(c, [CANCELLED, -CANCELLED])
    )
    return replace(found, network=network, certificate=None)


@pytest.mark.parametrize(("target", "activation"), [("sin(2*pi*x)", "tanh"), ("exp(-x)", "softplus"), ("kink", "gelu")])
def test_a_network_that_floats_cannot_evaluate_gives_way_to_a_calmer_one(target, activation, tmp_path):
    epsilon = 3e-2 if target == "kink" else EPSILON
    found = cancel(approximate(target, width=4, activation=activation, epsilon=epsilon))
    exact = certify(found, epsilon)
    assert exact.certified
    assert exact.float64_bound > epsilon
    assert not exact.calmed
    calmer = certify_calmly(found, epsilon)
    assert calmer.certified
    assert calmer.calmed
    assert calmer.certificate.bound <= calmer.float64_bound < epsilon
    assert calmer.sum_abs_c <= SMALLER * found.sum_abs_c
    assert "calmer weights" in str(calmer)
    file = tmp_path / "c.json"
    file.write_text(json.dumps(calmer.to_dict()))
    assert check_certificate(file).ok
    x = np.linspace(0, 1, 4001)
    assert np.max(np.abs(calmer.f(x) - calmer.function(x))) <= calmer.float64_bound


def test_a_proof_that_is_left_undecided_is_tried_again_with_a_calmer_network(monkeypatch):
    """Whatever the reason: here, that the prover does not take on more than so large weights."""
    first = certified.certify

    def give_up(approximation, *arguments):
        answer = first(approximation, *arguments)
        if approximation.sum_abs_c > CANCELLED:
            return replace(answer, certificate=replace(answer.certificate, verdict="undecided", reason="given up"))
        return answer

    monkeypatch.setattr(certified, "certify", give_up)
    found = cancel(approximate("sin(2*pi*x)", width=4, epsilon=EPSILON))
    calmer = certify_calmly(found, EPSILON)
    assert calmer.certified
    assert calmer.calmed


def test_what_is_calm_or_refuted_is_left_alone():
    found = approximate("sin(2*pi*x)", width=4, epsilon=EPSILON, certify=True)
    assert found.certified
    assert not found.calmed
    assert "calmer" not in str(found)
    assert "calmed" not in found.to_dict()
    assert list(calm(approximate("3", width=1))) == []
    assert certify_calmly(cancel(found), 1e-9).certificate.verdict == "refuted"


@pytest.mark.parametrize("times", [1e5, 1e7])
def test_steep_units_are_drawn_flatter_about_their_middle(times):
    found = approximate("x > 1/2", width=1)
    steep = replace(found, network=found.network._replace(w=np.array([times]), b=np.array([-times / 2])))
    (first, *_) = calm(steep)
    assert first.max_abs_w <= 1e3
    assert -first.b / first.w == pytest.approx(0.5)
