"""Hidden activations from the values of the forward pass: names from the catalogue, one number of a family, masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from backprop.diagnosis.model.activations import CATALOGUE, FURTHER, OUTPUTS
from backprop.diagnosis.model.evaluate import Array, Function, Values
from backprop.diagnosis.model.families import usual_members
from backprop.diagnosis.model.functions import NetFunctions, pair_of, softmax

__all__ = [
    "SOFTMAX",
    "Norm",
    "Stack",
    "list_mixtures",
    "list_normalised",
    "list_stacks",
    "name_outputs",
    "named",
    "pile",
]

MIXED_DEPTH = 3
MIXED = ("sigmoid", "tanh", "relu", "identity", "leaky_relu", "softplus", "elu", "gelu_tanh", "silu")
EPSILONS = (1e-5, 1e-8, 1e-3, 1e-7, 1e-6, 1e-4, 1e-9, 1e-12, 0.0, 1e-2)

SOFTMAX: tuple[Function, None] = (softmax, None)
"""Not entry by entry: what it does to an error is a Jacobian."""

Point = tuple[Values, Array]
"""Parameters W1, b1 … and a batch X."""


@dataclass(frozen=True)
class Norm:
    """A normalisation over the batch (axis 0) or the units (axis 1); γ and β are constants, or None: parameters.

    Batches may be stacked: the axes are counted from the last.
    """

    epsilon: float
    axis: int
    gamma: Array | None = None
    beta: Array | None = None
    spare: int = 0
    """1 where the variance is divided by one less than the number of values."""

    def normalise(self, u: Array) -> Array:
        """x̂ = (u − mean) / √(variance + ε)"""
        return np.asarray((u - u.mean(axis=self.axis - 2, keepdims=True)) * self.shrink(u))

    def shrink(self, u: Array) -> Array:
        """1 / √(variance + ε)"""
        return np.asarray(1 / np.sqrt(u.var(axis=self.axis - 2, keepdims=True, ddof=self.spare) + self.epsilon))

    def apply(self, u: Array, values: Values, layer: int) -> Array:
        """γ x̂ + β"""
        return self.normalise(u) * self.scale(values, layer) + self.shift(values, layer)

    def scale(self, values: Values, layer: int) -> Array:
        """γ"""
        return values.get(f"gamma{layer}", np.ones(1)) if self.gamma is None else self.gamma

    def shift(self, values: Values, layer: int) -> Array:
        """β"""
        return values.get(f"beta{layer}", np.zeros(1)) if self.beta is None else self.beta


@dataclass(frozen=True)
class Stack:
    """The hidden layers: (f, f') of each with its name, masks and normalisations by layer. Softmax has no f'."""

    names: tuple[str, ...]
    pairs: tuple[tuple[Function, Function | None], ...] = field(repr=False, compare=False)
    masks: dict[int, Array] = field(default_factory=dict, repr=False, compare=False)
    norms: dict[int, Norm] = field(default_factory=dict, repr=False, compare=False)
    plan: int = 0
    """Which of the plans for masks it follows; every case has masks of its own."""

    def run(self, values: Values, X: Array) -> Array:
        """z^L of a batch."""
        last = len(self.pairs) + 1
        return self.below(values, X) @ values[f"W{last}"] + values[f"b{last}"]

    def below(self, values: Values, X: Array) -> Array:
        """a^{L-1} of a batch, as it enters the output layer."""
        a = X * self.masks[0] if 0 in self.masks else X
        for layer, (f, _) in enumerate(self.pairs, start=1):
            u = a @ values[f"W{layer}"] + values[f"b{layer}"]
            a = f(self.norms[layer].apply(u, values, layer) if layer in self.norms else u)
            a = a * self.masks[layer] if layer in self.masks else a
        return a


def pile(points: Sequence[Values]) -> Values:
    """The parameters of several points one behind the other, so that a stack runs a batch for all of them at once."""
    piled = {name: np.stack([values[name] for values in points]) for name in points[0]}
    return {name: a.reshape(len(a), *(1,) * (3 - a.ndim), *a.shape[1:]) for name, a in piled.items()}


def named(names: Sequence[str], masks: dict[int, Array]) -> Stack | None:
    """A stack of activations by their names."""
    made = (SOFTMAX if name == "softmax" else pair_of(name) for name in names)
    pairs = tuple(pair for pair in made if pair is not None)
    return Stack(tuple(names), pairs, masks) if len(pairs) == len(names) else None


def list_stacks(hidden: int, masks: dict[int, Array]) -> Iterator[Stack]:
    """One activation everywhere: those of the catalogue, further ones, softmax, then usual members of families."""
    for name in (*CATALOGUE, *FURTHER, "softmax"):
        stack = named((name,) * hidden, masks)
        if stack is not None:
            yield stack
    if hidden:
        for name, pair in usual_members():
            yield Stack((name,) * hidden, (pair,) * hidden, masks)


def list_mixtures(hidden: int, masks: dict[int, Array]) -> Iterator[Stack]:
    """An activation of its own for each layer, where there are few layers."""
    if 1 < hidden <= MIXED_DEPTH:
        for names in product(CATALOGUE if hidden == 2 else MIXED, repeat=hidden):
            stack = named(names, masks) if len(set(names)) > 1 else None
            if stack is not None:
                yield stack


def list_normalised(hidden: int, layers: Sequence[int]) -> Iterator[Stack]:
    """Stacks with γ and β among the parameters of some layers: one activation everywhere first, then mixtures."""
    for chosen in (list(list_stacks(hidden, {})), list(list_mixtures(hidden, {}))):
        for spare, epsilon, axis in product((0, 1), EPSILONS, (0, 1)):
            norm = Norm(epsilon, axis, spare=spare)
            for stack in chosen:
                yield Stack(stack.names, stack.pairs, {}, dict.fromkeys(layers, norm))


def name_outputs(z: Array, out: Array, room: float) -> list[str]:
    """The output functions that make these outputs of z^L."""
    functions = NetFunctions({})
    found = []
    for name in (*OUTPUTS, *FURTHER):
        if name == "softmax" and z.shape[1] == 1:
            continue
        try:
            a = functions[name](z)
        except KeyError:
            continue
        if np.isfinite(a).all() and np.max(np.abs(a - out)) <= room:
            found.append(name)
    return found
