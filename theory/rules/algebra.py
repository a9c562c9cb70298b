"""Elementary algebra on formulas with sums over indices: cancel, factor, constants in front."""

from __future__ import annotations

from sympy import Add, Dummy, Expr, Mul, Pow, cancel, factor, factor_terms

from theory.language.notation import Total, is_constant, nodes, rewrite

__all__ = ["collect"]


def collect(expr: Expr, divide: bool = True) -> Expr:
    """Elementary algebra: cancel (if `divide`) and factor; a sum over an index is taken as it is, its constants in
    front."""
    sums: dict[Dummy, Expr] = {}

    def hide(node: Expr) -> Expr | None:
        if not isinstance(node, Total):
            return None
        factors = Mul.make_args(collect(node.body, divide))
        constant = Mul(*(f for f in factors if is_constant(f)))
        whole = Total(Mul(*(f for f in factors if not is_constant(f))), node.index)
        stand_in = next((d for d, known in sums.items() if known == whole), Dummy())
        sums[stand_in] = whole
        return constant * stand_in

    plain = rewrite(expr, hide)
    gathered = factor(cancel(plain)) if divide and has_fractions(plain) else factor_terms(plain)
    return lead_with_plus(gathered).xreplace(sums)


def has_fractions(expr: Expr) -> bool:
    """Is there a sum with a letter below a fraction line in it?  Only then is there something to cancel."""
    below = any(isinstance(x, Pow) and x.exp.is_negative and not is_constant(x.base) for x in nodes(expr))
    return below and any(isinstance(x, Add) and not is_constant(x) for x in nodes(expr))


def lead_with_plus(expr: Expr) -> Expr:
    """-a (a - 1) becomes a (1 - a): a minus sign in front goes into a factor that starts with a negative number."""
    if not expr.as_coeff_Mul()[0].is_negative:
        return expr
    for f in Mul.make_args(expr):
        if isinstance(f, Add) and f.as_coeff_Add()[0].is_negative:
            return Mul(*(-g if g == f else g for g in Mul.make_args(-expr)))
    return expr
