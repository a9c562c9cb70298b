"""The rules: each is a law of a few lines.  These, and no others, derive every equation of the book.

A rule looks at one node and returns what it becomes, or None where the law does not apply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sympy import Add, Dummy, Expr, Integer, Mul, Pow, S, Symbol
from sympy.core.function import Function as NamedFunction

from theory.language.layer_sums import LayerTotal
from theory.language.notation import (
    Delta,
    Function,
    Held,
    Index,
    Partial,
    Total,
    Variable,
    Width,
    free_indices,
    fresh,
    is_constant,
    kinds,
    nodes,
    rewrite,
    substitute,
    total,
    var,
)
from theory.language.statement import System, is_below

__all__ = ["RULES", "Rule", "RuleContext", "apply"]


@dataclass(frozen=True)
class RuleContext:
    """What a rule may look at besides its node: the given definitions and the index names already in use."""

    system: System
    whole: Expr

    @property
    def avoid(self) -> frozenset[Index]:
        """Every index of the whole formula: a new one must have another name."""
        return frozenset(node for node in nodes(self.whole) if isinstance(node, Index))


Law = Callable[..., Expr | None]


@dataclass(frozen=True)
class Rule:
    """A named law; its docstring is the statement; `kinds` are the node types it can apply to."""

    name: str
    law: Law
    kinds: frozenset[type]

    @property
    def statement(self) -> str:
        """The law in words and symbols."""
        return (self.law.__doc__ or "").strip()


RULES: dict[str, Rule] = {}


def rule(name: str, *node_types: type) -> Callable[[Law], Law]:
    """Enter a law into the table under its name."""

    def register(law: Law) -> Law:
        RULES[name] = Rule(name, law, frozenset(node_types))
        return law

    return register


def apply(name: str, expr: Expr, system: System, once: bool = False) -> Expr:
    """Apply a rule wherever it applies, again and again until it applies nowhere (or only `once`).

    >>> from theory.layers.dense import dense
    >>> from theory.language.notation import l, unit
    >>> from theory.language.printing import show
    >>> z = var("z", l, unit("j", l))
    >>> show(apply("elementwise chain", Partial(Function(l, 0, z), z), dense()))
    "f'_l(z_j^l) ∂z_j^l/∂z_j^l"
    """
    law, wanted = RULES[name].law, RULES[name].kinds
    for _ in range(100):
        scene = RuleContext(system, expr)
        new = rewrite(expr, partial(law, scene=scene), wanted)
        if once or new == expr:
            return new
        expr = new
    raise RuntimeError(f"the rule {name!r} does not come to an end")


@rule("definition of δ", Partial)
def fold_error(node: Expr, scene: RuleContext) -> Expr | None:
    """∂C/∂z_j^l is called δ_j^l."""
    if type(node) is not Partial or node.u != var("C", None):
        return None
    letter = scene.system.adjoint_name(node.x.name)
    return None if letter is None else var(letter, node.x.layer, *node.x.indices)


@rule("chain over the cut", Partial)
def chain(node: Expr, scene: RuleContext) -> Expr | None:
    """∂C/∂x = Σ_k ∂C/∂y_k ∂y_k/∂x, where every path from x to C goes through the y_k; where there are several y,
    each is replaced by its definition, in which the others are held fixed; where every layer reads x: Σ_l Σ_k."""
    cost = var("C", None)
    if type(node) is not Partial or node.u != cost:
        return None
    system, x = scene.system, node.x
    cuts = system.cut_consumers(x.family)
    if ("C", None) in cuts:
        return None
    terms = []
    for family in cuts:
        template = system.template(family)
        taken = set(scene.avoid)
        indices: list[Index] = []
        for index in template.indices:
            prefer = Index("k", index.size) if not index.is_sample else index
            indices.append(fresh(prefer, taken))
            taken.add(indices[-1])
        y = template.at(*indices)
        definition = system.definition(y)
        shared = x.layer is None and definition is not None and definition.is_general
        alone = len(cuts) == 1 and not shared
        direct = Partial(y, x) if alone or definition is None else Held(definition.at(y, frozenset(taken)), x)
        term = total(Partial(cost, y) * direct, *indices)
        terms.append(LayerTotal(term) if shared else term)
    return Add(*terms)


@rule("linearity", Partial, Held)
def linearity(node: Expr, scene: RuleContext) -> Expr | None:
    """∂(u + v) = ∂u + ∂v;  ∂(c u) = c ∂u;  ∂ Σ_k u_k = Σ_k ∂u_k."""
    if not isinstance(node, Partial):
        return None
    u, x, kind = node.u, node.x, type(node)
    if isinstance(u, Add):
        return Add(*(kind(term, x) for term in u.args))
    if isinstance(u, Total):
        if u.index in free_indices(x):
            index = fresh(u.index, scene.avoid)
            u = Total(substitute(u.body, {u.index: index}), index)
        return Total(kind(u.body, x), u.index)
    constants = [f for f in Mul.make_args(u) if is_constant(f)]
    if constants:
        rest = Mul(*(f for f in Mul.make_args(u) if not is_constant(f)))
        return S.Zero if rest == 1 else Mul(*constants) * kind(rest, x)
    return None


@rule("product rule", Partial, Held)
def product(node: Expr, scene: RuleContext) -> Expr | None:
    """∂(u v) = u ∂v + v ∂u."""
    if not isinstance(node, Partial) or not isinstance(node.u, Mul):
        return None
    factors = node.u.args
    return Add(*(Mul(*factors[:k], *factors[k + 1 :]) * type(node)(factor, node.x) for k, factor in enumerate(factors)))


@rule("independence", Partial, Held)
def independence(node: Expr, scene: RuleContext) -> Expr | None:
    """∂u/∂x = 0 where u is not computed from x: a parameter, an earlier layer, or (when held) another cut."""
    if not isinstance(node, Partial) or not isinstance(node.u, Variable) or node.u.name == "C":
        return None
    u, x = node.u, node.x
    if u.family == x.family:
        return None
    given = scene.system.definition(u) is None
    earlier = u.layer is not None and x.layer is not None and is_below(u.layer, x.layer)
    held = isinstance(node, Held) and scene.system.is_cut(u.family)
    unrelated = u.layer == x.layer and x.name not in scene.system.read_within_layer(u.name)
    return S.Zero if given or earlier or held or unrelated else None


@rule("Kronecker delta", Partial, Held)
def kronecker(node: Expr, scene: RuleContext) -> Expr | None:
    """∂x_i/∂x_j = [i=j], which is 1 where i and j are the same and else 0 (for two indices: [i=p] [j=q])."""
    if not isinstance(node, Partial) or not isinstance(node.u, Variable) or node.u.family != node.x.family:
        return None
    return Mul(*(Delta(i, p) for i, p in zip(node.u.indices, node.x.indices, strict=True)))


@rule("definition", Partial, Held)
def unfold(node: Expr, scene: RuleContext) -> Expr | None:
    """Inside a derivative a computed quantity is replaced by what computes it (F1, F2, …)."""
    if not isinstance(node, Partial) or not isinstance(node.u, Variable) or node.u.family == node.x.family:
        return None
    definition = scene.system.definition(node.u)
    return None if definition is None else type(node)(definition.at(node.u, scene.avoid), node.x)


@rule("elementwise chain", Partial, Held)
def elementwise(node: Expr, scene: RuleContext) -> Expr | None:
    """∂f(u) = f'(u) ∂u, for the arbitrary f_l and for exp, log and powers."""
    if not isinstance(node, Partial):
        return None
    u, x, kind = node.u, node.x, type(node)
    if isinstance(u, Function):
        return Function(u.layer, u.order + 1, u.argument) * kind(u.argument, x)
    if isinstance(u, Pow) and is_constant(u.exp):
        return u.exp * u.base ** (u.exp - 1) * kind(u.base, x)
    if isinstance(u, NamedFunction) and len(u.args) == 1:
        dummy = Dummy()
        slope = u.func(dummy).diff(dummy).xreplace({dummy: u.args[0]})
        return slope * kind(u.args[0], x)
    return None


@rule("linearity of the sum", Total)
def split_total(node: Expr, scene: RuleContext) -> Expr | None:
    """Σ_k (u_k + v_k) = Σ_k u_k + Σ_k v_k, applied where it frees a Kronecker delta."""
    if not isinstance(node, Total) or Delta not in kinds(node.body):
        return None
    body = expand_around_deltas(node.body)
    return Add(*(Total(term, node.index) for term in body.args)) if isinstance(body, Add) else None


def expand_around_deltas(expr: Expr) -> Expr:
    """Multiply out a product only where a factor is a sum of terms with Kronecker deltas."""
    for position, factor in enumerate(Mul.make_args(expr)):
        if isinstance(factor, Add) and Delta in kinds(factor):
            others = [f for k, f in enumerate(Mul.make_args(expr)) if k != position]
            return Add(*(Mul(*others, term) for term in factor.args))
    return expr


@rule("collapse", Total)
def collapse(node: Expr, scene: RuleContext) -> Expr | None:
    """Σ_k g_k [k=j] = g_j; the ranges of k and j must be equal.  (Such a sign without k is a constant of this sum.)"""
    if not isinstance(node, Total) or Delta not in kinds(node.body):
        return None
    factors = Mul.make_args(node.body)
    deltas = [factor for factor in factors if isinstance(factor, Delta)]
    mine = [delta for delta in deltas if node.index in delta.args]
    if mine:
        (other,) = (index for index in mine[0].args if index != node.index)
        if other.size != node.index.size:
            raise ValueError(f"the ranges of {other.name} and {node.index.name} differ")
        return substitute(Mul(*(f for f in factors if f is not mine[0])), {node.index: other})
    if not deltas:
        return None
    return Mul(*deltas) * Total(Mul(*(f for f in factors if f not in deltas)), node.index)


@rule("targets sum to one", Total)
def sum_to_one(node: Expr, scene: RuleContext) -> Expr | None:
    """Σ_k y_k = 1: the targets of a sample are a probability distribution (given)."""
    if not scene.system.sums_to_one or not isinstance(node, Total) or not isinstance(node.body, Variable):
        return None
    return S.One if node.body.name == "y" and node.body.indices[-1] == node.index else None


@rule("factor out", Total)
def factor_out(node: Expr, scene: RuleContext) -> Expr | None:
    """Σ_k c g_k = c Σ_k g_k, where c does not depend on k."""
    if not isinstance(node, Total):
        return None
    factors = Mul.make_args(node.body)
    free = [f for f in factors if node.index not in free_indices(f)]
    if not free or node.body == 1:
        return None
    bound = Mul(*(f for f in factors if f not in free))
    size = node.index.size
    inner = Total(bound, node.index) if bound != 1 else (size if isinstance(size, Symbol | Width) else Integer(size))
    return Mul(*free) * inner
