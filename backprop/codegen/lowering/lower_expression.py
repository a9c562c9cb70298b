"""One matrix expression of the book as a node of a program: every kind of node has its line in one table."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence

from sympy import Expr, Rational, fraction

from backprop.codegen.lowering import nodes
from backprop.codegen.lowering.nodes import Call, Expression, Multiply, Name, Number, Size, SumColumns, SumRows
from theory.language import matrices as mf
from theory.language.glossary import GLOSSARY
from theory.language.layer_sums import LayerSum
from theory.language.notation import Variable, Width, epsilon, l, n

__all__ = ["Scope", "lower_expression", "lower_scaled"]

ROWS = Name("n", ())


class Scope:
    """What the letters of an equation mean: inside one layer of a network, or in its cost and BP1.

    `names` holds what is called otherwise than by its letter and `tag`; `function` is the activation by its name in the
    program (None for the identity), `root` the function 1/√(variance + ε); `from_above` the derivatives of C.
    """

    def __init__(
        self,
        before: int,
        width: int,
        names: dict[str, Name],
        tag: str = "",
        function: str | None = None,
        root: str = "",
    ) -> None:
        self.before, self.width, self.names, self.tag = before, width, names, tag
        self.function, self.root = function, root
        self.from_above: dict[str, Expression] = {}
        self.gate: str | None = None  # what σ is called, the function of layer 0

    def error(self, variable: Variable) -> Expression:
        """The derivative of C by a quantity that is handed on."""
        return self.from_above[variable.name]

    def size(self, expr: Expr) -> Size:
        """M_l, M_{l-1} or n."""
        if isinstance(expr, Width):
            return self.before if expr.layer == l - 1 else self.width
        return "n" if expr.is_Symbol else int(expr)

    def name(self, variable: Variable) -> Expression:
        """A quantity; δ is the derivative that came from above."""
        return self.from_above["z"] if variable.name == "delta" else self.target(variable)

    def target(self, variable: Variable) -> Name:
        """The name of a quantity; a number for each sample is a column."""
        if variable.name not in self.names:
            sizes = tuple(self.size(index.size) for index in variable.indices)
            text = GLOSSARY[variable.name].python + self.tag
            self.names[variable.name] = Name(text, ("n", 1) if sizes == ("n",) else sizes)
        return self.names[variable.name]

    def named(self, function: str) -> str:
        """A function of the output layer by its name in the program; the sigmoid is the output function itself."""
        return self.function or "" if function == "sigmoid" else function

    def scalar(self, expr: Expr) -> Expression:
        """A product of integers, n and widths."""
        if expr == n:
            return ROWS
        if isinstance(expr, Width):
            return Number(int(self.size(expr)))
        if expr.is_Mul:
            return multiply([self.scalar(factor) for factor in sorted(expr.args, key=lambda f: (f != n, str(f)))])
        return Number(int(expr))


Lowering = Callable[[Scope, Expr], Expression]


def lower_expression(scope: Scope, expr: Expr) -> Expression:
    """One matrix expression of the theory, with concrete layers, as a node of the program."""
    for kind, rule in LOWERINGS.items():
        if isinstance(expr, kind):
            return rule(scope, expr)
    raise TypeError(f"no way to lower a {type(expr).__name__}")


def lower_scaled(scope: Scope, factor: Expr, value: Expression) -> Expression:
    """(p/q) value: written p * value / q, a minus sign in front."""
    if isinstance(value, Multiply) and len(value.left.shape) == 1 < len(value.right.shape):
        return lower_scaled(scope, factor, value.left) * value.right  # one vector, not the whole matrix
    above, below = fraction(factor)
    if above.is_negative or (above.is_Mul and above.as_coeff_Mul()[0].is_negative):
        value, above = -value, -above
    value = value if above == 1 else scope.scalar(above) * value
    return value if below == 1 else value / scope.scalar(below)


def lower_plus(scope: Scope, expr: Expr) -> Expression:
    """A sum; terms scaled by -1 are subtracted."""
    first, *rest = expr.args
    result = lower_expression(scope, first)
    for term in rest:
        if isinstance(term, mf.Scaled) and term.args[0].as_coeff_Mul()[0].is_negative:
            result = result - lower_scaled(scope, -term.args[0], lower_expression(scope, term.args[1]))
        elif isinstance(term, mf.Filled) and term.args[0].is_negative:
            result = result - scope.scalar(-term.args[0])
        else:
            result = result + lower_expression(scope, term)
    return result


def lower_hadamard(scope: Scope, expr: Expr) -> Expression:
    """An entrywise product; factors that are 1 everywhere (the slope of the identity) are left out, and vectors
    are multiplied with each other first."""
    factors = [lower_expression(scope, arg) for arg in expr.args]
    kept = [factor for factor in factors if factor != Number(1)]
    small = [factor for factor in kept if len(factor.shape) == 1]
    if len(small) > 1 and len(small) < len(kept):
        kept = [*(factor for factor in kept if len(factor.shape) != 1), multiply(small)]
    return multiply(kept)


def multiply(factors: Sequence[Expression]) -> Expression:
    """The product, from the left; 1 of nothing."""
    return functools.reduce(operator.mul, factors) if factors else Number(1)


def lower_applied(scope: Scope, expr: Expr) -> Expression:
    """f_l or its derivative at Z; the identity is not called."""
    _, order, argument = expr.args
    function = scope.gate if expr.args[0] == 0 else scope.function
    if function is None:
        return Number(1) if order else lower_expression(scope, argument)
    return Call(function + "_prime" * int(order), lower_expression(scope, argument))


def lower_power(scope: Scope, expr: Expr) -> Expression:
    """A power with a whole exponent; (ν + ε)^(-1/2) is a function of ν."""
    base, exponent = expr.args
    if exponent.is_Integer:
        return lower_expression(scope, base) ** int(exponent)
    terms = [term for term in base.args if not isinstance(term, mf.Filled)] if isinstance(base, mf.Plus) else []
    if exponent != Rational(-1, 2) or len(terms) != 1 or mf.Filled(epsilon, *mf.shape(terms[0])) not in base.args:
        raise TypeError(f"no way to lower a power with the exponent {exponent}")
    return Call(scope.root, lower_expression(scope, terms[0]))


LOWERINGS: dict[type, Lowering] = {
    mf.Array: lambda scope, e: scope.name(e.template),
    mf.Transposed: lambda scope, e: lower_expression(scope, e.args[0]).T,
    mf.Product: lambda scope, e: operator.matmul(*(lower_expression(scope, arg) for arg in e.args)),
    mf.Hadamard: lower_hadamard,
    mf.Plus: lower_plus,
    mf.Scaled: lambda scope, e: lower_scaled(scope, e.args[0], lower_expression(scope, e.args[1])),
    mf.CostGradient: lambda scope, e: scope.error(e.template),
    mf.EntryPower: lower_power,
    mf.Applied: lower_applied,
    mf.Elementwise: lambda scope, e: Call(scope.named(str(e.args[0].name)), lower_expression(scope, e.args[1])),
    mf.Rowwise: lambda scope, e: Call(str(e.args[0].name), lower_expression(scope, e.args[1])),
    mf.SumOverRows: lambda scope, e: SumRows(lower_expression(scope, e.args[0])),
    LayerSum: lambda scope, e: nodes.SumSteps(lower_expression(scope, e.args[0])),
    mf.RowTotals: lambda scope, e: SumColumns(lower_expression(scope, e.args[0])),
    mf.RowSums: lambda scope, e: SumColumns(lower_expression(scope, e.args[0])),
    mf.Broadcast: lambda scope, e: lower_expression(scope, e.args[0]),
    mf.Columns: lambda scope, e: lower_expression(scope, e.args[0]),
    mf.Filled: lambda scope, e: scope.scalar(e.args[0]),
}
