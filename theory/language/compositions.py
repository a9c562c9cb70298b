"""Functions that are put together from others, as text in the letters u, v, w: read where they are called."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["COMPOSITIONS", "Composition", "find_composition"]


class Composition(NamedTuple):
    """What a function of so many letters stands for."""

    letters: str
    body: str


COMPOSITIONS: Mapping[str, tuple[Composition, ...]] = MappingProxyType({
    "expit": (Composition("u", "1/(1 + exp(-u))"),),
    "logit": (Composition("u", "log(u/(1 - u))"),),
    "log10": (Composition("u", "log(u)/log(10)"),),
    "log2": (Composition("u", "log(u)/log(2)"),),
    "log1p": (Composition("u", "log(1 + u)"),),
    "expm1": (Composition("u", "exp(u) - 1"),),
    "cbrt": (Composition("u", "sign(u)*|u|**(1/3)"),),
    "sec": (Composition("u", "1/cos(u)"),),
    "csc": (Composition("u", "1/sin(u)"),),
    "cot": (Composition("u", "cos(u)/sin(u)"),),
    "sech": (Composition("u", "1/cosh(u)"),),
    "csch": (Composition("u", "1/sinh(u)"),),
    "coth": (Composition("u", "1/tanh(u)"),),
    "hypot": (Composition("uv", "sqrt(u**2 + v**2)"),),
    "mod": (Composition("uv", "u - v*floor(u/v)"),),
    "clip": (Composition("uvw", "min(max(u, v), w)"),),
    "Heaviside": (
        Composition("u", "((u > 0) + (u >= 0))/2"),
        Composition("uv", "(u > 0) + v*((u >= 0) - (u > 0))"),
    ),
    "heaviside": (Composition("uv", "(u > 0) + v*((u >= 0) - (u > 0))"),),
})  # fmt: skip
"""By name, one for each number of arguments. `heaviside` of one argument is elementary: 0 at 0."""


def find_composition(name: str, count: int) -> Composition | None:
    """The composition of that name with so many arguments, if there is one.

    >>> find_composition("sec", 1).body
    '1/cos(u)'
    """
    return next((one for one in COMPOSITIONS.get(name, ()) if len(one.letters) == count), None)
