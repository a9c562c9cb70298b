"""Changes of one term: transposes, index orders, layers, letters, derivatives for values, brackets, powers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from backprop.formulas.conventions.letters import letters_of
from backprop.formulas.conventions.naming import Ref
from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.mending.pools import product_signs, transpose_sign
from backprop.formulas.mending.spans import Change, said, terms
from backprop.formulas.text.tree import (
    Apply,
    Bracket,
    Infix,
    Num,
    Sum,
    Sym,
    Term,
)  # fmt: skip

__all__ = ["rewrite_edits"]


CALLED = ("exp", "log", "ln")


def rewrite_edits(text: str, right: Term, claim: PrintedClaim, pool: list[str]) -> Iterator[Change]:
    """Transposes, orders of indices, layers, other letters, derivatives instead of values, brackets, powers."""
    turned = transpose_sign(text, claim)
    for node in terms(right):
        if isinstance(node, Sym):
            yield from _of_symbol(text, node, claim, turned)
            yield from _instead(text, node, [*pool, f"|{said(text, node)}|"])
            yield from _less(text, node, pool)
        elif isinstance(node, Apply):
            yield from _of_function(text, node, pool)
        elif isinstance(node, Infix):
            yield from _of_brackets(text, node)
            if node.sign in product_signs_of(text, claim):
                yield Change(((node.start, node.end, f"({said(text, node)}){turned}"),), said(text, node), 2)
            for sign in product_signs(text, claim) if node.sign == "+" else ():
                yield Change(((node.left.end, node.right.start, sign),), f"the + in {said(text, node)}")
            yield from _of_order(text, node)
        elif isinstance(node, Bracket):
            yield Change(((node.end, node.end, turned),), said(text, node))
            yield Change(((node.end, node.end, "^2"),), said(text, node), 2)
        elif isinstance(node, Sum):
            yield from _of_sum(text, node)
        if isinstance(node, (Infix, Bracket, Sym, Apply, Sum)) and not _is_wide(text, node):
            root = "\\sqrt{{{}}}" if "\\" in text else "sqrt({})"
            yield from _instead(text, node, [form.format(said(text, node)) for form in (root, "(1 - {})", "({})^2")])


def product_signs_of(text: str, claim: PrintedClaim) -> set[str]:
    """The signs of products that may be those of matrices."""
    return {sign.strip() for sign in product_signs(text, claim)} | {"@"}


def _instead(text: str, node: Term, options: list[str]) -> Iterator[Change]:
    """Something else in the place of a term."""
    whole = said(text, node)
    return (
        Change(((node.start, node.end, new),), whole, 2 - int(scripts_of(new) == scripts_of(whole) != ""))
        for new in options
        if new != whole
    )


def scripts_of(symbol: str) -> str:
    """What hangs on a letter, without braces.

    >>> scripts_of("z^{L}"), scripts_of("a^L"), scripts_of("(1 - a)")
    ('^L', '^L', '')
    """
    found = re.fullmatch(r"\\?\w[^_^()]*([_^][^()]*)", symbol)
    return re.sub(r"[{}\s]", "", found.group(1)) if found else ""


def _less(text: str, node: Term, pool: list[str]) -> Iterator[Change]:
    """The difference to another letter in the place of a letter."""
    whole = said(text, node)
    for other in (word for word in pool if word != whole and len(word) < 14):
        yield Change(((node.start, node.end, f"({other} - {whole})"),), whole, 3)
        yield Change(((node.start, node.end, f"({whole} - {other})"),), whole, 3)


def _is_wide(text: str, node: Term) -> bool:
    return node.end - node.start > 60


def _of_symbol(text: str, node: Sym, claim: PrintedClaim, turned: str) -> Iterator[Change]:
    ref = claim.lookup.naming.read_here(node)
    whole = said(text, node)
    if len(ref.comps) == 2 and all(c.start >= 0 for c in ref.comps):
        one, two = ref.comps
        yield Change(((one.start, one.end, said(text, two)), (two.start, two.end, said(text, one))), whole)
    yield from _of_transpose(text, node, ref, turned)
    for _, place in ref.places:
        yield from _of_place(text, place, whole)
    if ref.power is not None and ref.power.start >= 0:
        yield from _of_power(text, ref.power, claim, whole)
    others = [c for c in claim.letters if all(c != s.base for s in ref.comps if isinstance(s, Sym))]
    for comp in ref.comps:
        if comp.start >= 0:
            yield from (Change(((comp.start, comp.end, other),), whole) for other in others)


def _of_transpose(text: str, node: Sym, ref: Ref, turned: str) -> Iterator[Change]:
    """With a transpose, or without."""
    whole = said(text, node)
    if not ref.transposed and not ref.comps:
        new = f"({whole}){turned}" if node.sups else whole + turned
        yield Change(((node.start, node.end, new),), whole)
    marks = [s.value for s in node.sups if isinstance(s.value, Sym) and s.value not in ref.comps]
    for mark in marks if ref.transposed else []:
        if mark.start >= 0 and all(mark != p for _, p in ref.places):
            yield Change((without(text, mark),), whole)


def without(text: str, mark: Term) -> tuple[int, int, str]:
    """The cut of a superscript: W for W^T and W^{T}, W^{(l)} for W^{(l)T}."""
    if text[mark.start - 1] == "^":
        return mark.start - 1, mark.end, ""
    if text[mark.start - 2 : mark.start] == "^{" and text[mark.end : mark.end + 1] == "}":
        return mark.start - 2, mark.end + 1, ""
    return mark.start, mark.end, ""


def _of_power(text: str, power: Term, claim: PrintedClaim, whole: str) -> Iterator[Change]:
    """Another power: of the letters that count steps, or another number."""
    letters = [*claim.places, *(key for key in ("i", "k") if re.search(rf"_\{{?{key}\s*=", text))]
    options = [
        *letters,
        *(f"{x}{d}1" for x in letters for d in "+-"),
        *(f"{x}-{y}" for x in letters for y in letters if x != y),
    ]
    braced = text[power.end : power.end + 1] in ("}", ")")
    for new in [*options, "2", "3", "-1"]:
        yield Change(((power.start, power.end, new if braced else "{" + new + "}"),), whole)


def _of_place(text: str, place: Term, whole: str) -> Iterator[Change]:
    """A layer (or time) further on, or further back."""
    letters = letters_of(place)
    if place.start < 0 or len(letters) > 1:
        return
    if letters:
        letter = said(text, letters[0])
        options = [f"{letter}+1", f"{letter}-1", letter]
    else:
        options = [str(int(place.text) + d) for d in (1, -1)] if isinstance(place, Num) and place.text.isdigit() else []
    braced = text[place.end : place.end + 1] in ("}", ")", "]", ",")
    for new in options:
        if new.replace(" ", "") != said(text, place).replace(" ", ""):
            yield Change(((place.start, place.end, new if braced else "{" + new + "}"),), whole)


def _of_function(text: str, node: Apply, pool: list[str]) -> Iterator[Change]:
    """f for f', f' for f; an argument that is too wide."""
    function, whole = node.function, said(text, node)
    name = said(text, function)
    if function.primes:
        yield Change(((function.start, function.end, name.replace("'", "").replace("\\prime", "")),), whole)
    elif function.base.lstrip("\\") not in CALLED:
        yield Change(((function.end, function.end, "'"),), whole)
    arg = node.args[0]
    while isinstance(arg, Bracket):
        arg = arg.value
    if isinstance(arg, Infix) and arg.sign in ("+", "-"):
        opening, closing = text[function.end : arg.start] or "(", text[arg.end : node.end] or ")"
        new = f"({name}{opening}{said(text, arg.left)}{closing} {arg.sign} {said(text, arg.right)})"
        yield Change(((node.start, node.end, new),), whole)
    for change in _instead(text, arg, pool):
        yield replace(change, differs=whole)


def _of_brackets(text: str, node: Infix) -> Iterator[Change]:
    """Brackets that were lost: a + b / c for (a + b) / c, a b + c for a (b + c)."""
    if node.sign not in ("+", "-"):
        return
    left, right = node.left, node.right
    if isinstance(right, Infix) and right.sign == "/":
        new = f"({said(text, left)} {node.sign} {said(text, right.left)}) / {said(text, right.right)}"
        yield Change(((node.start, node.end, new),), "missing brackets round the numerator")
    if isinstance(left, Infix) and left.sign not in ("+", "-"):
        sign = text[left.left.end : left.right.start]
        new = f"{said(text, left.left)}{sign}({said(text, left.right)} {node.sign} {said(text, right)})"
        yield Change(
            ((node.start, node.end, new),),
            f"missing brackets round {said(text, left.right)} {node.sign} {said(text, right)}",
        )
    if isinstance(left, Sum) and left.body.start >= 0:
        new = f"{text[left.start : left.body.start]}({said(text, left.body)} {node.sign} {said(text, right)})"
        yield Change(((node.start, node.end, new),), "missing brackets behind the sum")


def _of_order(text: str, node: Infix) -> Iterator[Change]:
    """b a for a b; a * b for a / b."""
    if node.sign in ("+", "-"):
        if node.sign == "-":
            spans = (
                (node.left.start, node.left.end, said(text, node.right)),
                (node.right.start, node.right.end, said(text, node.left)),
            )
            yield Change(spans, f"sign of {said(text, node)}")
        return
    left, right = node.left, node.right
    if isinstance(left, Infix) and left.sign == node.sign and node.sign != "/":
        left = left.right
    if left.end <= right.start:
        swap = ((left.start, left.end, said(text, right)), (right.start, right.end, said(text, left)))
        turned = node.sign == "/" and right is node.right
        yield Change(swap, f"{said(text, node)}, upside down" if turned else f"order of {text[left.start : right.end]}")
    if node.sign == "/":
        yield Change(
            ((node.start, node.end, f"({said(text, node.left)}) ({said(text, node.right)})"),), said(text, node.right)
        )


def _of_sum(text: str, node: Sum) -> Iterator[Change]:
    """Without the sum, or as a mean."""
    yield Change(((node.start, node.end, f"({said(text, node.body)})"),), text[node.start : node.body.start].strip(), 2)
