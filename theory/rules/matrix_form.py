"""From indices to matrices: where the transpose and the sum over the batch come from.

`lift` recognises a sum over an index as a matrix product and everything else as entrywise; the result
is an `MatrixEntry` of a matrix expression, so that the witness can compare both sides entry by entry.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Integer, Mul, Pow, exp, log
from sympy.core.function import Function as NamedFunction
from sympy.core.symbol import Str

from theory.language import matrices as mf
from theory.language.derivation import Derivation, Step
from theory.language.layer_sums import LayerSum, LayerTotal
from theory.language.notation import (
    Function,
    Index,
    Partial,
    Total,
    Variable,
    free_indices,
    is_constant,
    n,
    nodes,
    rewrite,
    substitute,
)

__all__ = ["lift", "lift_derivation"]


def lift(expr: Expr, target: Sequence[Index]) -> Expr:
    """The matrix whose entry at the target indices is `expr`.

    Errors: ValueError naming the part that is not a matrix expression of the target's indices.

    >>> from theory.language.notation import l, total, unit, var
    >>> from theory.language.printing import show
    >>> j, k = unit("j", l), unit("k", l + 1)
    >>> show(lift(total(var("w", l + 1, j, k) * var("delta", l + 1, k), k), (j,)))
    'W^(l+1) δ^(l+1)'
    """
    target = tuple(target)
    if isinstance(expr, mf.MatrixEntry) and expr.indices == target:
        return expr.matrix
    known = recognise_function(expr, target)
    if known is not None:
        return known
    if isinstance(expr, Variable):
        return orient(mf.Array(expr), expr.indices, target)
    if isinstance(expr, Partial) and expr.u.name == "C":
        return orient(mf.CostGradient(expr.x), expr.x.indices, target)
    if isinstance(expr, Function):
        return mf.Applied(expr.layer, Integer(expr.order), lift(expr.argument, target))
    if isinstance(expr, Add):
        return mf.Plus(*(lift(term, target) for term in ordered_terms(expr)))
    if isinstance(expr, Pow) and is_constant(expr.exp):
        return mf.EntryPower(lift(expr.base, target), expr.exp)
    if isinstance(expr, NamedFunction) and len(expr.args) == 1:
        return mf.Elementwise(Str(type(expr).__name__), lift(expr.args[0], target))
    if isinstance(expr, Mul):
        return lift_product(expr, target)
    if isinstance(expr, Total):
        return contract(expr, target)
    if isinstance(expr, LayerTotal):
        return LayerSum(lift(expr.body, target))
    if is_constant(expr):
        return mf.Filled(expr, *(index.size for index in target))
    raise ValueError(f"not a matrix expression in ({', '.join(i.name for i in target)}): {expr}")


def recognise_function(expr: Expr, target: tuple[Index, ...]) -> Expr | None:
    """sigmoid = 1/(1 + e^-z), softplus = log(1 + e^z), log sigmoid = -log(1 + e^-z), softmax = e^z_j / Σ e^z_k and
    its logarithm have names."""
    if isinstance(expr, log) and isinstance(expr.args[0] - 1, exp):
        z = (expr.args[0] - 1).args[0]
        if z.as_coeff_Mul()[0].is_negative:
            return mf.Scaled(Integer(-1), mf.Elementwise(Str("log_sigmoid"), lift(-z, target)))
        return mf.Elementwise(Str("softplus"), lift(z, target))
    if isinstance(expr, Pow) and expr.exp == -1 and isinstance(expr.base - 1, exp):
        return mf.Elementwise(Str("sigmoid"), lift(-(expr.base - 1).args[0], target))
    for node in nodes(expr) if isinstance(expr, Add | Mul) else ():
        if isinstance(node, Total) and isinstance(node.body, exp):
            z = substitute(node.body.args[0], {node.index: target[-1]})
            if expr == exp(z) / node:
                return mf.Rowwise(Str("softmax"), lift(z, target))
            if expr == z - log(node):
                return mf.Rowwise(Str("log_softmax"), lift(z, target))
    return None


def ordered_terms(expr: Add) -> list[Expr]:
    """Positive terms first: A - Y, not -Y + A."""
    return sorted(expr.args, key=lambda t: (bool(t.as_coeff_Mul()[0].is_negative), not t.has(Total), str(t)))


def orient(matrix: Expr, indices: tuple[Index, ...], target: tuple[Index, ...]) -> Expr:
    """Turn an array so that its axes follow the target, transposed or repeated over rows where needed."""
    if indices == target:
        return matrix
    if len(target) == 2 and indices == target[::-1]:
        return mf.Transposed(matrix)
    if len(target) == 2 and indices == target[1:] and target[0].is_sample:
        return mf.Broadcast(matrix, target[0].size)
    if len(target) == 2 and indices == target[:1] and target[0].is_sample:
        return mf.Columns(matrix, target[1].size)
    raise ValueError(f"indices {[i.name for i in indices]} do not fit {[i.name for i in target]}")


def lift_product(expr: Mul, target: tuple[Index, ...]) -> Expr:
    """Constants scale; factors with all target indices multiply entrywise; u_i v_j is an outer product."""
    constants = [factor for factor in expr.args if is_constant(factor)]
    factors = [factor for factor in expr.args if not is_constant(factor)]
    if len(target) == 2 and not target[0].is_sample:
        left = [f for f in factors if free_indices(f) == {target[0]}]
        right = [f for f in factors if free_indices(f) == {target[1]}]
        if left and right and len(left) + len(right) == len(factors):
            return scale(constants, mf.Outer(lift(Mul(*left), target[:1]), lift(Mul(*right), target[1:])))
    lifted = [lift(factor, target) for factor in sorted(factors, key=hadamard_rank)]
    constants += [factor.args[0] for factor in lifted if isinstance(factor, mf.Scaled)]
    lifted = [factor.args[1] if isinstance(factor, mf.Scaled) else factor for factor in lifted]
    return scale(constants, lifted[0] if len(lifted) == 1 else mf.Hadamard(*lifted))


def hadamard_rank(factor: Expr) -> tuple[int, str]:
    """Reading order of an entrywise product: what comes from above first, f' last, as the lecture's matrix form."""
    place = 2 if isinstance(factor, Function) else 0 if factor.has(Total) or isinstance(factor, mf.MatrixEntry) else 1
    return place, str(factor)


def scale(constants: Sequence[Expr], matrix: Expr) -> Expr:
    """c A, or A itself."""
    return mf.Scaled(Mul(*constants), matrix) if constants else matrix


def contract(expr: Total, target: tuple[Index, ...]) -> Expr:
    """Σ_k A_pk B_kq is a product; Σ_s A_sq a sum of rows, repeated where it stands beside rows; Σ_k A_pk a row
    total."""
    k = expr.index
    factors = list(Mul.make_args(expr.body))
    constants = [f for f in factors if is_constant(f)]
    factors = [f for f in factors if f not in constants]
    last = {target[-1]}
    if len(target) == 1:
        vector = [f for f in factors if free_indices(f) == {k}]
        rest = [f for f in factors if f not in vector]
        if vector and rest:
            return scale(constants, mf.Product(lift(Mul(*rest), (target[0], k)), lift(Mul(*vector), (k,))))
        if target[0].is_sample:
            return scale(constants, mf.RowSums(lift(Mul(*factors), (target[0], k))))
        return scale(constants, mf.SumOverRows(lift(Mul(*factors), (k, target[0]))))
    right = [f for f in factors if free_indices(f) & last]
    left = [f for f in factors if f not in right]
    if k.is_sample and target[0].is_sample and target[0] not in free_indices(expr):
        return scale(constants, mf.Broadcast(mf.SumOverRows(lift(Mul(*factors), (k, target[1]))), target[0].size))
    if not right:
        return scale(constants, mf.RowTotals(lift(Mul(*left), (target[0], k)), target[1].size))
    return scale(constants, mf.Product(lift(Mul(*left), (target[0], k)), lift(Mul(*right), (k, target[1]))))


def lift_derivation(derivation: Derivation, target: Sequence[Index]) -> Derivation:
    """Continue a derivation into matrix form: first each sum, then the whole; every lift is a checked step."""
    target = tuple(target)
    expr = derivation.result
    steps: list[Step] = []
    if isinstance(expr, Mul | Add):

        def recognise(node: Expr) -> Expr | None:
            return mf.MatrixEntry(contract(node, target), *target) if isinstance(node, Total) else None

        sums = rewrite(expr, recognise)
        if sums != expr:
            steps.append(Step("a sum is a matrix product", expr, sums, explain(expr, sums)))
            expr = sums
    whole = mf.MatrixEntry(lift(expr, target), *target)
    name = "a sum is a matrix product" if isinstance(expr, Total) else "entry by entry"
    steps.append(Step(name, expr, whole, explain(expr, whole) if isinstance(expr, Total) else ""))
    return derivation.extended(*steps)


def explain(before: Expr, after: Expr) -> str:
    """Why a transpose, why a sum of rows: said where it happens."""
    notes = []
    for node in nodes(after):
        if isinstance(node, mf.Transposed):
            name = node.args[0].template.name if isinstance(node.args[0], mf.Array) else "the matrix"
            sums = [t.index.name for t in nodes(before) if isinstance(t, Total)]
            notes.append(f"the summed index {sums[-1]} is not where a product wants it in {name}: transpose")
        if isinstance(node, mf.SumOverRows) or (isinstance(node, mf.RowSums) and mf.shape(node.args[0])[1] == n):
            notes.append("one parameter serves all samples: their contributions add up")
    return "; ".join(dict.fromkeys(notes))
