"""What names stand for, stated once more: a checker shares nothing with what it checks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ACTIVATIONS", "COMPOSED", "SURFACES", "TARGETS"]

COMPOSED: Mapping[tuple[str, int], str] = MappingProxyType({
    ("expit", 1): "1/(1 + exp(-u))",
    ("logit", 1): "log(u/(1 - u))",
    ("log10", 1): "log(u)/log(10)",
    ("log2", 1): "log(u)/log(2)",
    ("log1p", 1): "log(u + 1)",
    ("expm1", 1): "exp(u) - 1",
    ("cbrt", 1): "where(u < 0, -(-u)**(1/3), u**(1/3))",
    ("sec", 1): "1/cos(u)",
    ("csc", 1): "1/sin(u)",
    ("cot", 1): "cos(u)/sin(u)",
    ("sech", 1): "1/cosh(u)",
    ("csch", 1): "1/sinh(u)",
    ("coth", 1): "1/tanh(u)",
    ("hypot", 2): "sqrt(u**2 + v**2)",
    ("mod", 2): "u - v*floor(u/v)",
    ("clip", 3): "min(max(u, v), w)",
    ("Heaviside", 1): "where(u < 0, 0, where(u > 0, 1, 1/2))",
    ("Heaviside", 2): "where(u < 0, 0, where(u > 0, 1, v))",
    ("heaviside", 2): "where(u < 0, 0, where(u > 0, 1, v))",
})  # fmt: skip
"""Functions of u, v, w that are put together from others, by name and number of arguments."""
SELU = "1.0507009873554804934193349852946 * (max(x, 0) + 1.6732632423543772848170429916717 * (exp(min(x, 0)) - 1))"
ACTIVATIONS: Mapping[str, str] = MappingProxyType({
    "identity": "x",
    "sigmoid": "1/(1 + exp(-x))",
    "tanh": "tanh(x)",
    "relu": "max(x, 0)",
    "leaky_relu": "max(x, x/100)",
    "elu": "max(x, 0) + exp(min(x, 0)) - 1",
    "selu": SELU,
    "softplus": "log(1 + exp(x))",
    "log_sigmoid": "-log(1 + exp(-x))",
    "gelu": "x*(1 + erf(x/sqrt(2)))/2",
    "gelu_tanh": "x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2",
    "silu": "x/(1 + exp(-x))",
    "mish": "x*tanh(log(1 + exp(x)))",
    "swish": "x/(1 + exp(-x))",
})  # fmt: skip
TARGETS: Mapping[str, str] = MappingProxyType({
    "sine": "sin(2*pi*x)",
    "square": "x**2",
    "kink": "abs(x - 1/2)",
    "root": "sqrt(x)",
    "runge": "1/(1 + 25*(2*x - 1)**2)",
    "wave": "exp(-x)*sin(8*pi*x)",
    "oscillator": "exp(-3*x)*cos(6*pi*x)",
    "planck": "planck(12*x)",
    "step": "x > 1/2",
    "weierstrass": "cos(pi*x) + cos(3*pi*x)/2 + cos(9*pi*x)/4 + cos(27*pi*x)/8 + cos(81*pi*x)/16 + cos(243*pi*x)/32",
})  # fmt: skip
"""The definitions that names stand for, stated once more: a checker shares nothing with what it checks."""
SURFACES: Mapping[str, str] = MappingProxyType({
    "franke": "0.75*exp(-((9*x - 2)**2 + (9*y - 2)**2)/4) + 0.75*exp(-(9*x + 1)**2/49 - (9*y + 1)/10)"
    " + 0.5*exp(-((9*x - 7)**2 + (9*y - 3)**2)/4) - 0.2*exp(-(9*x - 4)**2 - (9*y - 7)**2)",
})  # fmt: skip
"""The same of two variables."""
