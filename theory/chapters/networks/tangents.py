"""How a dense network changes with its input: ∂a/∂x and ∂²a/∂x², derived from F1 and F2 by the rules.

>>> from theory.language.printing import show
>>> for definition in tangents().definitions[2:]:
...     print(definition.label, show(definition.target), ":=", show(definition.expr))
T1 ż_sj^l := Σ_k w_kj^l ȧ_sk^(l-1)
T2 ȧ_sj^l := f'_l(z_sj^l) ż_sj^l
T1 ž_sj^l := Σ_i w_ij^l ǎ_si^(l-1)
T2 ǎ_sj^l := f'_l(z_sj^l) ž_sj^l + f''_l(z_sj^l) (ż_sj^l)^2
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from sympy import Add, Expr

from theory.language.derivation import Derivation
from theory.language.notation import Held, Index, L, Variable, fresh, l, nodes, sample, total, unit, var
from theory.language.statement import Definition, System
from theory.layers.dense import batched, dense
from theory.rules.backward import derive_adjoint, step_through
from theory.rules.matrix_form import lift_derivation

__all__ = ["derive_tangents", "tangents", "with_cost"]

FIRST = {"z": "z_x", "a": "a_x"}
SECOND = {"z_x": "z_xx", "a_x": "a_xx"}


def differentiate(definition: Definition, names: dict[str, str], system: System) -> Definition:
    """u̇ = Σ_v ∂u/∂v v̇ over all v that the definition reads and that change with x."""
    target, terms = definition.target, []
    held = replace(system, cuts=tuple(names))
    found = [v for v in nodes(definition.expr) if isinstance(v, Variable) and v.name in names]
    for v in {v.family: v for v in found}.values():
        taken: set[Index] = {node for node in nodes(definition.expr) if isinstance(node, Index)} | set(target.indices)
        indices = []
        for index in v.indices:
            indices.append(fresh(index, taken))
            taken.add(indices[-1])
        body: Expr = Held(definition.expr, v.at(*indices)) * var(names[v.name], v.layer, *indices)
        steps = step_through(total(body, *indices), held)
        terms.append(steps[-1].after)
    return Definition("T" + definition.label[1:], var(names[target.name], target.layer, *target.indices), Add(*terms))


def tangents() -> System:
    """Dense layers for n samples with the first and second derivative of every quantity by one input.

    Shapes: those of z and a.  Source: Raissi, Perdikaris, Karniadakis 2019.
    """
    plain = batched(dense())
    forward = tuple(d for d in plain.definitions if d.target.name in FIRST)
    first = tuple(differentiate(d, FIRST, plain) for d in forward)
    both = replace(plain, definitions=(*forward, *first))
    second = tuple(differentiate(d, FIRST | SECOND, both) for d in first)
    return replace(both, definitions=(*forward, *first, *second), cuts=("z", "z_x", "z_xx"), last=L)


def with_cost(system: System) -> System:
    """The same with a cost that reads z^L and both derivatives, so that a witness can see what goes through them."""
    s, j = sample(), unit("j", L)
    read = Add(*(var(name, L, s, j) * var("y", None, s, j) ** k for k, name in enumerate(system.cuts, 1)))
    return replace(system.with_definition(Definition("C", var("C", None), total(read**3, s, j))), cut_output=False)


@cache
def derive_tangents() -> dict[str, Derivation]:
    """The derivative of C by z, ∂z/∂x, ∂²z/∂x², w and b of any hidden layer, as matrices: reverse over forward.

    >>> print(derive_tangents()["w"].equation())
    ∂C/∂w_ij^l = ((A^(l-1))ᵀ Δ^l + (Ȧ^(l-1))ᵀ ∂C/∂Ż^l + (Ǎ^(l-1))ᵀ ∂C/∂Ž^l)_ij
    """
    system, s, i, j = tangents(), sample(), unit("i", l - 1), unit("j", l)
    quantities = [*(var(name, l, s, j) for name in reversed(system.cuts)), var("w", l, i, j), var("b", l, j)]
    labels = {"w": "BP4", "b": "BP3"}
    return {
        q.name: lift_derivation(
            derive_adjoint(system, q, labels.get(q.name, "BP2"), f"the derivative of C by {q.name}"), q.indices
        )
        for q in quantities
    }
