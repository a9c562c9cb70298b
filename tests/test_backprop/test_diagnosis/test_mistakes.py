"""The table of mistakes: each is one function under its own name, and a new one needs no other place."""

from __future__ import annotations

import inspect
from collections import Counter
from importlib import import_module

import pytest
from kit.house import files, module_name, tree_of
from kit.planted import list_entries
from test_backprop.test_diagnosis.test_explain import make_subject

from backprop.diagnosis.mistakes.catalogue import CAUSES, list_causes
from backprop.diagnosis.mistakes.mistake import CHAIN, KNOWN, Mistakes, in_line, is_hidden
from backprop.diagnosis.model.activations import CATALOGUE, USUAL, USUAL_OUTPUTS, below_zero
from backprop.verification.explanation import judge_and_explain

FOLDER = "backprop/diagnosis/mistakes"


@pytest.fixture
def table():
    """The table as it was, afterwards."""
    causes, known = list(CAUSES), dict(KNOWN)
    yield
    CAUSES[:] = causes
    KNOWN.clear()
    KNOWN.update(known)


def list_functions():
    """Every function at the top of a file of mistakes, with its docstring in one line."""
    for path in files(FOLDER):
        for node in tree_of(path).body:
            if type(node).__name__ == "FunctionDef":
                yield node.name, module_name(path)


def test_the_identifier_of_a_mistake_is_the_name_of_one_function():
    counted = Counter(name for name, _ in list_functions())
    made = {cause.identifier for cause in CAUSES if cause.rewrite is not None}
    assert made == set(KNOWN)
    assert {name: counted[name] for name in made if counted[name] != 1} == {}


def test_the_sentence_of_a_mistake_is_the_docstring_of_its_function():
    places = dict(list_functions())
    for name, cause in KNOWN.items():
        module = import_module(places[name])
        assert " ".join(inspect.getdoc(getattr(module, name)).split()) == cause.sentence


def test_every_mistake_can_be_planted():
    planted = {cause.identifier for cause in list_entries()}
    given = {cause.identifier for cause in CAUSES if cause.given}
    assert planted | given == set(KNOWN)


def test_a_mistake_is_known_once():
    with pytest.raises(ValueError, match="derivative_missing is known already"):

        @Mistakes([], "slope", in_line("delta"))(CHAIN)
        def derivative_missing(net, layer):
            """The factor f'(z) is missing."""
            return net.a(layer)


def cube_slope(P, X, Y, z1, a1, a2):
    """f' three times in the hidden layer."""
    (_, _), (W2, _) = P
    d2 = (a2 - Y) / len(X)
    d1 = (d2 @ W2.T) * (1 - a1**2) ** 3
    return [(X.T @ d1, d1.sum(axis=0)), (a1.T @ d2, d2.sum(axis=0))]


def test_a_toy_mistake_is_one_function_and_goes_through_the_diagnosis(table):
    before = judge_and_explain(make_subject(cube_slope)).findings[0]
    toys = []
    hidden = Mistakes(toys, "BP2", in_line("delta", is_hidden, lambda net, layer, made: net.returned(layer) * made))

    @hidden(CHAIN)
    def toy_derivative_cubed(net, layer):
        """The factor f'(z) is
        applied three times."""
        return net.slope(layer) ** 3

    CAUSES.extend(toys)
    after = judge_and_explain(make_subject(cube_slope)).findings[0]
    assert before.cause != "toy_derivative_cubed" == after.cause
    assert (after.equation, after.layer) == ("BP2", 1)
    assert "The factor f'(z) is applied three times. Here: layer 1, activation tanh." in after.explanation
    assert "Read again: BP2" in after.explanation
    assert list_causes()[-1].to_dict()["sentence"] == "The factor f'(z) is applied three times."


def test_without_docstrings_a_mistake_is_told_by_its_name(table):
    def activation_forgotten(net, layer):
        return net.a(layer)

    Mistakes([], "slope", in_line("delta")).name(activation_forgotten)
    assert KNOWN["activation_forgotten"].sentence == "activation forgotten."


def test_what_is_told_of_activations_follows_from_their_expressions():
    assert USUAL == ("identity", "sigmoid", "tanh", "relu", "leaky_relu")
    assert set(USUAL_OUTPUTS) == {"identity", "sigmoid", "tanh", "relu", "softmax"}
    assert [name for name in CATALOGUE if below_zero(name) is not None] == ["relu", "leaky_relu", "elu", "selu"]
    assert below_zero("relu") == 0 != below_zero("selu")
    assert below_zero("relu6") is below_zero("softmax") is None
