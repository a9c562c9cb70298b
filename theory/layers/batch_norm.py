"""Batch normalisation: every unit is standardised over the batch, then scaled and shifted by what is learned.

>>> from theory.language.printing import show
>>> for definition in batch_norm().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
mean μ_j^l := 1/n Σ_s x_sj^l
var ν_j^l := 1/n Σ_s (x_sj^l - μ_j^l)^2
root ρ_j^l := 1/(ν_j^l + ε)^(1/2)
unit u_sj^l := ρ_j^l (x_sj^l - μ_j^l)
F2 h_sj^l := β_j^l + γ_j^l u_sj^l
"""

from __future__ import annotations

from sympy import Rational

from theory.language.notation import epsilon, l, n, sample, total, unit, var
from theory.language.statement import Definition, System
from theory.layers.kind import Kind

__all__ = ["BATCH_NORM", "batch_norm", "batch_norm_given"]

S, J = sample(), unit("j", l)
X, U, H = (var(name, l, S, J) for name in "xuh")
MU, NU, RHO, GAMMA, BETA = (var(name, l, J) for name in ("mu", "nu", "rho", "gamma", "beta"))

STATISTICS = (
    Definition("mean", MU, total(X, S) / n),
    Definition("var", NU, total((X - MU) ** 2, S) / n),
)
REST = (
    Definition("root", RHO, (NU + epsilon) ** Rational(-1, 2)),
    Definition("unit", U, (X - MU) * RHO),
    Definition("F2", H, GAMMA * U + BETA),
)


def batch_norm() -> System:
    """For training: mean and variance are those of the batch, so every sample's output depends on all samples.

    Shapes: gamma and beta are (M_l,).  Source: LECTURE item 11; Ioffe and Szegedy 2015, algorithm 1.
    """
    return System((*STATISTICS, *REST), last=l, cuts=(), adjoints=(), output="h", inputs=(X,), parameters=(GAMMA, BETA))


def batch_norm_given() -> System:
    """For prediction: mean and variance are given numbers (running statistics), the samples are independent."""
    return System(REST, last=l, cuts=(), adjoints=(), output="h", inputs=(X,), parameters=(GAMMA, BETA))


BATCH_NORM = Kind(
    "batch norm",
    batch_norm,
    batch_norm_given,
    "h",
    "norm",
    owner="Scale",
    starts={"gamma": 1.0, "beta": 0.0},
    statistics={"mu": "mean", "nu": "variance"},
)
