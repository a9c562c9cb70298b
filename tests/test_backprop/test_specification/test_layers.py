"""The specification of networks of any layers: what it accepts, prints, writes and reads."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st
from kit.refusals import refusal

import backprop
from backprop import (
    GEGLU,
    GLU,
    BatchNorm,
    Bilinear,
    Dense,
    Dropout,
    LayerNorm,
    Network,
    PReLU,
    Residual,
    SwiGLU,
    build,
    verify,
)
from backprop.errors import UsageError
from backprop.examiner.wiring.exact import check_exact
from backprop.specification.json_form import read_specification, read_specification_file, write_specification
from backprop.specification.layers import KINDS, Activation, Gated, Layer
from backprop.training import draw_parameters
from backprop.verification import strategies
from backprop.verification.strategies import stacks
from theory.language.notation import l, sample, unit, var
from theory.language.statement import Definition, System
from theory.layers.kind import CATALOGUE, Kind

LONGEST_MESSAGE = 500


def test_the_short_form_means_the_same():
    long = Network(784, Dense(100, "relu"), Dense(100, "relu"), Dense(10, "softmax"), cost="cross-entropy")
    assert Network.parse("784-100-100-10", "relu", "softmax", "cross-entropy") == long
    assert hash(Network.parse("784-100-100-10", "relu", "softmax", "cross-entropy")) == hash(long)


def test_layers_are_counted_over_weights_and_what_follows_belongs_to_the_block_before():
    network = Network(4, Dense(3), BatchNorm(), Activation("tanh"), Dropout(0.5), SwiGLU(5), Dense(2))
    assert network.sizes == (4, 3, 5, 2)
    assert [(e.kind.title, e.block) for e in network.elements][:4] == [
        ("weights", 1), ("batch norm", 1), ("activation", 1), ("dropout", 1),
    ]  # fmt: skip
    names = [parameter.name for element in network.elements for parameter in element.parameters]
    assert names == ["W1", "b1", "gamma1", "beta1", "W2", "b2", "V2", "c2", "W3", "b3"]
    assert len(set(names)) == len(names)


@given(stacks())
def test_every_name_of_a_network_is_its_own(network):
    elements = network.elements
    names = [parameter.name for element in elements for parameter in element.parameters]
    outs = [element.out for element in elements if element.out]
    assert len(set(names)) == len(names)
    assert len(set(outs)) == len(outs)


def test_the_table_tells_shapes_and_parameters():
    network = Network(4, Dense(3, "relu"), Residual(GLU(3), LayerNorm()), Dropout(0.5), Dense(2), l2=0.01)
    text = network.table()
    assert "Dense(3, 'relu')" in text
    assert "W2 (4, 3)" not in text
    assert "V2 (3, 3)" in text
    assert "cost half-sse, l2=0.01" in text
    assert f"{network.size}" in text.splitlines()[-1]
    assert network.size == 4 * 3 + 3 + 2 * (9 + 3) + 6 + 3 * 2 + 2


@pytest.mark.parametrize(
    ("make", "what", "hint"),
    [
        (lambda: Network(3), "at least one layer with weights", "Dense"),
        (lambda: Network(3, Dropout(0.5)), "at least one layer with weights", "Dense"),
        (lambda: Network(0, Dense(1)), "number of inputs", "Network(784"),
        (lambda: Network("3-2", Dense(1)), "number of inputs", "Network(784"),
        (lambda: Network(True, Dense(1)), "number of inputs", "Network(784"),
        (lambda: Network(3, Dense), "takes layers", "write Dense(…)"),
        (lambda: Network(3, 5), "takes layers, got 5", "choose from"),
        (lambda: Network(3, Dense(2.0)), "whole number of units", "got 2.0"),
        (lambda: Network(3, Dense(-1)), "at least 1", "got -1"),
        (lambda: Network(3, Dense(2, 5)), "name of a function", "got 5"),
        (lambda: Network(3, Dense(2, "rellu")), "rellu", "did you mean 'relu'"),
        (lambda: Network(3, Gated(2, "softmax"), Dense(1)), "softmax", "a gate"),
        (lambda: Network(3, Dense(2, "softmax"), Dropout(0.1)), "softmax", "hidden layer 1"),
        (lambda: Network(3, Activation("softmax"), Dense(2)), "softmax", "hidden layer 1"),
        (lambda: Network(3, Dense(1), Activation("softmax")), "always 1", "sigmoid"),
        (lambda: Network(3, Dense(2), cost="cross-entropy"), "between 0 and 1", "softmax"),
        (lambda: Network(3, Dense(2), cost="msee"), "msee", "did you mean 'mse'"),
        (lambda: Network(3, Dense(2), l2=-1), "l2", "0 or positive"),
        (lambda: Network(3, Dense(2), l1=math.nan), "l1", "0 or positive"),
        (lambda: Network(3, Dense(2, l2="much")), "l2", "0 or positive"),
        (lambda: Network(3, Dense(2), weighted=1), "weighted", "True or False"),
        (lambda: Network(10**6, Dense(10**6)), "parameters", "smaller layers"),
        (lambda: Dropout(1), "rate", "below 1"),
        (lambda: Dropout(-0.1), "rate", "got -0.1"),
        (lambda: Dropout(math.nan), "rate", "got nan"),
        (lambda: Dropout(True), "rate", "got True"),
        (lambda: BatchNorm(momentum=0), "momentum", "above 0"),
        (lambda: BatchNorm(epsilon=0), "epsilon", "positive"),
        (lambda: LayerNorm(epsilon=-1), "epsilon", "positive"),
        (lambda: PReLU(math.inf), "initial", "finite"),
        (lambda: Activation(3), "name or an expression", "relu"),
        (Residual, "layers to go around", "Residual(Dense"),
        (lambda: Network(3, Residual(Dense(2)), Dense(1)), "3 units in and 2 out", "Dense(3)"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(make, what, hint):
    with pytest.raises(UsageError) as caught:
        make()
    message = str(caught.value)
    assert what in message
    assert hint in message
    assert "\n" not in message
    assert len(message) < LONGEST_MESSAGE


def test_the_gates_are_one_layer_with_four_functions():
    gates = [make(4).gate for make in (GLU, GEGLU, SwiGLU, Bilinear)]
    assert gates == ["sigmoid", "gelu", "silu", "identity"]


@given(stacks())
def test_a_specification_reads_back_from_json_and_from_its_own_text(network):
    assert read_specification(write_specification(network)) == network
    assert eval(repr(network), {name: getattr(backprop, name) for name in (*KINDS, "Network")}) == network
    assert pickle.loads(pickle.dumps(network)) == network


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not JSON"),
        ("[1]", "JSON object"),
        ("{}", "'inputs' is missing"),
        ('{"inputs": 3}', "'layers' is missing"),
        ('{"inputs": 3, "layers": 5}', "list of objects"),
        ('{"inputs": 3, "layers": [5]}', "object with a kind"),
        ('{"inputs": 3, "layers": [{"kind": "Dence", "units": 2}]}', "did you mean 'Dense'"),
        ('{"inputs": 3, "layers": [{"kind": "Dense"}]}', "needs units"),
        ('{"inputs": 3, "layers": [{"kind": "Dense", "unit": 2}]}', "did you mean 'units'"),
        ('{"inputs": 3, "layers": [{"kind": "Dense", "units": "2"}]}', "whole number of units"),
        ('{"inputs": 3, "layers": [{"kind": "Residual", "layers": []}]}', "layers to go around"),
        ('{"inputs": 3, "layers": [{"kind": "Residual"}]}', "list of objects"),
        ('{"inputs": null, "layers": [{"kind": "Dense", "units": 2}]}', "number of inputs"),
        ('{"inputs": 3, "layer": [], "layers": []}', "did you mean 'layers'"),
        ('{"inputs": 3, "layers": [], "cost": 7, "format": "backprop network 9"}', "format"),
        ('{"inputs": 3, "layers": [{"kind": "Dense", "units": 2}], "cost": 7}', "unknown cost"),
        ('{"inputs": 3, "layers": [{"kind": "Dense", "units": 2, "activation": "__import__(1)"}]}', "output layer"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_wrong_specification_is_said_in_one_line(text, what):
    with pytest.raises(UsageError) as caught:
        read_specification(text)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_layers_nested_too_deeply_are_refused():
    inner = {"kind": "Dense", "units": 3}
    for _ in range(60):
        inner = {"kind": "Residual", "layers": [inner]}
    with pytest.raises(UsageError, match="nested at most"):
        read_specification(json.dumps({"inputs": 3, "layers": [inner]}))


def test_a_file_that_is_no_text_or_not_there_is_said(tmp_path):
    path = tmp_path / "network.json"
    with pytest.raises(UsageError, match="cannot read"):
        read_specification_file(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a text file"):
        read_specification_file(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "units"]), inner, max_size=2),
    max_leaves=4,
)
PLACES = (
    "inputs", "layers", "cost", "l2", "l1", "weighted", "format", "units", "activation", "gate", "name", "initial",
    "momentum", "epsilon", "rate", "kind",
)  # fmt: skip


@given(JSON, st.sampled_from(PLACES), st.sampled_from(list(KINDS)))
def test_any_value_anywhere_in_a_specification_is_a_network_or_one_line(value, place, kind):
    layer = {"kind": kind, "units": 2, "activation": "relu"}
    stated = {"inputs": 3, "layers": [layer, {"kind": "Dense", "units": 2}], "cost": "mse"}
    (stated if place in stated or place in ("l2", "l1", "weighted", "format") else layer)[place] = value
    assert "\n" not in refusal(read_specification, json.dumps(stated))


@pytest.mark.parametrize("cost", [["mse"], {"mse": 1}, None, 3, True])
def test_a_cost_that_is_no_name_is_refused(cost):
    with pytest.raises(UsageError, match="unknown cost"):
        read_specification(json.dumps({"inputs": 3, "layers": [{"kind": "Dense", "units": 2}], "cost": cost}))


def shift_each_unit() -> System:
    """h = x + β: a layer that the house does not have."""
    x, h, beta = var("x", l, sample(), unit("j", l)), var("h", l, sample(), unit("j", l)), var("beta", l, unit("j", l))
    definition = Definition("F2", h, x + beta)
    return System((definition,), last=l, cuts=(), adjoints=(), output="h", inputs=(x,), parameters=(beta,))


@pytest.fixture
def toy():
    """A kind of layer in two places: the record beside its statement, and a class that takes numbers."""
    record = Kind("shift", shift_each_unit, shift_each_unit, "h", "shift", owner="Shift", starts={"beta": "begin"})

    @dataclass(frozen=True, repr=False)
    class Shift(Layer):
        begin: float = 0.5
        kind: ClassVar = record

    strategies.single_layers.cache_clear()
    yield Shift
    del KINDS["Shift"], CATALOGUE["shift"]
    strategies.single_layers.cache_clear()


def test_a_new_kind_of_layer_is_a_record_and_a_class(toy):
    network = Network(
        3, Dense(4, "tanh"), toy(0.25), Residual(toy(), Dense(4)), Dense(2, "softmax"), cost="cross-entropy"
    )
    net = build(network)
    theta = net.initial(np.random.default_rng(0))
    assert [block.name for block in net.layout.blocks][:4] == ["W1", "b1", "beta1", "beta1b"]
    assert type(net.views(theta)[1]).__name__ == "Shift"
    assert net.views(theta)[1].beta.tolist() == [0.25] * 4
    assert "Shift(0.25)" in network.table()
    assert "    shift\n" in net.source
    assert check_exact(net.source).ok
    assert verify(net).ok
    assert read_specification(write_specification(network)) == network
    assert draw_parameters(net, np.random.default_rng(0), "he").shape == theta.shape


def test_a_new_kind_of_layer_is_drawn_in_tests(toy):
    assert isinstance(find(strategies.single_layers(), lambda layer: isinstance(layer, toy)), toy)
