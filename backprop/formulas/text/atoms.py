"""The smallest parts of a formula: names with their scripts, functions, brackets, sums, fractions, derivatives."""

from __future__ import annotations

from abc import abstractmethod

from backprop.formulas.text.differentials import Differentials
from backprop.formulas.text.lexicon import SIGNS
from backprop.formulas.text.tree import Apply, Bars, Bracket, Compare, Concat, Deriv, Infix, Neg, Num, Sum, Sym, Term

__all__ = ["Atoms"]

CLOSERS = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "\\langle": "\\rangle", "|": "|", "\\|": "\\|"}


class Atoms(Differentials):
    """What stands between two signs."""

    NO_FACTOR = ("\\end", "otherwise", "else", "if", "for", "where", "when", "\\approx", "\\in", "\\forall")

    @abstractmethod
    def expression(self) -> Term:
        """A sum; read in `parser.py`."""

    @abstractmethod
    def relation(self) -> Term:
        """A relation; read in `parser.py`."""

    @abstractmethod
    def braced_cases(self) -> Term:
        """Cases; read in `parser.py`."""

    @abstractmethod
    def environment(self) -> Term:
        """Cases in an environment; read in `parser.py`."""

    def starts_factor(self) -> bool:
        """Whether a factor can begin here."""
        if self.kind in ("num", "word"):
            return self.text not in self.NO_FACTOR and self.text not in SIGNS and self.text not in self.lexicon.signs
        if self.text in ("|", "\\|"):
            return self.text not in self.open_bars
        return self.text in ("(", "[", "{", "\\{", "\\langle", "...")

    def factor(self) -> Term:
        """A primary with what hangs on it."""
        self.deeper()
        start = self.at
        if self.text in ("-", "+") and self.kind == "op":
            sign = self.take().text
            value = self.factor()
            self.depth -= 1
            return self.placed(Neg(value), start) if sign == "-" else value
        node = self.scripted(self.primary(), start)
        self.depth -= 1
        return node

    def primary(self) -> Term:
        """A number, a name, a bracket."""
        start = self.at
        if self.kind == "num":
            return self.placed(Num(self.take().text), start)
        if self.kind == "word":
            return self.word()
        if self.text == "...":
            return self.dots()
        if self.text in ("|", "\\|"):
            return self.bars()
        if self.text == "{" and self.looks_like_cases():
            return self.braced_cases()
        if self.text == "\\{" and self.ahead(1) == "\\begin":
            self.take()
            return self.environment()
        if self.text == "\\{" and self.looks_like_cases():
            return self.braced_cases()
        if self.text in CLOSERS:
            return self.bracket()
        raise self.stop("the formula ends too early" if self.kind == "end" else f"did not expect {self.text!r} here")

    def bars(self) -> Term:
        """|a|, ‖a‖"""
        start, bar = self.at, self.take().text
        self.open_bars.append(bar)
        value = self.expression()
        self.open_bars.pop()
        self.expect(bar)
        return self.placed(Bars("abs" if bar == "|" else "norm", value), start)

    def bracket(self) -> Term:
        """( a ), or side by side in [ a b ]"""
        start, opening = self.at, self.take().text
        bars, self.open_bars = self.open_bars, []
        value = self.relation()
        items = [value]
        while self.text in (",", ";") and opening in ("[", "("):
            self.take()
            items.append(self.relation())
        self.open_bars = bars
        self.expect(CLOSERS[opening])
        if len(items) > 1 or (opening == "[" and self.lexicon.concatenates):
            flat = [leaf for item in items for leaf in beside(item)]
            if len(flat) > 1:
                return self.placed(Concat(tuple(flat)), start)
        return self.placed(Bracket(value, opening), start)

    def looks_like_cases(self) -> bool:
        """Whether the brace holds an `if` before it closes."""
        depth = 0
        for token in self.tokens[self.index :]:
            depth += (token.text in ("{", "\\{")) - (token.text in ("}", "\\}"))
            if depth == 0:
                return False
            if depth == 1 and token.text in ("if", "otherwise", "\\begin", "when"):
                return token.text != "\\begin"
        return False

    def word(self) -> Term:
        """A name, or one of the words that are built in."""
        start = self.at
        opaque = self.take_opaque()
        if opaque is not None:
            return self.placed(opaque, start)
        text = self.text
        if text in ("\\sum", "\\prod") or (text in ("sum", "prod") and self.ahead(1) == "_"):
            return self.big_sum()
        if text.startswith(("sum_", "prod_")):
            return self.plain_sum()
        built = {"\\frac": self.fraction, "\\sqrt": self.root, "\\partial": self.derivative, "\\nabla": self.nabla,
                 "\\begin": self.environment}  # fmt: skip
        if text in built and text not in self.lexicon.bases:
            return built[text]()
        if self.is_indicator():
            return self.indicator()
        found = self.flat_derivative() or self.prefixed_derivative()
        return found or self.name()

    def name(self) -> Term:
        """A letter with scripts, or a function of something."""
        start = self.at
        symbol = self.symbol()
        base = symbol.base
        if base in self.lexicon.costs and self.text == "(" and base not in self.lexicon.functions:
            inner = self.bracket()
            self.dropped = inner.value if isinstance(inner, Bracket) and isinstance(inner.value, Sym) else None
            return self.placed(symbol, start)
        if base in self.lexicon.pointwise:
            argument = Sym(self.lexicon.pointwise[base])
            return self.placed(Apply(symbol, (argument,)), start)
        if base.lstrip("\\") in ("max", "min") and symbol.subs and base not in self.lexicon.bases:
            return self.placed(Sum(base.lstrip("\\"), symbol.subs, None, None, self.factor()), start)
        is_function = self.lexicon.is_function(base) or bool(symbol.primes and self.text == "(")
        if is_function and self.text in ("(", "[", "\\{", "{"):
            args = self.arguments()
            return self.placed(Apply(symbol, tuple(args)), start)
        if self.lexicon.is_prefix(base) and (self.starts_factor() or self.text == "-"):
            return self.placed(Apply(symbol, (self.factor(),)), start)
        return symbol

    def arguments(self) -> list[Term]:
        """( a, b )"""
        closing = CLOSERS[self.take().text]
        bars, self.open_bars = self.open_bars, []
        items = [self.relation()]
        while self.text in (",", ";"):
            self.take()
            items.append(self.relation() if self.text != "..." else self.dots())
        self.open_bars = bars
        self.expect(closing)
        return items

    def dots(self) -> Term:
        """…"""
        start = self.at
        self.take()
        return self.placed(Sym("..."), start)

    def big_sum(self) -> Term:
        """\\sum_{i=1}^n body, the limits in either order."""
        start, sign = self.at, self.take().text.lstrip("\\")
        lower: Term | None = None
        upper: Term | None = None
        while self.text in ("_", "^"):
            script = self.take().text
            if script == "_":
                lower = self.limit()
            else:
                upper = self.limit()
        return self.finish_sum(sign, lower, upper, start)

    def plain_sum(self) -> Term:
        """sum_i body"""
        start, token = self.at, self.take()
        sign, _, index = token.text.partition("_")
        names = self.lexicon.split_script(index)
        lower: Term = Sym(names[0])
        if len(names) > 1:
            lower = Concat(tuple(Sym(name) for name in names))
        upper = None
        if self.text == "^":
            self.take()
            upper = self.limit()
        return self.finish_sum(sign, lower, upper, start)

    def finish_sum(self, sign: str, lower: Term | None, upper: Term | None, start: int) -> Term:
        """The index out of `i=1`, `i`, `j ≠ i`; the body is what the sign reaches."""
        from_, condition, index = read_limits(lower)
        body = self.product(self.loosest)
        return self.placed(Sum(sign, index, from_, upper, body, condition), start)

    def root(self) -> Term:
        """\\sqrt{a}"""
        start = self.at
        token = self.take()
        symbol = Sym("sqrt", start=token.start, end=token.end)
        return self.placed(Apply(symbol, (self.factor(),)), start)

    def fraction(self) -> Term:
        """\\frac{a}{b}, which may be a derivative."""
        start = self.at
        found = self.fraction_derivative()
        if found is not None:
            return found
        self.take()
        top, bottom = self.argument(), self.argument()
        return self.placed(Infix("/", top, bottom), start)

    def fraction_derivative(self) -> Term | None:
        """\\frac{\\partial C}{\\partial w}, \\frac{\\partial}{\\partial w} C, or nothing read."""
        first = self.peek_inside(1)
        if first is None or not self.is_differential(first[0]) or not self.is_differential(first[1]):
            return None
        start = self.at
        self.take()
        self.expect("{")
        order, top = self.differential()
        self.expect("}")
        self.expect("{")
        below, second = self.below(order)
        self.expect("}")
        if top is None:
            top = self.product(self.loosest)
        return self.placed(Deriv(top, below, order, second), start)


def beside(node: Term) -> list[Term]:
    """a b c as three."""
    if isinstance(node, Infix) and node.sign == "":
        return [*beside(node.left), *beside(node.right)]
    return [node]


def read_limits(lower: Term | None) -> tuple[Term | None, Term | None, tuple[Term, ...]]:
    """First value, condition, indices."""
    if lower is None:
        return None, None, ()
    if isinstance(lower, Concat):
        return None, None, lower.items
    if isinstance(lower, Compare):
        if lower.sign == "=":
            return lower.right, None, (lower.left,)
        return None, lower, (lower.left,)
    return None, None, tuple(beside(lower))
