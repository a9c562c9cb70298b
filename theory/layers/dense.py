"""The dense layer: F1 and F2 of the lecture, stated once, for one sample or for a batch of n.

>>> from theory.language.printing import show
>>> for definition in dense().definitions:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
F1 z_j^l := Σ_i w_ij^l a_i^(l-1) + b_j^l
F2 a_j^l := f_l(z_j^l)
"""

from __future__ import annotations

from dataclasses import replace

from theory.language.glossary import GLOSSARY
from theory.language.notation import Function, L, Variable, l, rewrite, sample, total, unit, var
from theory.language.statement import Definition, System

__all__ = ["batched", "dense"]


def dense() -> System:
    """A network of dense layers 1..L with an arbitrary activation f_l and an arbitrary cost C(a^L), one sample.

    Shapes: w^l is (M_{l-1}, M_l), b^l is (M_l,).  Source: LECTURE item 1, definitions of z and a.
    """
    i, j = unit("i", l - 1), unit("j", l)
    weighted_input = total(var("w", l, i, j) * var("a", l - 1, i), i) + var("b", l, j)
    z, a = var("z", l, j), var("a", l, j)
    definitions = (Definition("F1", z, weighted_input), Definition("F2", a, Function(l, 0, z)))
    return System(definitions, last=L)


def batched(system: System) -> System:
    """The same definitions for n samples: every letter that belongs to a sample gets the row index s in front.

    >>> from theory.language.printing import show
    >>> show(batched(dense()).definitions[0].expr)
    'Σ_i w_ij^l a_si^(l-1) + b_j^l'
    """
    row = sample()

    def add_row(node: object) -> Variable | None:
        if isinstance(node, Variable) and GLOSSARY[node.name].per_sample:
            return node.at(row, *node.indices)
        return None

    definitions = tuple(
        Definition(d.label, rewrite(d.target, add_row), rewrite(d.expr, add_row)) for d in system.definitions
    )
    return replace(system, definitions=definitions)
