"""emit_steps: a recurrent network as the module that a student reads, a subject of `backprop verify` like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import fill

from backprop.codegen.lowering.lower import output_error_of
from backprop.codegen.lowering.program import Assignment
from backprop.codegen.printing.emit import COMMENT_COLUMN, write_function, write_line, write_table_functions
from backprop.codegen.printing.emit_module import (
    DRAWS,
    LONGEST,
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
from theory.chapters.networks.recurrent import STATEMENTS, lift_through_time, quantity_of
from theory.language.derivation import Derivation
from theory.language.glossary import GLOSSARY
from theory.language.matrices import Array
from theory.language.notation import Variable
from theory.language.printing import show
from theory.language.statement import System
from theory.rules.matrix_form import lift

__all__ = ["emit_steps"]

SAMPLE_STEPS = 5
TITLES = {
    "recurrent": "A recurrent network", "gru": "A GRU network",
    "gru_before": "A GRU network (the reset gate before the product)",
}  # fmt: skip
"""What a network over time is called, where its kind is not the word."""


def emit_steps(network: RecurrentNetwork) -> str:
    """The whole module; it imports NumPy only.

    >>> text = emit_steps(RecurrentNetwork.parse("3-8-2"))
    >>> print([line.strip() for line in text.splitlines() if line.strip().startswith("dW1")][0])
    dW1 = sum(h[t - 1].T @ delta[t] for t in steps)  # BP4  (8, 8)
    """
    steps = lower_steps(network)
    called = (*steps.program.forward, *steps.step, *steps.last, *steps.back, *steps.shared)
    texts, table = write_table_functions(replace(steps.program, forward=called))
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
    """What the module computes, and the equations that it follows."""
    dense, cost = network.dense, find_cost(network.dense.cost)
    *shared, last = [GLOSSARY[p.name].python for p in STATEMENTS[network.kind]().parameters]
    unrolled = f"Unrolled in time it has a layer for every step, l = 1..L, and all of them share {', '.join(shared)}"
    text = [
        f"{TITLES.get(network.kind, f'An {network.kind.upper()} network')} {dense}: forward pass, cost and gradients.",
        "",
        *fill(f"{unrolled} and {last}:", LONGEST).splitlines(),
        "",
        *(f"    {line}" for line in list_equations(network)),
        "",
        "Δ^l = ∂C/∂Z^l, H^0 = 0, rows = samples, ∘ = entry by entry, 1 = a column of ones.",
        *["σ is the function of the gates."] * (network.kind != "recurrent"),
        "In the code l is t and L is T.",
        "A dense layer reads the last step; the derivative of C by what enters its output function is",
        f"{show(output_error_of(dense.output, dense.cost))}.",
        f"C is {cost.title}: {show(cost.expression)}",
        f"({cost.scale}).",
    ]
    return '"""' + "\n".join(line.replace("\\", "\\\\") for line in text) + '\n"""\n'


def list_equations(network: RecurrentNetwork) -> list[str]:
    """Forward, the last step, any step, and what all share."""
    system, derived = STATEMENTS[network.kind](), lift_through_time(STATEMENTS[network.kind])
    forward = [(d.label, d.target, lift(d.expr, d.target.indices)) for d in system.definitions]
    lines = [f"{label:<4} {show(Array(x))} = {show(matrix)}" for label, x, matrix in forward]
    return lines + [f"{d.label:<4} {show_adjoint(system, d)} = {show(d.result.matrix)}" for d in derived.values()]


def show_adjoint(system: System, derivation: Derivation) -> str:
    """Δ^l, or ∂C/∂W."""
    x = quantity_of(derivation)
    letter = system.adjoint_name(x.name)
    return show(Array(Variable(letter, x.layer, *x.indices))) if letter else f"∂C/∂{show(Array(x))}"


def write_starts(steps: StepProgram) -> list[str]:
    """Where every quantity of a step is kept, by its number; memories begin with nothing, at step 0."""
    nothing, said = (
        f"0 * (X[:, 0] @ {steps.program.groups[0].names[0].id})",
        "nothing is remembered before the first step",
    )
    alone = len(steps.memories) == 1
    starts = [f"{{0: {nothing if alone else 'start'}}}" if name in steps.memories else "{}" for name in steps.kept]
    line = f"{', '.join(steps.kept)} = {', '.join(starts)}"
    return [f"{line}  # {said}"] if alone else [f"start = {nothing}  # {said}", line]


def write_inside(line: Assignment) -> str:
    """A line inside a loop, its comment where those of the other lines are."""
    code, comment = write_line(line).split(" # ")
    return f"    {code.rstrip():<{COMMENT_COLUMN - 4}} # {comment}"


def write_passes(steps: StepProgram) -> list[str]:
    """forward_pass, forward, cost, gradients."""
    program, kept = steps.program, [line.target.id for line in steps.program.forward]
    run = "forward_pass(params, X)"
    named = f"{', '.join(steps.kept[:-1])} and {steps.kept[-1]}"
    return [
        write_function(
            "forward_pass(params, X)",
            f"{named} of every step, by its number, and z and a of the dense layer.  X: (n, T, {program.sizes[0]}).",
            [
                *unpack(program),
                "T = X.shape[1]",
                *write_starts(steps),
                "for t in range(1, T + 1):",
                *map(write_inside, steps.step),
                *map(write_line, program.forward),
                *wrap([*steps.kept, *kept], "return "),
            ],
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
        *wrap([*steps.kept, *kept], after=f" = {run}"),
        "T = X.shape[1]",
        "steps = range(1, T + 1)",
        *count_rows([line.value for line in lines]),
        *map(write_line, program.backward),
        f"{', '.join(steps.errors)} = {', '.join('{}' for _ in steps.errors)}",
        *map(write_line, steps.last),
        "for t in reversed(range(1, T)):",
        *map(write_inside, steps.back),
        *map(write_line, steps.shared),
        *wrap([pack(group, "d", named=True) for group in program.groups], "return ", ends="[]"),
    ]


def write_sample_data(network: RecurrentNetwork, steps: StepProgram) -> list[str]:
    """parameters and data."""
    starts = [
        [
            f"rng.normal(size={name.dims}) / np.sqrt({name.dims[0]})"
            if len(name.dims) == 2
            else f"rng.normal(size={name.dims[0]}) / 10"
            for name in group.names
        ]
        for group in steps.program.groups
    ]
    data = [
        f"n = {SAMPLE_ROWS} if n is None else n",
        f"return rng.normal(size=(n, STEPS, SIZES[0])), {DRAWS[network.dense.targets]}",
    ]
    doc = "Random parameters: weights with variance 1/fan-in, biases small but not zero."
    first, second = starts
    return [
        write_function(
            "parameters(rng)",
            doc,
            [
                "return [",
                f"    {steps.program.groups[0].kind}(",
                *(f"        {one}," for one in first),
                "    ),",
                f"    ({', '.join(second)}),",
                "]",
            ],
        ),
        write_function("data(rng, n=None)", f"A random batch of n sequences ({SAMPLE_ROWS} by default).", data),
    ]
