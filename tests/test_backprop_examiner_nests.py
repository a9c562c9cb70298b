"""Nests of parameters are taken apart, named and put together without loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.examiner.nests import flatten, flatten_like, name_leaves, rebuild


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
    assert len(name_leaves(nest)) == len(flatten(nest))


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
        ([(W, b), (b, b), (V, b)], [("W1", 1), ("b1", 1), ("W1_2", 1), ("b1_2", 1), ("W2", 2), ("b2", 2)]),
        ([(b, 0.5)], [("W1", 1, "W"), ("b1", 1, "b")]),
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
