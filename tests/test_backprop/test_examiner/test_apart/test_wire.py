"""Values cross between two processes and arrive as they were; rubbish is an error, never code."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.examiner.apart.wire import LENGTH_BYTES, Opaque, Reader, WireError, WireWriter, overwrite
from backprop.examiner.measuring.duals import DualNumber, dual_array


class Layer(NamedTuple):
    W: Any
    b: Any


class Special(np.ndarray):
    """An array of a class of one's own."""


class Bag(dict):
    """A mapping of one's own."""


def send(value: Any, writer: WireWriter | None = None, reader: Reader | None = None) -> Any:
    """To the other side, as bytes."""
    data = bytearray(b"".join(bytes(part) for part in (writer or WireWriter()).message({"it": value})))
    assert int.from_bytes(data[:LENGTH_BYTES], "big") == len(data) - LENGTH_BYTES
    return (reader or Reader()).message(data[LENGTH_BYTES:])["it"]


numbers = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text()
kinds = st.sampled_from(["f8", "f4", ">f8", "c16", "i4", "u1", "?", "f2"])
arrays = st.builds(
    lambda shape, kind, seed: np.random.default_rng(seed).normal(size=shape).astype(kind),
    st.lists(st.integers(0, 4), max_size=3).map(tuple), kinds, st.integers(0, 99),
)  # fmt: skip
values = st.recursive(
    numbers | arrays | arrays.map(np.transpose),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3).map(Bag)
        | st.builds(Layer, inner, inner)
    ),
    max_leaves=8,
)


@given(values)
def test_what_is_sent_arrives(value: Any) -> None:
    writer = WireWriter()
    assert repr(send(value, writer, Reader(classes=writer.classes))) == repr(value)


@given(values)
def test_what_comes_back_is_what_was_sent_even_without_its_classes(value: Any) -> None:
    writer = WireWriter()
    there = send(value, writer)
    assert repr(send(there, WireWriter(), Reader(classes=writer.classes))) == repr(value)


@given(st.binary(max_size=200))
def test_rubbish_is_an_error_of_the_wire(data: bytes) -> None:
    with pytest.raises(WireError):
        Reader().message(bytearray(data + b"\n[3]"))


@pytest.mark.parametrize(
    "item",
    [
        ["array", "O", [1], 0],
        ["array", "f8", [1 << 60], 0],
        ["nonsense"],
        ["named", "a b", ["1x"], [1]],
        ["generator", "default_rng", {}],
        ["handle", 0],
        ["shared", 7],
        [["list"]],
        json.loads("[\"list\", [" * 60 + "]]" * 60),
    ],
)  # fmt: skip
def test_no_message_makes_more_than_values(item: Any) -> None:
    structure = json.dumps({"it": item}).encode()
    message = bytearray(json.dumps([len(structure), 8]).encode() + b"\n" + structure + bytes(8))
    with pytest.raises(WireError):
        Reader().message(message)


def test_a_read_only_array_travels_once() -> None:
    array = np.arange(1000.0)
    array.setflags(write=False)
    known: dict[int, int] = {}

    def share(one: np.ndarray) -> tuple[int, bool]:
        return known.setdefault(id(one), 0), len(known) > 1 or bool(seen)

    seen: list[int] = []
    reader = Reader()
    first = send(array, WireWriter(share=share), reader)
    seen.append(1)
    again = WireWriter(share=share)
    assert send(array, again, reader) is first
    assert again.blobs == []
    assert not first.flags.writeable


def test_dual_numbers_and_generators_cross() -> None:
    duals = send(dual_array(np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])))
    assert [(one.value, one.slope) for one in duals.ravel()] == [(1.0, 3.0), (2.0, 4.0)]
    assert send(DualNumber(1.0, 2.0)).slope == 2.0
    for generator in (np.random.default_rng(3), np.random.Generator(np.random.MT19937(3))):
        assert send(generator).normal() == generator.normal()


def test_what_cannot_travel_stays_and_shows_its_numbers() -> None:
    kept: list[Any] = []

    def keep(value: Any) -> int:
        kept.append(value)
        return len(kept) - 1

    there = send(np.array([[1.0, 2.0]]).view(Special), WireWriter(keep))
    assert isinstance(there, Opaque)
    assert (type(there).__name__, there.shape, np.asarray(there).tolist()) == ("Special", (1, 2), [[1.0, 2.0]])
    assert send(there, WireWriter(), Reader(kept.__getitem__)) is kept[0]
    with pytest.raises(TypeError, match="object is no array"):
        np.asarray(send(object(), WireWriter(keep)))
    with pytest.raises(WireError, match="cannot be handed over"):
        send(object())


def test_what_was_written_in_place_there_is_written_here() -> None:
    array = np.zeros(2)
    mine: Any = [{"W": array, "gone": 1}, (np.zeros(1), [1.0, 2.0]), np.zeros(3)]
    overwrite(mine, [{"W": np.ones(2), "new": 2}, (np.ones(1), [3.0, 2.0]), np.ones((2, 2))])
    assert mine[0]["W"] is array
    assert repr(mine) == repr([{"W": np.ones(2), "new": 2}, (np.ones(1), [3.0, 2.0]), np.ones((2, 2))])
