"""The adjoint engine: how the cost changes with any quantity of any list of forward definitions.

One strategy, the rules of `theory.rules.calculus`, no knowledge of neurons.  The equations BP1 to BP4 are
what it says of the dense layer; other layers are stated as forward definitions only.
"""

from __future__ import annotations

from sympy import Expr

from theory.language.derivation import Derivation, Step
from theory.language.notation import Partial, Variable, nodes, rewrite, substitute, var
from theory.language.printing import show
from theory.language.statement import System
from theory.rules.calculus import apply

__all__ = ["apply_lemma", "derive_adjoint", "open_adjoint", "step_through"]

STRATEGY = (
    "definition of δ",
    "linearity",
    "product rule",
    "independence",
    "Kronecker delta",
    "definition",
    "elementwise chain",
    "linearity of the sum",
    "collapse",
    "factor out",
    "targets sum to one",
)
"""The order in which rules are tried; the first that changes anything makes the next step."""


def step_through(expr: Expr, system: System, strategy: tuple[str, ...] = STRATEGY) -> list[Step]:
    """Rewrite until no rule applies; every change is one step."""
    steps: list[Step] = []
    for _ in range(200):
        for name in strategy:
            after = apply(name, expr, system)
            if after != expr:
                steps.append(Step(name, expr, after, note(name, expr, system)))
                expr = after
                break
        else:
            return steps
    raise RuntimeError("the rules do not come to an end")


def note(name: str, expr: Expr, system: System) -> str:
    """Which definition was used, where that helps the reader."""
    if name != "definition":
        return ""
    used = [
        definition.label
        for node in nodes(expr)
        if isinstance(node, Partial) and isinstance(node.u, Variable) and node.u.family != node.x.family
        if (definition := system.definition(node.u)) is not None
    ]
    return ", ".join(dict.fromkeys(used))


def derive_adjoint(system: System, x: Variable, label: str, title: str) -> Derivation:
    """Derive ∂C/∂x for any quantity x of the system.

    The subject is δ where x is a quantity whose adjoint has a letter, else ∂C/∂x.
    Errors: ValueError if a derivative is left that no rule can evaluate.

    >>> from theory.layers.dense import dense
    >>> from theory.language.notation import l, unit
    >>> w = var("w", l, unit("i", l - 1), unit("j", l))
    >>> print(derive_adjoint(dense(), w, "BP4", "the gradient of a weight").equation())
    ∂C/∂w_ij^l = a_i^(l-1) δ_j^l
    """
    opened = open_adjoint(system, x, label, title)
    derivation = opened.extended(*step_through(opened.result, system))
    if any(isinstance(node, Partial) and not reads_cost(node) for node in nodes(derivation.result)):
        raise ValueError(f"{label}: a derivative is left that no rule evaluates: {show(derivation.result)}")
    return derivation


def open_adjoint(system: System, x: Variable, label: str, title: str) -> Derivation:
    """The first steps for any quantity: what δ means, and the chain rule over the nearest cut."""
    partial = Partial(var("C", None), x)
    letter = system.adjoint_name(x.name)
    subject = partial if letter is None else var(letter, x.layer, *x.indices)
    steps = [] if letter is None else [Step("definition of δ", subject, partial)]
    chained = apply("chain over the cut", partial, system, once=True)
    if chained == partial:
        chained = apply("definition", partial, system, once=True)
        return Derivation(label, title, subject, (*steps, Step("definition", partial, chained, "cost")), system)
    return Derivation(
        label, title, subject, (*steps, Step("chain over the cut", partial, chained, cut_note(system, x))), system
    )


def apply_lemma(lemma: Derivation, expr: Expr) -> Expr:
    """Use what another derivation has shown about ∂u/∂x, wherever such a derivative stands, for any indices."""
    subject = lemma.subject

    def use(node: Expr) -> Expr | None:
        if type(node) is not type(subject) or (node.u.family, node.x.family) != (subject.u.family, subject.x.family):
            return None
        theirs = (*subject.u.indices, *subject.x.indices)
        return substitute(lemma.result, dict(zip(theirs, (*node.u.indices, *node.x.indices), strict=True)))

    return rewrite(expr, use)


def reads_cost(node: Partial) -> bool:
    """∂C/∂a^L of an arbitrary cost may stay: it is given."""
    return bool(node.u == var("C", None))


def cut_note(system: System, x: Variable) -> str:
    """Which cut the chain rule went over."""
    names = [show(Variable(name, layer)) for name, layer in system.cut_consumers(x.family)]
    return "through " + " and ".join(names) if names else ""
