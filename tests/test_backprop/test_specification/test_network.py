"""The specification: what it accepts, and the one line it answers to everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.errors import UsageError
from backprop.specification.network import MAX_DEPTH, Network
from backprop.verification.strategies import networks

LONGEST_MESSAGE = 500


def test_the_short_form_and_a_sequence_mean_the_same():
    assert Network.parse("784-100-100-10", "relu") == Network.parse((784, 100, 100, 10), ("relu", "relu"))


def test_sizes_depth_layers_and_parameters_are_told():
    network = Network.parse("4-3-2", "tanh", "softmax", "cross-entropy")
    assert (network.depth, network.size, network.functions) == (2, 23, ("tanh", "softmax"))
    assert network.targets == "distribution"
    assert str(network) == "4-3-2, hidden tanh, output softmax, cost cross-entropy"


@pytest.mark.parametrize(
    ("words", "what", "hint"),
    [
        (("",), "whole numbers", "784-100-100-10"),
        (("64",), "an input and an output", "784-100-100-10"),
        (("3-0-2",), "got 0 in layer 1", "784"),
        (("3--2",), "whole numbers", "784"),
        (("3-x-2",), "whole numbers", "784"),
        (("3-2.5-2",), "whole numbers", "784"),
        (("٣-2",), "whole numbers", "784"),
        (("99999999999-2",), "whole numbers", "784"),
        (("999999-999999",), "parameters", "smaller layers"),
        (("-".join(["1"] * (MAX_DEPTH + 2)),), "layers", "fewer"),
        (((3, True),), "integers", "(784, 100, 10)"),
        (((3, 2.0),), "integers", "(784, 100, 10)"),
        (("3-2-1", "rellu"), "rellu", "did you mean 'relu'"),
        (("3-1", "rellu"), "rellu", "relu"),
        (("3-2-1", "softmax"), "softmax is an output activation", "choose from"),
        (("3-2-1", ("relu", "relu")), "1 hidden layers need 1 activations, got 2", "give one"),
        (("3-2-1", "tanh", "nope"), "nope", "choose from"),
        (("3-2-1", "tanh", "identity", "msee"), "msee", "did you mean 'mse'"),
        (("3-2-2", "tanh", "tanh", "cross-entropy"), "between 0 and 1", "softmax"),
        (("3-2-2", "tanh", "softmax", "binary-cross-entropy"), "between 0 and 1", "sigmoid"),
        (("3-2-1", "tanh", "softmax", "cross-entropy"), "always 1", "sigmoid"),
        (("3-2-1", "__import__('os')"), "", "hidden layer 1"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(words, what, hint):
    with pytest.raises(UsageError) as caught:
        Network.parse(*words)
    message = str(caught.value)
    assert what in message
    assert hint in message
    assert "\n" not in message
    assert len(message) < LONGEST_MESSAGE


@given(st.text(max_size=30))
def test_any_text_is_a_network_or_a_usage_error(text):
    message = ""
    try:
        assert len(Network.parse(text).sizes) >= 2
    except UsageError as error:
        message = str(error)
    assert "\n" not in message


@given(networks())
def test_a_specification_reads_back_from_its_own_parts(network):
    assert Network.parse(network.sizes, network.activations, network.output, network.cost) == network
    assert hash(network) == hash(Network.parse(network.sizes, network.activations, network.output, network.cost))
