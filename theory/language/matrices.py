"""Matrix expressions: arrays, and what is made of them.  Nodes only; what they mean is written beside each.

How an index formula becomes one of these is in `theory.rules.matrix_form`.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, sympify

from theory.language.alphabets import MathML
from theory.language.notation import Function, Index, Node, Variable, part
from theory.language.printing import ATOM, PRODUCT, SUM, Printer, head, printer

__all__ = [
    "Applied", "Array", "Broadcast", "Columns", "Columnwise", "CostGradient", "Elementwise", "EntryPower", "Filled",
    "Hadamard", "Matrix", "MatrixEntry", "Outer", "Plus", "Product", "RowOuter", "RowSums", "RowTotals", "Rowwise",
    "Scaled", "Stacked", "SumOverRows", "Transposed", "shape",
]  # fmt: skip


class Matrix(Node):
    """A matrix (or vector) expression: arrays, and what is made of them."""


class Array(Matrix):
    """All entries of a variable: w_ij^l over its index ranges is W^l."""

    template: Variable = part(0)


class CostGradient(Matrix):
    """∇_a C: all ∂C/∂a_j^L of an arbitrary cost."""

    template: Variable = part(0)


class Transposed(Matrix):
    """(Aᵀ)_ij = A_ji."""


class Product(Matrix):
    """(A B)_ij = Σ_k A_ik B_kj; B may be a vector."""


class Outer(Matrix):
    """(u vᵀ)_ij = u_i v_j."""


class RowOuter(Matrix):
    """(uᵀ v)_ij = u_i v_j, of rows u and v."""


class Hadamard(Matrix):
    """(A ∘ B)_ij = A_ij B_ij."""


class Plus(Matrix):
    """(A + B)_ij = A_ij + B_ij."""


class Scaled(Matrix):
    """(c A)_ij = c A_ij, c a number or a function of the batch size."""


class EntryPower(Matrix):
    """Entrywise power with a constant exponent: EntryPower(A, m)."""


class Applied(Matrix):
    """f_l^(order) applied to every entry: Applied(l, order, Z)."""


class Elementwise(Matrix):
    """A named function (exp, log) applied to every entry: Elementwise(name, A)."""


class Rowwise(Matrix):
    """softmax or log_softmax of each row: Rowwise(name, Z)."""


class Columnwise(Matrix):
    """softmax or log_softmax of each column: Columnwise(name, Z)."""


class SumOverRows(Matrix):
    """Σ_s A_sj: the sum over the rows, a vector."""


class RowTotals(Matrix):
    """Σ_k A_sk, repeated over the columns of `like`: RowTotals(A, width)."""


class Broadcast(Matrix):
    """The vector b repeated in each of n rows, 1 bᵀ: Broadcast(b, n)."""


class Stacked(Matrix):
    """The row b under itself n times, 1 b: Stacked(b, n)."""


class RowSums(Matrix):
    """Σ_k A_sk: the sum over each row, a vector over the samples."""


class Columns(Matrix):
    """The vector u repeated in each of m columns, u 1ᵀ: Columns(u, m)."""


class Filled(Matrix):
    """Every entry the same number: Filled(c, rows, columns)."""


class MatrixEntry(Node):
    """One entry of a matrix expression: MatrixEntry(A, i, j) is A_ij."""

    matrix: Expr = part(0)

    @property
    def indices(self) -> tuple[Index, ...]:
        return tuple(self.args[1:])


def shape(matrix: Expr) -> tuple[Expr, ...]:
    """The symbolic shape of a matrix expression.

    >>> from theory.language.notation import l, unit, var
    >>> shape(Transposed(Array(var("w", l, unit("i", l - 1), unit("j", l)))))
    (Width(l), Width(l - 1))
    """
    if type(matrix) in SHAPES:
        return SHAPES[type(matrix)](*matrix.args)
    raise TypeError(f"a {type(matrix).__name__} has no shape")


SHAPES: dict[type, Callable[..., tuple[Expr, ...]]] = {
    **dict.fromkeys((Array, CostGradient), lambda template: tuple(index.size for index in template.indices)),
    **dict.fromkeys((Applied, Scaled, Elementwise, Rowwise, Columnwise), lambda *parts: shape(parts[-1])),
    **dict.fromkeys((Hadamard, Plus, EntryPower), lambda first, *_: shape(first)),
    Transposed: lambda inner: shape(inner)[::-1],
    Product: lambda left, right: (*shape(left)[:-1], *shape(right)[1:]),
    **dict.fromkeys((Outer, RowOuter), lambda u, v: (*shape(u), *shape(v))),
    SumOverRows: lambda inner: shape(inner)[1:],
    RowSums: lambda inner: shape(inner)[:1],
    RowTotals: lambda inner, width: (shape(inner)[0], width),
    Columns: lambda u, width: (*shape(u), width),
    **dict.fromkeys((Broadcast, Stacked), lambda b, rows: (rows, *shape(b))),
    Filled: lambda _, *sizes: sizes,
}


@printer(Array)
def print_array(p: Printer, e: Expr) -> tuple[str, int]:
    template = e.template
    layer = "" if template.layer is None else p.show(template.layer)
    matrix = len(template.indices) > 1
    letter = p.alphabet.matrix(template.name) if matrix else p.alphabet.letter(template.name)
    return p.alphabet.scripts(letter, "", layer), ATOM


@printer(CostGradient)
def print_cost_gradient(p: Printer, e: Expr) -> tuple[str, int]:
    if e.template.name != "a":
        return p.alphabet.derivative(p.alphabet.letter("C"), p.show(Array(e.template)), False), ATOM
    return p.alphabet.scripts(p.alphabet.operator("∇"), p.alphabet.letter("a"), "") + p.alphabet.letter("C"), ATOM


@printer(MatrixEntry)
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


@printer(Outer)
def print_outer(p: Printer, e: Expr) -> tuple[str, int]:
    u, v = (p.show(a, ATOM) for a in e.args)
    return u + p.alphabet.times + p.alphabet.transposed(p.alphabet.group(v) if "^" in v else v), PRODUCT


@printer(RowOuter)
def print_row_outer(p: Printer, e: Expr) -> tuple[str, int]:
    u, v = (p.show(a, ATOM) for a in e.args)
    return p.alphabet.transposed(p.alphabet.group(u) if "^" in u else u) + p.alphabet.times + v, PRODUCT


@printer(Rowwise, Columnwise)
def print_rowwise(p: Printer, e: Expr) -> tuple[str, int]:
    return p.alphabet.word(str(e.args[0].name).replace("_", " ")) + p.alphabet.group(p.show(e.args[1])), ATOM


@printer(Hadamard)
def print_hadamard(p: Printer, e: Expr) -> tuple[str, int]:
    shown = [p.alphabet.group(p.show(a)) if isinstance(a, Product | Plus) else p.show(a, PRODUCT) for a in e.args]
    return p.alphabet.hadamard.join(shown), PRODUCT


@printer(Plus)
def print_plus(p: Printer, e: Expr) -> tuple[str, int]:
    text = p.show(e.args[0])
    for term in e.args[1:]:
        minus = isinstance(term, Scaled | Filled) and bool(term.args[0].as_coeff_Mul()[0].is_negative)
        shown = term.func(-term.args[0], *term.args[1:]) if minus else term
        shown = shown.args[0] if isinstance(shown, Filled) else shown
        shown = shown.args[1] if isinstance(shown, Scaled) and shown.args[0] == 1 else shown
        operator = p.alphabet.minus if minus else p.alphabet.operator("+")
        space = "" if isinstance(p.alphabet, MathML) else " "
        text += f"{space}{operator}{space}{p.show(shown, PRODUCT)}"
    return text, SUM


@printer(Scaled)
def print_scaled(p: Printer, e: Expr) -> tuple[str, int]:
    factor, matrix = e.args
    if factor == -1:
        return p.alphabet.minus + p.show(matrix, PRODUCT), SUM
    return p.show(sympify(factor), PRODUCT) + p.alphabet.times + p.show(
        matrix, PRODUCT if not isinstance(matrix, Plus) else ATOM
    ), PRODUCT


@printer(Applied)
def print_applied(p: Printer, e: Expr) -> tuple[str, int]:
    layer, order, argument = e.args
    return head(p, Function(layer, order, argument)) + p.alphabet.group(p.show(argument)), ATOM


@printer(RowTotals)
def print_row_totals(p: Printer, e: Expr) -> tuple[str, int]:
    ones = p.alphabet.ones()
    return p.alphabet.times.join((p.alphabet.group(p.show(e.args[0])), ones, p.alphabet.transposed(ones))), PRODUCT


@printer(Broadcast)
def print_broadcast(p: Printer, e: Expr) -> tuple[str, int]:
    inner = e.args[0]
    if isinstance(inner, SumOverRows):  # 1ᵀ A is a row as it stands
        return p.alphabet.ones() + p.alphabet.times + p.show(inner, PRODUCT), PRODUCT
    return p.alphabet.ones() + p.alphabet.times + p.alphabet.transposed(p.alphabet.group(p.show(inner))), PRODUCT


Printer.table |= {
    Product: lambda p, e: (
        p.alphabet.times.join(p.show(a, ATOM if isinstance(a, Hadamard) else PRODUCT) for a in e.args),
        PRODUCT,
    ),
    EntryPower: lambda p, e: (p.alphabet.scripts(p.alphabet.group(p.show(e.args[0])), "", p.show(e.args[1])), ATOM),
    Filled: lambda p, e: (p.show(e.args[0], PRODUCT), PRODUCT),
    Elementwise: lambda p, e: (p.alphabet.word(str(e.args[0].name)) + p.alphabet.group(p.show(e.args[1])), ATOM),
    Stacked: lambda p, e: (p.alphabet.ones() + p.alphabet.times + p.show(e.args[0], PRODUCT), PRODUCT),
    SumOverRows: lambda p, e: (
        p.alphabet.transposed(p.alphabet.ones()) + p.alphabet.times + p.show(e.args[0], ATOM),
        PRODUCT,
    ),
    RowSums: lambda p, e: (p.show(e.args[0], ATOM) + p.alphabet.times + p.alphabet.ones(), PRODUCT),
    Columns: lambda p, e: (
        p.show(e.args[0], ATOM) + p.alphabet.times + p.alphabet.transposed(p.alphabet.ones()),
        PRODUCT,
    ),
}
"""What is printed in one line."""
