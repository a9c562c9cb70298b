"""A cost that contains derivatives of the outputs: a fault has its layer, no more is said than was measured."""

from __future__ import annotations

import re

import pytest

import backprop
from backprop.codegen.lowering.load import load
from backprop.specification.network import Network

SUBJECTS = {
    "an equation": ("1-4-3-1", "tanh", "(y2 + y*y1 - t)^2"),
    "slopes": ("1-4-1", "sigmoid", "(y1 - t)^2*(1 + y^2)"),
    "a product": ("1-3-1", "softplus", "exp(y)*y2 + y1^2*y"),
}
ALONE = "does not depend on the outputs alone"
LINE = re.compile(r"\s+((d[Wb]|delta|dzx|dzxx)(\d)) = (.*?)\s+# BP\d")


@pytest.fixture(scope="module", params=SUBJECTS)
def source(request):
    sizes, activation, cost = SUBJECTS[request.param]
    return backprop.build_with_derivatives(sizes, cost, activation).__source__


def plant(source):
    """(kind, layer, source) with each line of the backward pass made wrong, in a way that is no constant factor."""
    head, _, tail = source.partition("def gradients")
    for line in tail.splitlines():
        found = LINE.match(line)
        if found is not None:
            _, kind, layer, value = found.groups()
            wrong = line.replace(value, f"({value}) * np.cos(0.7 + {value})")
            yield kind, int(layer), head + "def gradients" + tail.replace(line, wrong)


def test_the_right_gradient_is_verified_and_nothing_is_said(source):
    report = backprop.verify(load(source))
    assert report.ok
    assert ALONE not in str(report)


def test_every_wrong_line_is_found_in_its_layer(source):
    for kind, layer, text in plant(source):
        if (kind, layer) == ("dzxx", 1):
            continue  # ∂²x/∂x² is 0: nothing is made of it
        report = backprop.verify(load(text))
        assert report.verdict == "wrong", (kind, layer)
        first, said = report.findings[0], str(report)
        assert first.layer == layer, (kind, layer, said)
        assert {"db": "BP3", "delta": "BP2", "dW": "BP4"}.get(kind, first.equation) == first.equation, (kind, said)
        assert "another forward pass" not in said
        assert "other values" not in said
        assert (ALONE in said) == (kind != "db"), (kind, layer, said)
        if kind.startswith("dz") and layer > 1:
            assert (len(report.findings), first.equation) == (1, "BP2")
            assert f"b{layer} is right, but what the cost sends back beside delta^{layer}" in first.explanation


def test_of_a_penalty_on_weights_it_is_not_said():
    """A penalty too is no function of the outputs, but nothing of it goes through the layers."""
    source = backprop.build(Network.parse("3-4-4-2", "tanh", l2=0.1)).source
    right = "delta2 = (delta3 @ W3.T) * tanh_prime(z2)"
    assert right in source
    report = backprop.verify(load(source.replace(right, "delta2 = (delta3 @ W3.T) * tanh_prime(0.5 * z2)")))
    assert (report.findings[0].equation, report.findings[0].layer) == ("BP2", 2)
    assert ALONE not in str(report)
