"""What hangs on a bracket, a function or a norm: powers, indices, transposes, and the methods of an array."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from backprop.formulas.text.lexicon import FUNCTIONS
from backprop.formulas.text.scripts import Scripts
from backprop.formulas.text.tokens import TRANSPOSES, Lexeme
from backprop.formulas.text.tree import Apply, Bars, Bracket, Concat, Indexed, Num, Raised, Sym, Term, Turned

__all__ = ["Hanging"]

METHODS = ("pow", "diagonal", "t")
"""Methods that are no functions of the same name."""
NORMS = {"1": "norm1", "2": "norm", "F": "norm"}


INDICATORS = ("I", "\\mathcal{I}", "\\chi")


class Hanging(Scripts):
    """Reads what stands behind a part of a formula and belongs to it."""

    @abstractmethod
    def arguments(self) -> list[Term]:
        """( a, b )"""

    @abstractmethod
    def bracket(self) -> Term:
        """( a )"""

    def limit(self) -> Term:
        """What stands at a Σ: i, i=1, {i,j}, {j \\ne i}."""
        items = self.subscript()
        if not items:
            raise self.stop("there is nothing in this script")
        return items[0] if len(items) == 1 else Concat(tuple(items))

    def argument(self) -> Term:
        """{ a } or one token (of a number: one digit), as \\frac takes them."""
        if self.text != "{":
            token = self.token
            if token.kind == "num" and token.text.isdigit() and len(token.text) > 1:
                cut = [Lexeme("num", digit, token.start + k, token.start + k + 1) for k, digit in enumerate(token.text)]
                rest = Lexeme("num", token.text[1:], token.start + 1, token.end)
                self.tokens[self.index : self.index + 1] = [cut[0], rest]
            return self.script_atom()
        self.take()
        node = self.expression()
        self.expect("}")
        return node

    def skip_braces(self) -> None:
        """{cases}"""
        self.expect("{")
        while self.text != "}":
            self.take()
        self.take()

    def is_indicator(self) -> bool:
        """Whether a 1 in a type of its own stands here, or an I before a condition."""
        opens = self.ahead(1) in ("[", "\\{", "_", "(")
        return (self.text == "1" and self.kind == "word") or (
            self.text in INDICATORS and opens and self.holds_condition()
        )

    def holds_condition(self, offset: int = 0) -> bool:
        """Whether the bracket behind this name holds a relation: 1[i = j], I(x > 0)."""
        depth = 0
        for token in self.tokens[self.index + 1 + offset :]:
            if depth and token.text in ("=", "<", ">", "<=", ">=", "!="):
                return True
            depth += (token.text in ("(", "[", "{", "\\{")) - (token.text in (")", "]", "}", "\\}"))
            if depth == 0 and token.text != "_":
                return False
        return False

    def indicator(self) -> Term:
        """1 where a condition holds, else 0."""
        start, word = self.at, self.take()
        if word.text == "1" and not (self.text in ("[", "\\{", "(", "_") and self.holds_condition(-1)):
            return self.with_scripts(Sym("1", start=word.start, end=word.end), start)
        if self.text == "_":
            self.take()
            self.expect("{")
            inner: Term = Bracket(self.relation())
            self.expect("}")
        else:
            inner = self.bracket()
        return self.placed(inner, start)

    def scripted(self, node: Term, start: int) -> Term:
        """Scripts behind a bracket, a function or a number; methods behind anything."""
        while self.hangs(node):
            if self.is_dot_t():
                self.index += 2
                node = self.placed(Turned(node), start)
            elif self.text == ".":
                node = self.method(node, start)
            elif self.take_if("_"):
                node = self.placed(self.indexed(node), start)
            elif self.take_if("'"):
                node = self.placed(self.primed(node), start)
            else:
                self.take()
                node = self.raised(node, start)
        return node

    def primed(self, node: Term) -> Term:
        """(f^l)' of a function is its derivative, (A B)' is transposed."""
        inner = node.value if isinstance(node, Bracket) else node
        if isinstance(inner, Sym) and self.lexicon.is_function(inner.base):
            return replace(inner, primes=inner.primes + 1)
        return Turned(node)

    def hangs(self, node: Term) -> bool:
        """Whether what stands here belongs to the node."""
        prime = self.text == "'" and isinstance(node, Bracket)
        return self.text in ("^", "**", "_") or prime or self.is_dot_t() or self.is_method()

    def take_if(self, text: str) -> bool:
        """Read a token if it is this one."""
        here = self.text == text
        self.index += int(here)
        return here

    def raised(self, node: Term, start: int) -> Term:
        """Powers and transposes."""
        for part in self.superscript():
            if isinstance(part, int) or (isinstance(part.value, Sym) and part.value.base in TRANSPOSES):
                node = self.placed(Turned(node), start)
            else:
                node = self.placed(Raised(node, part.value), start)
        return node

    def indexed(self, node: Term) -> Term:
        """(a)_i; of a norm its kind."""
        subs = self.subscript()
        if not isinstance(node, Bars) or node.kind == "abs":
            return Indexed(node, tuple(subs))
        kind = getattr(subs[0], "text", getattr(subs[0], "base", "")) if len(subs) == 1 else ""
        if kind not in NORMS:
            raise self.stop("norms 1, 2 and F are understood")
        return Bars(NORMS[kind], node.value)

    def is_method(self) -> bool:
        """x.sum(…), as NumPy writes it."""
        name = self.ahead(1)
        known = name in METHODS or name in FUNCTIONS
        return self.text == "." and known and self.ahead(2) == "(" and "." not in self.lexicon.signs

    def method(self, node: Term, start: int) -> Term:
        """x.sum(axis=0) is sum(x, axis=0)."""
        self.take()
        name = self.take()
        if self.ahead(1) == ")":
            self.index += 2
            args: list[Term] = []
        else:
            args = self.arguments()
        if name.text in ("transpose", "t") and not args:
            return self.placed(Turned(node), start)
        if name.text == "pow" and len(args) == 1:
            return self.placed(Raised(node, args[0]), start)
        if name.text == "square":
            return self.placed(Raised(node, Num("2")), start)
        symbol = Sym(name.text, start=name.start, end=name.end)
        return self.placed(Apply(symbol, (node, *args)), start)

    def is_dot_t(self) -> bool:
        """X.T, as NumPy writes a transpose."""
        return self.text == "." and self.ahead(1) == "T" and "." not in self.lexicon.signs
