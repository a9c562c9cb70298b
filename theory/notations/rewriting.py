"""An expression of the book under another choice: indices exchanged, and every transpose where the choice puts it.

A matrix is rewritten from its leaves: an array whose indices stand the other way round is the transpose of the book's.
Transposes are carried inwards, (A B)ᵀ = Bᵀ Aᵀ, so that none is left but where a product needs one.

>>> from theory.notations.choices import NOTATIONS
>>> from theory.chapters.networks.four_equations import derive_matrix_form
>>> from theory.language.printing import show
>>> show(rewritten(derive_matrix_form("BP2", batch=False).result, NOTATIONS["nielsen"]))
"(((W^(l+1))ᵀ δ^(l+1)) ∘ f'_l(z^l))_j"
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

from sympy import Expr

from theory.language import matrices as mf
from theory.language.derivation import Derivation, Step
from theory.language.layer_sums import LayerSum
from theory.language.notation import Variable
from theory.language.printing import printed_as
from theory.notations.choices import LECTURE, NotationChoice
from theory.rules.matrix_form import explain

__all__ = ["exchanged", "printed_in", "rewritten", "rewritten_derivation", "with_notes"]


def rewritten(expr: Expr, choice: NotationChoice) -> Expr:
    """The same statement as the choice writes it."""
    if isinstance(expr, Variable):
        return exchanged(expr, choice)
    if isinstance(expr, mf.MatrixEntry):
        turned = choice.exchanges(expr.indices)
        indices = expr.indices[::-1] if turned else expr.indices
        return mf.MatrixEntry(Turning(choice).write(expr.matrix, turned), *indices)
    if isinstance(expr, mf.Matrix):
        return Turning(choice).write(expr, lies_otherwise(expr, choice))
    if not expr.args:
        return expr
    return expr.func(*(rewritten(arg, choice) if isinstance(arg, Expr) else arg for arg in expr.args))


def printed_in(choice: NotationChoice) -> AbstractContextManager[None]:
    """While it lasts every expression is printed as the choice writes it."""
    return printed_as((lambda expr: expr) if choice == LECTURE else partial(rewritten, choice=choice), choice.signs)


def exchanged(variable: Variable, choice: NotationChoice) -> Variable:
    """w_ji for w_ij, a_js for a_sj."""
    return variable.at(*variable.indices[::-1]) if choice.exchanges(variable.indices) else variable


def lies_otherwise(matrix: Expr, choice: NotationChoice) -> bool:
    """Is a whole matrix written as the transpose of the book's?"""
    sizes = mf.shape(matrix)
    if len(sizes) != 2:
        return False
    return choice.sample_columns if str(sizes[0]) == "n" else choice.own_first


@dataclass(frozen=True)
class Turning:
    """Writes a matrix of the book, or its transpose, with the arrays of a choice."""

    choice: NotationChoice

    def write(self, m: Expr, turned: bool = False) -> Expr:
        """The matrix, or its transpose if `turned`; a vector has none."""
        if isinstance(m, mf.Array | mf.CostGradient):
            return self.leaf(m, turned)
        if type(m) in RULES:
            return RULES[type(m)](self, turned, *m.args)
        parts = [
            self.write(arg, turned) if isinstance(arg, mf.Matrix) else rewritten(arg, self.choice) for arg in m.args
        ]
        return m.func(*parts)

    def leaf(self, m: Expr, turned: bool) -> Expr:
        """An array of the choice, transposed where that is not what is asked for."""
        if len(m.template.indices) < 2:
            return m
        mine = m.func(exchanged(m.template, self.choice))
        return mf.Transposed(mine) if self.choice.exchanges(m.template.indices) != turned else mine

    def product(self, turned: bool, left: Expr, right: Expr) -> Expr:
        """A B, or Bᵀ Aᵀ; a row stands left of its matrix."""
        if len(mf.shape(right)) == 1:
            if self.choice.row_vectors:
                return mf.Product(self.write(right), self.write(left, True))
            return mf.Product(self.write(left), self.write(right))
        one, two = (right, left) if turned else (left, right)
        return mf.Product(self.write(one, turned), self.write(two, turned))

    def outer(self, turned: bool, u: Expr, v: Expr) -> Expr:
        """u vᵀ of columns, uᵀ v of rows."""
        one, two = (self.write(v), self.write(u)) if turned else (self.write(u), self.write(v))
        return mf.RowOuter(one, two) if self.choice.row_vectors else mf.Outer(one, two)

    def sums(self, inner: Expr, over_rows: bool) -> Expr:
        """1ᵀ A or A 1, by how A lies."""
        turned = lies_otherwise(inner, self.choice)
        return (mf.SumOverRows if over_rows != turned else mf.RowSums)(self.write(inner, turned))

    def repeated(self, turned: bool, inner: Expr, count: Expr, in_rows: bool) -> Expr:
        """1 bᵀ or b 1ᵀ; a row is put under itself, 1 b."""
        vector = self.write(inner)
        if in_rows == turned:
            return mf.Columns(vector, count)
        return mf.Stacked(vector, count) if self.choice.row_vectors else mf.Broadcast(vector, count)

    def totals(self, turned: bool, inner: Expr, width: Expr) -> Expr:
        """A 1 1ᵀ, or 1 1ᵀ Aᵀ."""
        if not turned:
            return mf.RowTotals(self.write(inner), width)
        return mf.Broadcast(mf.SumOverRows(self.write(inner, True)), width)


LIFTS = ("a sum is a matrix product",)
Rule = Callable[..., Expr]
RULES: dict[type, Rule] = {
    mf.Transposed: lambda t, turned, m: t.write(m, not turned),
    mf.Product: Turning.product,
    mf.Outer: Turning.outer,
    mf.SumOverRows: lambda t, turned, m: t.sums(m, True),
    mf.RowSums: lambda t, turned, m: t.sums(m, False),
    mf.Broadcast: lambda t, turned, m, count: t.repeated(turned, m, count, True),
    mf.Columns: lambda t, turned, m, count: t.repeated(turned, m, count, False),
    mf.RowTotals: Turning.totals,
    mf.Filled: lambda t, turned, c, *sizes: mf.Filled(c, *(sizes[::-1] if turned else sizes)),
    mf.Rowwise: lambda t, turned, name, m: (mf.Columnwise if turned else mf.Rowwise)(name, t.write(m, turned)),
    LayerSum: lambda t, turned, m: LayerSum(t.write(m, turned)),
}
"""What a choice makes of a node; all others are entrywise and are rewritten inside."""


def rewritten_derivation(derivation: Derivation, choice: NotationChoice) -> Derivation:
    """The same derivation with its lines rewritten, and said anew where a sum became a product.

    >>> from theory.notations.choices import NOTATIONS
    >>> from theory.chapters.networks.four_equations import derive_matrix_form
    >>> book = derive_matrix_form("BP2", batch=False)
    >>> other = rewritten_derivation(book, NOTATIONS["nielsen"])
    >>> [step.note for step in other.steps if step.note.endswith("transpose")]
    ['the summed index k is not where a product wants it in w: transpose']
    """
    said = with_notes(derivation, choice)
    steps = tuple(
        replace(step, before=rewritten(step.before, choice), after=rewritten(step.after, choice)) for step in said.steps
    )
    return replace(said, subject=rewritten(derivation.subject, choice), steps=steps)


def with_notes(derivation: Derivation, choice: NotationChoice) -> Derivation:
    """The derivation as it is, with what is said of its products found from the rewritten lines."""
    return replace(derivation, steps=tuple(noted(step, choice) for step in derivation.steps))


def noted(step: Step, choice: NotationChoice) -> Step:
    """A step with its note found again, where it says why there is a transpose or a sum of samples."""
    if step.rule not in LIFTS or step.note not in ("", explain(step.before, step.after)):
        return step
    return replace(step, note=explain(rewritten(step.before, choice), rewritten(step.after, choice)))
