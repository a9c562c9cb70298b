"""Scripts and differentials: subscripts, superscripts, primes, ∂ and d."""

from __future__ import annotations

from dataclasses import replace

from backprop.formulas.text.cursor import Cursor
from backprop.formulas.text.tokens import Lexeme
from backprop.formulas.text.tree import (
    Compare,
    Infix,
    Neg,
    Num,
    Script,
    Sym,
    Term,
)

__all__ = ["Scripts"]


CLOSING = {"(": ")", "[": "]", "<": ">", "\\langle": "\\rangle"}
"""Brackets round a superscript."""


class Scripts(Cursor):
    """Names with their scripts."""

    def take_opaque(self) -> Sym | None:
        """A declared name of several tokens, e.g. \\delta 8."""
        start = self.at
        for words in self.lexicon.opaque:
            here = tuple(t.text for t in self.tokens[self.index : self.index + len(words)])
            if here == words:
                self.index += len(words)
                symbol = Sym(" ".join(words))
                return self.with_scripts(symbol, start) if words[0] == "\\Delta" and len(words) == 2 else symbol
        return None

    def split_word(self) -> None:
        """Exchange a run of letters for the names in it."""
        token = self.token
        if token.kind != "word" or token.text.startswith("\\") or token.text in self.lexicon.names:
            return
        head, _, tail = token.text.partition("_")
        pieces = self.lexicon.split(head) if head else []
        new, start = [], token.start
        for piece in pieces:
            new.append(Lexeme("num" if piece[0].isdigit() else "word", piece, start, start + len(piece)))
            start += len(piece)
        if tail:
            new.append(Lexeme("op", "_", start, start + 1))
            new.append(Lexeme("num" if tail.isdigit() else "word", tail, start + 1, token.end))
        if len(new) > 1:
            self.tokens[self.index : self.index + 1] = new

    def symbol(self) -> Sym:
        """A letter with all its scripts."""
        start = self.at
        self.split_word()
        base = self.take().text
        subs: list[Term] = []
        sups: list[Script] = []
        primes = 0
        while self.text in ("_", "^", "'", "**") or self.brackets_index(base):
            if self.text == "(":
                sups.append(self.round_index())
                continue
            sign = self.take().text if self.text != "[" else "^"
            if sign == "'":
                primes += 1
            elif sign == "_":
                plain = self.text != "{"
                subs += self.subscript()
                if plain and self.lexicon.is_function(base) and isinstance(subs[-1], Sym):
                    primes += subs[-1].primes
                    subs[-1] = replace(subs[-1], primes=0)
            else:
                for part in self.superscript():
                    primes += isinstance(part, int)
                    sups += [part] if isinstance(part, Script) else []
        return self.placed(Sym(base, tuple(subs), tuple(sups), primes), start)

    def brackets_index(self, base: str) -> bool:
        """Whether [ ] after this letter are an index, W[l+1]; or ( ) where letters are counted so, x(n - 1)."""
        if self.text == "(":
            return self.ahead(1) in self.lexicon.counted and (
                self.ahead(2) == ")" or (self.ahead(2) in "+-" and self.ahead(4) == ")")
            )
        if self.text != "[":
            return False
        inside = [self.ahead(k) for k in range(1, 5)]
        closes = "]" in inside[1:]
        return self.lexicon.brackets and not self.lexicon.is_function(base) and closes

    def round_index(self) -> Script:
        """(n + 1) behind a name: an index in brackets."""
        self.take()
        value = self.expression()
        self.expect(")")
        return Script(value, "[")

    def subscript(self) -> list[Term]:
        """The indices of a subscript."""
        if self.text != "{":
            return self.script_word() if self.kind == "word" else [self.script_atom()]
        self.take()
        found: list[Term] = []
        while self.text != "}":
            if self.text == ",":
                self.take()
                continue
            found += self.script_element()
        self.take()
        return found

    def cut_script(self) -> None:
        """^l_j is l above and j below."""
        token = self.token
        head, _, tail = token.text.partition("_")
        if tail and token.text not in self.lexicon.names:
            at = token.start + len(head)
            rest = Lexeme("num" if tail.isdigit() else "word", tail, at + 1, token.end)
            new = [Lexeme("word", head, token.start, at), Lexeme("op", "_", at, at + 1), rest]
            self.tokens[self.index : self.index + 1] = new

    def script_word(self) -> list[Term]:
        """`ij` is two indices; the token may also carry further underscores: h_prev_1."""
        token = self.take()
        pieces = [p for word in [token.text] for p in self.lexicon.split_script(word)]
        nodes: list[Term] = []
        start = token.start
        for piece in pieces:
            node: Term = Num(piece) if piece.isdigit() else named(piece)
            nodes.append(replace(node, start=start, end=start + len(piece)))
            start += len(piece)
        while self.text == "'" and nodes and isinstance(nodes[-1], Sym):
            self.take()
            nodes[-1] = replace(nodes[-1], primes=nodes[-1].primes + 1)
        return nodes

    def script_element(self, single: bool = False) -> list[Term]:
        """One entry of a script: `l-1`, `ij`, `(k)`, `-x`; `single`: without what is added to it."""
        self.deeper()
        start = self.at
        if self.text == "-":
            self.take()
            items: list[Term] = [self.placed(Neg(self.script_element(single=True)[0]), start)]
        elif self.kind == "word" and not self.text.startswith("\\"):
            items = self.script_word()
        else:
            items = [self.script_atom()]
        if self.text in ("_", "^") and isinstance(items[-1], Sym):
            items[-1] = self.with_scripts(items[-1], start)
        while self.text in ("+", "-", "*", "/", "<", ">", "<=", ">=", "!=", "=") and not single:
            items[-1] = self.extend(items[-1], self.take().text, start)
        self.depth -= 1
        return items

    def with_scripts(self, symbol: Sym, start: int) -> Sym:
        """n_{in}, h^2 in a script."""
        while self.text in ("_", "^") or (self.text == "(" and self.brackets_index(symbol.base)):
            if self.text == "(":
                symbol = replace(symbol, sups=(*symbol.sups, self.round_index()))
            elif self.take().text == "_":
                symbol = replace(symbol, subs=(*symbol.subs, *self.subscript()))
            else:
                parts = tuple(p for p in self.superscript() if isinstance(p, Script))
                symbol = replace(symbol, sups=(*symbol.sups, *parts))
        return self.placed(symbol, start)

    def extend(self, left: Term, sign: str, start: int) -> Term:
        """l - 1 in a script."""
        is_sum = sign in "+-*/"
        right = self.script_element(single=is_sum)
        if len(right) != 1:
            raise self.stop("this script is not clear")
        return self.placed(Infix(sign, left, right[0]) if is_sum else Compare(sign, left, right[0]), start)

    def script_atom(self) -> Term:
        """A number, a letter, a bracket."""
        start = self.at
        if self.kind == "num":
            return self.placed(Num(self.take().text), start)
        if self.text == "\\top":
            return self.placed(Sym(self.take().text), start)
        if self.kind == "word" and self.text not in ("\\frac", "\\sqrt", "\\sum"):
            base = self.take().text
            primes = 0
            while self.text == "'":
                self.take()
                primes += 1
            return self.placed(Sym(base, (), (), primes), start)
        return self.factor()

    def superscript(self) -> list[Script | int]:
        """The parts of a superscript; 1 stands for a prime."""
        if self.text != "{":
            return [self.one_script()]
        self.take()
        found: list[Script | int] = []
        if self.whole_expression():
            found = [Script(self.relation())]
            self.expect("}")
            return found
        while self.text != "}":
            if self.text == ",":
                self.take()
            elif self.text == "'":
                self.take()
                found.append(1)
            else:
                found += self.script_parts()
        self.take()
        return found

    def whole_expression(self) -> bool:
        """Whether the braces hold a product, as in e^{-\\frac{x}{2}}, rather than indices."""
        depth = 0
        for token in self.tokens[self.index - 1 :]:
            depth += (token.text == "{") - (token.text == "}")
            if depth == 0:
                return False
            if token.text in ("\\frac", "\\sqrt", "\\sum", "*", "/", "\\cdot", "^", "|", "\\log"):
                return True
        return False

    def script_parts(self) -> list[Script | int]:
        if self.text in CLOSING or (self.text in ("+", "-", "*") and self.ahead(1) == "}"):
            return [self.one_script()]
        return [Script(item) for item in self.script_element()]

    def one_script(self) -> Script | int:
        """^2, ^T, ^(k), ^[l], ^-x"""
        if self.text == "'":
            self.take()
            return 1
        if self.text in CLOSING:
            opening = self.take().text
            value = self.expression()
            self.expect(CLOSING[opening])
            return Script(value, "(" if opening != "[" else "[")
        if self.text in ("+", "-") and not self.leads():
            token = self.take()
            return Script(Sym(token.text, start=token.start, end=token.end))
        if self.text == "-":
            start = self.at
            self.take()
            return Script(self.placed(Neg(self.factor()), start))
        if self.text in ("\\top", "*"):
            token = self.take()
            return Script(Sym(token.text, start=token.start, end=token.end))
        if self.kind == "word" and not self.text.startswith("\\"):
            self.cut_script()
            token = self.take()
            return Script(replace(named(token.text), start=token.start, end=token.end))
        return Script(self.script_atom())

    def leads(self) -> bool:
        """Whether a factor follows the sign that stands here."""
        after = self.tokens[self.index + 1] if self.index + 1 < len(self.tokens) else Lexeme("end", "", 0, 0)
        return after.kind in ("num", "word") or after.text in ("(", "{", "[")


def named(word: str) -> Sym:
    """h_prev as one symbol with a named subscript.

    >>> named("h_prev").subs
    (Sym(base='prev', subs=(), sups=(), primes=0),)
    """
    head, _, tail = word.partition("_")
    if not tail:
        return Sym(word)
    return Sym(head, (Num(tail) if tail.isdigit() else named(tail),))
