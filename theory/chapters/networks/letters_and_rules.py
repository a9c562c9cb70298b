"""The rules by which everything is derived, and the glossary: the first chapter."""

from __future__ import annotations

from collections.abc import Sequence

from theory.chapters.chapter import Chapter, Section
from theory.language.glossary import GLOSSARY
from theory.rules.calculus import RULES

__all__ = ["CHAPTER"]


def sections() -> Sequence[Section]:
    """Letters, then laws."""
    letters = [f"{x.text}: {x.meaning}; batch shape {x.shape}, in code {x.python}" for x in GLOSSARY.values()]
    laws = [f"{rule.name}: {' '.join(rule.statement.split())}" for rule in RULES.values()]
    return [
        "Letters. The first index of a weight is the unit of the previous layer, the second the unit of its own.\n"
        + "\n".join(f"- {letter}" for letter in letters),
        "Rules. Each step of every derivation is one of these, and every step is re-checked by evaluating both "
        "sides on random networks over the prime field GF(2^61 - 1).\n" + "\n".join(f"- {law}" for law in laws),
    ]


CHAPTER = Chapter("rules", "Letters and rules", sections)
