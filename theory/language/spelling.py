"""How people spell what the grammar of expressions spells in one way: x², 2x, np.sin, arcsin, π, a Unicode minus."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["respell"]

SYNONYMS: Mapping[str, str] = MappingProxyType({
    "arcsin": "asin", "arccos": "acos", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arctan2": "atan2",
    "fabs": "abs", "absolute": "abs", "Abs": "abs", "maximum": "max", "fmax": "max", "Max": "max", "minimum": "min",
    "fmin": "min", "Min": "min", "ceiling": "ceil", "gammaln": "lgamma", "loggamma": "lgamma", "remainder": "mod",
})  # fmt: skip
"""Names of NumPy, SciPy, math and SymPy that mean a function of the grammar, for real numbers."""
SIGNS = str.maketrans({"π": "pi", "−": "-", "–": "-", "·": "*", "×": "*", "⋅": "*", "≤": "<=", "≥": ">=", "÷": "/"})
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_PREFIX = re.compile(r"\b(?:np|numpy|math|cmath|sp|sympy|scipy\.special|special|jnp|torch|tf)\.(?=[A-Za-z_])")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_POWER = re.compile(r"(⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_PIECE = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[A-Za-z_][A-Za-z_0-9]*|\*\*|.", re.DOTALL)


def respell(text: str) -> str:
    """The text in the spelling of the grammar, where there is one way to understand it; else as it is.

    A number right before a name or a bracket is a factor, but not behind / or a power: 1/2x is left to be refused.

    >>> respell("2x² + 3sin(np.pi*x)"), respell("math.exp(−x)"), respell("1/2x")
    ('2*x**2 + 3*sin(pi*x)', 'exp(-x)', '1/2x')
    """
    text = _POWER.sub(lambda found: f"**{_raise(found.group(1))}", text)
    text = _PREFIX.sub("", re.sub("π(?=[A-Za-z_(])", "π*", text).translate(SIGNS))
    text = _NAME.sub(lambda found: SYNONYMS.get(found.group(), found.group()), text)
    return _multiply(text)


def _raise(digits: str) -> str:
    plain = digits.translate(RAISED)
    return f"({plain})" if plain.startswith("-") else plain


def _multiply(text: str) -> str:
    """A star between a number and what stands right behind it."""
    found: list[str] = []
    is_blocked = after_number = False
    for piece in _PIECE.findall(text):
        was_number, starts = after_number, piece == "(" or piece[0].isalpha()
        found.append("*" if was_number and starts and not is_blocked else "")
        found.append(piece)
        after_number = piece[0].isdigit() or (piece[0] == "." and len(piece) > 1)
        if piece in ("/", "^", "**"):
            is_blocked = True
        elif was_number or (piece not in ("+", "-", " ", "\t") and not after_number):
            is_blocked = False
    return "".join(found)
