"""An activation by itself: F2, wherever it stands.

>>> from theory.language.printing import show
>>> for definition in activation().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
F2 h_sj^l := f_l(x_sj^l)
"""

from __future__ import annotations

from theory.language.notation import Function, l, sample, unit, var
from theory.language.statement import Definition, System
from theory.layers.kind import Kind

__all__ = ["ACTIVATION", "activation"]


def activation() -> System:
    """An arbitrary differentiable f_l of every entry.  Source: LECTURE item 1."""
    s, j = sample(), unit("j", l)
    x, h = var("x", l, s, j), var("h", l, s, j)
    return System((Definition("F2", h, Function(l, 0, x)),), last=l, cuts=(), adjoints=(), output="h", inputs=(x,))


ACTIVATION = Kind("activation", activation, activation, "a", "a")
