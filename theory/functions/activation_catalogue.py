"""The catalogue of activations: each stated once, forward only, with its reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import sympy
from sympy import Expr, Integer, Rational

__all__ = ["ALIASES", "NAMES", "SELU_ALPHA", "SELU_SCALE", "STATEMENTS", "Statement"]


class Statement(NamedTuple):
    """What is stated of an activation: its formula, and where that comes from."""

    formula: Callable[[Expr], Expr]
    reference: str


def cut(below: Expr, above: Expr, x: Expr) -> Expr:
    """Return `below` for x <= 0 and `above` for x > 0."""
    return sympy.Piecewise((below, x <= 0), (above, True))


LEAKY_SLOPE = Rational("0.01")
ELU_ALPHA = Integer(1)
SELU_ALPHA = Rational("1.6732632423543772848170429916717")
SELU_SCALE = Rational("1.0507009873554804934193349852946")
GELU_CUBIC = Rational("0.044715")

_LECTURE = "M. Hjorth-Jensen, Advanced machine learning, week 2 (2026)"
STATEMENTS: Mapping[str, Statement] = MappingProxyType(
    {
        "identity": Statement(lambda x: x, f"{_LECTURE}: regression output"),
        "sigmoid": Statement(lambda x: 1 / (1 + sympy.exp(-x)), _LECTURE),
        "tanh": Statement(sympy.tanh, _LECTURE),
        "relu": Statement(
            lambda x: sympy.Max(0, x, evaluate=False), "Nair and Hinton, Rectified linear units, ICML 2010"
        ),
        "leaky_relu": Statement(
            lambda x: cut(LEAKY_SLOPE * x, x, x), "Maas, Hannun and Ng, Rectifier nonlinearities, ICML 2013"
        ),
        "elu": Statement(
            lambda x: cut(ELU_ALPHA * (sympy.exp(x) - 1), x, x),
            "Clevert, Unterthiner and Hochreiter, arXiv:1511.07289",
        ),
        "selu": Statement(
            lambda x: cut(SELU_SCALE * SELU_ALPHA * (sympy.exp(x) - 1), SELU_SCALE * x, x),
            "Klambauer, Unterthiner, Mayr and Hochreiter, arXiv:1706.02515",
        ),
        "softplus": Statement(
            lambda x: sympy.log(1 + sympy.exp(x)), "Dugas, Bengio, Bélisle, Nadeau and Garcia, NIPS 2000"
        ),
        "log_sigmoid": Statement(lambda x: sympy.log(1 / (1 + sympy.exp(-x))), "log-likelihood of the logistic model"),
        "gelu": Statement(
            lambda x: x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2, "Hendrycks and Gimpel, arXiv:1606.08415"
        ),
        "gelu_tanh": Statement(
            lambda x: x * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * (x + GELU_CUBIC * x**3))) / 2,
            "Hendrycks and Gimpel, arXiv:1606.08415, equation for the approximation",
        ),
        "silu": Statement(
            lambda x: x / (1 + sympy.exp(-x)),
            "Elfwing, Uchibe and Doya, arXiv:1702.03118; Swish: arXiv:1710.05941",
        ),
        "mish": Statement(lambda x: x * sympy.tanh(sympy.log(1 + sympy.exp(x))), "Misra, arXiv:1908.08681"),
    }
)

NAMES: tuple[str, ...] = tuple(STATEMENTS)
ALIASES: Mapping[str, str] = MappingProxyType({"swish": "silu"})
