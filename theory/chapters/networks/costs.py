"""Costs: each stated once, with its scale said; the derivative by the outputs is derived.

For a batch of n samples with outputs a_sj^L and targets y_sj, s = 1..n, j = 1..M_L.  The lecture has
½Σ over samples in one place and (1/n)Σ in another; a factor 2/n separates their gradients, so every
cost here carries its scale in its statement.

>>> from theory.language.printing import show
>>> for cost in COSTS.values():
...     print(f"{cost.name}: C = {show(cost.expression)}")
half-sse: C = 1/2 Σ_s Σ_j (a_sj^L - y_sj)^2
mse: C = 1/(n M_L) Σ_s Σ_j (a_sj^L - y_sj)^2
cross-entropy: C = -1/n Σ_s Σ_j y_sj log(a_sj^L)
binary-cross-entropy: C = -1/n Σ_s Σ_j ((1 - y_sj) log(1 - a_sj^L) + y_sj log(a_sj^L))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from sympy import Expr, Rational, log

from theory.chapters.chapter import Chapter, Formula, Section
from theory.language.derivation import Derivation
from theory.language.notation import L, Total, Width, n, rewrite, sample, total, unit, var
from theory.language.printing import show
from theory.language.statement import Definition, System
from theory.layers.dense import batched, dense
from theory.rules.algebra import collect
from theory.rules.backward import derive_adjoint

__all__ = ["CHAPTER", "COSTS", "Cost", "derive_cost_gradient", "find_cost", "system_with"]

S, J = sample(), unit("j", L)
OUTPUT, TARGET = var("a", L, S, J), var("y", None, S, J)


@dataclass(frozen=True)
class Cost:
    """A cost: its expression in the outputs a_sj^L and targets y_sj, its scale, and what it asks of both.

    `outputs` lists the output activations for which the cost is defined (None: any);
    `targets` is "real", "binary" (numbers in [0, 1]) or "distribution" (rows that sum to one).
    """

    name: str
    title: str
    expression: Expr
    scale: str
    targets: str
    outputs: tuple[str, ...] | None
    reference: str


def over_samples(term: Expr, factor: Expr) -> Expr:
    """factor · Σ_s Σ_j term."""
    return factor * total(term, S, J)


COSTS: dict[str, Cost] = {
    cost.name: cost
    for cost in (
        Cost("half-sse", "half the sum of squared errors", over_samples((OUTPUT - TARGET) ** 2, Rational(1, 2)),
             "half the sum over samples and outputs, not divided by n", "real", None,
             "lecture, ½ Σ (y - ỹ)², the cost of the derivation"),
        Cost("mse", "mean squared error", over_samples((OUTPUT - TARGET) ** 2, 1 / (n * Width(L))),
             "mean over samples and outputs", "real", None, "lecture, (1/n) (y - Xθ)ᵀ(y - Xθ)"),
        Cost("cross-entropy", "categorical cross-entropy", over_samples(TARGET * log(OUTPUT), -1 / n),
             "mean over samples of the sum over outputs", "distribution", ("softmax", "sigmoid"),
             "lecture, classification"),
        Cost("binary-cross-entropy", "binary cross-entropy",
             over_samples(TARGET * log(OUTPUT) + (1 - TARGET) * log(1 - OUTPUT), -1 / n),
             "mean over samples of the sum over outputs", "binary", ("sigmoid",), "lecture, logistic regression"),
    )
}  # fmt: skip


@cache
def find_cost(name: str, weighted: bool = False) -> Cost:
    """A cost of the catalogue; `weighted` gives every sample s the weight ω_s.

    >>> show(find_cost("mse", weighted=True).expression)
    '1/(n M_L) Σ_s Σ_j ω_s (a_sj^L - y_sj)^2'
    """
    cost = COSTS[name]
    if not weighted:
        return cost

    def weigh(node: Expr) -> Expr | None:
        if isinstance(node, Total) and not isinstance(node.body, Total):
            return Total(var("omega", None, S) * node.body, node.index)
        return None

    scale = f"{cost.scale}; each sample has a weight"
    return replace(cost, title=f"weighted {cost.title}", expression=rewrite(cost.expression, weigh), scale=scale)


def system_with(cost: Cost) -> System:
    """The batched dense network with this cost in place of the arbitrary C."""
    system = batched(dense()).with_definition(Definition("cost", var("C", None), cost.expression))
    return replace(system, sums_to_one=cost.targets == "distribution")


@cache
def derive_cost_gradient(name: str, weighted: bool = False) -> Derivation:
    """Derive ∂C/∂a_sj^L for a cost of the catalogue.

    >>> print(derive_cost_gradient("mse").equation())
    ∂C/∂a_sj^L = 2 (a_sj^L - y_sj)/(n M_L)
    """
    cost = find_cost(name, weighted)
    derivation = derive_adjoint(system_with(cost), OUTPUT, "∂C/∂a", f"{cost.title}: the derivative by the outputs")
    return derivation.then("algebra", collect(derivation.result))


def sections() -> Sequence[Section]:
    """Every cost with its scale, then its derivative."""
    out: list[Section] = []
    for cost in COSTS.values():
        formula = f"C = {show(cost.expression)}", f"C = {show(cost.expression, 'latex')}"
        out.append(Formula(f"{cost.name}, {cost.title}", *formula, (f"scale: {cost.scale}", f"from: {cost.reference}")))
        out.append(derive_cost_gradient(cost.name))
    return out


CHAPTER = Chapter("costs", "Costs and their derivatives by the outputs", sections)
