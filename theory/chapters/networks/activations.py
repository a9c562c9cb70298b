"""Activations: each stated once, forward only; derivative, kinks and safe form are worked out here.

statement       name, expression in the real variable x, reference
derivative      always computed by differentiating the expression, piece by piece
kinks           the points where f' jumps, found; there f' takes its value from the left (piece x <= kink)
identity        f' as an expression in a = f(x), such as a(1 - a), where one is found and proved
stable form     f and f' with t = exp(-c|x|), so that nothing overflows; found by cancelling, then proved
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr

from theory.chapters.chapter import Chapter, Formula, Section
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import KINK_CONVENTION, ActivationFunction, find
from theory.functions.half_line import M, T, X
from theory.functions.value_identities import join_cases
from theory.functions.values import evaluate_at
from theory.language.formulas import describe, describe_in_latex

__all__ = ["CHAPTER"]

SHOWN_DIGITS = 10
SCAN_TO, SCAN_STEPS = 8, 400  # both forms of GELU agree with max(0, x) beyond


def state(name: str) -> list[Section]:
    """What is stated of an activation, and what follows."""
    activation = find(name)
    remarks = [f"from: {activation.reference}", *_describe_stable_form(activation)]
    sections: list[Section] = [_write("f(x)", f"{name}", activation.expression, remarks)]
    sections.append(_write("f'(x)", f"{name}, derivative", activation.derivative, _describe_kinks(activation)))
    identity = activation.identity_in_value
    if identity is not None and identity.free_symbols:
        sections.append(_write("f'", f"{name}, derivative by the value a = f(x)", identity, []))
    return sections


def _write(left: str, label: str, right: Expr, remarks: list[str]) -> Formula:
    text = f"{left} = {describe(right, digits=SHOWN_DIGITS)}"
    return Formula(label, text, f"{left} = {describe_in_latex(right, SHOWN_DIGITS)}", tuple(remarks))


def _describe_kinks(activation: ActivationFunction) -> list[str]:
    slopes = [(kink, describe(activation.derivative.subs(X, kink), digits=SHOWN_DIGITS)) for kink in activation.kinks]
    return [f"kink at x = {describe(kink)}; there f' = {slope}, the value from the left" for kink, slope in slopes]


def _describe_stable_form(activation: ActivationFunction) -> list[str]:
    form = activation.stable
    if form.rate is None:
        return []
    values = join_cases([(branch.value.xreplace({M: T - 1}), branch.upper) for branch in form.branches], X)
    decay = describe(form.rate * sympy.Abs(X))
    return [f"evaluated with t = exp(-{decay}) as {describe(values, digits=SHOWN_DIGITS)}; proved equal"]


def measure_gelu_gap() -> tuple[float, float]:
    """Return the largest |gelu - gelu_tanh| on a grid, and the x > 0 where it is; the difference is even in x.

    >>> gap, place = measure_gelu_gap()
    >>> f"{gap:.1e} at x = {place:.1f}"
    '4.7e-04 at x = 2.7'
    """
    exact, short = (find(name).expression for name in ("gelu", "gelu_tanh"))
    points = [SCAN_TO * k / SCAN_STEPS for k in range(SCAN_STEPS + 1)]
    return max((abs(evaluate_at(exact, x) - evaluate_at(short, x)), x) for x in points)


def sections() -> Sequence[Section]:
    """The catalogue, entry by entry."""
    gap, place = measure_gelu_gap()
    out: list[Section] = [INTRODUCTION]
    for name in NAMES:
        out += state(name)
    out.append(
        f"The two forms of GELU are close but not equal: |gelu - gelu_tanh| reaches {gap:.1e}, at x = +-{place:.1f}. "
        "A network trained with one and run with the other is another network."
    )
    return out


INTRODUCTION = f"""An activation acts on each entry of an array on its own: a = f(z). Here each one is \
stated once, as f; everything else is worked out from the statement.
- The derivative f' is computed by the sum, product and chain rules, never typed in.
- A kink is a point where f' jumps, so that f has no derivative there; {KINK_CONVENTION}.
- Where f' can be written in terms of the value a = f(x) alone, that identity is found and proved; a program that \
has stored a need not evaluate f again.
- exp(x) overflows for large x; f is therefore evaluated with t = exp(-|x|), which never exceeds 1, in a form \
that is proved equal to the statement."""

CHAPTER = Chapter("activations", "Activations and their derivatives", sections)
