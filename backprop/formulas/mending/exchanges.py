"""Changes of one kind of node: comparisons, cases, axes, sums, exponents, functions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from backprop.formulas.conventions.letters import key_of
from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.meaning.arguments import KEYWORDS
from backprop.formulas.mending.pools import callables, power_of
from backprop.formulas.mending.products import of_derivative, of_product
from backprop.formulas.mending.spans import Change, said, terms
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
    yield from _of_twins(text, right)
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


def _of_twins(text: str, right: Term) -> Iterator[Change]:
    """Two quantities of one letter exchanged wherever they stand: \\beta_1 for \\beta_2."""
    standing: dict[Sym, list[Sym]] = {}
    for node in (n for n in terms(right) if isinstance(n, Sym) and n.start >= 0 and n.subs):
        standing.setdefault(Sym(node.base, node.subs), []).append(node)
    for one, two in itertools.combinations(standing, 2):
        if one.base == two.base and all(type(a) is type(b) is Num for a, b in zip(one.subs, two.subs, strict=False)):
            pairs = [(n, two) for n in standing[one]] + [(n, one) for n in standing[two]]
            spans = tuple((n.subs[0].start, n.subs[0].end, getattr(new.subs[0], "text", "")) for n, new in pairs)
            yield Change(spans, f"{said(text, standing[one][0])}, {said(text, standing[two][0])}", 1)


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


def _of_wide(text: str, node: Term, claim: PrintedClaim) -> Iterator[Change]:
    """A function of a sum, or of what is in brackets: a logarithm that is left out."""
    if isinstance(node, Sum):
        yield from _of_sum(text, node)
        yield from _of_summed(text, node, claim)
    whole = said(text, node)
    for name in dict.fromkeys([*callables(text, claim), "\\log" if "\\" in text else "log"]):
        new = f"{name}{whole}" if isinstance(node, Bracket) and whole.startswith("(") else f"{name}({whole})"
        yield Change(((node.start, node.end, new),), f"missing {name} at {whole}", 2)


def _of_number(text: str, node: Num, claim: PrintedClaim) -> Iterator[Change]:
    """The Kronecker delta for a 1."""
    letters = [key for key in claim.letters if len(key) == 1]
    for key, role in claim.conventions.raw.get("letters", {}).items() if node.text == "1" else ():
        if role in ("parameter", "scalar", "constant"):
            yield Change(((node.start, node.end, key),), said(text, node), 1)
    if node.text == "1":
        for one, two in itertools.combinations(letters, 2):
            delta = "\\delta" if "\\" in text else "delta"
            yield Change(
                ((node.start, node.end, f"{delta}_{{{one}{two}}}"),), f"1 (the sign {delta}_{{{one}{two}}} is missing)"
            )


def _of_cases(text: str, node: Cases, claim: PrintedClaim) -> Iterator[Change]:
    """A value with the other sign, two values exchanged."""
    for value in node.values:
        if value.start >= 0 and not isinstance(value, Neg):
            yield Change(((value.start, value.end, negated(text, value)),), f"sign of {said(text, value)}", -1)
    for one, two in itertools.combinations(node.values, 2):
        spans = ((one.start, one.end, said(text, two)), (two.start, two.end, said(text, one)))
        yield Change(spans, f"{said(text, one)} and {said(text, two)}, each in the place of the other")


def _of_sum(text: str, node: Sum) -> Iterator[Change]:
    """Summed over another index; a mean for a sum."""
    index = node.index[0] if len(node.index) == 1 else None
    if not isinstance(index, Sym) or index.start < 0:
        return
    header = text[node.start : node.body.start].strip()
    inside = {s.base for n in walk(node.body) if isinstance(n, Sym) for s in n.subs if isinstance(s, Sym)}
    for other in sorted(inside - {index.base}):
        if other in INDEX_LETTERS:
            yield Change(((index.start, index.end, other),), f"{header} (the index of the sum)", 1)


def _of_summed(text: str, node: Sum, claim: PrintedClaim) -> Iterator[Change]:
    """The summed index at the other place of every pair: P_ik for P_kj."""
    index = node.index[0]
    pairs = [n.subs for n in walk(node.body) if isinstance(n, Sym) and len(n.subs) == 2 and index in n.subs]
    if not isinstance(index, Sym) or not all(s.start >= 0 for subs in pairs for s in subs):
        return
    for other in claim.letters if pairs else ():
        for one, two in ((index.base, other), (other, index.base)):
            spans = [(subs[0].start, subs[0].end, one) for subs in pairs]
            spans += [(subs[1].start, subs[1].end, two) for subs in pairs]
            yield Change(tuple(spans), said(text, node), 1)


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
    base = node.base
    inner = base.value if isinstance(base, Bracket) else base
    if isinstance(inner, Infix) and inner.sign in ("+", "-") and base.end <= node.exponent.start:
        last = f"{said(text, inner.right)}{text[base.end : node.end]}"
        new = f"({text[inner.start : inner.right.start]}{last})"
        yield Change(((node.start, node.end, new),), said(text, node), 1)
    if isinstance(base, Apply) and len(base.args) == 1 and base.end <= node.exponent.start:
        power, arg = text[base.end : node.end], said(text, base.args[0])
        within = f"({arg})" if isinstance(base.args[0], Infix) else arg
        new = text[base.start : base.args[0].start] + within + power + text[base.args[0].end : base.end]
        yield Change(((node.start, node.end, new),), said(text, node), 1)


def _of_symbol(text: str, node: Sym, claim: PrintedClaim) -> Iterator[Change]:
    """Its power, its square, a number, a function of it."""
    ref, whole = claim.lookup.naming.read_here(node), said(text, node)
    if ref.power is not None and ref.power.start >= 0:
        yield from _of_exponent(text, ref.power, whole)
    else:
        yield Change(((node.start, node.end, power_of(text, node, "2")),), whole, 1)
    yield from (Change(((node.start, node.end, number),), whole, 2) for number in ("1", "0"))
    same = [n for n in terms(claim.right) if n == node]
    for name in callables(text, claim):
        yield Change(((node.start, node.end, f"{name}({whole})"),), whole, 2)
        if len(same) > 1 and same[0] is node:
            yield Change(tuple((n.start, n.end, f"{name}({whole})") for n in same), whole, 2)


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


CHANGES: dict[type[Term], Callable[[str, Any, PrintedClaim], Iterator[Change]]] = {
    Compare: _of_comparison, Cases: _of_cases, Raised: _of_raised, Sym: _of_symbol, Sum: _of_wide, Num: _of_number,
    Bracket: _of_wide, Apply: _of_function, Bars: _of_bars, Deriv: of_derivative, Infix: of_product,
}  # fmt: skip
"""Kinds of nodes, and what is changed of each."""
