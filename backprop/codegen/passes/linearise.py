"""linearise: the nodes of a program become steps, one operation each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from backprop.codegen.lowering import nodes
from backprop.codegen.lowering.nodes import Expression, Name, Shape, rewrite, walk
from backprop.codegen.lowering.program import Assignment, Program
from backprop.codegen.passes.steps import TEMPORARY, Flow, Instruction, Unsupported, ValueKind
from backprop.codegen.printing.emit import write_expression

__all__ = ["Expand", "linearise"]

Expand = Callable[[str, str, "Lineariser"], str | None]
"""(function, operand) -> the result's name where a function is cut into steps; None where it is called."""

BINARY: dict[type, str] = {
    nodes.Add: "add",
    nodes.Subtract: "subtract",
    nodes.Multiply: "multiply",
    nodes.Divide: "divide",
}


def linearise(program: Program, parameters: Mapping[str, Shape], expand: Expand, *, with_cost: bool) -> Flow:
    """Forward pass, cost if asked, backward pass, as steps; `flow.total` is the text of the cost.

    Errors: Unsupported for a node without a fast form.
    """
    return Lineariser(program, parameters, expand).run(with_cost=with_cost)


class Lineariser:
    """Goes through a program once."""

    def __init__(self, program: Program, parameters: Mapping[str, Shape], expand: Expand) -> None:
        self.program, self.parameters, self.expand = program, parameters, expand
        self.flow = Flow()
        self.names: dict[str, str] = {}
        self.known: dict[tuple[object, ...], str] = {}
        self.count = 0

    def run(self, *, with_cost: bool) -> Flow:
        """All steps, and what must be kept."""
        for name, shape in self.parameters.items():
            self.enter(name, shape, ValueKind.PARAMETER)
            self.enter("d" + name, shape, ValueKind.RESULT)
        for line in self.program.forward:
            self.assign(line)
        if with_cost:
            self.take_cost()
        for line in self.program.backward:
            self.assign(line)
        return self.flow

    def enter(self, name: str, shape: Shape, kind: ValueKind) -> str:
        """A value that is known from now on."""
        self.flow.shapes[name], self.flow.kinds[name] = shape, kind
        return name

    def take_cost(self) -> None:
        """The sum over all entries is a step; what is done with that one number is Python."""
        sums = list(dict.fromkeys(node for node in walk(self.program.cost) if isinstance(node, nodes.SumAll)))
        totals = {one: Name(self.step("sum_all", self.visit(one.of), shape=()), ()) for one in sums}
        self.flow.kept = tuple(total.id for total in totals.values())
        whole = rewrite(self.program.cost, lambda node: totals.get(node) if isinstance(node, nodes.SumAll) else None)
        if any(isinstance(node, Name) and node.id not in ("n", *self.flow.kept) for node in walk(whole)):
            raise Unsupported("a cost with other values beside its sums")
        self.flow.total = write_expression(whole)

    def assign(self, line: Assignment) -> None:
        """One line: its last step has the name of the line; the pieces of the gradient are results."""
        name = line.target.id
        value = self.visit(line.value)
        if self.flow.kinds.get(name) is ValueKind.RESULT:
            last = self.flow.steps[-1]
            if last.result != value or self.flow.kinds[value] is not ValueKind.VALUE:
                raise Unsupported(f"{name} is the same as another value")
            self.flow.steps[-1] = replace(last, result=name)
            del self.known[last.key], self.flow.kinds[value], self.flow.shapes[value]
            return
        if not (self.flow.steps and self.flow.steps[-1].result == value and value.startswith(TEMPORARY)):
            self.names[name] = value
            return
        last = self.flow.steps.pop()
        self.flow.steps.append(replace(last, result=name))
        self.enter(name, self.flow.shapes.pop(value), ValueKind.VALUE)
        del self.flow.kinds[value]
        self.known[last.key] = name
        self.names[value] = name

    def step(self, function: str, *operands: str, shape: Shape, turned: tuple[bool, ...] = (), called: str = "") -> str:
        """One more step, or the name of the same one done before."""
        step = Instruction(f"{TEMPORARY}{self.count + 1}", function, operands, turned, called)
        if step.key in self.known:
            return self.known[step.key]
        self.count += 1
        self.flow.steps.append(step)
        self.known[step.key] = step.result
        return self.enter(step.result, shape, ValueKind.VALUE)

    def step_twice(self, called: str, operand: str) -> tuple[str, str]:
        """A call with two results: f and f' of one array."""
        shape = self.flow.shapes[operand]
        value = self.step("call", operand, shape=shape, called=called)
        last = self.flow.steps[-1]
        if last.result == value and not last.also:
            self.flow.steps[-1] = replace(last, also=self.enter(f"slope_of_{operand}", shape, ValueKind.VALUE))
        return value, f"slope_of_{operand}"

    def visit(self, node: Expression) -> str:
        """Compute a node; the name of its value."""
        if isinstance(node, Name):
            return self.look_up(node)
        if node.shape == ():
            return self.flow.constant(write_expression(node))
        if isinstance(node, nodes.Binary) and type(node) in BINARY:
            left, right = self.visit(node.left), self.visit(node.right)
            return self.step(BINARY[type(node)], left, right, shape=node.shape)
        return self.visit_one(node)

    def visit_one(self, node: Expression) -> str:
        """Products, sums, functions."""
        match node:
            case nodes.MatMul(left=left, right=right):
                turned = isinstance(left, nodes.Transpose), isinstance(right, nodes.Transpose)
                sides = [side.of if isinstance(side, nodes.Transpose) else side for side in (left, right)]
                if any(len(side.shape) != 2 for side in sides):
                    raise Unsupported("a product with a vector")
                return self.step("product", *map(self.visit, sides), shape=node.shape, turned=turned)
            case nodes.SumRows(of=of):
                return self.step("sum_rows", self.visit(of), shape=node.shape)
            case nodes.SumColumns(of=of):
                return self.step("sum_columns", self.visit(of), shape=node.shape)
            case nodes.Negate(of=of):
                return self.step("negative", self.visit(of), shape=node.shape)
            case nodes.Power(of=of, exponent=2):
                return self.step("square", self.visit(of), shape=node.shape)
            case nodes.Call(function=function, of=of):
                operand = self.visit(of)
                done = self.expand(function, operand, self)
                return done or self.step("call", operand, shape=node.shape, called=function)
        raise Unsupported(f"no step for a {type(node).__name__}")

    def look_up(self, name: Name) -> str:
        """The value behind a name; one that was never computed comes in from outside."""
        if name.shape == ():
            return self.flow.constant(name.id)
        known = name.id
        while known in self.names:
            known = self.names[known]
        if known not in self.flow.kinds:
            self.enter(known, name.shape, ValueKind.INPUT)
        return known
