"""lower: the derived equations in matrix form become the program of one network.

Upwards every layer's forward equations; then BP1; downwards every layer's own equations, in which the derivative of C
by what it handed on is the sum over those who read it.  Every line is an equation of the book with its names put in:
nothing is differentiated here and no equation is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from sympy import Expr

from backprop.codegen.lowering.lower_expression import Scope, lower_expression, lower_scaled
from backprop.codegen.lowering.names import (
    count_uses,
    equations_of,
    find_names,
    list_groups,
    name_functions,
    name_penalties,
    name_statistics,
    penalised,
    rates_of,
)
from backprop.codegen.lowering.nodes import Call, Expression, Name, SumAll, rewrite
from backprop.codegen.lowering.program import Assignment, Mask, Prediction, Program, Statistic
from backprop.specification.network import Network
from backprop.specification.plan import Element
from theory.chapters.networks.costs import find_cost
from theory.chapters.networks.softmax import derive_secure_error, derive_stable_cost
from theory.language import matrices as mf
from theory.language.notation import Total
from theory.layers.activation import ACTIVATION
from theory.layers.penalty import penalty
from theory.rules.layer_equations import Equation, LayerEquations, derive_layer
from theory.rules.matrix_form import lift, lift_derivation

__all__ = ["lower", "output_error_of"]


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


class ElementEquations(NamedTuple):
    """One element with its equations, and what the letters in them mean."""

    element: Element
    equations: LayerEquations
    scope: Scope


class Lowering:
    """A network on its way to a program.  `sums` holds what the derivative of C by a quantity adds up from."""

    def __init__(self, network: Network) -> None:
        self.network = network
        elements = list(network.elements)
        last = elements[-1]
        self.final = elements.pop() if last.kind == ACTIVATION and last.function == network.output else None
        self.elements = tuple(elements)
        self.names = find_names(network)
        epsilons = dict.fromkeys(epsilon for e in elements if (epsilon := getattr(e.layer, "epsilon", 0.0)))
        self.roots = {value: "inverse_root" + ("" if k == 0 else f"_{k + 1}") for k, value in enumerate(epsilons)}
        self.penalties, self.stated_penalties = name_penalties(network, elements)
        self.lines: list[Assignment] = []
        self.sums: dict[str, list[tuple[Expression, str]]] = {}

    def call_of(self, function: str) -> str | None:
        """An activation by its name in the module; the identity is not called."""
        return None if function == "identity" else self.names.get(function)

    def run_forward(self, given: bool) -> tuple[list[Assignment], list[ElementEquations], Scope]:
        """Every layer's forward lines; `given` for prediction: no masks, statistics from outside."""
        lines: list[Assignment] = []
        steps: list[ElementEquations] = []
        current, forks = Name("X", ("n", self.network.inputs)), []
        for element in self.elements:
            if element.kind is None:
                forks.append(current)
            if element.kind is None or (given and element.kind.prediction is None):
                continue
            equations = equations_of(element.kind, given)
            *before, last = [x.name for x in equations.system.inputs]
            output = Name(element.out, ("n", element.width))
            names = {equations.system.output: output, last: current, **{letter: forks.pop() for letter in before}}
            if given:
                names |= dict(zip(element.kind.statistics, name_statistics(element), strict=True))
            root = self.roots.get(getattr(element.layer, "epsilon", 0.0), "")
            function = self.call_of(element.function)
            scope = Scope(element.before, element.width, names, element.tag, function, root)
            for equation in equations.forward:
                value = lower_expression(scope, equation.matrix)
                lines.append(Assignment(scope.target(equation.target), value, equation.label))
            steps.append(ElementEquations(element, equations, scope))
            current = output
        return lines, steps, self.add_output(lines, current)

    def add_output(self, lines: list[Assignment], z: Name) -> Scope:
        """F2 of the last layer; a plain network has that line of the identity too."""
        a, function = z, self.call_of(self.network.output)
        if self.final is not None and (function or self.network.is_plain):
            a = Name(self.final.out, z.dims)
            lines.append(Assignment(a, Call(function, z) if function else z, "F2"))
        names = {"z": z, "a": a, "y": Name("Y", z.dims), "omega": Name("weights", ("n", 1))}
        return Scope(0, self.network.outputs, names, function=function)

    def lower_cost(self, scope: Scope) -> Expression:
        """The cost, and the penalty of every layer that has one."""
        factor, summand = cost_of(self.network.output, self.network.cost, self.network.weighted)
        cost = lower_scaled(scope, factor, SumAll(lower_expression(scope, summand)))
        for element in self.elements:
            for parameter in penalised(element):
                if function := self.penalties.get(rates_of(self.network, element)):
                    weights = Name(parameter, (element.before, element.width))
                    cost = cost + SumAll(lower_penalty(weights, function, 0))
        return cost

    def run_backward(self, steps: Sequence[ElementEquations], output: Scope) -> list[Assignment]:
        """BP1, then every layer from the last to the first."""
        error = output_error_of(self.network.output, self.network.cost, self.network.weighted)
        self.lines, self.sums = [], {output.names["z"].id: [(lower_expression(output, error), "BP1")]}
        trained = list_trained(steps)
        for step in reversed(steps):
            if step.element.out in trained:
                self.step_back(step, trained)
        return share(self.lines)

    def step_back(self, step: ElementEquations, trained: set[str]) -> None:
        """One layer: the derivative by what it handed on, then by its own quantities, then what its inputs get."""
        (element, equations, scope), system = step, step.equations.system
        asked = [e for e in equations.backward if e.target in system.inputs]
        wanted = [e for e in equations.backward if e not in asked]
        wanted += [e for e in asked if scope.names[e.target.name].id in trained]
        parts = self.sums.pop(element.out)
        value = parts[0][0]
        for part, _ in parts[1:]:
            value = value + part
        label = parts[0][1] if len(parts) == 1 else "BP2"
        if count_uses(wanted, system.output) > 1 or system.output == "z" or len(parts) > 1:
            value = self.define(derivative_name(scope.names[system.output]), value, label)
        scope.from_above[system.output] = value
        for equation in wanted:
            self.write_equation(step, equation)

    def write_equation(self, step: ElementEquations, equation: Equation) -> None:
        """One equation of the backward pass as a line, or as a part of the sum for the layer below."""
        letter, scope, system = equation.target.name, step.scope, step.equations.system
        value = lower_expression(scope, equation.matrix)
        if equation.target in system.inputs:
            self.sums.setdefault(scope.names[letter].id, []).append((value, "BP2"))
            return
        name = scope.target(equation.target)
        if equation.target not in system.parameters:
            scope.from_above[letter] = self.define(derivative_name(name), value, equation.label)
            return
        function = self.penalties.get(rates_of(self.network, step.element))
        if function and name.id in penalised(step.element):
            value = value + lower_penalty(name, function, 1)
        self.lines.append(Assignment(Name(f"d{name.id}", name.dims), value, equation.label))

    def define(self, name: Name, value: Expression, label: str) -> Expression:
        """A line of its own, unless the value is a name already."""
        if isinstance(value, Name):
            return value
        self.lines.append(Assignment(name, value, label))
        return name


def list_trained(steps: Iterable[ElementEquations]) -> set[str]:
    """The quantities that depend on a parameter: only their derivatives are asked for."""
    trained: set[str] = set()
    for element, equations, scope in steps:
        if element.parameters or any(scope.names[x.name].id in trained for x in equations.system.inputs):
            trained.add(element.out)
    return trained


def derivative_name(quantity: Name) -> Name:
    """delta2 for z2, dh1 for h1."""
    text = quantity.id.replace("z", "delta", 1) if quantity.id.startswith("z") else f"d{quantity.id}"
    return Name(text, quantity.dims)


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


def lower(network: Network) -> Program:
    """Write down the program of a network.

    >>> [line.label for line in lower(Network.parse("3-2-1")).backward]
    ['BP1', 'BP4', 'BP3', 'BP2', 'BP4', 'BP3']
    >>> from backprop.specification.layers import BatchNorm, Dense, Dropout
    >>> [line.label for line in lower(Network(3, Dense(4), BatchNorm(), Dropout(0.5), Dense(2))).backward]
    ['BP1', 'BP4', 'BP3', 'BP2', 'BP4', 'BP3', 'BP2', 'BP4', 'BP3']
    """
    work = Lowering(network)
    lines, steps, output = work.run_forward(given=False)
    masks, statistics = [], []
    for element, _, scope in steps:
        kind, layer = element.kind, element.layer
        if kind and kind.mask:
            masks.append(Mask(scope.names[kind.mask], getattr(layer, "rate", 0.0)))
        if kind and kind.statistics:
            mean, variance = (scope.names[letter] for letter in kind.statistics)
            given_mean, given_variance = name_statistics(element)
            pairs = (mean, variance), (given_mean, given_variance)
            statistics.append(Statistic(*pairs, getattr(layer, "momentum", 1.0)))
    prediction = None
    if masks or statistics:
        given, _, last = work.run_forward(given=True)
        prediction = Prediction(tuple(given), work.lower_cost(last))
    return Program(
        network.sizes,
        tuple(lines),
        work.lower_cost(output),
        tuple(work.run_backward(steps, output)),
        name_functions(network) if network.is_plain else (output.function or "",),
        network.targets,
        list_groups(network),
        tuple((name, function) for function, name in work.names.items() if function not in ("softmax", "identity")),
        work.stated_penalties,
        tuple((name, value) for value, name in work.roots.items()),
        tuple(masks),
        tuple(statistics),
        Name("weights", ("n", 1)) if network.weighted else None,
        prediction,
        output.names["a"],
    )
