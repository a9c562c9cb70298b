"""What could stand in a formula: letters, factors, signs, as its conventions write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backprop.formulas.judging.claims import PrintedClaim
from backprop.formulas.meaning.chance import is_statistic
from backprop.formulas.mending.spans import said, terms
from backprop.formulas.text.parser import parse
from backprop.formulas.text.tree import (
    Apply,
    Bars,
    Deriv,
    Infix,
    NotUnderstood,
    Sum,
    Sym,
    Term,
    walk,
)  # fmt: skip

__all__ = ["callables", "factor_pool", "power_of", "product_signs", "symbol_pool", "transpose_sign"]

LOOSE = ("sum", "mean", "diag", "sqrt")
"""Functions that are not put round a letter to see whether it helps."""


def product_signs(text: str, claim: PrintedClaim) -> list[str]:
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
    if "elementwise" not in kinds and not {"\\odot", "\\circ", "*"} & set(kinds) and "matrix" in kinds:
        kinds["elementwise"] = " \\odot " if "\\" in text else " ⊙ "
    return list(kinds.values()) or [" "]


def transpose_sign(text: str, claim: PrintedClaim) -> str:
    """How a transpose is written here."""
    found = re.search(r"\^\{?\s*(\\top|\\intercal|\\mathsf\{T\}|\\mathrm\{T\}|T|⊤)", text)
    if found:
        return "^{" + found.group(1) + "}" if found.group(1).startswith("\\") else "^T"
    return ".T" if re.search(r"\.T\b|@|\bdot\(", text) else "^T"


def power_of(text: str, node: Term, power: str) -> str:
    """A term with a power, as it is written: g_t^2, \\tanh^2(c), (a + b)^2.

    >>> power_of("1 - g_t", Sym("g", start=4, end=7), "2")
    'g_t^2'
    """
    whole = said(text, node)
    if isinstance(node, Apply) and whole.startswith("\\") and not node.function.sups:
        return f"{said(text, node.function)}^{power}{text[node.function.end : node.end]}"
    plain = isinstance(node, Sym) and not node.sups and "^" not in whole
    return f"{whole}^{power}" if plain or isinstance(node, Apply) else f"({whole})^{power}"


def power_text(symbol: str) -> str:
    """The square of a letter, as it is written."""
    return f"({symbol})^2" if "^" in symbol else f"{symbol}^2"


def callables(text: str, claim: PrintedClaim) -> list[str]:
    """Functions of one argument that the definitions or the formula use, as they are written here."""
    latex, found = "\\" in text, dict[str, None]()
    trees = [d.right for d in claim.conventions.definitions] + [claim.right]
    for node in (n for tree in trees for n in walk(tree) if isinstance(n, Apply) and len(n.args) == 1):
        name = node.function.base
        if not node.function.subs and not is_statistic(name) and name.lstrip("\\") not in LOOSE:
            found.setdefault(name if latex == name.startswith("\\") else name.lstrip("\\"))
    bars = any(isinstance(n, Bars) and n.kind == "abs" for tree in trees for n in walk(tree))
    return [*(["\\mathrm{sgn}" if latex else "sign"] if bars else []), *found][:6]


def definition_parts(claim: PrintedClaim) -> Iterator[tuple[str, Term]]:
    """The right sides of the definitions, each with its text."""
    for text in claim.conventions.raw.get("definitions", {}).values():
        try:
            yield text, parse(text, claim.conventions.lexicon)
        except NotUnderstood:
            continue


def symbols_below(claim: PrintedClaim) -> list[str]:
    """Letters that stand in definitions only, as they are written there."""
    found = [
        said(text, n)
        for text, node in definition_parts(claim)
        for n in terms(node)
        if isinstance(n, Sym) and n.start >= 0
    ]
    return [word for word in dict.fromkeys(found) if word not in ("e", "\\pi")][:20]


def factors_below(claim: PrintedClaim) -> list[str]:
    """What the definitions divide by, or take the root of: 1/\\sqrt{d}, 1/m."""
    latex, found = "\\" in claim.text, dict[str, None]()
    for text, node in definition_parts(claim):
        for part in terms(node):
            if (
                isinstance(part, Infix)
                and part.sign == "/"
                and part.right.start >= 0
                and part.right.end - part.right.start <= 30
            ):
                below = said(text, part.right)
                found.setdefault(f"\\frac{{1}}{{{below}}}" if latex else f"(1/{below})")
    return list(found)[:6]


def short_names(claim: PrintedClaim) -> list[str]:
    """dW, d_W, \\delta c: the prefix of a derivative before each letter of the conventions."""
    keys = [*claim.conventions.raw.get("letters", {}), *claim.conventions.raw.get("definitions", {})]
    underscored = any("_X" in key for key in claim.conventions.raw.get("letters", {}))
    found: list[str] = []
    for prefix in claim.conventions.lexicon.prefixes:
        joint = {"d": "d", "d_": "d_"}.get(prefix, prefix + " " if prefix.startswith("\\") else prefix + "_")
        joint = "d_" if underscored and prefix == "d" else joint
        found += [joint + key for key in keys if re.fullmatch(r"\\?\w+", key)]
    return found


def symbol_pool(text: str, claim: PrintedClaim) -> list[str]:
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
    found |= dict.fromkeys(symbols_below(claim))
    found |= dict.fromkeys(short_names(claim))
    lefts = {said(text, side[0]) for side in claim.printed or claim.sides if side[0].start >= 0}
    words = [new for word in found for new in renamed(word, claim) if new not in lefts]
    return list(dict.fromkeys(words))[:80]


def renamed(word: str, claim: PrintedClaim) -> list[str]:
    """A letter of the conventions with the index letters of the formula."""
    out = [word]
    sums = [n for n in walk(claim.right) if isinstance(n, Sum)]
    bound = [i.base for n in sums for i in n.index if isinstance(i, Sym)]
    indices = [*claim.letters, *claim.places, *bound, *(["L"] if re.search(r"[\^_{(\[]L\b", claim.text) else [])]
    for match in re.finditer(r"(?<=[_^{(\[])([a-z])(?=[\])}+\-,]|$)", word):
        if match.group(1) not in indices or bound:
            out += [word[: match.start()] + new + word[match.end() :] for new in indices if len(new) == 1]
    whole = re.fullmatch(r"(\\?[A-Za-z]+)(\^.+)?", word)
    if len(claim.letters) == 1 and whole:
        out.append(f"{whole.group(1)}_{claim.letters[0]}{whole.group(2) or ''}")
    return out


def factor_pool(text: str, claim: PrintedClaim, symbols: list[str]) -> list[str]:
    """Factors that are often forgotten: numbers, 1/n, letters, transposed letters, derivatives of an activation."""
    turned = transpose_sign(text, claim)
    counts = [
        key for key, role in claim.conventions.raw.get("letters", {}).items() if str(role).startswith("number of")
    ]
    latex = "\\" in text
    factors = [f"\\frac{{1}}{{{c}}}" if latex else f"(1/{c})" for c in counts] + counts
    factors += [f"\\frac{{2}}{{{c}}}" if latex else f"(2/{c})" for c in counts]
    factors += ["\\frac{1}{2}" if latex else "(1/2)", "2"]
    factors += factors_below(claim)
    factors += symbols
    factors += [f"{s} (1 - {s})" for s in symbols if len(s) < 12] + [
        f"(1 - {power_text(s)})" for s in symbols if len(s) < 12
    ]
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
