"""Tokens: text cut into numbers, names and symbols, and the one kind of complaint about it."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["ExpressionError", "Token", "shorten", "split_tokens"]

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<symbol>\*\*|<=|>=|[-+*/^(),<>|])"
    r"|(?P<space>[ \t]+)"
)


class ExpressionError(ValueError):
    """An expression that cannot be used, in one line; `.column` counts from 1 (0: the whole text)."""

    def __init__(self, text: str, column: int, complaint: str) -> None:
        self.text, self.column = text, column
        where = f" at column {column}" if column else ""
        super().__init__(f"expression {shorten(text, column)}{where}: {complaint}")


class Token(NamedTuple):
    """A piece of text and the column where it begins, counted from 1."""

    kind: str  # number, name, symbol or end
    text: str
    column: int


def split_tokens(text: str) -> list[Token]:
    """Cut text into tokens; the last one is the end.  Errors: `ExpressionError` for any other character."""
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(text, position + 1, _describe_character(text[position]))
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match.group(), position + 1))
        position = match.end()
    return [*tokens, Token("end", "", len(text) + 1)]


def _describe_character(character: str) -> str:
    code = f"{character!a} (U+{ord(character):04X})"
    return f"unexpected character {code}; only ASCII letters, digits and + - * / ^ ( ) , < > = . |"


def shorten(text: str, column: int, width: int = 60) -> str:
    """Quote the text, or the part of it around the column, on one line whatever it contains."""
    if len(text) <= width:
        return ascii(text)
    begin = max(0, min(column - width // 2, len(text) - width))
    piece = text[begin : begin + width]
    return ascii(("..." if begin else "") + piece + ("..." if begin + width < len(text) else ""))
