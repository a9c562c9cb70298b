"""A recurrent layer (Elman's): one layer for every step of a sequence, all with the same weights.

Unrolled in time it is a network of L layers, one for each step: l is the step.

>>> from theory.language.printing import show
>>> for definition in recurrent().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
F1 z_sj^l := Σ_i e_ij x_si^l + Σ_i w_ij h_si^(l-1) + b_j
F2 h_sj^l := f_l(z_sj^l)
"""

from __future__ import annotations

from theory.language.notation import Function, L, l, sample, total, unit, var
from theory.language.statement import Definition, System

__all__ = ["recurrent"]


def recurrent() -> System:
    """Steps 1..L of n sequences, an arbitrary activation and an arbitrary cost C(h^L) of the last step.

    Shapes: e is (M_0, M_1), w is (M_1, M_1), b is (M_1,); they carry no l, since every step reads them.  x^l is what
    comes in at step l, h^0 what is remembered before the first.  Source: Elman 1990; Werbos 1990.
    """
    s, i, k, j = sample(), unit("i", 0), unit("i", 1), unit("j", 1)
    e, w, b = var("e", None, i, j), var("w", None, k, j), var("b", None, j)
    z, h, x = var("z", l, s, j), var("h", l, s, j), var("x", l, s, i)
    weighted = total(e * x, i) + total(w * var("h", l - 1, s, k), k) + b
    definitions = (Definition("F1", z, weighted), Definition("F2", h, Function(l, 0, z)))
    return System(definitions, last=L, output="h", inputs=(x,), parameters=(e, w, b))
