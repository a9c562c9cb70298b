"""What the reader must know before it reads: which words are names, which are functions, which signs multiply."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from theory.functions.activation_catalogue import ALIASES, NAMES

__all__ = ["FUNCTIONS", "INDEX_LETTERS", "PREFIXED", "SIGNS", "STATISTICS", "Lexicon"]

PREFIXED = {
    "exp", "log", "ln", "tanh", "sin", "cos", "sqrt", "max", "min", "sinh", "cosh", "erf", "sign", "sgn", "abs", "diag",
    "det", "tr", "arctan", "sech",
}  # fmt: skip
"""Functions that may stand before an argument without brackets."""

STATISTICS = {"E", "Var", "std", "Std", "P", "Cov", "SD", "var", "\\sigma^2"}
FUNCTIONS = PREFIXED | {
    "softmax", "logistic", "sum", "mean", "var", "std", "independent", "clip", "norm", "log1p", "expm1", "trace",
    "transpose", "dot", "outer", "heaviside", "erfc", "atan", "maximum", "minimum", "multiply", "matmul", "mm",
    "square", "inv", "sgn", *NAMES, *ALIASES,
}  # fmt: skip
"""Names that take arguments in brackets, in small letters; the activations are those of the book."""
SIGNS = ("*", "/", "@", ".*", "./", "\\cdot", "\\times", "\\odot", "\\circ", "\\otimes", "\\oslash", "\\bullet",
         "\\star")  # fmt: skip
"""Signs of products that need no declaration."""
INDEX_LETTERS = frozenset("ijklmnpqrst")
ARGUMENTS = {"axis", "keepdims", "keepdim", "True", "False"}
"""Words of NumPy between the brackets of a call, also in LaTeX."""
NOT_INDICES = {"in", "out", "min", "max", "on", "tr"}


@dataclass
class Lexicon:
    """The words of one formula and its conventions."""

    names: set[str] = field(default_factory=set)
    bases: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    costs: set[str] = field(default_factory=set)
    opaque: list[tuple[str, ...]] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)
    signs: dict[str, str] = field(default_factory=dict)
    pointwise: dict[str, str] = field(default_factory=dict)
    precedence: dict[str, int] = field(default_factory=dict)
    concatenates: bool = False
    brackets: bool = False
    counted: set[str] = field(default_factory=set)
    """Letters that stand in round brackets behind a name as its index: n of x(n)."""
    latex: bool = False

    def is_function(self, base: str) -> bool:
        """Whether a bracket after this name holds arguments."""
        name = base.lstrip("\\")
        return base in self.functions or (base not in self.bases and (name.lower() in FUNCTIONS or name in STATISTICS))

    def is_prefix(self, base: str) -> bool:
        """Whether this name takes what follows without brackets."""
        return base not in self.bases and base.lstrip("\\") in PREFIXED

    def knows(self, word: str) -> bool:
        """Whether a word is one name."""
        return word in self.names or word in self.bases or word in self.functions or word.lower() in FUNCTIONS

    def split(self, word: str) -> list[str]:
        """A run of letters as the names it is made of.

        >>> Lexicon(bases={"x", "W"}).split("xW")
        ['x', 'W']
        """
        if len(word) == 1 or word.startswith("\\") or self.knows(word) or word in STATISTICS | ARGUMENTS:
            return [word]
        found = self._segment(word)
        if found:
            return found
        if self.latex and "_" not in word and word.isalpha() and not self._prefix(word):
            return list(word)
        return [word]

    def _prefix(self, word: str) -> bool:
        return any(word.startswith(p) and len(word) > len(p) for p in self.prefixes)

    def _segment(self, word: str) -> list[str] | None:
        """All of the word in known names, the longest first."""
        if not word:
            return []
        for size in range(min(len(word), 30), 0, -1):
            head = word[:size]
            if head in self.bases or head in self.names or (head.isdigit() and size < len(word)):
                rest = self._segment(word[size:])
                if rest is not None:
                    return [head, *rest]
        return None

    def split_script(self, word: str) -> list[str]:
        """The indices in a script: `ij` is i and j, `in` and `prev` are words.

        >>> Lexicon().split_script("ij'"[:2]), Lexicon().split_script("prev")
        (['i', 'j'], ['prev'])
        """
        if len(word) == 1 or word.startswith("\\") or "_" in word or word in self.names or word in NOT_INDICES:
            return [word]
        letters = re.findall(r"[A-Za-z]|\d+", word)
        plain = [c for c in letters if c.isalpha()]
        small = len(letters) <= 3 and len(set(letters)) == len(letters) and word[0].isalpha()
        if small and all(c in INDEX_LETTERS for c in plain):
            return letters
        if word.endswith("T") and len(word) == 2 and word[0].islower():
            return [word[0], "T"]
        return [word]
