"""Which product a sign means: the convention for the sign with its operand, for the sign, or what the shapes allow."""

from __future__ import annotations

from backprop.formulas.conventions.keys import Conventions
from backprop.formulas.text.tree import Infix, Sym, Term

__all__ = ["product_kind"]

ELEMENTWISE = ("\\odot", "\\circ", ".*", "\\oslash", "./")


def product_kind(conventions: Conventions, node: Infix, left: int, right: int) -> str:
    """add, divide, elementwise, matrix, inner or scalar, for operands with so many axes."""
    if node.sign in ("+", "-"):
        return "add"
    if node.sign in ("/", "./", "\\oslash"):
        return "divide"
    for pair, kind in conventions.pairs if not node.sign else ():
        if same_letter(last_factor(node.left), pair.left) and same_letter(node.right, pair.right):
            return _plain(kind)
    for sign, operand, kind in conventions.operand_products:
        if sign == node.sign and operand == node.right:
            return _plain(kind)
    declared = conventions.products.get(node.sign)
    if declared == "scalar" and left == right == 2:
        return "matrix"
    if declared is not None:
        return _plain(declared)
    if node.sign in ELEMENTWISE:
        return "elementwise"
    both = left > 0 and right > 0
    return "matrix" if both and left + right > 2 and node.sign != "*" else "elementwise"


def last_factor(node: Term) -> Term:
    """b of a b"""
    return node.right if isinstance(node, Infix) and node.sign == "" else node


def same_letter(one: Term, other: Term) -> bool:
    """Whether two factors are the same, or the same letter at another place: W_n and W_{n+1}."""
    turned = [sum(getattr(p.value, "base", "") in ("T", "\\top") for p in getattr(x, "sups", ())) for x in (one, other)]
    alike = isinstance(one, Sym) and isinstance(other, Sym) and one.base == other.base and turned[0] == turned[1]
    return alike or one == other


def _plain(kind: str) -> str:
    return {"elementwise division": "divide", "scalar": "elementwise"}.get(kind, kind)
