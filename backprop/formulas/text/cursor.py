"""A place in the tokens of a formula: the ground that its parser stands on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TypeVar

from backprop.formulas.text.lexicon import Lexicon
from backprop.formulas.text.tokens import Lexeme
from backprop.formulas.text.tree import (
    NotUnderstood,
    Term,
)

__all__ = ["DEEPEST", "Cursor"]

DEEPEST = 90
"""How deep brackets, scripts and factors may be nested."""

N = TypeVar("N", bound=Term)


class Cursor(ABC):
    """A place in the tokens, and what is read at it."""

    def __init__(self, tokens: list[Lexeme], lexicon: Lexicon, length: int) -> None:
        self.tokens = tokens
        self.lexicon = lexicon
        self.index = 0
        self.length = length
        self.depth = 0
        self.open_bars: list[str] = []
        self.dropped: Term | None = None

    @property
    def token(self) -> Lexeme:
        """The token that stands here."""
        return self.tokens[self.index] if self.index < len(self.tokens) else Lexeme("end", "", self.length, self.length)

    @property
    def text(self) -> str:
        """Its text."""
        return self.token.text

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.token.kind

    @property
    def at(self) -> int:
        """Its column."""
        return self.token.start

    def ahead(self, count: int) -> str:
        """The text of a later token."""
        return self.tokens[self.index + count].text if self.index + count < len(self.tokens) else ""

    def take(self) -> Lexeme:
        """Read it."""
        token = self.token
        if token.kind == "end":
            raise self.stop("the formula ends too early")
        self.index += 1
        return token

    def expect(self, *texts: str) -> Lexeme:
        """Read it if it is one of these."""
        if self.text not in texts:
            raise self.stop(f"expected {texts[0]!r}, got {self.text!r}" if self.text else f"{texts[0]!r} is missing")
        return self.take()

    def stop(self, message: str) -> NotUnderstood:
        """Here understanding ends."""
        return NotUnderstood(message, self.at)

    def deeper(self) -> None:
        """One level down."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.stop("nested too deeply")

    def placed(self, node: N, start: int) -> N:
        """The node with its place."""
        end = self.tokens[self.index - 1].end if self.index else start
        return replace(node, start=start, end=end)

    @abstractmethod
    def expression(self) -> Term:
        """A sum."""

    @abstractmethod
    def relation(self) -> Term:
        """A relation."""

    @abstractmethod
    def factor(self) -> Term:
        """A factor."""
