"""First weights by the derived variance conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from backprop.arrays import as_generator
from backprop.errors import UsageError, unknown_name
from backprop.specification.layers import Residual
from backprop.training.trainable import Array, Trainable
from theory.chapters.training.initialisation import SCHEMES, variance

__all__ = ["draw_parameters", "find_activations"]

SHAPES = ("normal", "uniform")


def draw_parameters(net: Trainable, rng: np.random.Generator, scheme: str = "both", shape: str = "normal") -> Array:
    """Draw a starting point: weights of the variance that the scheme gives for each layer, biases 0.

    Args:
        scheme: "lecun" 1/M_in, "glorot" 2/(M_in + M_out), "he" 2/M_in; or "forward", "backward", "both": the same
            conditions with the moments of the layer's own activation, whatever it is.
        shape: "normal" or "uniform" (over ±sqrt(3 Var)); the conditions fix the variance only.

    Equation: Var(w) solves the scheme's condition, see `python -m theory initialisation`.

    Raises:
        UsageError: an unknown scheme or shape.

    >>> import backprop
    >>> net = backprop.build("400-300-1", activation="relu")
    >>> (W1, b1), _ = net.views(draw_parameters(net, np.random.default_rng(0), "he"))
    >>> bool(abs(W1.var() * 400 / 2 - 1) < 0.02), bool(b1.any())
    (True, False)
    """
    if not isinstance(scheme, str) or scheme not in SCHEMES:
        raise unknown_name("initialiser", scheme, SCHEMES)
    if not isinstance(shape, str) or shape not in SHAPES:
        raise unknown_name("shape of the initial weights", shape, SHAPES)
    theta = net.initial(as_generator(rng))
    layers = net.views(theta)
    # a scheme that supposes an activation of its own does not ask for the layer's
    activations = ["identity"] * len(layers) if SCHEMES[scheme].activation else find_activations(net)
    for layer, activation in zip(layers, activations, strict=True):
        for name, block in zip(getattr(layer, "_fields", ("W", "b")), layer, strict=True):
            if block.ndim == 2:
                inputs, outputs = block.shape
                spread = math.sqrt(variance(scheme, inputs, outputs, activation))
                block[:] = spread * draw(rng, shape, block.shape)
            elif name in ("b", "c"):
                block[:] = 0
    return theta


def draw(rng: np.random.Generator, shape: str, size: tuple[int, ...]) -> Array:
    """Random numbers of mean 0 and variance 1."""
    return rng.standard_normal(size) if shape == "normal" else rng.uniform(-math.sqrt(3), math.sqrt(3), size)


def find_activations(net: Trainable) -> Sequence[str]:
    """The activation in front of each layer that owns parameters: the identity for the data.

    Normalisations and dropout leave it, an `Activation` after them sets it; a gate's output counts as linear.
    """
    network: Any = getattr(net, "network", None)
    if network is None:
        raise UsageError("this network states no activations; draw its parameters yourself and pass them as theta")
    if getattr(network, "is_plain", True):
        return ("identity", *network.activations)
    found, front = [], "identity"
    for layer in network.layers:
        if isinstance(layer, Residual):
            raise UsageError(
                "no variance condition is derived for residual connections; choose 'he', 'glorot' or 'lecun'"
            )
        if any(part.kind.parameters for part in layer.parts()):
            found.append(front)
        front = front if layer.front is None else layer.front
    return found
