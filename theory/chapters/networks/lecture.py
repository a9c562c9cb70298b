"""The lecture against itself: formulas as printed there, with its own definitions, judged by the witness.

>>> [(claim.what, claim.holds()) for claim in CLAIMS][0]
('the derivative of z_j by a_i is w_ji', False)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr

from theory.chapters.chapter import Chapter, Formula, Section
from theory.chapters.networks.four_equations import system
from theory.language.notation import Function, Index, L, Partial, Width, l, n, total, unit, var
from theory.language.printing import show
from theory.witnesses.witness import agree

__all__ = ["CHAPTER", "CLAIMS", "PrintedFormula"]

I, J, K = unit("i", l - 1), unit("j", l), unit("k", l + 1)


@dataclass(frozen=True)
class PrintedFormula:
    """One printed formula, the same with the indices of the lecture's own definition of z, and what they are about."""

    what: str
    quantity: Expr
    printed: Expr
    consistent: Expr

    def holds(self) -> bool:
        """Does the printed formula hold, evaluated on random networks of equally wide layers?"""
        return agree(system(False), self.quantity, self.printed)

    def is_mended(self) -> bool:
        """Does the consistent form hold?"""
        return agree(system(False), self.quantity, self.consistent)


def swapped(first: Index, second: Index, layer: Expr) -> Expr:
    """w with its indices the other way round; only defined where both layers are equally wide."""
    return var("w", layer, second, first)


CLAIMS = (
    PrintedFormula("the derivative of z_j by a_i is w_ji", Partial(var("z", l, J), var("a", l - 1, I)),
          swapped(I, J, l), var("w", l, I, J)),
    PrintedFormula("the final equation sums w_kj", Partial(var("C", None), var("z", l, J)),
          Function(l, 1, var("z", l, J)) * total(swapped(J, K, l + 1) * var("delta", l + 1, K), K),
          Function(l, 1, var("z", l, J)) * total(var("w", l + 1, J, K) * var("delta", l + 1, K), K)),
    PrintedFormula("the gradient of w_ij is delta_i a_j (index order of the lecture's first equation)",
          Partial(var("C", None), var("w", l, I, J)),
          var("delta", l, Index("i", Width(l))) * var("a", l - 1, Index("j", Width(l - 1))),
          var("a", l - 1, I) * var("delta", l, J)),
)  # fmt: skip


def sections() -> Sequence[Section]:
    """Each claim with what is printed, what holds, and the witness's verdict."""
    out: list[Section] = [
        "With z_j = Σ_i w_ij a_i + b_j as the lecture defines it, three of its formulas carry their indices in the "
        "other order. On layers of equal width both orders can be evaluated; the witness does so.",
    ]
    for claim in CLAIMS:
        verdict = "holds" if claim.holds() else "does not hold"
        mended = "holds" if claim.is_mended() else "does not hold"
        out.append(
            Formula(
                claim.what,
                f"{show(claim.quantity)} = {show(claim.consistent)}",
                f"{show(claim.quantity, 'latex')} = {show(claim.consistent, 'latex')}",
                (f"as printed, {show(claim.printed)}: {verdict}", f"with the defined order: {mended}"),
            )
        )
    out.append(
        f"The cost is ½ Σ over samples in one place and 1/n Σ in another; for one output the gradients differ by the "
        f"factor 2/{show(n)}. Here every cost states its scale."
    )
    out.append(
        f"The update is printed for l = L-1, …, 1, which never updates layer {show(L)}; here every layer is updated."
    )
    out.append(
        "Universality is stated for bounded, monotone activations first, and for every activation that is not a "
        "polynomial later. Only the second is sharp (Leshno et al., 1993): ReLU is unbounded and universal, and with a "
        "polynomial of degree k every network of one hidden layer is a polynomial of degree k at most, however wide."
    )
    return out


CHAPTER = Chapter("lecture", "The lecture against itself", sections, quotes=True)
