"""The output layer: softmax with its full Jacobian, and the errors δ^L that collapse to a - y.

A vector-valued output needs the whole Jacobian ∂a_i/∂z_j = a_i([i=j] - a_j).  With cross-entropy the
sum over i collapses because the targets of a sample sum to one; sigmoid with binary cross-entropy and
the identity with squared error collapse to the same a - y.

>>> for derivation in derivations()[:4]:
...     print(derivation.label, derivation.equation())
Jacobian ∂a_ri^L/∂z_sj^L = a_ri^L ([i=j] - a_rj^L) [r=s]
BP1 δ_sj^L = (a_sj^L - y_sj)/n
BP1 δ_sj^L = (a_sj^L - y_sj)/n
BP1 δ_sj^L = a_sj^L - y_sj
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from sympy import Add, Expr, Mul, Symbol, cancel, exp, log

from theory.chapters.chapter import Chapter
from theory.chapters.networks.costs import OUTPUT, TARGET, derive_cost_gradient, find_cost, system_with
from theory.language.derivation import Derivation, Step
from theory.language.notation import L, Partial, Total, Variable, nodes, rewrite, sample, total, unit, var
from theory.language.statement import Definition
from theory.layers.dense import batched, dense
from theory.rules.algebra import collect
from theory.rules.backward import apply_lemma, open_adjoint, step_through

__all__ = [
    "CHAPTER", "OUTPUTS", "derivations", "derive_output_error", "derive_secure_error", "derive_slope",
    "derive_stable_cost", "output_definition", "slope_by_sigmoid",
]  # fmt: skip

S, R = sample(), sample("r")
I, J, K = unit("i", L), unit("j", L), unit("k", L)
OUTPUTS = ("identity", "sigmoid", "softmax")
"""Output functions with a statement of their own; any other elementwise activation is f_L."""


def output_definition(output: str) -> Definition | None:
    """F2 of the last layer for softmax, sigmoid or identity; None means the arbitrary elementwise f_L."""
    z = var("z", L, S, J)
    statements: dict[str, Expr] = {
        "identity": z,
        "sigmoid": 1 / (1 + exp(-z)),
        "softmax": exp(z) / total(exp(var("z", L, S, K)), K),
    }
    return Definition("F2", var("a", L, S, J), statements[output]) if output in statements else None


def fold_softmax(expr: Expr) -> Expr:
    """e^{z_j} = a_j Σ_k e^{z_k}: the definition of softmax read backwards; the sum itself stays as it is."""

    def fold(node: Expr) -> Expr | None:
        if isinstance(node, Total) and isinstance(node.body, exp):
            return row_sum(node.body.args[0])
        if isinstance(node, exp) and isinstance(node.args[0], Variable):
            return var("a", L, *node.args[0].indices) * row_sum(node.args[0])
        return None

    return rewrite(expr, fold)


def row_sum(z: Variable) -> Expr:
    """Σ_k e^{z_sk}, always with the same bound index, so that equal sums look equal."""
    return total(exp(z.at(*z.indices[:-1], K)), K)


def fold_sigmoid(expr: Expr) -> Expr:
    """e^{-z} = (1 - a)/a: the definition of the sigmoid read backwards."""

    def fold(node: Expr) -> Expr | None:
        if isinstance(node, exp) and isinstance(-node.args[0], Variable):
            a = var("a", L, *(-node.args[0]).indices)
            return (1 - a) / a
        return None

    return rewrite(expr, fold)


FOLDS = {"softmax": fold_softmax, "sigmoid": fold_sigmoid}


@cache
def derive_slope(output: str) -> Derivation:
    """∂a_ri^L/∂z_sj^L of an output function: the full Jacobian of softmax, a(1 - a) for the sigmoid, else f'_L.

    >>> print(derive_slope("sigmoid").equation())
    ∂a_ri^L/∂z_sj^L = a_ri^L (1 - a_ri^L) [i=j] [r=s]
    """
    system = batched(dense())
    definition = output_definition(output)
    system = system if definition is None else system.with_definition(definition)
    subject = Partial(var("a", L, R, I), var("z", L, S, J))
    first, *rest = step_through(subject, system)
    label = "Jacobian" if output == "softmax" else "slope"
    derivation = Derivation(label, f"{output}: how the outputs follow the inputs", subject, (first, *rest), system)
    if output not in FOLDS:
        return derivation
    derivation = derivation.then(f"{output} read backwards", FOLDS[output](derivation.result), "e^z in terms of a")
    return derivation.then("algebra", collect(derivation.result))


@cache
def derive_output_error(output: str, cost: str, weighted: bool = False) -> Derivation:
    """BP1 for one output function and one cost of the catalogue, n samples.

    For softmax, sigmoid with an entropy, and the identity the output function is unfolded, so that what
    cancels does cancel; any other elementwise output stays f_L and the result holds f'_L(z).

    >>> print(derive_output_error("softmax", "half-sse").equation())
    δ_sj^L = a_sj^L (a_sj^L - y_sj - Σ_k a_sk^L (a_sk^L - y_sk))
    >>> print(derive_output_error("tanh", "half-sse").equation())
    δ_sj^L = f'_L(z_sj^L) (a_sj^L - y_sj)
    """
    stated = find_cost(cost, weighted)
    system = system_with(stated)
    known = output if output != "sigmoid" or "entropy" in cost else "f_L"
    definition = output_definition(known)
    system = system if definition is None else system.with_definition(definition)
    title = f"the error of the output layer: {output} with {stated.title}"
    derivation = open_adjoint(system, var("z", L, S, J), "BP1", title)
    cost_gradient, slope = derive_cost_gradient(cost, weighted), derive_slope(known)
    derivation = derivation.then("∂C/∂a", apply_lemma(cost_gradient, derivation.result), f"of {stated.title}")
    derivation = derivation.then("∂a/∂z", apply_lemma(slope, derivation.result), f"of {output}")
    derivation = derivation.extended(*step_through(derivation.result, system))
    split = distribute(derivation.result)
    derivation = derivation.then("linearity of the sum", split)
    derivation = derivation.extended(*step_through(split, system, ("factor out", "targets sum to one")))
    return derivation.then("algebra", collect(derivation.result))


def distribute(expr: Expr) -> Expr:
    """Σ_k y_k ([k=j] - a_j) as two sums, where the targets stand alone against something free of k."""

    def split(node: Expr) -> Expr | None:
        if isinstance(node, Total) and isinstance(node.body, Mul):
            for factor_ in node.body.args:
                if isinstance(factor_, Add) and any(t.has(Total) for t in factor_.args):
                    others = Mul(*(f for f in node.body.args if f is not factor_))
                    return Add(*(Total(others * term, node.index) for term in factor_.args))
        return None

    return rewrite(expr, split)


def slope_by_sigmoid(function: Expr, x: Symbol) -> Expr:
    """The derivative of a function of x in terms of a = 1/(1 + e^-x), found by writing e^-x as (1 - a)/a.

    Errors: ValueError where x does not cancel.  The proof is the cancellation itself.

    >>> x = Symbol("x", real=True)
    >>> slope_by_sigmoid(log(1 + exp(x)), x)
    a
    >>> slope_by_sigmoid(-log(1 + exp(-x)), x)
    1 - a
    """
    a = Symbol("a", real=True)
    slope = function.diff(x).xreplace({exp(-x): (1 - a) / a, exp(x): a / (1 - a)})
    result = cancel(slope)
    if result.has(x):
        raise ValueError(f"the derivative of {function} is not an expression in the sigmoid of {x}")
    return result


@cache
def derive_stable_cost(output: str, cost: str, weighted: bool = False) -> Derivation | None:
    """The same cost in terms of z, where no logarithm of a rounded 0 can occur and nothing cancels.

    None where it is as good as it is.

    >>> print(derive_stable_cost("softmax", "cross-entropy").equation())
    C = -1/n Σ_s Σ_j y_sj (z_sj^L - log(Σ_k exp(z_sk^L)))
    >>> print(derive_stable_cost("sigmoid", "binary-cross-entropy").equation())
    C = 1/n Σ_s Σ_j ((1 - y_sj) log(1 + exp(z_sj^L)) + y_sj log(1 + exp(-z_sj^L)))
    """
    definition = output_definition(output)
    if "entropy" not in cost or definition is None:
        return None
    named = find_cost(cost, weighted)
    system = system_with(named).with_definition(definition)
    stated = named.expression
    unfolded = rewrite(stated, lambda node: unfold_output(node, definition))
    logs = rewrite(unfolded, log_law)
    title = f"{named.title} of {output}, computed from z"
    first = Step("definition", var("C", None), stated, "cost")
    derivation = Derivation("cost", title, var("C", None), (first,), system, real=True)
    derivation = derivation.then("definition", unfolded, "F2").then("laws of the logarithm", logs)
    return derivation.then("algebra", move_sign(logs))


def unfold_output(node: Expr, definition: Definition) -> Expr | None:
    """a^L replaced by what computes it."""
    if isinstance(node, Variable) and node.name == "a":
        return definition.at(node)
    return None


def log_law(node: Expr) -> Expr | None:
    """log(e^z/S) = z - log S;  log 1/(1+e^-z) = -log(1+e^-z);  log(1 - 1/(1+e^-z)) = -log(1+e^z)."""
    if not isinstance(node, log):
        return None
    inside = node.args[0]
    for sigma in nodes(inside):
        if sigma == inside and inside.is_Pow and inside.exp == -1:
            return -log(inside.base)
        if sigma.is_Pow and sigma.exp == -1 and inside == 1 - sigma:
            z = next(x for x in nodes(sigma) if isinstance(x, Variable))
            return -log(1 + exp(z))
    if isinstance(inside, Mul):
        above = [f for f in inside.args if isinstance(f, exp)]
        below = [f for f in inside.args if f.is_Pow and f.exp == -1]
        if len(above) == len(below) == 1 and len(inside.args) == 2:
            return above[0].args[0] - log(below[0].base)
    return None


def move_sign(expr: Expr) -> Expr:
    """-(1/n) Σ -u = (1/n) Σ u, where every term of the body has the sign."""
    bodies = [x for x in nodes(expr) if isinstance(x, Total) and not isinstance(x.body, Total)]
    terms = Add.make_args(bodies[0].body)
    if all(term.as_coeff_Mul()[0].is_negative for term in terms):
        return -expr.xreplace({bodies[0].body: Add(*(-term for term in terms))})
    return expr


@cache
def derive_secure_error(output: str, cost: str, weighted: bool = False) -> Derivation:
    """BP1 as it is computed: of a sigmoid with an entropy without a difference of numbers that are nearly equal.

    Where a is 1 up to 1e-20, a - y is 0 in floats for y = 1, and 1 - a too; 1/(1 + e^z) is 1e-20.

    >>> print(derive_secure_error("sigmoid", "binary-cross-entropy").equation())
    δ_sj^L = (a_sj^L (1 - y_sj) - y_sj/(1 + exp(z_sj^L)))/n
    >>> print(derive_secure_error("identity", "half-sse").equation())
    δ_sj^L = a_sj^L - y_sj
    """
    derivation = derive_output_error(output, cost, weighted)
    if output != "sigmoid" or "entropy" not in cost:
        return derivation
    a, y = OUTPUT, TARGET
    apart = derivation.result.xreplace({a - y: (1 - y) * a - y * (1 - a)})
    derivation = replace(derivation, real=True).then("algebra", apart, "what a and 1 - a are weighted with")
    read = apart.xreplace({1 - a: 1 / (1 + exp(var("z", L, S, J)))})
    return derivation.then("sigmoid read backwards", read, "1 - a is the sigmoid of -z")


def derivations() -> list[Derivation]:
    """The chapter: the Jacobian, the three collapses, and the costs computed from z."""
    pairs = (("softmax", "cross-entropy"), ("sigmoid", "binary-cross-entropy"), ("identity", "half-sse"))
    stable = [derive_stable_cost(*pair) for pair in pairs]
    errors = [derive_output_error(*pair) for pair in pairs]
    errors.append(derive_secure_error("sigmoid", "binary-cross-entropy"))
    return [derive_slope("softmax"), *errors, *(d for d in stable if d is not None)]


CHAPTER = Chapter("softmax", "The output layer: softmax, and what collapses to a - y", derivations)
