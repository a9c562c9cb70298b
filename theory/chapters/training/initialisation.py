"""How large the first weights shall be: equal variances forward and backward, derived; the gain of each activation.

>>> print(derive_forward().equation())
E((z_j^l)^2) = E((a^(l-1))^2) Var(w^l) M_(l-1)
>>> print(derive_backward().equation())
E((δ_j^l)^2) = E((f'_l(z_j^l))^2) E((δ^(l+1))^2) Var(w^(l+1)) M_(l+1)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import sympy
from sympy import Expr, Symbol

from theory.chapters.chapter import Chapter, Formula, Section
from theory.chapters.networks.four_equations import derive
from theory.chapters.training.expectation import Mean, Variance, check_means
from theory.chapters.training.moments import measure_moments
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find
from theory.language.derivation import Derivation, Step
from theory.language.notation import Delta, Function, Index, Width, l, total, unit, var
from theory.layers.dense import dense

__all__ = ["CHAPTER", "SCHEMES", "Scheme", "derive_backward", "derive_forward", "gain", "variance"]

I, J, K = unit("i", l - 1), unit("j", l), unit("k", l + 1)
I2, K2 = unit("p", l - 1), unit("q", l + 1)


def derive_forward() -> Derivation:
    """From F1 to the mean square of z, for weights that are independent, of mean 0 and of one variance, and b = 0."""
    w, a = var("w", l, I, J), var("a", l - 1, I)
    z = var("z", l, J)
    definition = dense().definition(z)
    assert definition is not None
    steps = [Mean(definition.at(z).subs(var("b", l, J), 0) ** 2)]
    steps += square_steps(w, a, I, I2, Variance(var("w", l)))
    steps.append(Width(l - 1) * Variance(var("w", l)) * Mean(var("a", l - 1) ** 2))
    names = ("F1, with b = 0", *SQUARE_RULES, "equal units")
    return chain("variance forward", "the mean square of z", Mean(z**2), names, steps)


def derive_backward() -> Derivation:
    """From BP2 to the mean square of delta, under the same assumptions on the weights of the next layer."""
    w, delta = var("w", l + 1, J, K), var("delta", l + 1, K)
    slope = Mean(Function(l, 1, var("z", l, J)) ** 2)
    steps = [
        Mean(derive()["BP2"].result ** 2),
        slope * Mean(total(w * delta, K) ** 2),
    ]
    steps += [slope * s for s in square_steps(w, delta, K, K2, Variance(var("w", l + 1)))]
    steps.append(slope * Width(l + 1) * Variance(var("w", l + 1)) * Mean(var("delta", l + 1) ** 2))
    names = ("BP2", "f'(z) independent of the sum", *SQUARE_RULES, "equal units")
    return chain("variance backward", "the mean square of delta", Mean(var("delta", l, J) ** 2), names, steps)


SQUARE_RULES = (
    "square as a double sum",
    "the mean of a sum",
    "weights independent of the rest",
    "weights independent, mean 0",
    "Kronecker delta",
)


def square_steps(w: Expr, x: Expr, index: Index, other: Index, spread: Expr) -> list[Expr]:
    """E[(Σ w x)^2] in five steps: only the squares of single weights survive."""
    swap = {index: other}
    w2, x2 = (part.xreplace(swap) for part in (w, x))
    return [
        Mean(total(w * w2 * x * x2, index, other)),
        total(Mean(w * w2 * x * x2), index, other),
        total(Mean(w * w2) * Mean(x * x2), index, other),
        total(Delta(index, other) * spread * Mean(x * x2), index, other),
        total(spread * Mean(x**2), index),
    ]


def chain(label: str, title: str, subject: Expr, names: Sequence[str], after: Sequence[Expr]) -> Derivation:
    """A derivation whose steps are these expressions."""
    befores = (subject, *after[:-1])
    steps = [Step(name, old, new) for name, old, new in zip(names, befores, after, strict=True)]
    return Derivation(label, title, subject, tuple(steps), dense())


INPUTS, OUTPUTS = Symbol("M_in", positive=True), Symbol("M_out", positive=True)
VALUE, SLOPE, SPREAD = Symbol("q", positive=True), Symbol("p", positive=True), Symbol("Var(w)", positive=True)

FORWARD = INPUTS * VALUE * SPREAD
BACKWARD = OUTPUTS * SLOPE * SPREAD
"""By what the mean squares of z and of delta are multiplied from layer to layer, q = E[f(z)^2] and p = E[f'(z)^2] for
z of variance 1: both shall be 1."""


@dataclass(frozen=True)
class Scheme:
    """A rule for the variance of the first weights: the condition it solves, and the activation it supposes.

    `activation` None: that of the layer, through its moments.
    """

    name: str
    condition: Expr
    activation: str | None
    reference: str

    @property
    def formula(self) -> Expr:
        """The variance, solved from condition = 1.

        >>> SCHEMES["glorot"].formula, SCHEMES["he"].formula
        (2/(M_in + M_out), 2/M_in)
        """
        (solution,) = sympy.solve(sympy.Eq(self.condition, 1), SPREAD)
        return sympy.factor(solution.subs(moments_of(self.activation)) if self.activation else solution)


def moments_of(activation: str) -> dict[Symbol, Expr]:
    """q and p of an activation."""
    moments = measure_moments(find(activation))
    return {VALUE: moments.value, SLOPE: moments.slope}


BOTH = (FORWARD + BACKWARD) / 2
SCHEMES: Mapping[str, Scheme] = MappingProxyType({
    scheme.name: scheme
    for scheme in (
        Scheme("heuristic", 3 * FORWARD, "identity",
               "the habit before: uniform over ±1/sqrt(M_in); Glorot and Bengio, AISTATS 2010, equation 1"),
        Scheme("lecun", FORWARD, "identity", "Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, Efficient backprop (1998)"),
        Scheme("glorot", BOTH, "identity",
               "X. Glorot, Y. Bengio, AISTATS 2010, equations 10 to 12: the mean of both conditions"),
        Scheme("he", FORWARD, "relu", "K. He, X. Zhang, S. Ren, J. Sun, ICCV 2015, equation 10"),
        Scheme("forward", FORWARD, None, "the forward condition with the layer's own activation"),
        Scheme("backward", BACKWARD, None, "the backward condition with the layer's own activation"),
        Scheme("both", BOTH, None, "the mean of both conditions with the layer's own activation"),
    )
})  # fmt: skip
"""The schemes by name."""


@cache
def gain(activation: str) -> float:
    """1/sqrt(E[f(z)^2]): by how much the spread of the weights exceeds that for the identity.

    >>> round(gain("relu") ** 2, 12), round(gain("tanh"), 3)
    (2.0, 1.593)
    """
    return float(1 / sympy.sqrt(measure_moments(find(activation)).value))


def variance(scheme: str, inputs: int, outputs: int, activation: str) -> float:
    """The variance of the first weights of a layer with so many inputs and outputs and this activation in front.

    `activation` acts on what the layer reads (forward: the previous layer's; the identity for the data).

    Errors: KeyError for an unknown scheme.

    >>> variance("glorot", 300, 100, "tanh"), variance("he", 50, 10, "relu")
    (0.005, 0.04)
    """
    formula = SCHEMES[scheme].formula
    if formula.has(VALUE, SLOPE):
        formula = formula.subs(moments_of(activation))
    return float(formula.subs({INPUTS: inputs, OUTPUTS: outputs}))


def sections() -> Sequence[Section]:
    """Two derivations, the conditions, the schemes, the table of moments."""
    derivations = (derive_forward(), derive_backward())
    for derivation in derivations:
        wrong = check_means(derivation)
        if wrong:
            raise ArithmeticError(f"{derivation.label}: the small worlds refute {wrong[0].rule!r}")
    out: list[Section] = [INTRODUCTION, *derivations, CONDITIONS]
    for name, scheme in SCHEMES.items():
        text = f"Var(w) = {scheme.formula}"
        latex = rf"\operatorname{{Var}}(w) = {sympy.latex(scheme.formula)}"
        out.append(Formula(name, text, latex, (f"from: {scheme.reference}",)))
    out.append(TABLE + "\n" + "\n".join(describe_moments(name) for name in NAMES))
    return out


def describe_moments(name: str) -> str:
    """A line of the table."""
    value, slope, exact = measure_moments(find(name))
    how = "closed form" if exact else "quadrature"
    return f"- {name}: q = {float(value):.6g}, p = {float(slope):.6g}, gain {gain(name):.4g} ({how})"


INTRODUCTION = """At the start the weights of a layer are independent of one another and of everything below, with \
mean 0 and one variance; biases are 0. If the mean square of z, or that of delta, changed by the same factor from \
layer to layer, a deep network would have outputs or gradients that vanish or explode. Each step below is checked in \
small worlds, where every combination of weights is counted in exact fractions."""

CONDITIONS = """Let z have mean square 1 in every layer and be nearly normal (a sum of many independent terms). Write \
q = E[f(z)^2] and p = E[f'(z)^2] for such a z. Then the mean square of z is multiplied by M_in q Var(w) from one layer \
to the next, and that of delta by M_out p Var(w) from one layer to the previous one. Both factors shall be 1, which \
two different widths forbid; the schemes take one of them, or their mean. That f'(z_j) is independent of the sum over \
the next layer is an assumption: it holds for wide layers, in which one unit says little about the next layer."""

TABLE = """Moments for z normal with mean 0 and variance 1: q = E[f(z)^2], p = E[f'(z)^2], and the gain 1/sqrt(q), by \
which the spread of the weights must exceed the identity's. SELU has q = 1: that is what its two constants are for."""

CHAPTER = Chapter("initialisation", "The first weights: equal variances forward and backward", sections)
