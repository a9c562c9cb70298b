"""A residual connection: what went into some layers is added to what comes out of them.

>>> from theory.language.printing import show
>>> for definition in residual().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
skip h_sj^l := r_sj^l + x_sj^l
"""

from __future__ import annotations

from theory.language.notation import Function, L, l, sample, total, unit, var
from theory.language.statement import Definition, System
from theory.layers.kind import Kind

__all__ = ["RESIDUAL", "residual", "residual_stack"]


def residual() -> System:
    """The sum by itself: two inputs, x from before the layers and r from after them, equally wide.

    Source: He, Zhang, Ren and Sun 2016, equation 1.
    """
    s, j = sample(), unit("j", l)
    x, h, r = (var(name, l, s, j) for name in "xhr")
    return System((Definition("skip", h, r + x),), last=l, cuts=(), adjoints=(), output="h", inputs=(x, r))


def residual_stack() -> System:
    """Layers 1..L of one width M_0, each with its connection: h^l = f_l(z^l) + h^(l-1), h^0 = x.

    Two cuts: h^l reaches the cost through z^(l+1) and, past it, through h^(l+1).
    """
    s, i, j = sample(), unit("i", 0), unit("j", 0)
    z, h, below = var("z", l, s, j), var("h", l, s, j), var("h", l - 1, s, j)
    weighted = total(var("w", l, i, j) * var("h", l - 1, s, i), i) + var("b", l, j)
    definitions = (Definition("F1", z, weighted), Definition("skip", h, Function(l, 0, z) + below))
    return System(definitions, last=L, cuts=("z", "h"), output="h")


RESIDUAL = Kind("residual connection", residual, residual, "h", "h")
