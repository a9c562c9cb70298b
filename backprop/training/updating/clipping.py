"""Gradients that are too long are shortened before the step."""

from __future__ import annotations

import math

import numpy as np

from backprop.arrays import check_vector, is_number
from backprop.errors import UsageError
from backprop.training.trainable import Array

__all__ = ["as_limit", "clip_by_norm", "clip_by_value"]


def clip_by_norm(gradient: Array, limit: float) -> float:
    """Shorten a gradient in place to the length `limit` if it is longer; its direction stays. Returns its old length.

        g <- g min(1, limit / |g|)

    Source: R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks (2013),
    algorithm 1. (torch divides by |g| + 1e-6.)

    >>> g = np.array([3.0, 4.0])
    >>> clip_by_norm(g, 1.0), g.round(12).tolist()
    (5.0, [0.6, 0.8])
    """
    check_vector("gradient", gradient)
    limit = as_limit("limit", limit) or math.inf
    length = math.sqrt(float(np.vdot(gradient, gradient)))
    if length > limit:
        np.multiply(gradient, limit / length, out=gradient)
    return length


def clip_by_value(gradient: Array, limit: float) -> None:
    """Cut every entry of a gradient in place to [-limit, limit]; its direction may change.

    >>> g = np.array([3.0, -0.5])
    >>> clip_by_value(g, 1.0)
    >>> g.tolist()
    [1.0, -0.5]
    """
    check_vector("gradient", gradient)
    limit = as_limit("limit", limit) or math.inf
    np.clip(gradient, -limit, limit, out=gradient)


def as_limit(name: str, limit: float | None) -> float | None:
    """Return a limit > 0 as a float, or None."""
    if limit is not None and (not is_number(limit) or limit <= 0):
        raise UsageError(f"{name} must be a number > 0 or None; got {limit!r}")
    return None if limit is None else float(limit)
