"""Families of activations with a free number: a slope, a stretch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from backprop.diagnosis.model.evaluate import Array, Function
from backprop.diagnosis.model.functions import pair_of

__all__ = ["FAMILIES", "Family", "usual_members"]


class Family(NamedTuple):
    """(number, order, z) -> f or f' of a member; where a search for the number starts; numbers that people give it."""

    name: str
    value: Callable[[float, int, Array], Array]
    start: float
    usual: tuple[float, ...] = ()

    def member(self, number: float) -> tuple[Function, Function]:
        """f and f' of one member."""
        return lambda z: self.value(number, 0, z), lambda z: self.value(number, 1, z)


def part(name: str, order: int, z: Array) -> Array:
    """f (order 0) or f' (order 1) of the catalogue at z."""
    pair = pair_of(name)
    assert pair is not None
    return pair[order](z)


def mixture(name: str, start: float, first: str, second: str, usual: tuple[float, ...] = ()) -> Family:
    """(1 − s) f + s g"""
    return Family(name, lambda s, order, z: (1 - s) * part(first, order, z) + s * part(second, order, z), start, usual)


def stretched(name: str, start: float, usual: tuple[float, ...] = ()) -> Family:
    """f(s z)"""
    return Family(name, lambda s, order, z: s**order * part(name, order, s * z), start, usual)


def zoomed(name: str, start: float, usual: tuple[float, ...] = ()) -> Family:
    """f(s z) / s"""
    return Family(name, lambda s, order, z: part(name, order, s * z) / s ** (1 - order), start, usual)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        mixture("leaky_relu", 0.1, "relu", "identity", (0.1, 0.2, 0.05, 0.3)),
        mixture("elu", 0.5, "relu", "elu", (0.5, 0.1)),
        stretched("tanh", 0.6, (2 / 3,)),
        stretched("sigmoid", 2.0),
        zoomed("silu", 1.5, (1.702, 1.5, 2.0)),
        zoomed("softplus", 2.0),
        stretched("sin", 2.0, (2.0, 3.0, 5.0, 10.0, 30.0)),
    )
}


def usual_members() -> Iterator[tuple[str, tuple[Function, Function]]]:
    """The members of families that are seen often: (name, (f, f'))."""
    for family in FAMILIES.values():
        for number in family.usual:
            yield family.name, family.member(number)
