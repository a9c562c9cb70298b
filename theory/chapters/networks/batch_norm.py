"""Batch normalisation: the backward pass through mean and variance, and the textbooks' compact form, proved equal.

A sample's output depends on every sample of the batch, because mean and variance do.  The derivation goes through
both; what is left is the compact form

    ∂C/∂x = γ ρ (∂C/∂h - mean of ∂C/∂h - u · mean of u ∂C/∂h),    ρ = 1/√(variance + ε),    u = (x - mean) ρ.

>>> print(derive_compact_form().equation())
∂C/∂x_sj^l = γ_j^l ρ_j^l (∂C/∂h_sj^l - u_sj^l/n Σ_r u_rj^l ∂C/∂h_rj^l - 1/n Σ_r ∂C/∂h_rj^l)
>>> is_compact_form_equal()
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from sympy import Expr, Pow, Rational, Symbol, powsimp

from theory.chapters.chapter import Chapter, Section
from theory.chapters.networks.layer_chapters import state
from theory.language.derivation import Derivation
from theory.language.notation import Partial, l, n, same, sample, total, unit, var
from theory.language.printing import show
from theory.language.statement import System
from theory.layers.batch_norm import batch_norm, batch_norm_given
from theory.rules.algebra import collect
from theory.rules.backward import derive_adjoint
from theory.rules.layer_equations import derive_layer
from theory.rules.matrix_form import lift_derivation

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
    ∂C/∂ρ_j^l = Σ_s (x_sj^l - μ_j^l) ∂C/∂u_sj^l
    ∂C/∂ν_j^l = -(∂C/∂ρ_j^l)/(2 (ν_j^l + ε)^(3/2))
    ∂C/∂μ_j^l = (∂C/∂ν_j^l)/n Σ_s (2 μ_j^l - 2 x_sj^l) - ρ_j^l Σ_s ∂C/∂u_sj^l
    ∂C/∂x_sj^l = ((2 x_sj^l - 2 μ_j^l) ∂C/∂ν_j^l)/n + (∂C/∂μ_j^l)/n + ρ_j^l ∂C/∂u_sj^l
    """
    whole = batch_norm()
    system = System(
        whole.definitions, last=l, cuts=("u", "rho", "nu", "mu"), adjoints=(), output="h", inputs=whole.inputs
    )
    quantities = {"u": var("u", l, S, J), "rho": var("rho", l, J), "nu": var("nu", l, J), "mu": var("mu", l, J)}
    quantities["x"] = whole.inputs[0]
    return {
        name: replace(derive_adjoint(system, x, "BP2", f"batch norm by cuts: the derivative by {name}"), real=True)
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


def sections() -> Sequence[Section]:
    """Definitions, the paper's order by cuts, the compact form, its proof, the parameters, prediction."""
    equal = "holds" if is_compact_form_equal() else "DOES NOT HOLD"
    claim = f"∂C/∂x = {show(compact_form())}"
    given = derive_layer(batch_norm_given)["x"]
    return [
        "Every unit is standardised over the batch, then scaled by gamma and shifted by beta, which are learned. The "
        "batch size n is a symbol throughout.",
        *state(batch_norm()),
        "First as in the original paper: standardised value, root, variance and mean are cuts, one after the other. "
        "The mean reaches the cost through the variance and directly, so its derivative is a sum of both.",
        *derive_by_cuts().values(),
        "Now without stopping: every definition is unfolded, then the formula gets its names back. The deviations "
        "from a mean sum to zero, which removes the path through the mean inside the variance.",
        lift_derivation(derive_compact_form(), (S, J)),
        f"The compact form of the textbooks, {claim}, is what was derived, for every n: {equal}.",
        "What the parameters get.",
        *(lift_derivation(derive_layer(batch_norm)[name], (J,)) for name in ("gamma", "beta")),
        "In prediction mean and variance are given numbers (running statistics), the samples are independent, and "
        f"the same rules give {given.equation()}.",
    ]


CHAPTER = Chapter("batch_norm", "Batch normalisation", sections)
