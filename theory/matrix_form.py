"""From indices to matrices: where the transpose and the sum over the batch come from.

`lift` recognises a sum over an index as a matrix product and everything else as entrywise; the result
is an `Entry` of a matrix expression, so that the witness can compare both sides entry by entry.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Expr, Integer, Mul, Pow, exp, log, sympify
from sympy.core.function import Function as NamedFunction
from sympy.core.symbol import Str

from theory.calculus import is_constant
from theory.derivation import Derivation, Step
from theory.notation import Function, Index, Node, Partial, Total, Variable, free_indices, nodes, rewrite, substitute
from theory.printing import ATOM, PRODUCT, SUM, MathML, Printer, head, printer

__all__ = [
    "Applied", "Array", "Broadcast", "CostGradient", "Elementwise", "Entry", "Filled", "Hadamard", "Outer", "Plus", "Power", "Product",
    "RowTotals", "Rowwise", "Scaled", "SumRows", "Transposed", "lift", "lift_derivation", "shape",
]  # fmt: skip


class Matrix(Node):
    """A matrix (or vector) expression: arrays, and what is made of them."""


class Array(Matrix):
    """All entries of a variable: w_ij^l over its index ranges is W^l."""

    def __new__(cls, template: Variable) -> Array:
        return Expr.__new__(cls, template)

    @property
    def template(self) -> Variable:
        return self.args[0]


class CostGradient(Matrix):
    """∇_a C: all ∂C/∂a_j^L of an arbitrary cost."""

    @property
    def template(self) -> Variable:
        return self.args[0]


class Transposed(Matrix):
    """(Aᵀ)_ij = A_ji."""


class Product(Matrix):
    """(A B)_ij = Σ_k A_ik B_kj; B may be a vector."""


class Outer(Matrix):
    """(u vᵀ)_ij = u_i v_j."""


class Hadamard(Matrix):
    """(A ∘ B)_ij = A_ij B_ij."""


class Plus(Matrix):
    """(A + B)_ij = A_ij + B_ij."""


class Scaled(Matrix):
    """(c A)_ij = c A_ij, c a number or a function of the batch size."""


class Power(Matrix):
    """Entrywise power with a constant exponent: Power(A, m)."""


class Applied(Matrix):
    """f_l^(order) applied to every entry: Applied(l, order, Z)."""


class Elementwise(Matrix):
    """A named function (exp, log) applied to every entry: Elementwise(name, A)."""


class Rowwise(Matrix):
    """softmax or log_softmax of each row: Rowwise(name, Z)."""


class SumRows(Matrix):
    """Σ_s A_sj: the sum over the rows, a vector."""


class RowTotals(Matrix):
    """Σ_k A_sk, repeated over the columns of `like`: RowTotals(A, width)."""


class Broadcast(Matrix):
    """The vector b repeated in each of n rows, 1 bᵀ: Broadcast(b, n)."""


class Filled(Matrix):
    """Every entry the same number: Filled(c, rows, columns)."""


class Entry(Node):
    """One entry of a matrix expression: Entry(A, i, j) is A_ij."""

    def __new__(cls, matrix: Expr, *indices: Index) -> Entry:
        return Expr.__new__(cls, matrix, *indices)

    @property
    def matrix(self) -> Expr:
        return self.args[0]

    @property
    def indices(self) -> tuple[Index, ...]:
        return tuple(self.args[1:])


def shape(matrix: Expr) -> tuple[Expr, ...]:
    """The symbolic shape of a matrix expression.

    >>> from theory.notation import l, unit, var
    >>> shape(Transposed(Array(var("w", l, unit("i", l - 1), unit("j", l)))))
    (Width(l), Width(l - 1))
    """
    if isinstance(matrix, Array | CostGradient):
        return tuple(index.size for index in matrix.template.indices)
    if isinstance(matrix, Transposed):
        rows, columns = shape(matrix.args[0])
        return columns, rows
    if isinstance(matrix, Product):
        return (*shape(matrix.args[0])[:-1], *shape(matrix.args[1])[1:])
    if isinstance(matrix, Outer):
        return (*shape(matrix.args[0]), *shape(matrix.args[1]))
    if isinstance(matrix, SumRows):
        return shape(matrix.args[0])[1:]
    if isinstance(matrix, RowTotals):
        return (shape(matrix.args[0])[0], matrix.args[1])
    if isinstance(matrix, Filled):
        return tuple(matrix.args[1:])
    if isinstance(matrix, Broadcast):
        return (matrix.args[1], *shape(matrix.args[0]))
    if isinstance(matrix, Applied | Scaled | Elementwise | Rowwise):
        return shape(matrix.args[-1])
    if isinstance(matrix, Hadamard | Plus | Power):
        return shape(matrix.args[0])
    raise TypeError(f"a {type(matrix).__name__} has no shape")


def lift(expr: Expr, target: Sequence[Index]) -> Expr:
    """The matrix whose entry at the target indices is `expr`.

    Errors: ValueError naming the part that is not a matrix expression of the target's indices.

    >>> from theory.notation import l, total, unit, var
    >>> from theory.printing import show
    >>> j, k = unit("j", l), unit("k", l + 1)
    >>> show(lift(total(var("w", l + 1, j, k) * var("delta", l + 1, k), k), (j,)))
    'W^(l+1) δ^(l+1)'
    """
    target = tuple(target)
    if isinstance(expr, Entry) and expr.indices == target:
        return expr.matrix
    known = recognise_function(expr, target)
    if known is not None:
        return known
    if isinstance(expr, Variable):
        return orient(Array(expr), expr.indices, target)
    if isinstance(expr, Partial) and expr.u.name == "C":
        return orient(CostGradient(expr.x), expr.x.indices, target)
    if isinstance(expr, Function):
        return Applied(expr.layer, Integer(expr.order), lift(expr.argument, target))
    if isinstance(expr, Add):
        return Plus(*(lift(term, target) for term in ordered_terms(expr)))
    if isinstance(expr, Pow) and is_constant(expr.exp):
        return Power(lift(expr.base, target), expr.exp)
    if isinstance(expr, NamedFunction) and len(expr.args) == 1:
        return Elementwise(Str(type(expr).__name__), lift(expr.args[0], target))
    if isinstance(expr, Mul):
        return lift_product(expr, target)
    if isinstance(expr, Total):
        return contract(expr, target)
    if is_constant(expr):
        return Filled(expr, *(index.size for index in target))
    raise ValueError(f"not a matrix expression in ({', '.join(i.name for i in target)}): {expr}")


def recognise_function(expr: Expr, target: tuple[Index, ...]) -> Expr | None:
    """softplus = log(1 + e^z), log sigmoid = -log(1 + e^-z), softmax = e^z_j / Σ e^z_k and its logarithm have names."""
    if isinstance(expr, log) and isinstance(expr.args[0] - 1, exp):
        z = (expr.args[0] - 1).args[0]
        if z.as_coeff_Mul()[0].is_negative:
            return Scaled(Integer(-1), Elementwise(Str("log_sigmoid"), lift(-z, target)))
        return Elementwise(Str("softplus"), lift(z, target))
    for node in nodes(expr) if isinstance(expr, Add | Mul) else ():
        if isinstance(node, Total) and isinstance(node.body, exp):
            z = substitute(node.body.args[0], {node.index: target[-1]})
            if expr == exp(z) / node:
                return Rowwise(Str("softmax"), lift(z, target))
            if expr == z - log(node):
                return Rowwise(Str("log_softmax"), lift(z, target))
    return None


def ordered_terms(expr: Add) -> list[Expr]:
    """Positive terms first: A - Y, not -Y + A."""
    return sorted(expr.args, key=lambda t: (bool(t.as_coeff_Mul()[0].is_negative), not t.has(Total), str(t)))


def orient(matrix: Expr, indices: tuple[Index, ...], target: tuple[Index, ...]) -> Expr:
    """Turn an array so that its axes follow the target, transposed or repeated over rows where needed."""
    if indices == target:
        return matrix
    if len(target) == 2 and indices == target[::-1]:
        return Transposed(matrix)
    if len(target) == 2 and indices == target[1:] and target[0].is_sample:
        return Broadcast(matrix, target[0].size)
    raise ValueError(f"indices {[i.name for i in indices]} do not fit {[i.name for i in target]}")


def lift_product(expr: Mul, target: tuple[Index, ...]) -> Expr:
    """Constants scale; factors with all target indices multiply entrywise; u_i v_j is an outer product."""
    constants = [factor for factor in expr.args if is_constant(factor)]
    factors = [factor for factor in expr.args if not is_constant(factor)]
    if len(target) == 2 and not target[0].is_sample:
        left = [f for f in factors if free_indices(f) == {target[0]}]
        right = [f for f in factors if free_indices(f) == {target[1]}]
        if left and right and len(left) + len(right) == len(factors):
            return scale(constants, Outer(lift(Mul(*left), target[:1]), lift(Mul(*right), target[1:])))
    lifted = [lift(factor, target) for factor in sorted(factors, key=hadamard_rank)]
    constants += [factor.args[0] for factor in lifted if isinstance(factor, Scaled)]
    lifted = [factor.args[1] if isinstance(factor, Scaled) else factor for factor in lifted]
    return scale(constants, lifted[0] if len(lifted) == 1 else Hadamard(*lifted))


def hadamard_rank(factor: Expr) -> tuple[int, str]:
    """Reading order of an entrywise product: what comes from above first, f' last, as the lecture's matrix form."""
    place = 2 if isinstance(factor, Function) else 0 if factor.has(Total) or isinstance(factor, Entry) else 1
    return place, str(factor)


def scale(constants: Sequence[Expr], matrix: Expr) -> Expr:
    """c A, or A itself."""
    return Scaled(Mul(*constants), matrix) if constants else matrix


def contract(expr: Total, target: tuple[Index, ...]) -> Expr:
    """Σ_k A_pk B_kq is a product; Σ_s A_sq a sum of rows; Σ_k A_pk a row total."""
    k = expr.index
    factors = list(Mul.make_args(expr.body))
    constants = [f for f in factors if is_constant(f)]
    factors = [f for f in factors if f not in constants]
    last = {target[-1]}
    if len(target) == 1:
        vector = [f for f in factors if free_indices(f) == {k}]
        rest = [f for f in factors if f not in vector]
        if vector and rest:
            return scale(constants, Product(lift(Mul(*rest), (target[0], k)), lift(Mul(*vector), (k,))))
        return scale(constants, SumRows(lift(Mul(*factors), (k, target[0]))))
    right = [f for f in factors if free_indices(f) & last]
    left = [f for f in factors if f not in right]
    if not right:
        return scale(constants, RowTotals(lift(Mul(*left), (target[0], k)), target[1].size))
    return scale(constants, Product(lift(Mul(*left), (target[0], k)), lift(Mul(*right), (k, target[1]))))


def lift_derivation(derivation: Derivation, target: Sequence[Index]) -> Derivation:
    """Continue a derivation into matrix form: first each sum, then the whole; every lift is a checked step."""
    target = tuple(target)
    expr = derivation.result
    steps: list[Step] = []
    if isinstance(expr, Mul | Add):

        def recognise(node: Expr) -> Expr | None:
            return Entry(contract(node, target), *target) if isinstance(node, Total) else None

        sums = rewrite(expr, recognise)
        if sums != expr:
            steps.append(Step("a sum is a matrix product", expr, sums, explain(expr, sums)))
            expr = sums
    whole = Entry(lift(expr, target), *target)
    name = "a sum is a matrix product" if isinstance(expr, Total) else "entry by entry"
    steps.append(Step(name, expr, whole, explain(expr, whole) if isinstance(expr, Total) else ""))
    return derivation.extended(*steps)


def explain(before: Expr, after: Expr) -> str:
    """Why a transpose, why a sum of rows: said where it happens."""
    notes = []
    for node in nodes(after):
        if isinstance(node, Transposed):
            name = node.args[0].template.name if isinstance(node.args[0], Array) else "the matrix"
            sums = [t.index.name for t in nodes(before) if isinstance(t, Total)]
            notes.append(f"the summed index {sums[-1]} is not where a product wants it in {name}: transpose")
        if isinstance(node, SumRows):
            notes.append("one parameter serves all samples: their contributions add up")
    return "; ".join(dict.fromkeys(notes))


@printer(Array)
def print_array(p: Printer, e: Expr) -> tuple[str, int]:
    template = e.template
    layer = "" if template.layer is None else p.show(template.layer)
    matrix = len(template.indices) > 1
    letter = p.alphabet.matrix(template.name) if matrix else p.alphabet.letter(template.name)
    return p.alphabet.scripts(letter, "", layer), ATOM


@printer(CostGradient)
def print_cost_gradient(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.scripts(p.alphabet.operator("∇"), p.alphabet.letter("a"), "") + p.alphabet.letter("C"), ATOM


@printer(Entry)
def print_entry(p: Printer, e: Expr) -> tuple[str, int]:
    names = p.alphabet.indices([p.show(index) for index in e.indices])
    return p.alphabet.scripts(p.alphabet.group(p.show(e.matrix)), names, ""), ATOM


@printer(Transposed)
def print_transposed(p: Printer, e: Expr) -> tuple[str, int]:
    inner = e.args[0]
    if isinstance(inner, Array) and inner.template.layer is not None and not isinstance(p.alphabet, MathML):
        base = p.show(inner)
        return (p.alphabet.transposed(base) if "^" not in base else p.alphabet.transposed(f"({base})")), ATOM
    return p.alphabet.transposed(p.show(inner, ATOM)), ATOM


@printer(Product)
def print_product(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.times.join(p.show(a, PRODUCT) for a in e.args), PRODUCT


@printer(Outer)
def print_outer(p: Printer, e: Expr) -> tuple[str, int]:
    u, v = (p.show(a, ATOM) for a in e.args)
    return u + p.alphabet.times + p.alphabet.transposed(p.alphabet.group(v) if "^" in v else v), PRODUCT


@printer(Hadamard)
def print_hadamard(p: Printer, e: Expr) -> tuple[str, int]:
    shown = [p.alphabet.group(p.show(a)) if isinstance(a, Product | Plus) else p.show(a, PRODUCT) for a in e.args]
    return p.alphabet.hadamard.join(shown), PRODUCT


@printer(Plus)
def print_plus(p: Printer, e: Expr) -> tuple[str, int]:
    text = p.show(e.args[0])
    for term in e.args[1:]:
        minus = isinstance(term, Scaled) and term.args[0] == -1
        operator = p.alphabet.minus if minus else p.alphabet.operator("+")
        space = "" if isinstance(p.alphabet, MathML) else " "
        text += f"{space}{operator}{space}{p.show(term.args[1] if minus else term, PRODUCT)}"
    return text, SUM


@printer(Scaled)
def print_scaled(p: Printer, e: Expr) -> tuple[str, int]:
    factor, matrix = e.args
    if factor == -1:
        return p.alphabet.minus + p.show(matrix, PRODUCT), SUM
    return p.show(sympify(factor), PRODUCT) + p.alphabet.times + p.show(matrix, PRODUCT if not isinstance(matrix, Plus) else ATOM), PRODUCT


@printer(Power)
def print_power(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.scripts(p.alphabet.group(p.show(e.args[0])), "", p.show(e.args[1])), ATOM


@printer(Applied)
def print_applied(p: Printer, e: Expr) -> tuple[str, int]:
    layer, order, argument = e.args
    return head(p, Function(layer, order, argument)) + p.alphabet.group(p.show(argument)), ATOM


@printer(Filled)
def print_filled(p: Printer, e: Expr) -> tuple[str, int]:
    return p.show(e.args[0], PRODUCT), PRODUCT


@printer(Elementwise)
def print_elementwise(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.word(str(e.args[0].name)) + p.alphabet.group(p.show(e.args[1])), ATOM


@printer(Rowwise)
def print_rowwise(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.word(str(e.args[0].name).replace("_", " ")) + p.alphabet.group(p.show(e.args[1])), ATOM


@printer(SumRows)
def print_sum_rows(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.transposed(p.alphabet.ones()) + p.alphabet.times + p.show(e.args[0], ATOM), PRODUCT


@printer(RowTotals)
def print_row_totals(p: Printer, e: Expr) -> tuple[str, int]:
    ones = p.alphabet.ones()
    return p.alphabet.times.join((p.alphabet.group(p.show(e.args[0])), ones, p.alphabet.transposed(ones))), PRODUCT


@printer(Broadcast)
def print_broadcast(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.ones() + p.alphabet.times + p.alphabet.transposed(p.alphabet.group(p.show(e.args[0]))), PRODUCT
