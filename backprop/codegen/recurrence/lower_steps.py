"""lower_steps: the equations of a layer over time become the lines of one step; its dense layer is lowered as ever.

Nothing is differentiated here and no equation is written here: those of the layer come from `theory.layers` through
the adjoint engine, all others from the same network without time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, Symbol

from backprop.codegen.lowering.lower import lower
from backprop.codegen.lowering.lower_expression import Scope, lower_expression
from backprop.codegen.lowering.names import equations_of, find_names
from backprop.codegen.lowering.nodes import Expression, Name, Size, rewrite
from backprop.codegen.lowering.program import Assignment, Group, Program
from backprop.specification.recurrent import RecurrentNetwork
from theory.chapters.networks.recurrent import STATEMENTS, is_last, lift_through_time, quantity_of
from theory.language.derivation import Derivation
from theory.language.glossary import GLOSSARY
from theory.language.notation import L, Variable, Width, l, nodes
from theory.language.statement import System
from theory.layers.weighted_sum import WEIGHTED_SUM
from theory.rules.matrix_form import lift

__all__ = ["GATE", "StepProgram", "lower_steps"]

TIME = {l: Symbol("t"), L: Symbol("T")}
"""What the layer is called in the program: step t of 1..T."""
GATE = "sigmoid"
"""σ, the function of the gates."""


@dataclass(frozen=True)
class StepProgram:
    """What a network over time computes.

    `step` is done for t = 1..T; then `program.forward` reads the last step.  Backwards `program.backward`, then `last`
    for t = T, `back` for t = T-1, …, 1, and `shared` once: what all steps have in common.  `kept` are the quantities
    of a step, `memories` those that the next step reads, `errors` the derivatives of C by them.
    """

    program: Program
    step: tuple[Assignment, ...]
    last: tuple[Assignment, ...]
    back: tuple[Assignment, ...]
    shared: tuple[Assignment, ...]
    kept: tuple[str, ...]
    memories: tuple[str, ...]
    errors: tuple[str, ...]


class StepScope(Scope):
    """What the letters mean inside a step: h at layer l-1 is h[t - 1], x at layer l is X[:, t - 1]."""

    def __init__(self, system: System, sizes: tuple[int, ...], function: str | None, gate: str) -> None:
        super().__init__(sizes[0], sizes[1], {}, "1", function)
        self.system, self.gate = system, gate

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
        comes_in = variable.name in {x.name for x in self.system.inputs}
        return Name(f"X[:, {step - 1}]" if comes_in else f"{text}[{step}]", sizes)

    def error(self, variable: Variable) -> Name:
        """The derivative of C by a quantity of a step; what the dense layer hands down has no step if h is no cut."""
        letter = self.system.adjoint_name(variable.name)
        target = self.target(replace_letter(variable, letter) if letter else variable)
        if variable.name == self.system.output and variable.name not in self.system.cuts:
            return Name(name_error(variable.name), target.dims)
        return target if letter else Name(f"d{target.id}", target.dims)


def replace_letter(variable: Variable, letter: str) -> Variable:
    """The same place of another array."""
    return Variable(letter, variable.layer, *variable.indices)


def name_error(name: str) -> str:
    """dh for h."""
    return f"d{GLOSSARY[name].python}"


def lower_steps(network: RecurrentNetwork) -> StepProgram:
    """Write down the program of a network over time.

    >>> from backprop.codegen.printing.emit import write_line
    >>> for line in lower_steps(RecurrentNetwork.parse("3-8-2")).back:
    ...     print(write_line(line))
    delta[t] = (delta[t + 1] @ W1.T) * f_prime(z[t]) # BP2  (n, 8)
    """
    statement, dense = STATEMENTS[network.kind], network.dense
    system, whole, names = statement(), lower(dense), find_names(dense)
    gate = names.get(GATE, GATE)
    function = None if dense.activations[0] == "identity" else whole.functions[0]
    scope = StepScope(system, network.sizes, function, gate)
    forward = [(d.label, d.target, lift(d.expr, d.target.indices)) for d in system.definitions]
    step = tuple(Assignment(scope.target(x), lower_expression(scope, matrix), label) for label, x, matrix in forward)
    last, back, shared = lower_backward(scope, lift_through_time(statement))
    program = read_last_step(whole, scope, network.kind.title().replace("_", ""))
    if (gate, GATE) not in whole.statements:
        program = replace(program, statements=(*program.statements, (gate, GATE)))
    kept = [GLOSSARY[d.target.name].python for d in system.definitions]
    errors = dict.fromkeys(line.target.id.partition("[")[0] for line in (*last, *back))
    return StepProgram(
        program, step, (hand_down(scope, network.sizes), *last), back, shared, tuple(kept), list_memories(system),
        tuple(one for one in errors if not one.startswith(name_error("h")) or "h" in system.cuts),
    )  # fmt: skip


def list_memories(system: System) -> tuple[str, ...]:
    """The quantities that a step reads of the step before."""
    read = [x.name for d in system.definitions for x in nodes(d.expr) if isinstance(x, Variable) and x.layer == l - 1]
    return tuple(GLOSSARY[d.target.name].python for d in system.definitions if d.target.name in read)


def hand_down(scope: StepScope, sizes: tuple[int, ...]) -> Assignment:
    """What the dense layer hands down to the last step."""
    above = Scope(sizes[1], sizes[2], {}, "2")
    above.from_above["z"] = Name("delta2", ("n", sizes[2]))
    (handed,) = (e for e in equations_of(WEIGHTED_SUM).backward if e.target.name == "a")
    return Assignment(scope.error(at_last(scope.system)), lower_expression(above, handed.matrix), handed.label)


def at_last(system: System) -> Variable:
    """h of step L."""
    (shown,) = [d.target for d in system.definitions if d.target.name == system.output]
    return Variable(shown.name, L, *shown.indices)


def lower_backward(scope: StepScope, derived: dict[str, Derivation]) -> tuple[tuple[Assignment, ...], ...]:
    """The errors of the last step, those of any other, and the gradients of what all steps share."""
    last: list[Assignment] = []
    back: list[Assignment] = []
    shared: list[Assignment] = []
    for name, derivation in derived.items():
        quantity, value = quantity_of(derivation), lower_expression(scope, derivation.result.matrix)
        if quantity in scope.system.parameters:
            target = scope.target(quantity)
            shared.append(Assignment(Name(f"d{target.id}", target.dims), value, derivation.label))
        else:
            line = Assignment(scope.error(quantity), value, derivation.label)
            (last if is_last(name) else back).append(line)
    return tuple(last), tuple(back), tuple(shared)


def read_last_step(whole: Program, scope: StepScope, kind: str) -> Program:
    """The dense layer alone: its lines, reading h of step T where the network without time has a1."""
    below = [line.target for line in whole.forward[:2]]
    last = scope.target(at_last(scope.system))

    def keep(lines: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
        kept = (line for line in lines if not line.target.id.endswith("1"))
        return tuple(
            Assignment(line.target, rewrite(line.value, lambda node: last if node == below[1] else None), line.label)
            for line in kept
        )

    owned = scope.system.parameters
    first = Group(kind, tuple(GLOSSARY[p.name].python for p in owned), tuple(scope.target(p) for p in owned))
    return replace(whole, forward=keep(whole.forward), backward=keep(whole.backward), groups=(first, whole.groups[1]))
