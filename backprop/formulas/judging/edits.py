"""Small changes of a printed formula: what could stand there instead, as edits of its text with a name for what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backprop.formulas.judging.claims import Claim
from backprop.formulas.meaning.naming import letters_of
from backprop.formulas.text.tree import (
    Apply,
    Binary,
    Compare,
    Deriv,
    Group,
    Neg,
    Node,
    Norm,
    Num,
    Power,
    Sum,
    Sym,
    Transpose,
    children,
    walk,
)  # fmt: skip

__all__ = ["Edit", "apply_edit", "drop_edits", "factor_pool", "rewrite_edits", "symbol_pool", "times_edits"]

Span = tuple[int, int, str]
CALLED = ("exp", "log", "ln")


@dataclass(frozen=True)
class Edit:
    """Pieces of text with what stands there instead; `differs` names the term, `cost` says how far it is."""

    spans: tuple[Span, ...]
    differs: str
    cost: int = 1


def apply_edit(text: str, edit: Edit) -> str:
    """The text after an edit.

    >>> apply_edit("a b", Edit(((2, 3, "c"),), "b"))
    'a c'
    """
    for start, end, new in sorted(edit.spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def said(text: str, node: Node) -> str:
    """The text of a node."""
    return text[node.start : node.end]


def placed(node: Node) -> Iterator[Node]:
    """Every node that stands in the text."""
    return (n for n in walk(node) if n.start >= 0)


def terms(node: Node) -> Iterator[Node]:
    """Nodes that are values: not scripts, not the letters of a derivative."""
    yield node
    if isinstance(node, Sym):
        return
    skip: list[Node] = []
    if isinstance(node, Deriv):
        return
    if isinstance(node, Apply):
        skip = [node.function]
    if isinstance(node, Sum):
        skip = [*node.index, *(x for x in (node.lower, node.upper, node.condition) if x is not None)]
    for child in children(node):
        if not any(child is s for s in skip):
            yield from terms(child)


def drop_edits(text: str, right: Node) -> Iterator[Edit]:
    """Leave out a factor, a summand, a sign, a bracket's function; turn signs round."""
    whole, alone = (
        said(text, right),
        isinstance(right, Sum) or not isinstance(right, Binary) or right.sign not in ("+", "-"),
    )
    name = "sign of the sum" if isinstance(right, Sum) else "sign of the right side"
    differences = [n for n in terms(right) if isinstance(n, Binary) and n.sign == "-" and n is not right]
    if len(differences) == 1 and alone:
        name += f", or the order of {said(text, differences[0])}"
    yield Edit(((right.start, right.end, f"-{whole}" if alone else f"-({whole})"),), name, 0)
    for node in terms(right):
        if isinstance(node, Binary):
            yield from _drop_operand(text, node)
        if isinstance(node, Neg):
            yield Edit(((node.start, node.end, said(text, node.value)),), f"sign of {said(text, node.value)}")
        if isinstance(node, Transpose):
            yield Edit(((node.start, node.end, said(text, node.value)),), said(text, node))
        if isinstance(node, Apply) and len(node.args) == 1:
            yield Edit(((node.start, node.end, "(" + said(text, node.args[0]) + ")"),), said(text, node), 2)
            yield from _drop_everywhere(text, right, node)
        if isinstance(node, Power):
            yield Edit(((node.start, node.end, said(text, node.base)),), said(text, node), 2)
        if isinstance(node, Num):
            yield from (
                Edit(((node.start, node.end, n),), said(text, node))
                for n in ("1", "2", "3", "4", "0.5")
                if n != node.text
            )


def _drop_everywhere(text: str, right: Node, node: Apply) -> Iterator[Edit]:
    """f(y) is y wherever it stands."""
    same = [n for n in terms(right) if n == node]
    if len(same) > 1 and same[0] is node:
        spans = tuple((n.start, n.end, said(text, node.args[0])) for n in same)
        inner = sum(n.end - n.start for n in same)
        yield Edit(spans, said(text, node), 1 + int(inner > 60))


def _drop_operand(text: str, node: Binary) -> Iterator[Edit]:
    left, right = said(text, node.left), said(text, node.right)
    if node.sign in ("+", "-"):
        turned = f" {'-' if node.sign == '+' else '+'} "
        yield Edit(((node.left.end, node.right.start, turned),), f"sign of {right} in {said(text, node)}")
        yield Edit(((node.start, node.end, left),), right, 2)
        kept = right if node.sign == "+" else "-" + right
        yield Edit(((node.start, node.end, kept),), left, 2)
        return
    yield Edit(((node.start, node.end, left),), right)
    yield Edit(((node.start, node.end, right if node.sign != "/" else f"1 / {right}"),), left)
    if node.left.end < node.right.start or node.sign == "":
        shown = node.sign or "juxtaposition"
        yield Edit(((node.left.end, node.right.start, " + "),), shown)
        yield Edit(((node.left.end, node.right.start, " - "),), shown, 2)


def rewrite_edits(text: str, right: Node, claim: Claim, pool: list[str]) -> Iterator[Edit]:
    """Transposes, orders of indices, layers, other letters, derivatives instead of values, brackets, powers."""
    turned = transpose_sign(text, claim)
    for node in terms(right):
        if isinstance(node, Sym):
            yield from _of_symbol(text, node, claim, turned)
            yield from (
                Edit(((node.start, node.end, new),), said(text, node), 2) for new in pool if new != said(text, node)
            )
            yield Edit(((node.start, node.end, f"|{said(text, node)}|"),), said(text, node), 2)
        if isinstance(node, Apply):
            yield from _of_function(text, node, pool)
        if isinstance(node, Binary):
            yield from _of_brackets(text, node)
            if node.sign == "+":
                for sign in product_signs(text, claim):
                    yield Edit(((node.left.end, node.right.start, sign),), f"the + in {said(text, node)}")
            yield from _of_order(text, node)
        if isinstance(node, Group):
            yield Edit(((node.end, node.end, turned),), said(text, node))
            yield Edit(((node.end, node.end, "^2"),), said(text, node), 2)
        if isinstance(node, Sum):
            yield from _of_sum(text, node)
        if isinstance(node, (Binary, Group, Sym)) and not _is_wide(text, node):
            yield Edit(((node.start, node.end, f"sqrt({said(text, node)})"),), said(text, node), 2)
            yield Edit(((node.start, node.end, f"(1 - {said(text, node)})"),), said(text, node), 2)
            yield Edit(((node.start, node.end, f"({said(text, node)})^2"),), said(text, node), 2)


def _is_wide(text: str, node: Node) -> bool:
    return node.end - node.start > 60


def _of_symbol(text: str, node: Sym, claim: Claim, turned: str) -> Iterator[Edit]:
    ref = claim.lookup.naming.read(node)
    whole = said(text, node)
    if len(ref.comps) == 2 and all(c.start >= 0 for c in ref.comps):
        one, two = ref.comps
        yield Edit(((one.start, one.end, said(text, two)), (two.start, two.end, said(text, one))), whole)
    for script in node.sups:
        if (
            ref.transposed
            and isinstance(script.value, Sym)
            and script.value not in ref.comps
            and script.value.start >= 0
        ):
            place = script.value
            if all(place is not p and place != p for _, p in ref.places):
                yield Edit(((place.start, place.end, "{}" if text[place.start - 1] == "^" else ""),), whole)
    if not ref.transposed and not ref.comps:
        new = f"({whole}){turned}" if node.sups else whole + turned
        yield Edit(((node.start, node.end, new),), whole)
    for _, place in ref.places:
        yield from _of_place(text, place, whole)
    if ref.power is not None and ref.power.start >= 0:
        yield from _of_power(text, ref.power, claim, whole)
    others = [c for c in claim.letters if all(c != s.base for s in ref.comps if isinstance(s, Sym))]
    for comp in ref.comps:
        if comp.start >= 0:
            yield from (Edit(((comp.start, comp.end, other),), whole) for other in others)


def _of_power(text: str, power: Node, claim: Claim, whole: str) -> Iterator[Edit]:
    """Another power: of the letters that count steps, or another number."""
    letters = [*claim.places, *(key for key in ("i", "k") if re.search(rf"_\{{?{key}\s*=", text))]
    options = [*letters, *(f"{x}{d}1" for x in letters for d in "+-"), *(f"{x}-{y}" for x in letters for y in letters if x != y)]
    braced = text[power.end : power.end + 1] in ("}", ")")
    for new in [*options, "2", "3", "-1"]:
        yield Edit(((power.start, power.end, new if braced else "{" + new + "}"),), whole)


def _of_place(text: str, place: Node, whole: str) -> Iterator[Edit]:
    """A layer (or time) further on, or further back."""
    letters = letters_of(place)
    if place.start < 0 or len(letters) != 1:
        return
    letter = said(text, letters[0])
    options = [f"{letter}+1", f"{letter}-1", letter]
    braced = text[place.end : place.end + 1] in ("}", ")", "]", ",")
    for new in options:
        if new.replace(" ", "") != said(text, place).replace(" ", ""):
            yield Edit(((place.start, place.end, new if braced else "{" + new + "}"),), whole)


def _of_function(text: str, node: Apply, pool: list[str]) -> Iterator[Edit]:
    """f for f', f' for f; an argument that is too wide."""
    function, whole = node.function, said(text, node)
    name = said(text, function)
    if function.primes:
        yield Edit(((function.start, function.end, name.replace("'", "").replace("\\prime", "")),), whole)
    elif function.base.lstrip("\\") not in CALLED:
        yield Edit(((function.end, function.end, "'"),), whole)
    arg = node.args[0]
    while isinstance(arg, Group):
        arg = arg.value
    if isinstance(arg, Binary) and arg.sign in ("+", "-"):
        new = f"({name}({said(text, arg.left)}) {arg.sign} {said(text, arg.right)})"
        yield Edit(((node.start, node.end, new),), whole)
    yield from (Edit(((arg.start, arg.end, new),), whole, 2) for new in pool if new != said(text, arg))


def _of_brackets(text: str, node: Binary) -> Iterator[Edit]:
    """Brackets that were lost: a + b / c for (a + b) / c, a b + c for a (b + c)."""
    if node.sign not in ("+", "-"):
        return
    left, right = node.left, node.right
    if isinstance(right, Binary) and right.sign == "/":
        new = f"({said(text, left)} {node.sign} {said(text, right.left)}) / {said(text, right.right)}"
        yield Edit(((node.start, node.end, new),), "missing brackets round the numerator")
    if isinstance(left, Binary) and left.sign not in ("+", "-"):
        sign = text[left.left.end : left.right.start]
        new = f"{said(text, left.left)}{sign}({said(text, left.right)} {node.sign} {said(text, right)})"
        yield Edit(
            ((node.start, node.end, new),),
            f"missing brackets round {said(text, left.right)} {node.sign} {said(text, right)}",
        )
    if isinstance(left, Sum) and left.body.start >= 0:
        new = f"{text[left.start : left.body.start]}({said(text, left.body)} {node.sign} {said(text, right)})"
        yield Edit(((node.start, node.end, new),), "missing brackets behind the sum")


def _of_order(text: str, node: Binary) -> Iterator[Edit]:
    """b a for a b; a * b for a / b."""
    if node.sign in ("+", "-"):
        if node.sign == "-":
            spans = (
                (node.left.start, node.left.end, said(text, node.right)),
                (node.right.start, node.right.end, said(text, node.left)),
            )
            yield Edit(spans, f"sign of {said(text, node)}")
        return
    left, right = node.left, node.right
    if isinstance(left, Binary) and left.sign == node.sign and node.sign != "/":
        left = left.right
    if left.end <= right.start:
        yield Edit(
            ((left.start, left.end, said(text, right)), (right.start, right.end, said(text, left))),
            f"order of {text[left.start : right.end]}",
        )
    if node.sign == "/":
        yield Edit(
            ((node.start, node.end, f"({said(text, node.left)}) ({said(text, node.right)})"),), said(text, node.right)
        )


def _of_sum(text: str, node: Sum) -> Iterator[Edit]:
    """Without the sum, or as a mean."""
    yield Edit(((node.start, node.end, f"({said(text, node.body)})"),), text[node.start : node.body.start].strip(), 2)


def times_edits(text: str, right: Node, claim: Claim, pool: Iterable[str]) -> Iterator[Edit]:
    """A factor that is missing: before or behind a term."""
    signs = product_signs(text, claim)
    sites = [
        n
        for n in terms(right)
        if n.start >= 0 and (n is right or isinstance(n, (Sum, Binary, Sym, Apply, Deriv, Group)))
    ]
    factors = list(pool)
    for node in sites:
        whole = said(text, node)
        inner = f"({whole})" if isinstance(node, (Binary, Neg)) and getattr(node, "sign", "+") in ("+", "-") else whole
        near = 1 if node is right else 2
        for factor in factors:
            for sign in signs:
                name = f"missing {factor}" if node is right else f"missing {factor} at {whole}"
                yield Edit(((node.start, node.end, f"{factor}{sign}{inner}"),), name, near)
                yield Edit(((node.start, node.end, f"{inner}{sign}{factor}"),), name, near)


def product_signs(text: str, claim: Claim) -> list[str]:
    """The signs of products in use, elementwise and matrix."""
    products = claim.conventions.products
    kinds: dict[str, str] = {}
    for sign in ["", *(s for s in products if s), "\\odot", "\\circ", "*", "@"]:
        kind = products.get(sign)
        known = (
            kind is not None
            or (sign and sign in text)
            or (sign == "" and not products.get("*") and not products.get("@"))
        )
        if known:
            kinds.setdefault(kind or sign, f" {sign} " if sign else " ")
    return list(kinds.values()) or [" "]


def transpose_sign(text: str, claim: Claim) -> str:
    """How a transpose is written here."""
    found = re.search(r"\^\{?\s*(\\top|\\intercal|\\mathsf\{T\}|\\mathrm\{T\}|T|⊤)", text)
    if found:
        return "^{" + found.group(1) + "}" if found.group(1).startswith("\\") else "^T"
    return "^T"


def symbol_pool(text: str, claim: Claim) -> list[str]:
    """Letters that could stand there: those of the formula, of the definitions and of the conventions."""
    found: dict[str, None] = {}
    for side in claim.printed or claim.sides:
        for node in side:
            for inner in terms(node):
                if isinstance(inner, (Sym, Deriv)) and inner.start >= 0 and node is not claim.conventions.left_side:
                    found.setdefault(said(text, inner))
    for key in claim.conventions.raw.get("letters", {}):
        if "X" not in key and not key.startswith(("[", "'", "^")) and "[" not in key:
            found.setdefault(key)
    for key in claim.conventions.raw.get("definitions", {}):
        if "(" not in re.sub(r"[\^_]\{?\([^)]*\)\}?", "", key) and "[" not in key:
            found.setdefault(key)
    for prefix in claim.conventions.lexicon.prefixes:
        keys = [*claim.conventions.raw.get("letters", {}), *claim.conventions.raw.get("definitions", {})]
        joint = {"d": "d", "d_": "d_"}.get(prefix, prefix + " " if prefix.startswith("\\") else prefix + "_")
        underscored = any("_X" in key for key in claim.conventions.raw.get("letters", {}))
        found |= {
            (("d_" if underscored and prefix == "d" else joint) + key): None
            for key in keys
            if re.fullmatch(r"\\?\w+", key)
        }
    lefts = {said(text, side[0]) for side in claim.printed or claim.sides if side[0].start >= 0}
    words = [new for word in found for new in renamed(word, claim) if new not in lefts]
    return list(dict.fromkeys(words))[:80]


def renamed(word: str, claim: Claim) -> list[str]:
    """A letter of the conventions with the index letters of the formula."""
    out = [word]
    indices = [*claim.letters, *claim.places]
    for match in re.finditer(r"(?<=[_^{(\[])([a-z])(?=[\])}+\-,]|$)", word):
        if match.group(1) not in indices:
            out += [word[: match.start()] + new + word[match.end() :] for new in indices if len(new) == 1]
    whole = re.fullmatch(r"(\\?[A-Za-z]+)(\^.+)?", word)
    if len(claim.letters) == 1 and whole:
        out.append(f"{whole.group(1)}_{claim.letters[0]}{whole.group(2) or ''}")
    return out


def factor_pool(text: str, claim: Claim, symbols: list[str]) -> list[str]:
    """Factors that are often forgotten: numbers, 1/n, letters, transposed letters, derivatives of an activation."""
    turned = transpose_sign(text, claim)
    counts = [
        key for key, role in claim.conventions.raw.get("letters", {}).items() if str(role).startswith("number of")
    ]
    latex = "\\" in text
    factors = [f"\\frac{{1}}{{{c}}}" if latex else f"(1/{c})" for c in counts] + counts
    factors += ["\\frac{1}{2}" if latex else "(1/2)", "2"]
    factors += symbols
    factors += [
        s + turned if "^" not in s else f"({s}){turned}" for s in symbols if "partial" not in s and "frac" not in s
    ]
    factors += [f"(1 - {s})" for s in symbols] + [f"{s}^2" for s in symbols if "^" not in s]
    arguments = {
        said(text, n.args[0]) for side in claim.sides for n in walk(side[1]) if isinstance(n, Apply) and n.start >= 0
    }
    for name in claim.conventions.activation:
        factors += [f"{name}'({arg})" for arg in [*arguments, *symbols] if arg]
    return list(dict.fromkeys(factors))


__all__ += ["Compare", "Norm", "said", "terms"]
