"""Texts in the language of targets and activations, and texts that are nearly in it, drawn at random."""

from __future__ import annotations

import random

__all__ = ["draw_text", "spoil"]

LEAVES = ("x", "x", "x", "pi", "e", "1", "2", "0.5", ".5", "3.", "1e3", "2.5E-2", "1/3")
FUNCTIONS = ("exp", "log", "ln", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "arctan",
             "erf", "abs", "sign", "heaviside", "identity", "sigmoid", "relu", "leaky_relu", "elu", "selu", "softplus",
             "log_sigmoid", "gelu", "gelu_tanh", "silu", "mish", "swish", "asinh", "acosh", "atanh", "erfc", "expit",
             "logit", "log10", "log2", "log1p", "expm1", "cbrt", "sec", "csc", "cot", "sech", "csch", "coth", "sinc",
             "floor", "ceil", "Heaviside", "gamma", "lgamma")  # fmt: skip
OF_TWO = ("mod", "hypot", "atan2", "Heaviside", "heaviside")
POWERS = ("2", "3", "-1", "0", "0.5", "(1/2)", "2.0", "1.5", "(1/3)", "x", "-x", "pi")
JUNK = (
    *"xe1.0()|,+-*/^<>=# \t\n\r\x0b\x1b_E",
    "**",
    "0x",
    "1_0",
    "e5",
    "sin",
    "planck",
    "erfi",
    "where",
    "é",
    "²",
    "٣",
    "\xa0",
)


def draw_text(rng: random.Random, depth: int) -> str:
    """A text that the grammar allows, with operators and functions that many levels deep at most."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(LEAVES)
    inner = draw_text(rng, depth - 1)
    kind = rng.random()
    if kind < 0.35:
        return f"{inner}{rng.choice(['+', '-', '*', '/', ' + ', ' - '])}{draw_text(rng, depth - 1)}"
    if kind < 0.45:
        return f"{inner}{rng.choice(['**', '^'])}{rng.choice(POWERS)}"
    if kind < 0.55:
        return f"{rng.choice('+--')}{inner}"
    if kind < 0.7:
        return f"({inner})" if kind < 0.65 else f"|{inner}|"
    if kind < 0.9:
        return f"{rng.choice(FUNCTIONS)}({inner})"
    if kind < 0.92:
        return f"{rng.choice(OF_TWO)}({inner}, {draw_text(rng, depth - 1)})"
    if kind < 0.94:
        signs, other = [rng.choice(["<", "<=", ">", ">="]) for _ in range(2)], draw_text(rng, depth - 1)
        chain = rng.choice([f"{inner}{signs[0]}{other}", f"{inner}{signs[0]}{other}{signs[1]}1"])
        return f"where({chain}, {draw_text(rng, depth - 1)}, {draw_text(rng, depth - 1)})"
    if kind < 0.96:
        others = [draw_text(rng, depth - 1) for _ in range(rng.randint(1, 3))]
        return f"{rng.choice(['max', 'min'])}({', '.join([inner, *others])})"
    return f"({inner}{rng.choice(['<', '<=', '>', '>='])}{draw_text(rng, depth - 1)})"


def spoil(rng: random.Random, text: str) -> str:
    """The text with a few characters put in, taken out or replaced."""
    for _ in range(rng.randint(1, 3)):
        place = rng.randint(0, len(text))
        text = text[:place] + rng.choice(("", *JUNK)) + text[place + rng.randint(0, 2) :]
    return text
