"""emit_steps: a recurrent network as the module that a student reads, a subject of `backprop verify` like any other."""

from __future__ import annotations

from collections.abc import Sequence

from backprop.codegen.lowering.lower import lower, output_error_of
from backprop.codegen.lowering.program import Assignment
from backprop.codegen.printing.emit import COMMENT_COLUMN, write_function, write_line, write_table_functions
from backprop.codegen.printing.emit_module import (
    DRAWS,
    SAMPLE_ROWS,
    count_rows,
    pack,
    unpack,
    wrap,
    write_constants,
    write_cost,
)
from backprop.codegen.recurrence.lower_steps import StepProgram, lower_steps
from backprop.specification.recurrent import RecurrentNetwork
from theory.chapters.networks.costs import find_cost
from theory.chapters.networks.recurrent import lift_through_time
from theory.language.matrices import Array
from theory.language.notation import Variable
from theory.language.printing import show
from theory.layers.recurrent import recurrent
from theory.rules.layer_equations import layer_equations

__all__ = ["emit_steps"]

SAMPLE_STEPS = 5


def emit_steps(network: RecurrentNetwork) -> str:
    """The whole module; it imports NumPy only.

    >>> text = emit_steps(RecurrentNetwork.parse("3-8-2"))
    >>> print([line.strip() for line in text.splitlines() if line.strip().startswith("dW1")][0])
    dW1 = sum(h[t - 1].T @ delta[t] for t in steps)  # BP4  (8, 8)
    """
    steps = lower_steps(network)
    texts, table = write_table_functions(lower(network.dense))
    entries = ", ".join(f'"{key}": ' + (f'"{value}"' if value else "None") for key, value in table.items())
    group = steps.program.groups[0]
    constants = [
        *write_constants(network.dense),
        f"STEPS = {SAMPLE_STEPS}  # of the sequences that `data` draws; all functions take any number",
        f'{group.kind} = namedtuple("{group.kind}", "{" ".join(group.fields)}")',
        "# every function that is not plain arithmetic, with the name of its derivative",
        f"TABLE = {{{entries}}}",
    ]
    imports = "from collections import namedtuple\n\nimport numpy as np\n\n"
    head = write_steps_heading(network) + "\n" + imports + "\n".join(constants) + "\n"
    return "\n\n".join([head, *texts.values(), *write_passes(steps), *write_sample_data(network, steps)])


def write_steps_heading(network: RecurrentNetwork) -> str:
    """The equations that the module follows."""
    derived, dense = layer_equations(recurrent), network.dense
    last = lift_through_time()["last"]
    lines = [f"{e.label:<4} {show(Array(e.target))} = {show(e.matrix)}" for e in derived.forward]
    lines.append(f"{last.label:<4} {show(Array(last.subject))} = {show(last.result.matrix)}")
    for e in derived.backward:
        if letter := derived.system.adjoint_name(e.target.name):
            error = Variable(letter, e.target.layer, *e.target.indices)
            lines.append(f"{e.label:<4} {show(Array(error))} = {show(e.matrix)}")
        elif e.target in derived.system.parameters:
            lines.append(f"{e.label:<4} ∂C/∂{show(Array(e.target))} = {show(e.matrix)}")
    cost = find_cost(dense.cost)
    text = [
        f"A recurrent network {dense}: forward pass, cost and gradients.",
        "",
        "Unrolled in time it has a layer for every step, l = 1..L, and all of them share E, W and b:",
        "",
        *(f"    {line}" for line in lines),
        "",
        "Δ^l = ∂C/∂Z^l, H^0 = 0, rows = samples, ∘ = entry by entry, 1 = a column of ones.",
        "In the code l is t and L is T.",
        "A dense layer reads the last step; the derivative of C by what enters its output function is",
        f"{show(output_error_of(dense.output, dense.cost))}.",
        f"C is {cost.title}: {show(cost.expression)}",
        f"({cost.scale}).",
    ]
    return '"""' + "\n".join(line.replace("\\", "\\\\") for line in text) + '\n"""\n'


def write_inside(line: Assignment) -> str:
    """A line inside a loop, its comment where those of the other lines are."""
    code, comment = write_line(line).split(" # ")
    return f"    {code.rstrip():<{COMMENT_COLUMN - 4}} # {comment}"


def write_passes(steps: StepProgram) -> list[str]:
    """forward_pass, forward, cost, gradients."""
    program, kept = steps.program, [line.target.id for line in steps.program.forward]
    run = "forward_pass(params, X)"
    first = program.groups[0].names
    forward = [
        *unpack(program),
        "T = X.shape[1]",
        f"z, h = {{}}, {{0: 0 * (X[:, 0] @ {first[0].id})}}  # nothing is remembered before the first step",
        "for t in range(1, T + 1):",
        *map(write_inside, steps.step),
        *map(write_line, program.forward),
        *wrap(["z", "h", *kept], "return "),
    ]
    return [
        write_function(
            "forward_pass(params, X)",
            f"z and h of every step, by its number, and those of the dense layer.  X: (n, T, {program.sizes[0]}).",
            forward,
        ),
        write_function("forward(params, X)", "The outputs, one row for each sequence.", [f"return {run}[-1]"]),
        write_function(
            "cost(params, X, Y)",
            f"The cost C, one number.  Y: (n, {program.sizes[-1]}).",
            write_cost(program, kept, run, at_least=2),
        ),
        write_function(
            "gradients(params, X, Y)",
            "The derivative of C by every parameter, in the structure of params: backpropagation through time.",
            write_through_time(steps, kept, run),
        ),
    ]


def write_through_time(steps: StepProgram, kept: Sequence[str], run: str) -> list[str]:
    """The dense layer, the last step, the steps before it, and what all share."""
    program = steps.program
    lines: list[Assignment] = [*program.backward, *steps.last]
    return [
        *unpack(program),
        *wrap(["z", "h", *kept], after=f" = {run}"),
        "T = X.shape[1]",
        "steps = range(1, T + 1)",
        *count_rows([line.value for line in lines]),
        *map(write_line, program.backward),
        "delta = {}",
        *map(write_line, steps.last),
        "for t in reversed(range(1, T)):",
        *map(write_inside, steps.back),
        *map(write_line, steps.shared),
        *wrap([pack(group, "d", named=True) for group in program.groups], "return ", ends="[]"),
    ]


def write_sample_data(network: RecurrentNetwork, steps: StepProgram) -> list[str]:
    """parameters and data."""
    starts = [
        ", ".join(
            f"rng.normal(size={name.dims}) / np.sqrt({name.dims[0]})"
            if len(name.dims) == 2
            else f"rng.normal(size={name.dims[0]}) / 10"
            for name in group.names
        )
        for group in steps.program.groups
    ]
    data = [
        f"n = {SAMPLE_ROWS} if n is None else n",
        f"return rng.normal(size=(n, STEPS, SIZES[0])), {DRAWS[network.dense.targets]}",
    ]
    doc = "Random parameters: weights with variance 1/fan-in, biases small but not zero."
    first, second = starts
    return [
        write_function("parameters(rng)", doc, ["return [", f"    Recurrent({first}),", f"    ({second}),", "]"]),
        write_function("data(rng, n=None)", f"A random batch of n sequences ({SAMPLE_ROWS} by default).", data),
    ]
