"""Recurrent layers: one layer for every step of a sequence, all with the same weights.

Unrolled in time it is a network of L layers, one for each step: l is the step.  Elman's layer:

>>> from theory.language.printing import show
>>> for definition in recurrent().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
F1 z_sj^l := Σ_i e_ij x_si^l + Σ_i w_ij h_si^(l-1) + b_j
F2 h_sj^l := f_l(z_sj^l)
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from theory.language.notation import Function, Index, L, Variable, l, sample, total, unit, var
from theory.language.statement import Definition, System

__all__ = ["over_time", "recurrent", "remembered", "state", "weigh"]

S, I, K, J = sample(), unit("i", 0), unit("i", 1), unit("j", 1)


def state(name: str, layer: Expr = l, index: Index = J) -> Variable:
    """A quantity of every unit at a step; h^(l-1) is what the step before has left."""
    return var(name, layer, S, index)


def remembered(name: str = "h", index: Index = J) -> Variable:
    """The same of the step before."""
    return state(name, l - 1, index)


def weigh(gate: str = "", read: Expr | None = None) -> tuple[Definition, tuple[Variable, ...]]:
    """F1 of a step, weights of what enters and of what is remembered and a bias, with these parameters.

    `gate` is the letter of a gate; `read` what is weighted of the memory: h_i^(l-1), if it is not said.
    """
    mark = f"_{gate}" if gate else ""
    e, w, b = var(f"e{mark}", None, I, J), var(f"w{mark}", None, K, J), var(f"b{mark}", None, J)
    body = w * (remembered(index=K) if read is None else read)
    target = state(f"g{mark}" if gate else "z")
    return Definition("F1", target, total(e * state("x", l, I), I) + total(body, K) + b), (e, w, b)


def over_time(definitions: Sequence[Definition], parameters: Sequence[Variable]) -> System:
    """Steps 1..L of n sequences with an arbitrary cost C(h^L) of the last step; what a step leaves to others is a cut.

    x^l is what comes in at step l, h^0 and other memories what is there before the first.
    """
    names = tuple(d.target.name for d in definitions)
    cuts = names if len(names) > 2 else names[:1]
    inputs = (state("x", l, I),)
    return System(tuple(definitions), L, cuts, output="h", inputs=inputs, parameters=tuple(parameters))


def recurrent() -> System:
    """Elman's layer with an arbitrary activation.

    Shapes: e is (M_0, M_1), w is (M_1, M_1), b is (M_1,); they carry no l, since every step reads them.
    Source: Elman 1990; Werbos 1990.
    """
    weighted, owned = weigh()
    return over_time((weighted, Definition("F2", state("h"), Function(l, 0, state("z")))), owned)
