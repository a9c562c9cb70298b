"""Changes of one kind of node: comparisons, cases, axes, sums, exponents, functions, products turned as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from backprop.formulas.conventions.naming import key_of
from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.meaning.arguments import KEYWORDS
from backprop.formulas.mending.pools import callables, power_of, transpose_sign
from backprop.formulas.mending.spans import Change, factors_of, said, terms
from backprop.formulas.text.lexicon import INDEX_LETTERS
from backprop.formulas.text.tree import (
    Apply,
    Bars,
    Bracket,
    Cases,
    Compare,
    Deriv,
    Infix,
    Neg,
    Num,
    Raised,
    Sum,
    Sym,
    Term,
    Turned,
    walk,
)  # fmt: skip

__all__ = ["exchange_edits"]

TURNED_ROUND = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
PRINTED = {
    "<=": ("\\leq", "\\le", "≤", "<="),
    ">=": ("\\geq", "\\ge", "≥", ">="),
    "<": ("\\lt", "<"),
    ">": ("\\gt", ">"),
}
SIBLINGS = {"max": ("min",), "min": ("max",), "sum": ("mean",), "mean": ("sum",)}
BARS = {"abs": ("\\mathrm{sgn}", "sign")}


def exchange_edits(text: str, right: Term, claim: PrintedClaim) -> Iterator[Change]:
    """What is changed by the kind of a node alone."""
    yield from _of_letters(text, right, claim)
    for node in terms(right):
        for kind, change in CHANGES.items():
            if isinstance(node, kind):
                yield from change(text, node, claim)


def _of_letters(text: str, right: Term, claim: PrintedClaim) -> Iterator[Change]:
    """Two indices exchanged wherever they stand: a_j δ_k for a_k δ_j."""
    standing = index_letters(right, claim)
    for one, two in itertools.combinations(sorted(standing), 2):
        spans = [(n.start, n.end, said(text, standing[two][0][0])) for n, _ in standing[one]]
        spans += [(n.start, n.end, said(text, standing[one][0][0])) for n, _ in standing[two]]
        whose = dict.fromkeys(
            said(text, s) for _, s in sorted([*standing[one], *standing[two]], key=lambda p: p[1].start)
        )
        if len(spans) <= 4:
            yield Change(tuple(spans), ", ".join(whose), 1 if len(whose) > 1 else 2)


def index_letters(right: Term, claim: PrintedClaim) -> dict[str, list[tuple[Sym, Sym]]]:
    """Where free component letters stand: the letter and the symbol that it belongs to."""
    found: dict[str, list[tuple[Sym, Sym]]] = {}
    for symbol in (s for s in walk(right) if isinstance(s, Sym) and s.start >= 0):
        for comp in symbol.subs:
            if isinstance(comp, Sym) and comp.start >= 0 and key_of(comp) in claim.letters:
                found.setdefault(key_of(comp), []).append((comp, symbol))
    return found


def _of_comparison(text: str, node: Compare, claim: PrintedClaim) -> Iterator[Change]:
    """< for >, and the other case of an axis."""
    if isinstance(node.left, Sym) and node.left.base in KEYWORDS:
        for other in ("0", "1") if isinstance(node.right, Num) else ():
            yield Change(((node.right.start, node.right.end, other),), said(text, node), 0)
        return
    between = text[node.left.end : node.right.start]
    printed = next((p for p in PRINTED.get(node.sign, ()) if p in between), None)
    if printed is None:
        return
    other = TURNED_ROUND[node.sign]
    new = next((p for p in PRINTED[other] if p.startswith("\\") == printed.startswith("\\")), other)
    at = node.left.end + between.index(printed)
    yield Change(((at, at + len(printed), new),), said(text, node))


def _of_cases(text: str, node: Cases, claim: PrintedClaim) -> Iterator[Change]:
    """A value with the other sign, two values exchanged."""
    for value in node.values:
        if value.start >= 0 and not isinstance(value, Neg):
            yield Change(((value.start, value.end, negated(text, value)),), f"sign of {said(text, value)}", -1)
    for one, two in itertools.combinations(node.values, 2):
        spans = ((one.start, one.end, said(text, two)), (two.start, two.end, said(text, one)))
        yield Change(spans, f"{said(text, one)} and {said(text, two)}, each in the place of the other")


def _of_sum(text: str, node: Sum, claim: PrintedClaim) -> Iterator[Change]:
    """Summed over another index; a mean for a sum."""
    index = node.index[0] if len(node.index) == 1 else None
    if not isinstance(index, Sym) or index.start < 0:
        return
    header = text[node.start : node.body.start].strip()
    inside = {s.base for n in walk(node.body) if isinstance(n, Sym) for s in n.subs if isinstance(s, Sym)}
    for other in sorted(inside - {index.base}):
        if other in INDEX_LETTERS:
            yield Change(((index.start, index.end, other),), f"{header} (the index of the sum)", 1)


def _of_exponent(text: str, power: Term, whole: str) -> Iterator[Change]:
    """A power with the other sign, one more or one less."""
    inner = said(text, power)
    alone = text[power.start - 1 : power.start] not in ("{", "(")
    left, right = ("{", "}") if alone and "\\" in text else ("(", ")") if alone else ("", "")
    loose = isinstance(power, Infix) and power.sign in ("+", "-")
    if isinstance(power, Neg):
        yield Change(((power.start, power.end, said(text, power.value)),), whole, 1)
    elif isinstance(power, Bracket) or not loose:
        yield Change(((power.start, power.end, f"{left}-{inner}{right}"),), whole, 1)
    if isinstance(power, Infix) and power.sign in ("+", "-") and isinstance(power.right, Num):
        yield Change(((power.start, power.end, said(text, power.left)),), whole, 1)
    if isinstance(power, Sym):
        yield from (Change(((power.start, power.end, f"{left}{inner}{d}1{right}"),), whole, 1) for d in "+-")


def _of_raised(text: str, node: Raised, claim: PrintedClaim) -> Iterator[Change]:
    if node.exponent.start >= 0:
        yield from _of_exponent(text, node.exponent, said(text, node))


def _of_symbol(text: str, node: Sym, claim: PrintedClaim) -> Iterator[Change]:
    """Its power, its square, a number, a function of it."""
    ref, whole = claim.lookup.naming.read_here(node), said(text, node)
    if ref.power is not None and ref.power.start >= 0:
        yield from _of_exponent(text, ref.power, whole)
    else:
        yield Change(((node.start, node.end, power_of(text, node, "2")),), whole, 1)
    yield from (Change(((node.start, node.end, number),), whole, 2) for number in ("1", "0"))
    for name in callables(text, claim):
        yield Change(((node.start, node.end, f"{name}({whole})"),), whole, 2)


def _of_function(text: str, node: Apply, claim: PrintedClaim) -> Iterator[Change]:
    """Another function, another sign of what it is given, its square."""
    function, whole = node.function, said(text, node)
    if function.start < 0 or text[function.start : function.end].lstrip("\\") not in (function.base.lstrip("\\"),):
        return
    slash = "\\" if text[function.start] == "\\" else ""
    for other in SIBLINGS.get(function.base.lstrip("\\"), ()):
        yield Change(((function.start, function.end, slash + other),), whole)
    if len(node.args) == 1 and not function.sups and not function.subs:
        yield Change(((node.start, node.end, power_of(text, node, "2")),), whole, 1)
        for name in callables(text, claim):
            if name.lstrip("\\") != function.base.lstrip("\\"):
                yield Change(((function.start, function.end, name),), whole, 2)
    arg = node.args[0]
    while isinstance(arg, Bracket):
        arg = arg.value
    enclosed = arg.start > function.end or text[node.end - 1] in ")}"
    if enclosed and len(node.args) == 1 and function.base.lstrip("\\") != "sqrt":
        yield Change(((arg.start, arg.end, negated(text, arg)),), whole, 2)


def negated(text: str, node: Term) -> str:
    """A term with the other sign."""
    if isinstance(node, Neg):
        return said(text, node.value)
    return f"-({said(text, node)})" if isinstance(node, Infix) and node.sign in ("+", "-") else f"-{said(text, node)}"


def _of_bars(text: str, node: Bars, claim: PrintedClaim) -> Iterator[Change]:
    for latex, plain in [BARS[node.kind]] if node.kind in BARS else []:
        name = latex if "\\" in text else plain
        yield Change(((node.start, node.end, f"{name}({said(text, node.value)})"),), said(text, node))


def _of_derivative(text: str, node: Deriv, claim: PrintedClaim) -> Iterator[Change]:
    """dS turned, where it is a matrix."""
    whole, turned = said(text, node), transpose_sign(text, claim)
    below = node.below
    if isinstance(below, Sym) and not claim.lookup.naming.read(below).comps:
        if turned == ".T" and whole.isidentifier():
            yield Change(((node.start, node.end, whole + turned),), whole)
        inner = f"\\left({whole}\\right)" if "\\frac" in whole else whole if whole.isalnum() else f"({whole})"
        yield Change(((node.start, node.end, inner + turned),), whole)


def _of_product(text: str, node: Infix, claim: PrintedClaim) -> Iterator[Change]:
    """b aᵀ for a bᵀ; two factors left out at once; brackets of a function or a root that end too early or too late."""
    if node.sign in ("+", "-"):
        yield from _of_reach(text, node)
        return
    factors = factors_of(node)
    if len(factors) == 2 and node.sign != "/":
        one, two = (turn(text, f, claim) for f in factors)
        if one and two:
            sign = text[node.left.end : node.right.start]
            yield Change(((node.start, node.end, f"{two}{sign}{one}"),), said(text, node), 1)
    yield from _of_slopes(text, factors)
    for at in range(len(factors) - 1):
        first, second = factors[at], factors[at + 1]
        if len(factors) > 2 and node.end == factors[-1].end and first.end <= second.start:
            cut = (
                (first.start, factors[at + 2].start, "")
                if at + 2 < len(factors)
                else (factors[at - 1].end, second.end, "")
            )
            yield Change((cut,), text[first.start : second.end], 1)


def _of_slopes(text: str, factors: list[Term]) -> Iterator[Change]:
    """1 - a^2, the slope of tanh, for a (1 - a), that of the logistic function, and the other way round."""
    for one, two in itertools.pairwise(factors):
        if isinstance(two, Bracket) and two.value == Infix("-", Num("1"), one) and one.end <= two.start:
            inner = f"({text[two.value.start : two.value.right.start]}{power_of(text, one, '2')})"
            yield Change(((one.start, two.end, inner),), text[one.start : two.end], 1)
    for factor in factors:
        value = factor.value if isinstance(factor, Bracket) else factor
        if isinstance(factor, Bracket) and isinstance(value, Infix) and value.sign == "-" and value.left == Num("1"):
            root = rooted(text, value.right)
            if root is not None:
                kept = f"{root} ({text[value.start : value.right.start]}{root})"
                yield Change(((factor.start, factor.end, kept),), said(text, factor), 1)


def rooted(text: str, node: Term) -> str | None:
    """The text of a in a^2."""
    if isinstance(node, Raised) and node.exponent == Num("2"):
        return said(text, node.base)
    if isinstance(node, Sym) and node.sups and node.sups[-1].value == Num("2") and node.sups[-1].value.start >= 0:
        return text[node.start : node.sups[-1].value.start].rstrip("{^(")
    return None


def turn(text: str, node: Term, claim: PrintedClaim) -> str | None:
    """The text of a factor with its transpose put on, or taken off."""
    whole, turned = said(text, node), transpose_sign(text, claim)
    if isinstance(node, Turned):
        return said(text, node.value)
    if isinstance(node, Sym):
        ref = claim.lookup.naming.read_here(node)
        if ref.comps:
            return None
        if ref.transposed:
            marks = [
                s.value for s in node.sups if isinstance(s.value, Sym) and all(s.value != p for _, p in ref.places)
            ]
            if len(node.sups) == 1 and len(marks) == 1 and marks[0].start >= 0:
                return text[node.start : marks[0].start].rstrip("^{ ")
            return None
        return f"({whole}){turned}" if node.sups else whole + turned
    if isinstance(node, Deriv):
        return next((c.spans[0][2] for c in _of_derivative(text, node, claim)), None)
    return f"{whole}{turned}" if isinstance(node, Bracket) else None


def _of_reach(text: str, node: Infix) -> Iterator[Change]:
    """f(a) + b for f(a + b)."""
    left = node.left
    if isinstance(left, Apply) and len(left.args) == 1 and left.end <= node.right.start and text[left.end - 1] in ")}":
        tail = text[left.end : node.end]
        yield Change(
            ((left.end - 1, node.end, tail + text[left.end - 1]),), f"{said(text, node.right)} in {said(text, node)}", 1
        )


CHANGES: dict[type[Term], Callable[[str, Any, PrintedClaim], Iterator[Change]]] = {
    Compare: _of_comparison, Cases: _of_cases, Sum: _of_sum, Raised: _of_raised, Sym: _of_symbol,
    Apply: _of_function, Bars: _of_bars, Deriv: _of_derivative, Infix: _of_product,
}  # fmt: skip
"""Kinds of nodes, and what is changed of each."""
