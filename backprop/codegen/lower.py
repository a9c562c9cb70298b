"""lower: the derived equations in matrix form become a program for one network.

Every line of the program is an equation of `theory` with its layer and its names put in; nothing is
differentiated here and no equation is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from sympy import Expr, Integer, Rational, fraction

from backprop.codegen.program import (
    Add,
    Assignment,
    Call,
    Divide,
    Expression,
    MatMul,
    Multiply,
    Name,
    Negate,
    Number,
    Power,
    Program,
    Size,
    Subtract,
    SumAll,
    SumColumns,
    SumRows,
    Transpose,
)
from backprop.codegen.support import RESERVED
from backprop.network import Network
from theory import matrices as mf
from theory.activations import NAMES
from theory.costs import find_cost
from theory.four_equations import derive_matrix_form, forward_matrix_form
from theory.matrix_form import lift, lift_derivation
from theory.notation import GLOSSARY, L, Total, Variable, Width, epsilon, l, n, shift
from theory.softmax import derive_secure_error, derive_stable_cost

__all__ = ["lower", "name_functions"]

ROWS = Name("n", ())


class Scope:
    """What the letters mean in one network: widths, the layer at hand, the names of the activation functions."""

    def __init__(self, network: Network, functions: tuple[str, ...]) -> None:
        self.network, self.functions = network, functions

    def size(self, expr: Expr) -> Size:
        """A width or n."""
        return self.network.sizes[int(expr.layer)] if isinstance(expr, Width) else "n" if expr == n else int(expr)

    def name(self, variable: Variable) -> Name:
        """The Python name of a variable: W2, b2, z1, a1 (X for a0), delta2, Y."""
        letter = GLOSSARY[variable.name].python
        layer = "" if variable.layer is None else str(variable.layer)
        text = "X" if (letter, layer) == ("a", "0") else letter + layer
        return Name(text, tuple(self.size(index.size) for index in variable.indices))

    def function(self, layer: Expr) -> str | None:
        """The activation of a layer by its name in the program; None for the identity."""
        place = int(layer) - 1
        return None if self.network.functions[place] == "identity" else self.functions[place]

    def named(self, function: str) -> str:
        """A function of the output layer by its name in the program; the sigmoid is the output function itself."""
        return self.function(Integer(self.network.depth)) or "" if function == "sigmoid" else function

    def gradient(self, quantity: Variable) -> Expression:
        """∂C by a quantity whose derivative is given from above."""
        raise TypeError(f"the derivative of C by {quantity.name} is not given here")

    def root(self, variance: Expression) -> Expression:
        """1/√(variance + ε)"""
        raise TypeError("a plain network has no roots")

    def scalar(self, expr: Expr) -> Expression:
        """A product of integers, n and widths."""
        if expr == n:
            return ROWS
        if isinstance(expr, Width):
            return Number(int(self.size(expr)))
        if expr.is_Mul:
            first, *rest = (self.scalar(factor) for factor in sorted(expr.args, key=lambda f: (f != n, str(f))))
            for factor in rest:
                first = Multiply(first, factor)
            return first
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
        return Multiply(lower_scaled(scope, factor, value.left), value.right)  # one vector, not the whole matrix
    above, below = fraction(factor)
    if above.is_negative or (above.is_Mul and above.as_coeff_Mul()[0].is_negative):
        value, above = Negate(value), -above
    value = value if above == 1 else Multiply(scope.scalar(above), value)
    return value if below == 1 else Divide(value, scope.scalar(below))


def lower_plus(scope: Scope, expr: Expr) -> Expression:
    """A sum; terms scaled by -1 are subtracted."""
    first, *rest = expr.args
    result = lower_expression(scope, first)
    for term in rest:
        if isinstance(term, mf.Scaled) and term.args[0].as_coeff_Mul()[0].is_negative:
            result = Subtract(result, lower_scaled(scope, -term.args[0], lower_expression(scope, term.args[1])))
        elif isinstance(term, mf.Filled) and term.args[0].is_negative:
            result = Subtract(result, scope.scalar(-term.args[0]))
        else:
            result = Add(result, lower_expression(scope, term))
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
    result = factors[0] if factors else Number(1)
    for factor in factors[1:]:
        result = Multiply(result, factor)
    return result


def lower_applied(scope: Scope, expr: Expr) -> Expression:
    """f_l or its derivative at Z; the identity is not called."""
    layer, order, argument = expr.args
    name = scope.function(layer)
    if name is None:
        return Number(1) if order else lower_expression(scope, argument)
    return Call(name + ("_prime" if order else ""), lower_expression(scope, argument))


def lower_power(scope: Scope, expr: Expr) -> Expression:
    """A power with a whole exponent; (ν + ε)^(-1/2) is a function of ν."""
    base, exponent = expr.args
    if exponent.is_Integer:
        return Power(lower_expression(scope, base), int(exponent))
    terms = [term for term in base.args if not isinstance(term, mf.Filled)] if isinstance(base, mf.Plus) else []
    if exponent != Rational(-1, 2) or len(terms) != 1 or mf.Filled(epsilon, *mf.shape(terms[0])) not in base.args:
        raise TypeError(f"no way to lower a power with the exponent {exponent}")
    return scope.root(lower_expression(scope, terms[0]))


LOWERINGS: dict[type, Lowering] = {
    mf.Array: lambda scope, e: scope.name(e.template),
    mf.Transposed: lambda scope, e: Transpose(lower_expression(scope, e.args[0])),
    mf.Product: lambda scope, e: MatMul(*(lower_expression(scope, arg) for arg in e.args)),
    mf.Hadamard: lower_hadamard,
    mf.Plus: lower_plus,
    mf.Scaled: lambda scope, e: lower_scaled(scope, e.args[0], lower_expression(scope, e.args[1])),
    mf.CostGradient: lambda scope, e: scope.gradient(e.template),
    mf.Power: lower_power,
    mf.Applied: lower_applied,
    mf.Elementwise: lambda scope, e: Call(scope.named(str(e.args[0].name)), lower_expression(scope, e.args[1])),
    mf.Rowwise: lambda scope, e: Call(str(e.args[0].name), lower_expression(scope, e.args[1])),
    mf.SumRows: lambda scope, e: SumRows(lower_expression(scope, e.args[0])),
    mf.RowTotals: lambda scope, e: SumColumns(lower_expression(scope, e.args[0])),
    mf.RowSums: lambda scope, e: SumColumns(lower_expression(scope, e.args[0])),
    mf.Broadcast: lambda scope, e: lower_expression(scope, e.args[0]),
    mf.Columns: lambda scope, e: lower_expression(scope, e.args[0]),
    mf.Filled: lambda scope, e: scope.scalar(e.args[0]),
}


def name_functions(network: Network) -> tuple[str, ...]:
    """How the activation of each layer is called in the module.

    One activation in all hidden layers is f, as in the equations; otherwise each has its own name.

    >>> name_functions(Network.parse("4-3-3-2", activation="relu", output="softmax", cost="cross-entropy"))
    ('f', 'f', 'softmax')
    """
    hidden = list(dict.fromkeys(network.activations))
    names = {hidden[0]: "f"} if len(hidden) == 1 else {}
    for name in network.functions:
        if name not in names:
            usable = name == "softmax" or (name in NAMES and name not in RESERVED)
            names[name] = name if usable else f"g{len(names)}"
    return tuple(names[name] for name in network.functions)


def at_layer(expr: Expr, layer: int, depth: int) -> Expr:
    """The equation for one layer of a network of known depth."""
    return shift(shift(expr, l, layer), L, depth)


@cache
def matrix_of(label: str) -> Expr:
    """The right-hand side of BP2, BP3 or BP4 for a batch, as a matrix expression."""
    return derive_matrix_form(label).result.matrix


@cache
def output_error_of(output: str, cost: str, weighted: bool = False) -> Expr:
    """The right-hand side of BP1 for an output function and a cost."""
    derivation = derive_secure_error(output, cost, weighted)
    return lift_derivation(derivation, derivation.subject.indices).result.matrix


@cache
def cost_of(output: str, cost: str, weighted: bool = False) -> tuple[Expr, Expr]:
    """The cost as (factor, matrix whose entries are summed), from z where that is safer."""
    stable = derive_stable_cost(output, cost, weighted)
    whole = find_cost(cost, weighted).expression if stable is None else stable.result
    factor, inner = whole.as_independent(Total)
    rows = inner.body
    summand = lift(rows.body, (inner.index, rows.index))
    if isinstance(summand, mf.Scaled):
        return factor * summand.args[0], summand.args[1]
    return factor, summand


def lower(network: Network) -> Program:
    """Write down the program of a network: F1 and F2 upwards, the cost, BP1, then BP4, BP3, BP2 downwards.

    >>> program = lower(Network.parse("3-2-1"))
    >>> [line.label for line in program.backward]
    ['BP1', 'BP4', 'BP3', 'BP2', 'BP4', 'BP3']
    """
    functions = name_functions(network)
    scope, depth = Scope(network, functions), network.depth
    equations = forward_matrix_form()

    def line(letter: str, layer: int, value: Expr, label: str, prefix: str = "") -> Assignment:
        lowered = lower_expression(scope, at_layer(value, layer, depth))
        python = prefix + GLOSSARY[letter].python + str(layer)
        shape = {"w": tuple(network.sizes[layer - 1 : layer + 1]), "b": (network.sizes[layer],)}
        return Assignment(Name(python, shape.get(letter, ("n", network.sizes[layer]))), lowered, label)

    forward: list[Assignment] = []
    for layer in range(1, depth + 1):
        forward.append(line("z", layer, equations["F1"], "F1"))
        forward.append(output_line(scope, depth) if layer == depth else line("a", layer, equations["F2"], "F2"))
    factor, summand = cost_of(network.output, network.cost)
    summed = SumAll(lower_expression(scope, at_layer(summand, depth, depth)))
    backward = [line("delta", depth, output_error_of(network.output, network.cost), "BP1")]
    for layer in range(depth, 0, -1):
        backward.append(line("w", layer, matrix_of("BP4"), "BP4", "d"))
        backward.append(line("b", layer, matrix_of("BP3"), "BP3", "d"))
        if layer > 1:
            backward.append(line("delta", layer - 1, matrix_of("BP2"), "BP2"))
    cost = lower_scaled(scope, shift(factor, L, Integer(depth)), summed)
    return Program(network.sizes, tuple(forward), cost, tuple(backward), functions, network.targets)


def output_line(scope: Scope, depth: int) -> Assignment:
    """F2 of the last layer: the output function on z^L."""
    z = Name(f"z{depth}", ("n", scope.network.sizes[-1]))
    output = scope.network.output
    value = z if output == "identity" else Call(scope.functions[-1], z)
    return Assignment(Name(f"a{depth}", z.dims), value, "F2")
