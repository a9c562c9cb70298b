"""Derivatives as they are printed: ∂C/∂w in a fraction or on a line, d²C/dz², ∇_a C, and short names such as dX."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from backprop.formulas.text.hanging import Hanging
from backprop.formulas.text.tokens import Lexeme
from backprop.formulas.text.tree import Apply, Bracket, Deriv, Infix, Num, Script, Sym, Term, walk

__all__ = ["Differentials"]


class Differentials(Hanging):
    """Reads what begins with ∂, d or ∇."""

    @property
    @abstractmethod
    def loosest(self) -> int:
        """The loosest level of products."""

    @abstractmethod
    def product(self, level: int) -> Term:
        """A product; read in `parser.py`."""

    def is_differential(self, text: str) -> bool:
        """Whether a token opens the top or the bottom of a derivative."""
        lexicon = self.lexicon
        if text in ("\\partial", "d"):
            return text not in lexicon.names
        return text.startswith("d") and text.isascii() and not lexicon.knows(text) and len(text) > 1

    def peek_inside(self, offset: int) -> tuple[str, str] | None:
        """The first tokens of the two braces behind \\frac."""
        if self.ahead(offset) != "{":
            return None
        depth, at = 0, self.index + offset
        for end in range(at, len(self.tokens)):
            depth += (self.tokens[end].text == "{") - (self.tokens[end].text == "}")
            if depth == 0:
                if end + 2 < len(self.tokens) and self.tokens[end + 1].text == "{":
                    return self.tokens[at + 1].text, self.tokens[end + 2].text
                return None
        return None

    def open_differential(self) -> int:
        """Read ∂, d, ∂² or the d of dL; the order."""
        token = self.take()
        if token.text not in ("\\partial", "d"):
            rest = Lexeme("word", token.text[1:].lstrip("_"), token.start + 1, token.end)
            self.index -= 1
            self.tokens[self.index] = rest
            return 1
        if self.text == "^":
            self.take()
            return self.order_of(self.superscript())
        return 1

    def order_of(self, script: list[Script | int]) -> int:
        """The 2 of d² and ∇²."""
        value = getattr(script[0], "value", None) if len(script) == 1 else None
        if not isinstance(value, Num) or value.text not in ("1", "2"):
            raise self.stop("derivatives of first and second order are understood")
        return int(value.text)

    def differential(self) -> tuple[int, Term | None]:
        """The top: its order and what is differentiated, if it stands there."""
        order = self.open_differential()
        return order, None if self.text == "}" else self.expression()

    def below(self, order: int) -> tuple[Term, Term | None]:
        """The bottom: one variable, or two."""
        first = self.variable(order)
        second = self.variable(order) if self.is_differential(self.text) else None
        return first, second

    def variable(self, order: int) -> Term:
        """∂x, without the 2 of ∂x²."""
        self.open_differential()
        node = self.factor()
        while isinstance(node, Bracket):
            node = node.value
        if order == 2 and isinstance(node, Sym) and node.sups and node.sups[-1].value == Num("2"):
            node = replace(node, sups=node.sups[:-1])
        return node

    def flat_derivative(self) -> Term | None:
        """dL/dx on a line."""
        if not (self.is_differential(self.text) and self.text != "\\partial"):
            return None
        start, index, tokens = self.at, self.index, list(self.tokens)
        order = self.open_differential()
        if self.text == "/" and self.is_differential(self.ahead(1)):
            self.take()
            below, second = self.below(order)
            return self.placed(Deriv(self.factor(), below, order, second), start)
        top = self.symbol() if self.kind == "word" else None
        if top is not None and self.text == "(":
            self.factor()
        if top is None or self.text != "/" or not self.is_differential(self.ahead(1)):
            self.index, self.tokens = index, tokens
            return None
        self.take()
        below, second = self.below(order)
        return self.placed(Deriv(top, below, order, second), start)

    def derivative(self) -> Term:
        """∂L/∂x on a line, ∂_x L."""
        start = self.at
        if self.ahead(1) == "_":
            self.index += 2
            below = self.subscript()[0]
            return self.placed(Deriv(self.factor(), below), start)
        order = self.open_differential()
        top = self.factor()
        self.expect("/")
        by, second = self.below(order)
        return self.placed(Deriv(top, by, order, second), start)

    def nabla(self) -> Term:
        """∇_a C, ∇²_a C; ∇C(a) is by what stands in the brackets."""
        start = self.at
        self.take()
        order, below = 1, None
        while self.text in ("_", "^"):
            if self.take().text == "_":
                below = self.subscript()[0]
            else:
                order = self.order_of(self.superscript())
        top = self.factor()
        if below is not None and not any(isinstance(node, Sym) for node in walk(top)):
            top = self.placed(Infix("", top, self.product(self.loosest)), top.start)
        if below is None:
            below = self.argument_of(top)
        return self.placed(Deriv(top, below, 1, below if order == 2 else None), start)

    def argument_of(self, top: Term) -> Term:
        """a of C(a)"""
        while isinstance(top, Bracket):
            top = top.value
        if isinstance(top, Apply) and isinstance(top.args[0], Sym):
            return top.args[0]
        if isinstance(top, Sym) and self.dropped is not None:
            return self.dropped
        raise self.stop("which variable this gradient is by")

    def prefixed_derivative(self) -> Term | None:
        """dX, d_X or \\delta X, if the conventions say that it is a derivative by X."""
        text = self.text
        for prefix, top in self.lexicon.prefixes.items():
            whole = text == prefix
            glued = text.startswith(prefix) and not prefix.startswith("\\") and text != prefix
            if (glued and self.lexicon.knows(text)) or not (whole or glued):
                continue
            start, index, tokens = self.at, self.index, list(self.tokens)
            self.take()
            if glued:
                self.index -= 1
                self.tokens[self.index] = Lexeme(
                    "word", text[len(prefix) :].lstrip("_"), start + len(prefix), tokens[index].end
                )
            if self.kind == "word" and self.text.strip("_") and not self.text[0].isdigit():
                below = self.symbol()
                return self.placed(Deriv(Sym(top), below), start)
            self.index, self.tokens = index, tokens
        return None
