"""A penalty on weights: what is added to the cost, entry by entry, whatever the function.

f is (λ/2) w² for L2, λ |w| for L1, or their sum.  The derivative of a sum is the sum of the derivatives, so what is
found here is added to BP4; biases are no w.

>>> from theory.language.printing import show
>>> for definition in penalty().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
penalty C := Σ_i Σ_j f_l(w_ij^l)
"""

from __future__ import annotations

from theory.language.notation import Function, l, total, unit, var
from theory.language.statement import Definition, System

__all__ = ["penalty"]


def penalty() -> System:
    """The penalty of one layer's weights, as a cost by itself.  Source: LECTURE items 11 and 18."""
    i, j = unit("i", l - 1), unit("j", l)
    w = var("w", l, i, j)
    definition = Definition("penalty", var("C", None), total(Function(l, 0, w), i, j))
    return System((definition,), last=l, cuts=(), adjoints=(), parameters=(w,))
