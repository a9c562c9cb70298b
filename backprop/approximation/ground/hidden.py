"""The hidden layer: sigma, its derived sigma', and the matrix of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from sympy import Expr, Poly

from backprop.approximation.ground.target import Floats
from backprop.errors import UsageError
from backprop.runtime.activation_functions import activation as find_activation
from theory.functions.pieces import split
from theory.functions.values import real_symbol

__all__ = ["MOST_DEGREE", "Hidden", "Sigma", "compute_arguments", "find_degree", "read_sigma"]

MOST_DEGREE = 32


def find_degree(activation: Expr) -> int | None:
    """The degree of an activation that is stated as a polynomial in x, or None.

    >>> from theory.functions.elementwise import parse
    >>> [find_degree(parse(text)) for text in ("(x + 1)**2", "x", "x*tanh(x)", "abs(x)")]
    [2, 1, None, None]
    """
    x = real_symbol()
    return int(Poly(activation, x).degree()) if activation.is_polynomial(x) else None


class Hidden(NamedTuple):
    """Weights w (width,) and biases b (width,) of the hidden units; w is (width, d) for points with d coordinates."""

    w: Floats
    b: Floats


@dataclass(frozen=True, eq=False)
class Sigma:
    """An activation and its derivative as functions on arrays."""

    name: str
    expression: Expr
    f: Callable[[Any], Any]
    f_prime: Callable[[Any], Any]

    @cached_property
    def degree(self) -> int | None:
        """The degree where sigma is a polynomial: then every network is one of that degree at most."""
        return find_degree(self.expression)

    @cached_property
    def is_homogeneous(self) -> bool:
        """Whether sigma(s z) = s sigma(z) for s > 0, as for relu: the size of w and b is then arbitrary."""
        z = np.array([-3.0, -0.7, 0.7, 3.0])
        with np.errstate(all="ignore"):
            return bool(np.allclose(self.f(4 * z), 4 * self.f(z), rtol=1e-12, atol=0))

    def normalise(self, hidden: Hidden) -> Hidden:
        """Take the arbitrary size out of a hidden layer, if there is one: |w_k| = 1."""
        if not self.is_homogeneous:
            return hidden
        size = np.linalg.norm(hidden.w.reshape(len(hidden.b), -1), axis=1)
        size = np.where(size == 0, 1, size)
        return Hidden((hidden.w.T / size).T, hidden.b / size)

    def compute_features(self, hidden: Hidden, x: Floats) -> Floats:
        """Return sigma(w_k x_i + b_k) with a last column of ones, shape (len(x), width + 1); x is (n,) or (n, d)."""
        features = np.ones((len(x), len(hidden.w) + 1))
        with np.errstate(all="ignore"):
            features[:, :-1] = self.f(compute_arguments(hidden.w, hidden.b, x))
        return features

    def compute_slopes(self, hidden: Hidden, x: Floats) -> Floats:
        """Return sigma'(w_k x_i + b_k), shape (len(x), width)."""
        with np.errstate(all="ignore"):
            return np.asarray(self.f_prime(compute_arguments(hidden.w, hidden.b, x)), dtype=np.float64)


def compute_arguments(w: Floats, b: Floats, x: Floats) -> Floats:
    """Return w_k · x_i + b_k, shape (len(x), width), for points x (n,) with w (width,), or (n, d) with (width, d)."""
    return (np.outer(x, w) if w.ndim == 1 else x @ w.T) + b


def read_sigma(name: str) -> Sigma:
    """Return an activation by name or expression, fit for approximation.

    Raises:
        UsageError: an unknown name, text that is no expression, or a polynomial of a degree too high for its floor
            (see `limits.floor`), or that is written with cases.

    Source: M. Leshno, V. Lin, A. Pinkus, S. Schocken, Multilayer feedforward networks with a nonpolynomial
    activation function can approximate any function, Neural Networks 6 (1993), theorem 1.

    >>> read_sigma("tanh").f(np.array([0.0]))
    array([0.])
    """
    known = find_activation(name)
    try:
        pieces = split(known.expression)
    except ValueError as error:
        raise UsageError(str(error)) from None
    is_polynomial = len(pieces) == 1 and pieces[0].expression.expand().is_polynomial(real_symbol())
    degree = find_degree(known.expression)
    if is_polynomial and (degree is None or degree > MOST_DEGREE):
        raise UsageError(
            f"activation {name!r} is a polynomial: however wide, such a network is a polynomial of the same "
            "degree and cannot come near every function (Leshno et al. 1993); use tanh or relu, or a polynomial "
            f"written without cases, of degree {MOST_DEGREE} at most"
        )
    return Sigma(known.name, known.expression, known.f, known.f_prime)
