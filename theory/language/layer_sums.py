"""Sums over all layers: what a parameter gets that every layer reads.

The layer l is bound in them: it runs over 1..L.

>>> from theory.language.notation import sample, substitute, total, unit, var
>>> from theory.language.printing import show
>>> s, j = sample(), unit("j", 1)
>>> show(LayerTotal(total(var("delta", l, s, j), s)))
'Σ_l Σ_s δ_sj^l'
>>> LayerTotal(var("delta", l, s, j)) == substitute(LayerTotal(var("delta", l, s, j)), {l: l + 1})
True
"""

from __future__ import annotations

from sympy import Expr

from theory.language.matrices import SHAPES, Matrix, shape
from theory.language.notation import L, Node, l, part
from theory.language.printing import PRODUCT, Printer, printer

__all__ = ["LayerSum", "LayerTotal"]


class LayerTotal(Node):
    """Σ_l body, for l = 1..L."""

    binds_layer = True
    body: Expr = part(0)


class LayerSum(Matrix):
    """The same of matrices: (Σ_l A^l)_ij = Σ_l (A^l)_ij."""

    binds_layer = True


SHAPES[LayerSum] = shape


@printer(LayerTotal, LayerSum)
def print_layer_sum(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.sum(p.show(l), p.show(L)) + p.show(e.args[0], PRODUCT), PRODUCT
