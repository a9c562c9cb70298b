"""Long short-term memory: a state that is kept, written and shown by gates.

>>> from theory.language.printing import show
>>> for definition in lstm().definitions[3:]:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
F1 z_sj^l := Σ_i e_ij x_si^l + Σ_i w_ij h_si^(l-1) + b_j
F2 q_sj^l := σ(gᶠ_sj^l) q_sj^(l-1) + σ(gⁱ_sj^l) f_l(z_sj^l)
F2 h_sj^l := σ(gᵒ_sj^l) f_l(q_sj^l)
"""

from __future__ import annotations

from theory.language.notation import Function, l
from theory.language.statement import Definition, System
from theory.layers.recurrent import over_time, remembered, state, weigh

__all__ = ["lstm"]


def lstm() -> System:
    """Gates of input, forgetting and output; σ is one arbitrary function for all of them, f that of state and output.

    Shapes: of each e (M_0, M_1), of each w (M_1, M_1), of each b (M_1,).
    Source: Hochreiter, Schmidhuber 1997; the forget gate: Gers, Schmidhuber, Cummins 2000.
    """
    weighted, owned = zip(*(weigh(gate) for gate in ("i", "f", "o", "")), strict=True)
    keep, write, out = (Function(0, 0, state(name)) for name in ("g_f", "g_i", "g_o"))
    cell = Definition("F2", state("q"), keep * remembered("q") + write * Function(l, 0, state("z")))
    shown = Definition("F2", state("h"), out * Function(l, 0, state("q")))
    return over_time((*weighted, cell, shown), [p for each in owned for p in each])
