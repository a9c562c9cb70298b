"""The arguments of a function: positional ones, axis=0 and keepdims=True as in NumPy, parameters that are products."""

from __future__ import annotations

from backprop.formulas.text.tree import Apply, Bracket, Compare, Infix, Neg, NotUnderstood, Num, Sym, Term

__all__ = ["KEYWORDS", "WHOLE", "keywords", "match_parameter"]

KEYWORDS = ("axis", "keepdims", "dim", "keepdim")
WHOLE = {"sum", "mean", "norm", "tr", "trace", "det", "var", "std"}
"""Functions of a whole array whose value is one number, or one along an axis."""


def keywords(node: Apply) -> tuple[tuple[Term, ...], int | None, bool]:
    """The arguments, and axis=0, keepdims=True if they are given as in NumPy."""
    given = {
        a.left.base: a.right for a in node.args if isinstance(a, Compare) and a.sign == "=" and isinstance(a.left, Sym)
    }
    plain = tuple(
        a for a in node.args if not (isinstance(a, Compare) and isinstance(a.left, Sym) and a.left.base in KEYWORDS)
    )
    axis: Term | None = given.get("axis", given.get("dim"))
    if axis is None and node.function.base in WHOLE and len(plain) == 2 and isinstance(plain[-1], Num):
        plain, axis = plain[:1], plain[-1]
    while isinstance(axis, (Bracket, Neg)):
        axis = Num("1") if isinstance(axis, Neg) else axis.value
    keeps = given.get("keepdims", given.get("keepdim"))
    return (
        plain,
        int(axis.text) if isinstance(axis, Num) and axis.text.isdigit() else None,
        isinstance(keeps, Sym) and keeps.base == "True",
    )


def match_parameter(param: Term, arg: Term) -> list[tuple[str, Term]]:
    """The letters of a parameter, which may be a product: Row_mul(A * v)."""
    while isinstance(param, Bracket):
        param = param.value
    if isinstance(param, Sym):
        return [(param.base, arg)]
    while isinstance(arg, Bracket):
        arg = arg.value
    if isinstance(param, Infix) and isinstance(arg, Infix) and param.sign == arg.sign:
        return match_parameter(param.left, arg.left) + match_parameter(param.right, arg.right)
    raise NotUnderstood("the argument has another form than the definition's", arg.start)
