"""Dropout: every entry is multiplied by a mask, which is given like the data.

A mask entry is 0 with probability `rate` and 1/(1 - rate) otherwise, so that its mean is 1 and nothing has to be
scaled for prediction, where there is no mask.

>>> from theory.language.printing import show
>>> for definition in dropout().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
mask h_sj^l := m_sj^l x_sj^l
"""

from __future__ import annotations

from theory.language.notation import l, sample, unit, var
from theory.language.statement import Definition, System
from theory.layers.kind import Kind

__all__ = ["DROPOUT", "dropout"]


def dropout() -> System:
    """For training.  Source: LECTURE item 11; Srivastava et al. 2014, section 4, with inverted scaling."""
    s, j = sample(), unit("j", l)
    x, h, m = (var(name, l, s, j) for name in "xhm")
    return System((Definition("mask", h, m * x),), last=l, cuts=(), adjoints=(), output="h", inputs=(x,))


DROPOUT = Kind("dropout", dropout, None, "h", "mask", mask="m")
