"""Tokens in, tree out: a parser by hand that evaluates nothing and says where it stopped.

formula   = relation { (quad | , | for | where | if) relation }
relation  = sum { (= | < | …) sum }
sum       = [-] product { (+ | -) product }
product   = factor { [sign] factor }         one level for all signs, or as `precedence` declares
factor    = primary { script | prime }       (`atoms.py`)
"""

from __future__ import annotations

from dataclasses import replace

from backprop.formulas.text.atoms import Atoms
from backprop.formulas.text.lexicon import SIGNS, Lexicon
from backprop.formulas.text.patterns import DOTS, continue_patterns
from backprop.formulas.text.tokens import Lexeme, tokenise
from backprop.formulas.text.tree import Apply, Cases, Compare, Infix, Neg, NotUnderstood, Term

__all__ = ["Parser", "parse", "parse_formula"]

RELATIONS = ("=", "<", ">", "<=", ">=", "!=", ":=", "\\approx", "~", "\\in")
ENDS = ("=", "+", "-", "*", "/", "\\cdot", ")", "}", "]", ",", ".")
"""What cannot begin the argument of a function."""
SEPARATORS = ("\\quad", ",", ";", "for", "where", "if", "with", "when", "otherwise", "else", "\\forall", ".")


class Parser(Atoms):
    """Reads one text with the words of a lexicon."""

    def formula(self) -> list[Term]:
        """The relation, then its side conditions."""
        parts = [self.relation()]
        while self.kind != "end":
            if self.text not in SEPARATORS:
                raise self.stop(f"did not expect {self.text!r} here")
            self.take()
            if self.kind != "end" and self.text not in SEPARATORS:
                parts.append(self.relation())
        return parts

    def relation(self) -> Term:
        """a = b, a chain of relations to the right: a = (b = c)."""
        start = self.at
        left = self.expression()
        if self.text not in RELATIONS:
            return left
        sign = self.take().text
        if sign == ":=" and self.text == "=":
            self.take()
        right = self.distribution() if sign == "~" else self.relation()
        return self.placed(Compare(sign, left, right), start)

    def distribution(self) -> Term:
        """N(0, 1), U[-a, a]: behind ~ a name is a distribution."""
        start = self.at
        if self.kind == "word" and self.ahead(1) in ("(", "["):
            symbol = self.symbol()
            return self.placed(Apply(symbol, tuple(self.arguments())), start)
        return self.expression()

    def expression(self) -> Term:
        """A sum."""
        self.deeper()
        start = self.at
        node = self.signed_product()
        while self.text in ("+", "-") and self.kind == "op":
            sign = self.take().text
            right = self.signed_product() if self.text == "-" else self.product(self.loosest)
            node = self.placed(Infix(sign, node, right), start)
        self.depth -= 1
        return node

    def signed_product(self) -> Term:
        """- a b"""
        start = self.at
        if self.text in ("-", "+") and self.kind == "op":
            sign = self.take().text
            self.deeper()
            value = self.signed_product()
            self.depth -= 1
            return self.placed(Neg(value), start) if sign == "-" else value
        return self.product(self.loosest)

    def product(self, level: int) -> Term:
        """Factors with signs of this level or tighter, from left to right."""
        if level < 0:
            return self.factor()
        start = self.at
        self.deeper()
        node = self.product(level - 1)
        while True:
            sign = self.product_sign()
            if sign is None or self.level_of(sign) != level:
                break
            if sign:
                self.take()
            right = self.product(level - 1)
            node = self.placed(Infix(sign, node, right), start)
        self.depth -= 1
        return node

    def product_sign(self) -> str | None:
        """The sign that stands here, empty for juxtaposition, None if the product ends."""
        if self.text in self.lexicon.signs or self.text in SIGNS:
            return self.text
        return "" if self.starts_factor() else None

    def level_of(self, sign: str) -> int:
        """0 binds tightest."""
        return self.lexicon.precedence.get(sign or "juxtaposition", 0)

    @property
    def loosest(self) -> int:
        """The last level of products."""
        return max(self.lexicon.precedence.values(), default=0)

    def braced_cases(self) -> Term:
        """{ a if p ; b if q }"""
        start = self.at
        self.expect("{", "\\{")
        values, conditions = [], []
        while True:
            value, condition = self.one_case()
            values.append(value)
            conditions.append(condition)
            while self.text in (";", ",", "\\quad"):
                self.take()
            if self.text in ("}", "\\}"):
                self.take()
                return self.placed(Cases(tuple(values), tuple(conditions)), start)

    def one_case(self) -> tuple[Term, Term | None]:
        """a if p"""
        value = self.expression()
        while self.text in ("&", ",", "\\quad", "if", "for", "when"):
            self.take()
        if self.text in ("otherwise", "else"):
            self.take()
            return value, None
        return value, self.relation()

    def environment(self) -> Term:
        """\\begin{cases} a & p \\\\ b & q \\end{cases}"""
        start = self.at
        self.take()
        self.expect("{")
        name = self.take().text
        self.expect("}")
        if name not in ("cases", "array", "matrix", "dcases"):
            raise self.stop(f"the environment {name!r} is not known")
        if name == "array" and self.text == "{":
            self.skip_braces()
        values, conditions = [], []
        while self.text != "\\end":
            value, condition = self.one_case()
            values.append(value)
            conditions.append(condition)
            while self.text in ("\\\\", ",", ";", "."):
                self.take()
        self.take()
        self.skip_braces()
        if self.text == ".":
            self.take()
        return self.placed(Cases(tuple(values), tuple(conditions)), start)


def parse(text: str, lexicon: Lexicon) -> Term:
    """One relation or expression, all of the text.

    >>> parse("a - b", Lexicon())
    Infix(sign='-', left=Sym(base='a', subs=(), sups=(), primes=0), right=Sym(base='b', subs=(), sups=(), primes=0))
    """
    parser = Parser(tokenise(text), lexicon, len(text))
    node = parser.relation()
    if parser.kind != "end":
        raise parser.stop(f"did not expect {parser.text!r} here")
    found: Term = continue_patterns(node) if DOTS.base in (piece.text for piece in parser.tokens) else node
    return found


def at_a_point(tokens: list[Lexeme], lexicon: Lexicon) -> dict[str, str]:
    """Functions that stand for their value at one point, as in f' = f (1 - f), and the letter of that point."""
    words = [token.text for token in tokens]
    spots = [
        k
        for k, word in enumerate(words)
        if lexicon.is_function(word) and words[max(0, k - 1)] not in ("d", "\\partial")
    ]
    after = {k: behind_scripts(words, k + 1) for k in spots}
    bare = {words[k] for k in spots if after[k] >= len(words) or words[after[k]] in ENDS}
    applied = any(words[at : at + 1] == ["("] and words[at + 2 : at + 3] == [")"] for at in after.values())
    primed = any(words[k + 1 : k + 2] == ["'"] for k in spots)
    return dict.fromkeys(bare, "x") if bare and primed and not applied else {}


def behind_scripts(words: list[str], at: int) -> int:
    """The first token behind primes and powers."""
    while at < len(words) and words[at] in ("'", "^"):
        if words[at] == "^" and words[at + 1 : at + 2] == ["{"]:
            at = next((k for k in range(at, len(words)) if words[k] == "}"), len(words))
        elif words[at] == "^":
            at += 1
        at += 1
    return at


def parse_formula(text: str, lexicon: Lexicon) -> list[Term]:
    """A formula and its side conditions."""
    tokens = tokenise(text)
    if not tokens:
        raise NotUnderstood("there is no formula", 0)
    dots = any(piece.text == DOTS.base for piece in tokens)
    nodes = Parser(tokens, replace(lexicon, pointwise=at_a_point(tokens, lexicon)), len(text)).formula()
    return [continue_patterns(node) for node in nodes] if dots else nodes
