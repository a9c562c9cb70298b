"""lower_stack: the program of a network of any layers, each line an equation of one layer with its names put in.

Upwards every layer's forward equations; then BP1; downwards every layer's own equations, in which the derivative
of C by what it handed on is the sum over those who read it.  Nothing is differentiated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from sympy import Expr, Integer

from backprop.codegen.lower import (
    Scope,
    at_layer,
    cost_of,
    lower_expression,
    lower_scaled,
    output_error_of,
)
from backprop.codegen.program import (
    Add,
    Assignment,
    Call,
    Expression,
    Mask,
    Name,
    Prediction,
    Program,
    Shape,
    Size,
    Statistic,
    SumAll,
    rewrite,
)
from backprop.codegen.stack_names import (
    count_uses,
    equations_of,
    list_groups,
    name_functions,
    name_penalties,
    name_statistics,
    penalised,
    rates_of,
)
from backprop.layers import BatchNorm, Dropout, LayerNorm
from backprop.network import Network
from backprop.plan import Element
from theory import matrices as mf
from theory.layer_equations import Equation, derive_layer
from theory.layers.penalty import penalty
from theory.matrix_form import lift
from theory.notation import GLOSSARY, Index, L, Variable, Width, l, shift

__all__ = ["lower_stack"]


class ElementScope(Scope):
    """What the letters of one layer's equations mean at one place of the network."""

    def __init__(self, stack: Stack, element: Element, names: dict[str, Name]) -> None:
        self.stack, self.element, self.names = stack, element, names
        self.from_above: dict[str, Expression] = {}

    def size(self, expr: Expr) -> Size:
        """M_l and M_{l-1} of this layer, or n."""
        if isinstance(expr, Width):
            return self.element.width if expr.layer == l else self.element.before
        return "n" if expr.is_Symbol else int(expr)

    def name(self, variable: Variable) -> Name | Expression:  # type: ignore[override]
        """A quantity of this layer; δ is the derivative that came from above."""
        if variable.name == "delta":
            return self.from_above["z"]
        if variable.name not in self.names:
            text = GLOSSARY[variable.name].python + self.element.tag
            self.names[variable.name] = Name(text, self.dims(variable.indices))
        return self.names[variable.name]

    def dims(self, indices: Sequence[Index]) -> Shape:
        """The shape of an array with these indices; a number for each sample is a column."""
        sizes = tuple(self.size(index.size) for index in indices)
        return ("n", 1) if sizes == ("n",) else sizes

    def function(self, layer: Expr) -> str | None:
        """The activation or gate of this element."""
        return self.stack.names.get(self.element.function)

    def gradient(self, quantity: Variable) -> Expression:
        """∂C by a quantity of this layer, as it came from above."""
        return self.from_above[quantity.name]

    def root(self, variance: Expression) -> Expression:
        """1/√(variance + ε) of this layer's ε."""
        layer = self.element.layer
        assert isinstance(layer, BatchNorm | LayerNorm)
        return Call(self.stack.roots[layer.epsilon], variance)


class OutputScope(Scope):
    """What the letters of the cost and of BP1 mean: z^L goes into the output function, a^L comes out."""

    def __init__(self, network: Network, z: Name, a: Name, function: str) -> None:
        self.network, self.z, self.a, self.output = network, z, a, function

    def size(self, expr: Expr) -> Size:
        """M_L or n."""
        return self.network.outputs if isinstance(expr, Width) else "n" if expr.is_Symbol else int(expr)

    def name(self, variable: Variable) -> Name:
        """z, a, Y or the weights of the samples."""
        shape: Shape = ("n", self.network.outputs)
        known = {"z": self.z, "a": self.a, "y": Name("Y", shape), "omega": Name("weights", ("n", 1))}
        return known[variable.name]

    def function(self, layer: Expr) -> str | None:
        """The output function."""
        return None if self.network.output == "identity" else self.output


class Stack:
    """A network on its way to a program."""

    def __init__(self, network: Network) -> None:
        self.network = network
        elements = list(network.elements)
        last = elements[-1]
        self.final = elements.pop() if last.kind == "activation" and last.function == network.output else None
        self.elements = tuple(elements)
        self.names, self.statements = name_functions(network)
        epsilons = dict.fromkeys(e.layer.epsilon for e in elements if isinstance(e.layer, BatchNorm | LayerNorm))
        self.roots = {value: "inverse_root" + ("" if k == 0 else f"_{k + 1}") for k, value in enumerate(epsilons)}
        self.penalties, self.stated_penalties = name_penalties(network, elements)

    def run_forward(self, given: bool) -> tuple[list[Assignment], list[ElementScope], Name]:
        """Every layer's forward lines; `given` for prediction: no masks, statistics from outside."""
        lines: list[Assignment] = []
        scopes: list[ElementScope] = []
        current, forks = Name("X", ("n", self.network.inputs)), []
        for element in self.elements:
            if element.kind == "fork":
                forks.append(current)
            if element.kind == "fork" or (given and element.kind == "dropout"):
                continue
            equations = equations_of(element, given)
            inputs = [x.name for x in equations.system.inputs]
            output = Name(element.out, ("n", element.width))
            names = {equations.system.output: output}
            names |= {inputs[0]: forks.pop(), inputs[1]: current} if element.kind == "join" else {inputs[0]: current}
            if given and element.kind == "batch_norm":
                names |= dict(zip(("mu", "nu"), name_statistics(element), strict=True))
            scope = ElementScope(self, element, names)
            for equation in equations.forward:
                value = lower_expression(scope, equation.matrix)
                target = scope.name(equation.target)
                assert isinstance(target, Name)
                lines.append(Assignment(target, value, equation.label))
            scopes.append(scope)
            current = output
        return lines, scopes, current

    def add_output(self, lines: list[Assignment], z: Name) -> OutputScope:
        """F2 of the last layer, where it is not the identity."""
        function = self.names.get(self.network.output, "")
        a = z
        if self.final is not None and function:
            a = Name(self.final.out, z.dims)
            lines.append(Assignment(a, Call(function, z), "F2"))
        return OutputScope(self.network, z, a, function)

    def lower_cost(self, scope: OutputScope) -> Expression:
        """The cost, and the penalty of every layer that has one."""
        depth = self.network.depth
        factor, summand = cost_of(self.network.output, self.network.cost, self.network.weighted)
        summed = SumAll(lower_expression(scope, at_layer(summand, depth, depth)))
        cost = lower_scaled(scope, shift(factor, L, Integer(depth)), summed)
        for element in self.elements:
            for parameter in penalised(element):
                if function := self.penalties.get(rates_of(self.network, element)):
                    weights = Name(parameter, (element.before, element.width))
                    cost = Add(cost, SumAll(lower_penalty(weights, function, 0)))
        return cost

    def run_backward(self, scopes: Sequence[ElementScope], output: OutputScope) -> list[Assignment]:
        """BP1, then every layer from the last to the first."""
        lines: list[Assignment] = []
        depth = self.network.depth
        error = at_layer(output_error_of(self.network.output, self.network.cost, self.network.weighted), depth, depth)
        sums: dict[str, list[tuple[Expression, str]]] = {output.z.id: [(lower_expression(output, error), "BP1")]}
        trained = self.list_trained(scopes)
        for scope in reversed(scopes):
            self.step_back(scope, sums, trained, lines)
        return share(lines)

    def list_trained(self, scopes: Iterable[ElementScope]) -> set[str]:
        """The quantities that depend on a parameter: only their derivatives are asked for."""
        trained: set[str] = set()
        for scope in scopes:
            system = equations_of(scope.element, False).system
            if scope.element.parameters or any(scope.names[x.name].id in trained for x in system.inputs):
                trained.add(scope.element.out)
        return trained

    def step_back(
        self,
        scope: ElementScope,
        sums: dict[str, list[tuple[Expression, str]]],
        trained: set[str],
        lines: list[Assignment],
    ) -> None:
        """One layer: the derivative by what it handed on, then by its own quantities, then what its inputs get."""
        element, equations = scope.element, equations_of(scope.element, False)
        if element.out not in trained:
            return
        system = equations.system
        wanted = [e for e in equations.backward if e.target not in system.inputs]
        wanted += [
            e for e in equations.backward if e.target in system.inputs and scope.names[e.target.name].id in trained
        ]
        parts = sums.pop(element.out)
        value = parts[0][0]
        for part, _ in parts[1:]:
            value = Add(value, part)
        label = parts[0][1] if len(parts) == 1 else "BP2"
        if count_uses(wanted, system.output) > 1 or system.output == "z" or len(parts) > 1:
            value = define(lines, derivative_name(scope.names[system.output]), value, label)
        scope.from_above[system.output] = value
        for equation in wanted:
            self.write_equation(scope, equation, sums, lines)

    def write_equation(
        self,
        scope: ElementScope,
        equation: Equation,
        sums: dict[str, list[tuple[Expression, str]]],
        lines: list[Assignment],
    ) -> None:
        """One equation of the backward pass as a line, or as a part of the sum for the layer below."""
        letter, system = equation.target.name, equations_of(scope.element, False).system
        value = lower_expression(scope, equation.matrix)
        if equation.target in system.inputs:
            sums.setdefault(scope.names[letter].id, []).append((value, "BP2"))
            return
        name = scope.name(equation.target)
        assert isinstance(name, Name)
        if equation.target not in system.parameters:
            scope.from_above[letter] = define(lines, derivative_name(name), value, equation.label)
            return
        function = self.penalties.get(rates_of(self.network, scope.element))
        if function and name.id in penalised(scope.element):
            value = Add(value, lower_penalty(name, function, 1))
        lines.append(Assignment(Name(f"d{name.id}", name.dims), value, equation.label))


def derivative_name(quantity: Name) -> Name:
    """delta2 for z2, dh1 for h1."""
    text = quantity.id.replace("z", "delta", 1) if quantity.id.startswith("z") else f"d{quantity.id}"
    return Name(text, quantity.dims)


def define(lines: list[Assignment], name: Name, value: Expression, label: str) -> Expression:
    """A line of its own, unless the value is a name already."""
    if isinstance(value, Name):
        return value
    lines.append(Assignment(name, value, label))
    return name


def share(lines: Sequence[Assignment]) -> list[Assignment]:
    """What an earlier line has computed is read from there (the sums of a normalisation are its gradients)."""
    known: dict[Expression, Name] = {}
    out: list[Assignment] = []
    for line in lines:
        value = rewrite(line.value, known.get)
        out.append(Assignment(line.target, value, line.label))
        if not isinstance(line.value, Name):
            known.setdefault(line.value, line.target)
    return out


@cache
def penalty_equations() -> tuple[Expr, Expr]:
    """What is summed over the entries of W, and what BP4 gets: f(W) and f'(W)."""
    system = penalty()
    (w,) = system.parameters
    assert system.cost is not None
    return lift(system.cost.body.body, w.indices), lift(derive_layer(penalty)["w"].result, w.indices)


def lower_penalty(weights: Name, function: str, order: int) -> Expression:
    """f(W) or f'(W) for the function of the module that states the penalty."""
    matrix = penalty_equations()[order]
    assert isinstance(matrix, mf.Applied)
    return Call(function + "_prime" * int(matrix.args[1]), weights)


def lower_stack(network: Network) -> Program:
    """Write down the program of any network.

    >>> from backprop.layers import BatchNorm, Dense, Dropout
    >>> network = Network(3, Dense(4), BatchNorm(), Dropout(0.5), Dense(2))
    >>> [line.label for line in lower_stack(network).backward]
    ['BP1', 'BP4', 'BP3', 'BP2', 'BP4', 'BP3', 'BP2', 'BP4', 'BP3']
    """
    stack = Stack(network)
    lines, scopes, z = stack.run_forward(given=False)
    output = stack.add_output(lines, z)
    masks, statistics = [], []
    for scope in scopes:
        if isinstance(scope.element.layer, Dropout):
            masks.append(Mask(scope.names["m"], scope.element.layer.rate))
        elif isinstance(scope.element.layer, BatchNorm):
            seen, layer = (scope.names["mu"], scope.names["nu"]), scope.element.layer
            statistics.append(Statistic(seen, name_statistics(scope.element), layer.momentum))
    prediction = None
    if masks or statistics:
        given, _, last = stack.run_forward(given=True)
        cost = stack.lower_cost(stack.add_output(given, last))
        prediction = Prediction(tuple(given), cost)
    return Program(
        network.sizes,
        tuple(lines),
        stack.lower_cost(output),
        tuple(stack.run_backward(scopes, output)),
        (output.output,),
        network.targets,
        list_groups(network),
        stack.statements,
        stack.stated_penalties,
        tuple((name, value) for value, name in stack.roots.items()),
        tuple(masks),
        tuple(statistics),
        Name("weights", ("n", 1)) if network.weighted else None,
        prediction,
        output.a,
    )
