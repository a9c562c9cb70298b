"""Gated recurrent units: an update gate between what is remembered and what is new, a reset gate before the new.

The reset gate stands before the product with w, or behind it; the two are different functions.

>>> from theory.language.printing import show
>>> for statement in (gru, gru_before):
...     for definition in statement().definitions[2:-1]:
...         print(definition.label, show(definition.target), ":=", show(definition.expr))
F1 p_sj^l := Σ_i w_ij h_si^(l-1) + c_j
F1 z_sj^l := Σ_i e_ij x_si^l + σ(gʳ_sj^l) p_sj^l + b_j
F1 z_sj^l := Σ_i σ(gʳ_si^l) w_ij h_si^(l-1) + Σ_i e_ij x_si^l + b_j
"""

from __future__ import annotations

from theory.language.notation import Function, l, total, var
from theory.language.statement import Definition, System
from theory.layers.recurrent import I, J, K, over_time, remembered, state, weigh

__all__ = ["gru", "gru_before"]


def gru() -> System:
    """The reset gate behind the product, which has a bias c of its own.

    Shapes: of each e (M_0, M_1), of each w (M_1, M_1), of each b and c (M_1,).
    Source: Cho et al. 2014 with the product of cuDNN, torch and Keras (`reset_after`).
    """
    (reset, mine), (update, theirs) = weigh("r"), weigh("u")
    e, w, b, c = var("e", None, I, J), var("w", None, K, J), var("b", None, J), var("c", None, J)
    product = Definition("F1", state("p"), total(w * remembered(index=K), K) + c)
    new = total(e * state("x", l, I), I) + b + Function(0, 0, state("g_r")) * state("p")
    parts = (reset, update, product, Definition("F1", state("z"), new), mix())
    return over_time(parts, (*mine, *theirs, e, w, b, c))


def gru_before() -> System:
    """The reset gate before the product.  Shapes: as above, without c.  Source: Cho et al. 2014, equations 5 to 8."""
    (reset, mine), (update, theirs) = weigh("r"), weigh("u")
    new, own = weigh(read=remembered(index=K) * Function(0, 0, state("g_r", index=K)))
    return over_time((reset, update, new, mix()), (*mine, *theirs, *own))


def mix() -> Definition:
    """h := (1 - σ(u)) f(z) + σ(u) h^(l-1): where the update gate is open, what is remembered stays."""
    kept = Function(0, 0, state("g_u"))
    return Definition("F2", state("h"), (1 - kept) * Function(l, 0, state("z")) + kept * remembered())
