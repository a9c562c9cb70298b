"""Conditions of the domain: relations, several of them with `or` between, a letter that is one of a set of values."""

from __future__ import annotations

import re

from backprop.formulas.conventions.words import split_commas
from backprop.formulas.text.lexicon import Lexicon
from backprop.formulas.text.parser import parse
from backprop.formulas.text.tree import Compare, Term

__all__ = ["read_condition"]

_OR = re.compile(r"\bor\b|\\text\{\s*or\s*\}|\\(?:lor|vee)(?![a-z])|∨")
_SET = re.compile(r"(.*?)(?:\\in(?![a-z])|∈)\s*(?:\\left)?\\?\{(.*?)(?:\\right)?\\?\}\s*")
_SIGNED = re.compile(r"(.*?)=\s*(?:\\pm(?![a-z])|±)\s*(.*)")


def read_condition(text: str, lexicon: Lexicon) -> Term:
    """`y = 1 or y = -1`, `y \\in \\{-1, 1\\}` and `y = \\pm 1` say the same.

    >>> read_condition("y = 1 or y = 2", Lexicon()).sign
    'or'
    """
    found: Term | None = None
    for part in alternatives(text):
        node = parse(part, lexicon)
        found = node if found is None else Compare("or", found, node)
    return parse(text, lexicon) if found is None else found


def alternatives(text: str) -> list[str]:
    """The relations of which one is true.

    >>> alternatives("y = \\\\pm 1")
    ['y = 1', 'y = -(1)']
    """
    parts = [part.strip() for part in _OR.split(text) if part.strip()]
    if len(parts) > 1:
        return [one for part in parts for one in alternatives(part)]
    chosen, signed = _SET.fullmatch(text), _SIGNED.fullmatch(text)
    if chosen:
        return [f"{chosen.group(1).strip()} = {value.strip()}" for value in split_commas(chosen.group(2))]
    if signed:
        left, right = signed.group(1).strip(), signed.group(2).strip()
        return [f"{left} = {right}", f"{left} = -({right})"]
    return [text]
