"""The comparison: how far gradients are from the subject's, at every case of a recognised network."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from backprop.diagnosis.model.evaluate import Array, Values
from backprop.diagnosis.recognition.recognise import NetScene

__all__ = ["NEGLIGIBLE", "find_largest", "is_gradient", "layer_of", "list_wrong", "measure_match", "same"]

EQUAL = 1e-6
NEGLIGIBLE = 1e-10
CANCELLED = 0.1
"""Of the relative rounding: how much of the largest gradient a small one may be off, where large parts cancel."""


def list_wrong(scenes: Sequence[NetScene]) -> list[str]:
    """The gradients in which the subject differs from the right program at some case."""
    names = list(scenes[0].right)
    return [
        name
        for name in names
        if any(name in scene.yours and not same(scene.yours[name], scene.right[name], scene) for scene in scenes)
    ]


def layer_of(name: str) -> int:
    """12 for dW12."""
    return int("".join(filter(str.isdigit, name)))


def is_gradient(name: str) -> bool:
    """Whether a line is the gradient of a parameter."""
    return name.startswith(("dW", "db", "dgamma"))


def same(yours: Array, other: Array, scene: NetScene) -> bool:
    """Equal in shape and value; one number may stand for all."""
    return measure_gap(yours, other, scene) <= 1


def measure_gap(yours: Array, other: Array, scene: NetScene) -> float:
    """The largest difference in units of its room; infinite where shapes or what is no number forbid a comparison."""
    if not np.isfinite(yours).all() or not np.isfinite(other).all():
        return math.inf
    if yours.shape != other.shape:
        fitted = fit_shapes(yours, other)
        if fitted is None:
            return math.inf
        yours, other = fitted
    size = max(float(np.max(np.abs(yours), initial=0.0)), float(np.max(np.abs(other), initial=0.0)))
    room = max(EQUAL, scene.room) * size + max(NEGLIGIBLE, CANCELLED * scene.room) * find_largest(scene)
    gap = float(np.max(np.abs(yours - other), initial=0.0))
    return gap / room if room else math.inf if gap else 0.0


def measure_match(scenes: Sequence[NetScene], made: Sequence[Values]) -> dict[str, float]:
    """How far made gradients are from the subject's, and those of the right program, in units of their room."""
    pairs = [(scene, values, name) for scene, values in zip(scenes, made, strict=True) for name in scene.yours]
    known = [(scene, values, name) for scene, values, name in pairs if name in values and name in scene.right]
    return {
        "off": max((measure_gap(scene.yours[name], values[name], scene) for scene, values, name in known), default=0.0),
        "entries": sum(scene.yours[name].size for scene, _, name in known),
        "cases": len(scenes),
        "right_off": max((measure_gap(s.yours[name], s.right[name], s) for s, _, name in known), default=0.0),
    }


def find_largest(scene: NetScene) -> float:
    """The largest gradient entry of a case."""
    if not scene.size:
        scene.size = max((float(np.max(np.abs(a), initial=0.0)) for k, a in scene.right.items() if is_gradient(k)))
    return scene.size


def fit_shapes(yours: Array, other: Array) -> tuple[Array, Array] | None:
    """The same shape where only axes of length 1, a transpose, or a number for all differ."""
    a, b = np.squeeze(yours), np.squeeze(other)
    if a.shape == b.shape:
        return a, b
    if a.T.shape == b.shape:
        return a.T, b
    if b.size == 1:
        return a, np.full(a.shape, b.item())
    return None
