"""Which product a sign means: the convention for the sign with its operand, for the sign, or what the shapes allow."""

from __future__ import annotations

from backprop.formulas.conventions.keys import Conventions
from backprop.formulas.text.tree import Infix

__all__ = ["product_kind"]

ELEMENTWISE = ("\\odot", "\\circ", ".*", "\\oslash", "./")


def product_kind(conventions: Conventions, node: Infix, left: int, right: int) -> str:
    """add, divide, elementwise, matrix, inner or scalar, for operands with so many axes."""
    if node.sign in ("+", "-"):
        return "add"
    if node.sign in ("/", "./", "\\oslash"):
        return "divide"
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


def _plain(kind: str) -> str:
    return {"elementwise division": "divide", "scalar": "elementwise"}.get(kind, kind)
