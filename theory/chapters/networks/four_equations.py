"""BP1 to BP4: derived for any depth, any widths, any activation and any cost, by induction over the layers.

Base: the error of the last layer (BP1).  Step: from layer l+1 to layer l (BP2).  What a layer's error
says about its own parameters: BP3 and BP4.  First for one sample with indices, then as matrices, then
for a batch of n rows; the transpose and the sum over the batch appear as steps.

>>> for label, derivation in derive(batch=True).items():
...     print(label, derivation.equation())
BP1 δ_sj^L = f'_L(z_sj^L) ∂C/∂a_sj^L
BP2 δ_sj^l = f'_l(z_sj^l) Σ_k w_jk^(l+1) δ_sk^(l+1)
BP3 ∂C/∂b_j^l = Σ_s δ_sj^l
BP4 ∂C/∂w_ij^l = Σ_s a_si^(l-1) δ_sj^l
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sympy import Expr

from theory.chapters.chapter import Chapter, Section
from theory.chapters.networks.layer_chapters import state
from theory.language.derivation import Derivation
from theory.language.notation import L, Partial, Variable, l, nodes, sample, shift, unit, var
from theory.language.statement import System
from theory.layers.dense import batched, dense
from theory.rules.backward import derive_adjoint
from theory.rules.matrix_form import lift, lift_derivation

__all__ = ["CHAPTER", "Closure", "check_induction", "derive", "derive_matrix_form", "forward_matrix_form"]

TITLES = {
    "BP1": "the error of the output layer",
    "BP2": "the error of a layer from the error of the next",
    "BP3": "the gradient of a bias",
    "BP4": "the gradient of a weight",
}


def quantities(batch: bool) -> dict[str, Variable]:
    """The quantity each equation is about."""
    row = (sample(),) if batch else ()
    i, j = unit("i", l - 1), unit("j", l)
    return {
        "BP1": var("z", L, *row, unit("j", L)),
        "BP2": var("z", l, *row, j),
        "BP3": var("b", l, j),
        "BP4": var("w", l, i, j),
    }


@cache
def system(batch: bool) -> System:
    """Dense layers 1..L with arbitrary f_l and C."""
    return batched(dense()) if batch else dense()


@cache
def derive_one(label: str, batch: bool) -> Derivation:
    """One of the four, in index form."""
    title = TITLES[label] + (", for a batch of n samples" if batch else "")
    return derive_adjoint(system(batch), quantities(batch)[label], label, title)


def derive(batch: bool = False) -> dict[str, Derivation]:
    """The four equations in index form, for one sample or for a batch.  Source: lecture, equations (1) to (3) and
    the final equation."""
    return {label: derive_one(label, batch) for label in TITLES}


@cache
def derive_matrix_form(label: str, batch: bool = True) -> Derivation:
    """One of the four, continued to matrix form.

    >>> print(derive_matrix_form("BP2").equation())
    δ_sj^l = ((Δ^(l+1) (W^(l+1))ᵀ) ∘ f'_l(Z^l))_sj
    >>> print(derive_matrix_form("BP4", batch=False).equation())
    ∂C/∂w_ij^l = (a^(l-1) (δ^l)ᵀ)_ij
    """
    return lift_derivation(derive_one(label, batch), quantities(batch)[label].indices)


@cache
def forward_matrix_form(batch: bool = True) -> dict[str, Expr]:
    """F1 and F2 as matrix expressions.

    >>> from theory.language.printing import show
    >>> show(forward_matrix_form()["F1"])
    'A^(l-1) W^l + 1 (b^l)ᵀ'
    """
    return {d.label: lift(d.expr, d.target.indices) for d in system(batch).definitions}


@dataclass(frozen=True)
class Closure:
    """One thing the induction needs, and whether it holds."""

    what: str
    holds: bool


def check_induction(base: Derivation, step: Derivation) -> list[Closure]:
    """Does base and step prove the claim «δ_j^l = ∂C/∂z_j^l is given by BP1, BP2» for every layer l = L, …, 1?

    >>> all(closure.holds for closure in check_induction(*list(derive().values())[:2]))
    True
    """
    errors, hypothesis = (
        [x for x in nodes(d.result) if isinstance(x, Variable) and x.name == "delta"] for d in (base, step)
    )
    shifted = shift(step.subject, l, l + 1)
    reached = step.system.cut_consumers(("z", l))
    chain = next(s for s in step.steps if s.rule == "chain over the cut")
    used = [x for x in nodes(chain.after) if isinstance(x, Partial) and x.u == var("C", None)]
    claimed = step.steps[0]
    return [
        Closure("base: the error of layer L needs no other error", not errors),
        Closure("base: only ∂C/∂a^L, which the cost gives, is left unevaluated", only_given_partials(base.result)),
        Closure("step: no unevaluated derivative is left", not step.result.has(Partial)),
        Closure(
            "step: the only errors used are the claim shifted by one layer, δ^{l+1}",
            bool(hypothesis) and all(x.family == shifted.family for x in hypothesis),
        ),
        Closure(
            "step: what was replaced by δ^{l+1} is what the claim says of layer l+1",
            bool(used) and all(x.x.family == shift(claimed.after, l, l + 1).x.family for x in used),
        ),
        Closure("step: z^{l+1} is a cut: every path from z^l to C goes through it", reached == (("z", l + 1),)),
        Closure("base and step claim the same of their layer", shift(claimed.after, l, L) == base.steps[0].after),
    ]


def only_given_partials(expr: Expr) -> bool:
    """Are all unevaluated derivatives of the form ∂C/∂a^L?"""
    left = [x for x in nodes(expr) if isinstance(x, Partial)]
    return all(x.u == var("C", None) and x.x.family == ("a", L) for x in left)


def sections() -> Sequence[Section]:
    """The chapter: one sample, the induction, then a batch."""
    closures = check_induction(derive_one("BP1", False), derive_one("BP2", False))
    checks = "\n".join(f"- {c.what}: {'holds' if c.holds else 'DOES NOT HOLD'}" for c in closures)
    return [
        "Given: two forward definitions for every layer l = 1..L, an arbitrary differentiable activation f_l and an "
        "arbitrary cost C of the outputs a^L. Claim: the derivative of C by z_j^l, called the error, is given by "
        "BP1 for l = L and by BP2 for every layer below.",
        *state(system(False)),
        "One sample, base of the induction.",
        derive_matrix_form("BP1", False),
        "One sample, step of the induction.",
        derive_matrix_form("BP2", False),
        "The induction over the layers closes:\n" + checks,
        "What the errors say about the parameters.",
        *(derive_matrix_form(label, False) for label in ("BP3", "BP4")),
        "A batch of n samples, one a row: the same rules once more. Every quantity of a sample gets a row index s; a "
        "parameter serves all samples, so its gradient sums over them.",
        *(derive_matrix_form(label, True) for label in TITLES),
    ]


CHAPTER = Chapter("four_equations", "The four equations of backpropagation", sections)
