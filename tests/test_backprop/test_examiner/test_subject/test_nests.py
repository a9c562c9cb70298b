"""Nests of parameters are taken apart, named and put together without loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.examiner.subject.protocol.naming import name_leaves
from backprop.examiner.subject.protocol.nests import flatten, flatten_like, rebuild


class PReLU(NamedTuple):
    slope: Any


W, V, b, column = np.ones((2, 3)), np.ones((3, 3)), np.ones(3), np.ones((3, 1))

arrays = st.integers(1, 3).map(lambda n: np.arange(float(n)))
nests = st.recursive(
    arrays,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from("abc"), inner, min_size=1)
    ),
    max_leaves=8,
)


@given(nests)
def test_taking_apart_and_putting_together_is_the_identity(nest: Any) -> None:
    again = rebuild(nest, flatten(nest))
    assert repr(again) == repr(nest)
    assert [leaf.shape for leaf in name_leaves(nest)] == [np.shape(leaf) for leaf in flatten(nest)]


@given(nests)
def test_every_leaf_has_a_name_of_its_own(nest: Any) -> None:
    names = [leaf.name for leaf in name_leaves(nest)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("nest", "expected"),
    [
        ([(W, b), (V, b)], [("W1", 1, "W"), ("b1", 1, "b"), ("W2", 2, "W"), ("b2", 2, "b")]),
        ([W, b, V, b], [("W1", 1, "W"), ("b1", 1, "b"), ("W2", 2, "W"), ("b2", 2, "b")]),
        ([W.T, column, V, column], [("W1", 1, "W"), ("b1", 1, "b"), ("W2", 2, "W"), ("b2", 2, "b")]),
        ({"W0": W, "b0": b, "W1": V}, [("W0", 1, "W"), ("b0", 1, "b"), ("W1", 2, "W")]),
        ({"b2": b, "W2": V, "W1": W}, [("W1", 1, "W"), ("b2", 2, "b"), ("W2", 2, "W")]),
        ({"hidden": {"weight": W, "bias": b}}, [("weight1", 1, "W"), ("bias1", 1, "b")]),
        ([(W, b), PReLU(b)], [("W1", 1, "W"), ("b1", 1, "b"), ("slope1", 1, "W")]),
        ([(W, b), (b, b), (V, b)], [("W1", 1), ("b1", 1), ("gamma1", 1), ("beta1", 1), ("W2", 2), ("b2", 2)]),
        ([(b, 0.5)], [("W1", 1, "W"), ("b1", 1, "b")]),
        ((W, V, b, b), [("W1", 1, "W"), ("W2", 2, "W"), ("b1", 1, "b"), ("b2", 2, "b")]),
        ({"Wh": W, "Wo": V, "bh": b, "bo": b}, [("Wh", 1, "W"), ("Wo", 2, "W"), ("bh", 1, "b"), ("bo", 2, "b")]),
        (
            {"hidden_weights": W, "output_weights": V, "output_bias": b, "hidden_bias": b},
            [("hidden_weights", 1, "W"), ("output_weights", 2, "W"), ("output_bias", 2, "b"), ("hidden_bias", 1, "b")],
        ),
        ({"W1": W, "b1": b, "g1": b, "be1": b}, [("W1", 1, "W"), ("b1", 1, "b"), ("g1", 1, "W"), ("be1", 1, "b")]),
        ({"W1": W, "b1": b, "g": b, "be": b}, [("W1", 1, "W"), ("b1", 1, "b"), ("g", 1, "W"), ("be", 1, "b")]),
        ({"W": W, "V": V, "b": b, "c": b}, [("W", 1, "W"), ("V", 2, "W"), ("b", 1, "b"), ("c", 2, "b")]),
        ({"Wx": W, "Wy": V, "bz": b, "by": b}, [("Wx", 1, "W"), ("Wy", 2, "W"), ("bz", 1, "b"), ("by", 2, "b")]),
        (np.ones(7), [("theta", None, "")]),
    ],
)
def test_leaves_are_named_with_layer_and_role(nest: Any, expected: list[tuple[Any, ...]]) -> None:
    width = len(expected[0])
    found = {(leaf.name, leaf.layer, leaf.role)[:width] for leaf in name_leaves(nest)}
    assert found == set(expected)


def test_names_come_in_the_order_of_the_leaves() -> None:
    nest = {"b1": b, "W1": W}
    shapes = [leaf.shape for leaf in name_leaves(nest)]
    assert shapes == [np.shape(leaf) for leaf in flatten(nest)]


def test_a_normalisation_is_not_dense() -> None:
    leaves = name_leaves([(W, b), {"gamma": b, "beta": b}])
    assert [leaf.dense for leaf in leaves] == [True, True, False, False]


def test_matching_goes_by_key_and_keeps_gaps() -> None:
    assert flatten_like({"W": 1.0, "b": 2.0}, {"b": 4.0}) == [None, 4.0]
    assert flatten_like([(1.0, 2.0)], [None]) == [None, None]


def test_another_structure_with_as_many_leaves_is_taken_in_order() -> None:
    flat = {"a": W, "b": b, "c": V, "d": b}
    found = flatten_like([(W, b), (V, b)], flat)
    assert all(leaf is given for leaf, given in zip(found, flat.values(), strict=True))


def test_a_structure_that_cannot_be_matched_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected"):
        flatten_like([(W, b), (V, b)], [W, b, V])


def test_a_dict_that_lists_all_weights_first_is_named_in_its_own_order() -> None:
    nest = {"W1": W, "W2": V, "b1": b, "b2": np.ones(3)}
    assert [(leaf.name, leaf.layer, leaf.shape) for leaf in name_leaves(nest)] == [
        ("W1", 1, (2, 3)), ("W2", 2, (3, 3)), ("b1", 1, (3,)), ("b2", 2, (3,))
    ]  # fmt: skip


def test_dotted_names_are_kept_and_a_normalisation_is_no_layer() -> None:
    nest = {"0.weight": V, "0.bias": b, "1.weight": b, "1.bias": b, "2.weight": V, "2.bias": b}
    assert [(leaf.name, leaf.layer, leaf.role, leaf.dense) for leaf in name_leaves(nest)] == [
        ("0.weight", 1, "W", True), ("0.bias", 1, "b", True), ("1.weight", 1, "W", False), ("1.bias", 1, "b", False),
        ("2.weight", 2, "W", True), ("2.bias", 2, "b", True),
    ]  # fmt: skip


@pytest.mark.parametrize("biases", [[b, np.ones(4)], [column, np.ones((4, 1))], [column.T, np.ones((1, 4))]])
@pytest.mark.parametrize(
    "pack", [lambda w, b: [w, b], lambda w, b: (tuple(w), tuple(b)), lambda w, b: {"W": w, "b": b}]
)
def test_a_list_of_weights_and_a_list_of_biases_are_layers(biases: Any, pack: Any) -> None:
    expected = [("W1", 1, "W"), ("W2", 2, "W"), ("b1", 1, "b"), ("b2", 2, "b")]
    weights = [W, np.ones((3, 4))]
    assert [(leaf.name, leaf.layer, leaf.role) for leaf in name_leaves(pack(weights, biases))] == expected
    found = {(leaf.name, leaf.layer, leaf.role) for leaf in name_leaves(pack(biases, weights))}
    assert {(layer, role) for _, layer, role in found} == {(1, "W"), (1, "b"), (2, "W"), (2, "b")}


def test_columns_of_a_narrow_network_are_not_taken_for_lists_of_weights_and_biases() -> None:
    nest = [(W.T, column), (np.ones((1, 3)), np.ones((1, 1)))]
    assert [leaf.name for leaf in name_leaves(nest)] == ["W1", "b1", "W2", "b2"]
