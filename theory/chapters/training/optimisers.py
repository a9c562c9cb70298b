"""Optimisers: each stated once, as the update equations of one parameter; the program follows from them.

An entry theta of the parameters has the gradient g_t in step t = 1, 2, …; what a rule remembers (m, v, G) is 0
before the first step. Each equation reads what step t-1 left and what the equations above it gave; all of it
acts entry by entry.

>>> for line in RULES["momentum"].lines():
...     print(line)
v_t = μ*v_(t-1) + η*g_t
θ_t = θ_(t-1) - v_t
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import sympy
from sympy import Expr, Rational, Symbol

from theory.chapters.chapter import Chapter, Formula, Section
from theory.chapters.training.update_printing import HAT, write_formula, write_letter
from theory.language.formulas import describe

__all__ = [
    "CHAPTER",
    "GRADIENT",
    "PARAMETER",
    "RATE",
    "RULES",
    "STEP",
    "Setting",
    "Update",
    "UpdateRule",
    "before",
    "now",
]


def now(letter: str) -> Symbol:
    """The value of a memory, or of a quantity on the way, in step t."""
    return Symbol(f"{letter}_t", real=True)


def before(letter: str) -> Symbol:
    """The value of a memory after step t-1."""
    return Symbol(f"{letter}_(t-1)", real=True)


PARAMETER_LETTER = "θ"
GRADIENT, PARAMETER = now("g"), before(PARAMETER_LETTER)
RATE, STEP = Symbol("η", real=True), Symbol("t", integer=True, positive=True)


@dataclass(frozen=True)
class Setting:
    """A number that the user may choose: its letter here, its name and its default in programs, its range.

    `kind`: "share" is 0 <= x < 1, "positive" x > 0, "penalty" x >= 0 and possibly one for each parameter.
    """

    letter: Symbol
    name: str
    default: Rational
    kind: str


@dataclass(frozen=True)
class Update:
    """One equation, letter_t = expression; a letter that the rule does not remember is on the way only."""

    letter: str
    expression: Expr


@dataclass(frozen=True)
class UpdateRule:
    """An optimiser, theta_t = theta_(t-1) - change.

    `memory`: the letters kept between steps; `equations` in their order; `rate`: the usual learning rate;
    `remarks`: where published or common forms differ.
    """

    name: str
    title: str
    equations: tuple[Update, ...]
    change: Expr
    memory: tuple[str, ...]
    settings: tuple[Setting, ...]
    rate: Rational
    reference: str
    remarks: tuple[str, ...] = ()

    @property
    def reads_parameters(self) -> bool:
        """Does the change read theta itself, not only its gradient?"""
        return PARAMETER in self.change.free_symbols

    @property
    def given(self) -> frozenset[Symbol]:
        """What the equations read and none of them gives."""
        found = {now(update.letter) for update in self.equations}
        read = [self.change, *(update.expression for update in self.equations)]
        return frozenset(s for e in read for s in e.free_symbols) - found

    def lines(self, latex: bool = False) -> list[str]:
        r"""The equations, one a line, in text or in LaTeX.

        >>> RULES["gradient-descent"].lines(latex=True)
        ['\\theta_{t} = \\theta_{t-1} - \\eta\\,g_{t}']
        """
        step = Update(PARAMETER_LETTER, PARAMETER - self.change)
        return [write(update, latex) for update in (*self.equations, step)]


def write(update: Update, latex: bool) -> str:
    """One equation; a step is written with the old value first."""
    left, right = write_letter(now(update.letter), latex), update.expression
    if update.letter != PARAMETER_LETTER:
        return f"{left} = {write_formula(right, latex)}"
    change = PARAMETER - right
    body = write_formula(change, latex)
    return f"{left} = {write_letter(PARAMETER, latex)} - {f'({body})' if change.is_Add else body}"


MU = Setting(Symbol("μ", real=True), "momentum", Rational(9, 10), "share")
RHO = Setting(Symbol("ρ", real=True), "decay", Rational(9, 10), "share")
BETA1 = Setting(Symbol("β1", real=True), "beta1", Rational(9, 10), "share")
BETA2 = Setting(Symbol("β2", real=True), "beta2", Rational(999, 1000), "share")
EPSILON = Setting(Symbol("ε", real=True), "epsilon", Rational(1, 10**8), "positive")
TINY = Setting(EPSILON.letter, "epsilon", Rational(1, 10**10), "positive")
PENALTY = Setting(Symbol("λ", real=True), "weight_decay", Rational(1, 100), "penalty")

M, V, G = now("m"), now("v"), now("G")
M_HAT, V_HAT = now(f"m{HAT}"), now(f"v{HAT}")

VELOCITY = Update("v", MU.letter * before("v") + RATE * GRADIENT)
SQUARES = Update("G", before("G") + GRADIENT**2)
ADAM = (
    Update("m", BETA1.letter * before("m") + (1 - BETA1.letter) * GRADIENT),
    Update("v", BETA2.letter * before("v") + (1 - BETA2.letter) * GRADIENT**2),
    Update(f"m{HAT}", M / (1 - BETA1.letter**STEP)),
    Update(f"v{HAT}", V / (1 - BETA2.letter**STEP)),
)


def scaled(top: Expr, square: Expr, epsilon: Setting) -> Expr:
    """top / (sqrt(square) + epsilon)."""
    return top / (sympy.sqrt(square) + epsilon.letter)


LECTURE = "lecture, learning rate methods"
OUTSIDE = "epsilon stands outside the root, as in the paper and in torch; other codes have it inside."
RULES: Mapping[str, UpdateRule] = MappingProxyType({
    rule.name: rule
    for rule in (
        UpdateRule(
            "gradient-descent", "gradient descent", (), RATE * GRADIENT, (), (), Rational(1, 10),
            f"A. Cauchy, Comptes rendus 25 (1847) 536; {LECTURE} (constant)",
        ),
        UpdateRule(
            "momentum", "gradient descent with momentum", (VELOCITY,), V, ("v",), (MU,), Rational(1, 20),
            f"B. T. Polyak, USSR Comput. Math. 4 (1964) 1; {LECTURE}",
            ("The rate is inside the memory: a change of the rate acts on new gradients only. In torch it stands "
             "outside, v_t = μ*v_(t-1) + g_t with change η*v_t, and acts on the whole memory at once. At a constant "
             "rate the two are equal, under a schedule they are not.",),
        ),
        UpdateRule(
            "nesterov", "Nesterov's accelerated gradient", (VELOCITY,), MU.letter * V + RATE * GRADIENT, ("v",),
            (MU,), Rational(1, 20),
            "Y. Nesterov, Soviet Math. Dokl. 27 (1983) 372; in this form: I. Sutskever et al., ICML 2013",
            ("Written for the point looked ahead to, φ_t = θ_t - μ*v_t, at which the gradient is taken; torch's is "
             "the same at a constant rate.",),
        ),
        UpdateRule(
            "adagrad", "AdaGrad", (SQUARES,), scaled(RATE * GRADIENT, G, TINY), ("G",), (TINY,), Rational(1, 20),
            f"J. Duchi, E. Hazan, Y. Singer, J. Mach. Learn. Res. 12 (2011) 2121, diagonal form; {LECTURE}",
        ),
        UpdateRule(
            "adagrad-momentum", "AdaGrad with momentum",
            (SQUARES, Update("v", MU.letter * before("v") + scaled(RATE * GRADIENT, G, TINY))), V, ("G", "v"),
            (MU, TINY), Rational(1, 20), LECTURE,
            ("Momentum of the scaled gradients, as the lecture has it; torch has no such rule. With μ = 0 it is "
             "AdaGrad.",),
        ),
        UpdateRule(
            "rmsprop", "RMSProp", (Update("v", RHO.letter * before("v") + (1 - RHO.letter) * GRADIENT**2),),
            scaled(RATE * GRADIENT, V, EPSILON), ("v",), (RHO, EPSILON), Rational(1, 1000),
            f"T. Tieleman, G. Hinton, Neural networks for machine learning, lecture 6.5 (2012); {LECTURE}",
            (OUTSIDE,),
        ),
        UpdateRule(
            "adam", "Adam", ADAM, scaled(RATE * M_HAT, V_HAT, EPSILON), ("m", "v"), (BETA1, BETA2, EPSILON),
            Rational(1, 1000),
            f"D. P. Kingma, J. Ba, arXiv:1412.6980, algorithm 1; {LECTURE} (there: ρ = β1, ρ2 = β2)",
            (OUTSIDE, "t counts steps, as in the paper; some codes count epochs instead."),
        ),
        UpdateRule(
            "adamw", "Adam with decoupled weight decay", ADAM,
            RATE * (scaled(M_HAT, V_HAT, EPSILON) + PENALTY.letter * PARAMETER), ("m", "v"),
            (BETA1, BETA2, EPSILON, PENALTY), Rational(1, 1000),
            "I. Loshchilov, F. Hutter, arXiv:1711.05101, algorithm 2",
            ("The decay is not part of the gradient, so it is not scaled; the rate multiplies it, as in torch. "
             "λ may differ from parameter to parameter: 0 for biases.",),
        ),
    )
})  # fmt: skip
"""The optimisers by name."""


def prove_momentum_forms_equal() -> Expr:
    """Put v = η b into the lecture's momentum: what is left of it against torch's b_t = μ b_(t-1) + g_t.

    The induction step: if v_(t-1) = η b_(t-1) then v_t - η b_t = 0, provided that η is the same in both steps.

    >>> prove_momentum_forms_equal()
    0
    """
    inner = before("b")
    outside = RATE * (MU.letter * inner + GRADIENT)
    return sympy.expand(VELOCITY.expression.subs(before("v"), RATE * inner) - outside)


def sections() -> Sequence[Section]:
    """How to read them, then each rule."""
    out: list[Section] = [
        "An optimiser turns gradients into changes of the parameters. Every line acts on each entry on its own; "
        "g_t is the gradient in step t = 1, 2, …, η the learning rate (a schedule changes it between steps), and "
        "what is remembered begins at 0. The programs that run are generated from these equations.",
    ]
    for rule in RULES.values():
        letters = [f"{s.letter} = {s.name}, usually {describe(s.default)}" for s in rule.settings]
        remarks = (f"from: {rule.reference}", *letters, *rule.remarks)
        text, latex = "; ".join(rule.lines()), r",\quad ".join(rule.lines(latex=True))
        out.append(Formula(rule.title, text, latex, remarks))
    rest = prove_momentum_forms_equal()
    out.append(
        "Both forms of momentum agree at a constant rate: "
        f"with v_(t-1) = η*b_(t-1) the difference v_t - η*b_t is {rest}."
    )
    return out


CHAPTER = Chapter("optimisers", "Optimisers as update equations", sections)
