"""Right networks with unusual habits, drawn: what a judge must not call wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from kit.planted import draw_net
from kit.planted_source import draw_dress, write_subject

__all__ = ["TWISTS", "draw_right"]

TWISTS = (
    "", "", "", "single gradient", "single cost", "offset", "lists", "buffer", "views", "one row", "saturated",
    "dead inputs", "in place", "zero biases",
)  # fmt: skip
"""Habits: float32 in gradient or cost, an offset, lists, a reused buffer, views, one row, saturation, dead inputs."""


def draw_right(seed: int) -> tuple[str, dict[str, Any]]:
    """A right subject for a seed, with a label."""
    rng = np.random.default_rng([11, seed])
    net = draw_net(rng)
    dress, kind = draw_dress(net, rng), TWISTS[seed % len(TWISTS)]
    subject = twist(write_subject(net, net.program, "1.0", rng, dress), kind, dress.sized)
    return f"seed {seed}: {net.sizes} {net.activations} {net.cost} {dress} {kind}", subject


def twist(subject: Mapping[str, Any], kind: str, sized: bool) -> dict[str, Any]:
    """The same subject with one further habit; what is right stays right."""
    inner = dict(subject)
    inner_cost, inner_gradients = inner["cost"], inner["gradients"]
    inner_data, inner_parameters = inner["data"], inner["parameters"]

    def as_single(nest: Any) -> Any:
        return change(nest, lambda a: np.asarray(a, dtype=np.float32) if np.asarray(a).dtype.kind == "f" else a)

    def with_dead_inputs(rng: np.random.Generator) -> Any:
        X, Y = inner_data(rng)
        X = np.array(X)
        X[..., :1] = 0.0
        return X, Y

    buffers: list[Any] = []

    def reuse(params: Any, X: Any, Y: Any, **context: Any) -> Any:
        found = inner_gradients(params, X, Y, **context)
        if not buffers:
            buffers.append(change(found, np.array))
        fill(buffers[0], found)
        return buffers[0]

    changed: dict[str, dict[str, Any]] = {
        "single gradient": {
            "gradients": lambda p, X, Y, **c: inner_gradients(as_single(p), as_single(X), as_single(Y), **c)
        },
        "single cost": {"cost": lambda p, X, Y, **c: float(np.float32(inner_cost(p, X, Y, **c)))},
        "offset": {"cost": lambda p, X, Y, **c: inner_cost(p, X, Y, **c) + 1e3},
        "lists": {
            "gradients": lambda p, X, Y, **c: change(inner_gradients(p, X, Y, **c), lambda a: np.asarray(a).tolist())
        },
        "buffer": {"gradients": reuse},
        "views": {
            "gradients": lambda p, X, Y, **c: change(inner_gradients(p, X, Y, **c), lambda a: np.array([a, a])[1])
        },
        "one row": {"data": lambda rng: inner_data(rng, 1)} if sized else {},
        "saturated": {"parameters": lambda rng: change(inner_parameters(rng), lambda a: 3.0 * np.asarray(a))},
        "dead inputs": {"data": with_dead_inputs},
        "zero biases": {"parameters": lambda rng: change(inner_parameters(rng), lambda a: a * (np.ndim(a) == 2))},
        "in place": {
            "gradients": lambda p, X, Y, **c: inner_gradients(change(p, np.array), np.array(X), np.array(Y), **c)
        },
    }
    return inner | changed.get(kind, {})


def change(nest: Any, function: Callable[[Any], Any]) -> Any:
    """Every array of a nest changed."""
    if isinstance(nest, dict):
        return {key: change(value, function) for key, value in nest.items()}
    if isinstance(nest, (list, tuple)):
        return type(nest)(change(value, function) for value in nest)
    return function(nest)


def fill(buffer: Any, found: Any) -> None:
    """The numbers of one nest written into another."""
    if isinstance(buffer, dict):
        for key in buffer:
            fill(buffer[key], found[key])
    elif isinstance(buffer, (list, tuple)):
        for one, other in zip(buffer, found, strict=True):
            fill(one, other)
    else:
        buffer[...] = found
