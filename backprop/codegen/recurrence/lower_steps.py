"""lower_steps: the equations of a recurrent layer become the lines of one step; its dense layer is lowered as ever.

Nothing is differentiated here and no equation is written here: those of the layer come from `theory.layers.recurrent`
through the adjoint engine, all others from the same network without time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, Symbol

from backprop.codegen.lowering.lower import lower
from backprop.codegen.lowering.lower_expression import Scope, lower_expression
from backprop.codegen.lowering.names import equations_of
from backprop.codegen.lowering.nodes import Expression, Name, Size, rewrite
from backprop.codegen.lowering.program import Assignment, Group, Program
from backprop.specification.recurrent import RecurrentNetwork
from theory.chapters.networks.recurrent import lift_through_time
from theory.language.glossary import GLOSSARY
from theory.language.notation import L, Variable, Width, l
from theory.layers.recurrent import recurrent
from theory.layers.weighted_sum import WEIGHTED_SUM
from theory.rules.layer_equations import LayerEquations, layer_equations

__all__ = ["StepProgram", "lower_steps"]

TIME = {l: Symbol("t"), L: Symbol("T")}
"""What the layer is called in the program: step t of 1..T."""


@dataclass(frozen=True)
class StepProgram:
    """What a recurrent network computes.

    `step` is done for t = 1..T; then `program.forward` reads the last step.  Backwards `program.backward`, then `last`
    for t = T, `back` for t = T-1, …, 1, and `shared` once: what all steps have in common.
    """

    program: Program
    step: tuple[Assignment, ...]
    last: tuple[Assignment, ...]
    back: tuple[Assignment, ...]
    shared: tuple[Assignment, ...]


class StepScope(Scope):
    """What the letters mean inside a step: h at layer l-1 is h[t - 1], x at layer l is X[:, t - 1]."""

    def size(self, expr: Expr) -> Size:
        """M_0, M_1 or n."""
        if isinstance(expr, Width):
            return (self.before, self.width)[int(expr.layer)]
        return super().size(expr)

    def name(self, variable: Variable) -> Expression:
        """Every quantity has the name of its step, the error too."""
        return self.target(variable)

    def target(self, variable: Variable) -> Name:
        """A name with the step in it; parameters have none."""
        sizes = tuple(self.size(index.size) for index in variable.indices)
        text = GLOSSARY[variable.name].python
        if variable.layer is None:
            return Name(text + self.tag, sizes)
        step = variable.layer.subs(TIME)
        comes_in = variable.name in {x.name for x in recurrent().inputs}
        return Name(f"X[:, {step - 1}]" if comes_in else f"{text}[{step}]", sizes)


def lower_steps(network: RecurrentNetwork) -> StepProgram:
    """Write down the program of a recurrent network.

    >>> from backprop.codegen.printing.emit import write_line
    >>> for line in lower_steps(RecurrentNetwork.parse("3-8-2")).back:
    ...     print(write_line(line))
    delta[t] = (delta[t + 1] @ W1.T) * f_prime(z[t]) # BP2  (n, 8)
    """
    whole, equations = lower(network.dense), layer_equations(recurrent)
    inputs, units, outputs = network.sizes
    function = None if network.dense.activations[0] == "identity" else whole.functions[0]
    scope = StepScope(inputs, units, {}, "1", function)
    scope.from_above["h"] = from_above = Name("dh", ("n", units))
    step = tuple(
        Assignment(scope.target(e.target), lower_expression(scope, e.matrix), e.label) for e in equations.forward
    )
    above = Scope(units, outputs, {}, "2")
    above.from_above["z"] = Name("delta2", ("n", outputs))
    (handed_down,) = (e for e in equations_of(WEIGHTED_SUM).backward if e.target.name == "a")
    error = lift_through_time()["last"]
    last = (
        Assignment(from_above, lower_expression(above, handed_down.matrix), handed_down.label),
        Assignment(scope.target(error.subject), lower_expression(scope, error.result.matrix), error.label),
    )
    return StepProgram(read_last_step(whole, scope), step, last, *lower_backward(scope, equations))


def lower_backward(scope: StepScope, equations: LayerEquations) -> tuple[tuple[Assignment, ...], ...]:
    """The error of a step, and the gradients of what all steps share."""
    system, back, shared = equations.system, [], []
    for equation in equations.backward:
        target, value = scope.target(equation.target), lower_expression(scope, equation.matrix)
        if equation.target in system.parameters:
            shared.append(Assignment(Name(f"d{target.id}", target.dims), value, equation.label))
        elif letter := system.adjoint_name(equation.target.name):
            error = Variable(letter, equation.target.layer, *equation.target.indices)
            back.append(Assignment(scope.target(error), value, equation.label))
    return tuple(back), tuple(shared)


def read_last_step(whole: Program, scope: StepScope) -> Program:
    """The dense layer alone: its lines, reading h of step T where the network without time has a1."""
    below = [line.target for line in whole.forward[:2]]
    last = scope.target(Variable("h", L, *recurrent().definitions[1].target.indices))

    def at_last(lines: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
        kept = (line for line in lines if not line.target.id.endswith("1"))
        return tuple(
            Assignment(line.target, rewrite(line.value, lambda node: last if node == below[1] else None), line.label)
            for line in kept
        )

    owned = recurrent().parameters
    names = tuple(scope.target(p) for p in owned)
    first = Group("Recurrent", tuple(GLOSSARY[p.name].python for p in owned), names)
    return replace(
        whole, forward=at_last(whole.forward), backward=at_last(whole.backward), groups=(first, whole.groups[1])
    )
