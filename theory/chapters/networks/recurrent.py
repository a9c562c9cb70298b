"""Recurrent layers: backpropagation through time is BP1 to BP4 once more, with one W for all steps.

>>> for derivation in derive_through_time().values():
...     print(derivation.label, derivation.equation())
BP1 δ_sj^L = f'_L(z_sj^L) ∂C/∂h_sj^L
BP2 δ_sj^l = f'_l(z_sj^l) Σ_k w_jk δ_sk^(l+1)
BP4 ∂C/∂e_ij = Σ_l Σ_s x_si^l δ_sj^l
BP4 ∂C/∂w_ij = Σ_l Σ_s h_si^(l-1) δ_sj^l
BP3 ∂C/∂b_j = Σ_l Σ_s δ_sj^l
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from theory.chapters.chapter import Chapter, Section
from theory.chapters.networks.layer_chapters import state
from theory.language.derivation import Derivation
from theory.language.notation import L, Partial, l, sample, unit, var
from theory.layers.recurrent import recurrent
from theory.rules.backward import derive_adjoint
from theory.rules.layer_equations import label_of
from theory.rules.matrix_form import lift_derivation

__all__ = ["CHAPTER", "derive_through_time", "lift_through_time"]

TITLES = {
    "last": "the error of the last step",
    "z": "the error of a step from the error of the next",
    "e": "the gradient of the weights of what enters",
    "w": "the gradient of the weights through time",
    "b": "the gradient of the bias",
}


@cache
def derive_through_time() -> dict[str, Derivation]:
    """The equations of a recurrent layer in index form: of the last step, of any step, and of what all steps share."""
    system, s, j = recurrent(), sample(), unit("j", 1)
    last, any_step = var("z", L, s, j), var("z", l, s, j)
    quantities = {"last": last, "z": any_step, **{p.name: p for p in system.parameters}}
    labels = {"last": "BP1"} | {p.name: label_of(p, system) for p in (any_step, *system.parameters)}
    return {name: derive_adjoint(system, x, labels[name], TITLES[name]) for name, x in quantities.items()}


@cache
def lift_through_time() -> dict[str, Derivation]:
    """The same as matrices.

    >>> print(lift_through_time()["w"].equation())
    ∂C/∂w_ij = (Σ_l (H^(l-1))ᵀ Δ^l)_ij
    """
    derived = derive_through_time()
    indices = {
        name: d.subject.x.indices if d.subject.has(Partial) else d.subject.indices for name, d in derived.items()
    }
    return {name: lift_derivation(derivation, indices[name]) for name, derivation in derived.items()}


def sections() -> Sequence[Section]:
    """Definitions, the backward pass through time, what the shared parameters get, and why gradients explode."""
    derived = lift_through_time()
    return [
        "A recurrent layer reads a sequence, one step after the other, and remembers h of the step before. Unrolled in "
        "time it is a network of L layers, one for each step, so l is the step here. Its parameters carry no l: every "
        "step reads the same ones. The cost is an arbitrary C of the last step.",
        *state(recurrent()),
        "Backwards through time: the error of the last step, then of every step from the error of the next. Nothing is "
        "new but that W has no layer.",
        derived["last"],
        derived["z"],
        "A parameter reaches the cost through z of every step. The chain rule over all these cuts holds each of them "
        "fixed while the others are looked at, so its gradient is a sum over the steps: what one step would get in BP3 "
        "and BP4, added up. To leave that sum out, or to take the last step alone, is the common mistake.",
        *(derived[p.name] for p in recurrent().parameters),
        "Why gradients explode here: BP2 multiplies by the same W at every step. From step L to step l the size of the "
        "error grows at most by the product over the steps of max |f'| |W|, where |W| is the largest singular value, "
        "since a factor by f' is at most max |f'| and a product with W at most |W|. Where f' is 1 "
        "and W is c times an orthogonal matrix the bound is reached: c to the power L - l, which vanishes for c < 1 "
        "and explodes for c > 1. In a network of layers the matrices differ and may balance each other; in time they "
        "do not. Clipping bounds the step that is taken with such a gradient, not the gradient.",
    ]


CHAPTER = Chapter("recurrent", "Recurrent layers: backpropagation through time", sections)
