"""Layer normalisation: every sample is standardised over its units, then scaled and shifted by what is learned.

>>> from theory.language.printing import show
>>> for definition in layer_norm().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
mean μ_s^l := 1/M_l Σ_j x_sj^l
var ν_s^l := 1/M_l Σ_j (x_sj^l - μ_s^l)^2
root ρ_s^l := 1/(ν_s^l + ε)^(1/2)
unit u_sj^l := ρ_s^l (x_sj^l - μ_s^l)
F2 h_sj^l := β_j^l + γ_j^l u_sj^l
"""

from __future__ import annotations

from sympy import Rational

from theory.language.notation import Width, epsilon, l, sample, total, unit, var
from theory.language.statement import Definition, System
from theory.layers.kind import Kind

__all__ = ["LAYER_NORM", "layer_norm"]


def layer_norm() -> System:
    """Mean and variance are those of one sample over its M_l units: training and prediction are the same.

    Shapes: gamma and beta are (M_l,).  Source: Ba, Kiros and Hinton 2016, equation 3.
    """
    s, j = sample(), unit("j", l)
    x, u, h = (var(name, l, s, j) for name in "xuh")
    mu, nu, rho = (var(name, l, s) for name in ("mu", "nu", "rho"))
    gamma, beta = var("gamma", l, j), var("beta", l, j)
    definitions = (
        Definition("mean", mu, total(x, j) / Width(l)),
        Definition("var", nu, total((x - mu) ** 2, j) / Width(l)),
        Definition("root", rho, (nu + epsilon) ** Rational(-1, 2)),
        Definition("unit", u, (x - mu) * rho),
        Definition("F2", h, gamma * u + beta),
    )
    return System(definitions, last=l, cuts=(), adjoints=(), output="h", inputs=(x,), parameters=(gamma, beta))


LAYER_NORM = Kind("layer norm", layer_norm, layer_norm, "h", "norm", owner="Scale", starts={"gamma": 1.0, "beta": 0.0})
