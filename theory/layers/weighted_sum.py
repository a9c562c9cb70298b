"""The weights of a dense layer by themselves: F1, whatever comes after it.

>>> from theory.language.printing import show
>>> for definition in weighted_sum().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
F1 z_sj^l := Σ_i w_ij^l a_si^(l-1) + b_j^l
"""

from __future__ import annotations

from dataclasses import replace

from theory.language.notation import l, sample, unit, var
from theory.language.statement import System
from theory.layers.dense import batched, dense
from theory.layers.kind import Kind

__all__ = ["WEIGHTED_SUM", "weighted_sum"]


def weighted_sum() -> System:
    """F1 of the dense layer for n samples; its output is z, and the error δ of z is given from above.

    Shapes: w is (M_{l-1}, M_l), b is (M_l,).  Source: LECTURE item 1.
    """
    i, j = unit("i", l - 1), unit("j", l)
    whole = batched(dense())
    definitions = tuple(d for d in whole.definitions if d.label == "F1")
    a, w, b = var("a", l - 1, sample(), i), var("w", l, i, j), var("b", l, j)
    return replace(whole, definitions=definitions, last=l, output="z", inputs=(a,), parameters=(w, b))


WEIGHTED_SUM = Kind("weights", weighted_sum, weighted_sum, "z", "z", owner="Dense")
