"""Gated linear units: one weighted input, multiplied by a function of another.

f is the sigmoid in GLU, gelu in GeGLU, silu in SwiGLU, the identity in the bilinear gate.

>>> from theory.language.printing import show
>>> for definition in gated().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
F1 z_sj^l := Σ_i w_ij^l a_si^(l-1) + b_j^l
F1 g_sj^l := Σ_i v_ij^l a_si^(l-1) + c_j^l
F2 h_sj^l := f_l(g_sj^l) z_sj^l
"""

from __future__ import annotations

from theory.language.notation import Function, l, sample, total, unit, var
from theory.language.statement import Definition, System
from theory.layers.kind import Kind

__all__ = ["GATED", "gated"]


def gated() -> System:
    """Two cuts, z and g: what is below reaches the cost through both.

    Shapes: w and v are (M_{l-1}, M_l), b and c are (M_l,).
    Source: LECTURE item 8; Dauphin et al. 2017; Shazeer 2020.
    """
    s, i, j = sample(), unit("i", l - 1), unit("j", l)
    a, z, g, h = var("a", l - 1, s, i), var("z", l, s, j), var("g", l, s, j), var("h", l, s, j)
    w, b, v, c = var("w", l, i, j), var("b", l, j), var("v", l, i, j), var("c", l, j)
    definitions = (
        Definition("F1", z, total(w * a, i) + b),
        Definition("F1", g, total(v * a, i) + c),
        Definition("F2", h, z * Function(l, 0, g)),
    )
    return System(definitions, last=l, cuts=("z", "g"), output="h", inputs=(a,), parameters=(w, b, v, c))


GATED = Kind("gate", gated, gated, "h", "z", owner="Gate")
