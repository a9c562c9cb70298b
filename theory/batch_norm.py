"""Batch and layer normalisation: the backward pass through mean and variance, and the textbooks' compact form.

A sample's output depends on every sample of the batch (batch normalisation) or on every unit of the sample (layer
normalisation), because mean and variance do.  The derivation goes through both; what is left is the compact form

    ∂C/∂x = γ ρ (∂C/∂h - mean of ∂C/∂h - u · mean of u ∂C/∂h),    ρ = 1/√(variance + ε),    u = (x - mean) ρ.

>>> print(derive_compact_form().equation())
∂C/∂x_sj^l = γ_j^l ρ_j^l (∂C/∂h_sj^l - u_sj^l/n Σ_r u_rj^l ∂C/∂h_rj^l - 1/n Σ_r ∂C/∂h_rj^l)
>>> is_compact_form_equal()
True
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sympy import Expr, Pow, Rational, Symbol, powsimp

from theory.algebra import collect
from theory.backward import derive_adjoint
from theory.chapter import Chapter, Formula, Section, print_chapter
from theory.derivation import Derivation
from theory.layer_equations import derive_layer
from theory.layers.batch_norm import batch_norm, batch_norm_given
from theory.layers.layer_norm import layer_norm
from theory.notation import Partial, l, n, same, sample, total, unit, var
from theory.printing import show
from theory.statement import System

__all__ = ["CHAPTER", "compact_form", "derive_by_cuts", "derive_compact_form", "is_compact_form_equal", "slope_by_root"]

S, J = sample(), unit("j", l)


def derive_compact_form() -> Derivation:
    """∂C/∂x of batch normalisation, from the definitions of mean and variance down to the compact form."""
    return derive_layer(batch_norm)["x"]


def compact_form() -> Expr:
    """The form of the textbooks, as a claim: γ ρ (d_s - (1/n) Σ_r d_r - u_s (1/n) Σ_r d_r u_r), d = ∂C/∂h.

    Source: Ioffe and Szegedy 2015, section 3, after substituting their intermediate derivatives.
    """
    r = sample("r")
    d, u = Partial(var("C", None), var("h", l, S, J)), var("u", l, S, J)
    d_r, u_r = Partial(var("C", None), var("h", l, r, J)), var("u", l, r, J)
    return var("gamma", l, J) * var("rho", l, J) * (d - total(d_r, r) / n - u * total(d_r * u_r, r) / n)


def is_compact_form_equal() -> bool:
    """Is the claim what was derived, for every batch size n and every width?  Equal up to names of bound indices."""
    return same(collect(derive_compact_form().result, divide=False), collect(compact_form(), divide=False))


@cache
def derive_by_cuts() -> dict[str, Derivation]:
    """The same gradient in the original paper's order: first ∂C/∂u, then ∂C/∂ν, ∂C/∂μ and ∂C/∂x, each a cut.

    >>> for derivation in derive_by_cuts().values():
    ...     print(derivation.equation())
    ∂C/∂u_sj^l = γ_j^l ∂C/∂h_sj^l
    """
    whole = batch_norm()
    system = System(
        whole.definitions, last=l, cuts=("u", "rho", "nu", "mu"), adjoints=(), output="h", inputs=whole.inputs
    )
    quantities = {"u": var("u", l, S, J), "rho": var("rho", l, J), "nu": var("nu", l, J), "mu": var("mu", l, J)}
    quantities["x"] = whole.inputs[0]
    return {
        name: derive_adjoint(system, x, "BP2", f"batch norm by cuts: the derivative by {name}")
        for name, x in quantities.items()
    }


def slope_by_root() -> Expr:
    """The derivative of r = 1/√(v + ε) by v, in terms of r: found by writing v + ε as 1/r².

    >>> slope_by_root()
    -r**3/2
    """
    v, r = Symbol("v", positive=True), Symbol("r", positive=True)
    definition = next(d.expr for d in batch_norm().definitions if d.label == "root")
    assert isinstance(definition, Pow)
    slope = Pow(v, Rational(definition.exp)).diff(v)
    return powsimp(slope.xreplace({v: r ** (1 / definition.exp)}).subs(v, r ** (1 / definition.exp)))
