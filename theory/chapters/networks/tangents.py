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

from theory.chapters.chapter import Chapter, Formula, Section
from theory.chapters.networks.layer_chapters import state
from theory.language.derivation import Derivation, Step
from theory.language.glossary import GLOSSARY
from theory.language.notation import Held, Index, L, Partial, Variable, fresh, l, nodes, sample, total, unit, var
from theory.language.printing import Style, show
from theory.language.statement import Definition, System
from theory.layers.dense import batched, dense
from theory.rules.backward import derive_adjoint, step_through
from theory.rules.matrix_form import lift_derivation
from theory.witnesses.witness import agree

__all__ = ["CHAPTER", "derive_forward", "derive_tangents", "list_claims", "tangents", "with_cost"]

FIRST = {"z": "z_x", "a": "a_x"}
SECOND = {"z_x": "z_xx", "a_x": "a_xx"}


def differentiate(definition: Definition, names: dict[str, str], system: System) -> Derivation:
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
        terms.append((total(body, *indices), step_through(total(body, *indices), held)))
    subject = var(names[target.name], target.layer, *target.indices)
    before, after = Add(*(start for start, _ in terms)), Add(*(steps[-1].after for _, steps in terms))
    steps = [Step("chain rule over what it reads", subject, before), *step_through(before, held)]
    steps = steps if steps[-1].after == after else [*steps, Step("algebra", steps[-1].after, after)]
    title = f"how {GLOSSARY[target.name].text} changes with the input"
    return Derivation("T" + definition.label[1:], title, subject, tuple(steps), held)


def define(derivation: Derivation) -> Definition:
    """What was derived, as a definition."""
    assert isinstance(derivation.subject, Variable)
    return Definition(derivation.label, derivation.subject, derivation.result)


@cache
def derive_forward() -> tuple[tuple[Derivation, ...], tuple[Derivation, ...]]:
    """The derivatives of F1 and F2 by the input, and the derivatives of those: each step by step."""
    plain = batched(dense())
    forward = tuple(d for d in plain.definitions if d.target.name in FIRST)
    first = tuple(differentiate(d, FIRST, plain) for d in forward)
    both = replace(plain, definitions=(*forward, *map(define, first)))
    return first, tuple(differentiate(define(d), FIRST | SECOND, both) for d in first)


def tangents() -> System:
    """Dense layers for n samples with the first and second derivative of every quantity by one input.

    Shapes: those of z and a.  Source: Raissi, Perdikaris, Karniadakis 2019.
    """
    plain = batched(dense())
    forward = tuple(d for d in plain.definitions if d.target.name in FIRST)
    more = tuple(define(derivation) for order in derive_forward() for derivation in order)
    return replace(plain, definitions=(*forward, *more), cuts=("z", "z_x", "z_xx"), last=L)


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
            derive_adjoint(system, q, labels.get(q.name, "BP2"), f"the derivative of C by {GLOSSARY[q.name].text}"),
            q.indices,
        )
        for q in quantities
    }


def list_claims() -> list[tuple[str, Expr, Expr]]:
    """(name, derivative along the input, what the forward pass computes), for any layer: what T1 and T2 are for.

    Along ȧ^0 = ∂x/∂x and ǎ^0 = ∂²x/∂x² every quantity changes by the sum over all inputs of its derivative by each.
    """
    s, r, j, i = sample(), sample("r"), unit("j", l), unit("i", 0)

    def along(name: str, *read: tuple[str, str]) -> Expr:
        quantity = var(name, l, s, j)
        return Add(*(
            total(Partial(quantity, var(by, 0, r, i)) * var(change, 0, r, i), r, i) for by, change in read
        ))  # fmt: skip

    first, second = ("a", "a_x"), ("a_x", "a_xx")
    names = {"z": first, "a": first}
    claims = [(f"∂{name}/∂x", along(name, read), var(FIRST[name], l, s, j)) for name, read in names.items()]
    return claims + [
        (f"∂²{name}/∂x²", along(FIRST[name], first, second), var(SECOND[FIRST[name]], l, s, j)) for name in names
    ]


def judge_claims() -> list[Formula]:
    """The claims, each with what the witness says of it on random networks."""
    formulas = []
    for name, left, right in list_claims():
        text, latex = (f"{show(right, style)} = {show(left, style)}" for style in STYLES)
        said = "holds" if agree(tangents(), left, right) else "DOES NOT HOLD"
        formulas.append(Formula(name, text, latex, (f"{said} on random networks over a prime field, at every layer",)))
    return formulas


STYLES: tuple[Style, Style] = ("text", "latex")


OPENING = (
    "A cost may contain the derivatives of the outputs by the input: a differential equation that the network "
    "shall "
    "solve, a slope that was measured. Forward, every quantity carries two others: how it changes with one input "
    "x, "
    "written with a dot, and how that changes again, with a check. They start from what the input says of itself: "
    "∂x/∂x is 1 and ∂²x/∂x² is 0."
)


def sections() -> list[Section]:
    """Forward: F1 and F2 once and twice along the input; what that is; backward through all of it."""
    first, second = derive_forward()
    return [
        OPENING,
        "The first derivative follows from F1 and F2 by the rules, every quantity that a definition reads being held "
        "while the others move.",
        *first,
        "The same once more. The activation is differentiated a second time, so that its second derivative appears "
        "beside the square of "
        "the first derivative; where f has a kink there is no such thing, so ReLU and its relatives have none.",
        *second,
        "What these are: the derivatives of z and a of any layer along the input.",
        *judge_claims(),
        "Together with F1 and F2 this is one list of definitions, and its backward pass is what the engine makes of "
        "any "
        "list: three cuts in each layer, so the derivative of C by each is a sum over all cuts above that read it. The "
        "derivative by z contains the third derivative of f, and BP4 has three terms: the weights are seen through z "
        "and both derivatives.",
        *state(tangents()),
        *derive_tangents().values(),
        "BP3 has one term alone: a bias changes neither derivative but through z. Where the cost reads the outputs "
        "alone, the derivatives of C by the other two cuts are zero, and BP1 to BP4 are left.",
    ]


CHAPTER = Chapter("derivatives", "Derivatives by the input, and costs that contain them", sections)
