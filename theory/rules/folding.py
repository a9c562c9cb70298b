"""Definitions read backwards: a derived formula gets its named quantities back.

Three more laws for the table of `theory.rules.calculus`.  They differentiate nothing; they recognise, in a formula,
what a forward definition has given a name: a root, a standardised deviation, a mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Add, Expr, Mul, Pow

from theory.language.derivation import Derivation
from theory.language.notation import Total, Variable, free_indices, nodes, same
from theory.language.statement import Definition, System
from theory.rules.algebra import collect
from theory.rules.backward import step_through
from theory.rules.calculus import RuleContext, rule

__all__ = ["TIDY", "tidy"]

TIDY = ("deviations from the mean", "root read backwards", "deviation read backwards", "factor out")
"""The order in which a derived formula is put into the letters of its layer."""


def tidy(derivation: Derivation) -> Derivation:
    """Continue a derivation: multiply out nothing, gather, read definitions backwards, gather again.

    Steps with roots hold for real numbers, so that is where the witness re-checks them.
    """
    derivation = derivation.then("algebra", collect(derivation.result, divide=False))
    derivation = derivation.extended(*step_through(derivation.result, derivation.system, TIDY))
    derivation = derivation.then("algebra", collect(derivation.result, divide=False))
    return replace(derivation, real=any(has_root(d.expr) for d in derivation.system.definitions))


def has_root(expr: Expr) -> bool:
    """Is there a power with a fraction as its exponent?"""
    return any(isinstance(node, Pow) and not node.exp.is_Integer for node in nodes(expr))


@rule("deviations from the mean", Total)
def sum_deviations(node: Expr, scene: RuleContext) -> Expr | None:
    """Σ_k (x_k - μ) = 0, where μ := 1/n Σ_k x_k is the mean of the x_k."""
    if not isinstance(node, Total) or not isinstance(node.body, Add) or len(node.body.args) != 2:
        return None
    for mean, other in (node.body.args, node.body.args[::-1]):
        if isinstance(other, Variable) and isinstance(-mean, Variable) and node.index not in free_indices(mean):
            definition = scene.system.definition(-mean)
            if definition is not None and same(definition.at(-mean), Total(other, node.index) / node.index.size):
                return Add()
    return None


@rule("root read backwards", Pow)
def fold_root(node: Expr, scene: RuleContext) -> Expr | None:
    """(v + ε)^(p/2) = ρ^(-p), where ρ := (v + ε)^(-1/2)."""
    if not isinstance(node, Pow) or node.exp.is_Integer:
        return None
    for definition, stated in instances(scene.system, Pow, node):
        if isinstance(stated, Pow) and stated.base == node.base and (node.exp / stated.exp).is_Integer:
            return Pow(definition, node.exp / stated.exp)
    return None


@rule("deviation read backwards", Add)
def fold_deviation(node: Expr, scene: RuleContext) -> Expr | None:
    """x - μ = u/ρ, where u := (x - μ) ρ."""
    for name, stated in instances(scene.system, Mul, node):
        if node in stated.args:
            return name * node / stated
    return None


def instances(system: System, kind: type, node: Expr) -> Iterator[tuple[Expr, Expr]]:
    """(name, right-hand side) of the definitions of this shape, at every set of indices that the node may mean."""
    for definition in system.definitions:
        if isinstance(definition.expr, kind):
            for target in targets(definition, node):
                yield target, definition.at(target)


def targets(definition: Definition, node: Expr) -> Iterator[Variable]:
    """The target at the indices of a variable in the node that has all of them."""
    wanted = definition.target.indices
    for template in nodes(definition.expr):
        if isinstance(template, Variable) and template.indices == wanted:
            for found in nodes(node):
                if isinstance(found, Variable) and found.family == template.family:
                    yield definition.target.at(*found.indices)
