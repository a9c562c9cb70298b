"""emit_stack: the module of a network of any layers, for readers.

What `emit` writes for plain networks, with more around it: parameters in named tuples, masks and weights of samples
as keywords, and a second forward pass for prediction where that is another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

from backprop.codegen.elementwise import Accuracy
from backprop.codegen.emit import (
    SAMPLE_ROWS,
    TARGET_COMMENT,
    uses,
    write_expression,
    write_function,
    write_line,
    write_table_functions,
)
from backprop.codegen.emit_flat_stack import list_context, list_given, signature
from backprop.codegen.lower import output_error_of
from backprop.codegen.numbered_functions import write_penalty, write_root
from backprop.codegen.program import Add, Assignment, Expression, Group, Name, Program
from backprop.codegen.stack_names import STATEMENTS
from backprop.network import Network
from backprop.plan import Element
from theory.costs import find_cost
from theory.layer_equations import layer_equations
from theory.matrices import Array
from theory.printing import show

__all__ = ["emit_stack"]

LONGEST = 112
DRAWS = {
    "real": "rng.normal(size=(n, SIZES[-1]))",
    "binary": "rng.integers(2, size=(n, SIZES[-1])).astype(float)",
    "distribution": "np.eye(SIZES[-1])[rng.integers(SIZES[-1], size=n)]",
}
STARTS = {
    "b": "rng.normal(size={0}) / 10", "c": "rng.normal(size={0}) / 10", "gamma": "np.ones({0})",
    "beta": "np.zeros({0})", "slope": "np.full({0}, {start!r})",
}  # fmt: skip
TITLES = {
    "weights": "weights", "gated": "gate", "activation": "activation", "prelu": "PReLU", "batch_norm": "batch norm",
    "layer_norm": "layer norm", "dropout": "dropout", "join": "residual connection",
}  # fmt: skip


def pack(group: Group, prefix: str = "", named: bool = False) -> str:
    """(W1, b1), or Scale(dgamma1, dbeta1) where the tuple has names."""
    inside = ", ".join(prefix + name.id for name in group.names)
    if named and group.kind != "Dense":
        return f"{group.kind}({inside})"
    return f"({inside},)" if len(group.names) == 1 else f"({inside})"


def unpack(program: Program) -> list[str]:
    """(W1, b1), (gamma1, beta1) = params"""
    return wrap([pack(group) for group in program.groups], after=" = params")


def wrap(items: Sequence[str], before: str = "", after: str = "", ends: str = "()") -> list[str]:
    """A tuple (or list) of names on one line, or on several where one would be too long."""
    whole = ", ".join(items) + ("," if len(items) == 1 and ends == "()" else "")
    one = f"{before}{whole}{after}" if ends == "()" else f"{before}{ends[0]}{whole}{ends[1]}{after}"
    if len(one) <= LONGEST:
        return [one]
    lines = fill(", ".join(items), LONGEST, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    return [f"{before}{ends[0]}", *f"{lines},".splitlines(), f"{ends[1]}{after}"]


def calls(keywords: Iterable[Name]) -> str:
    """, mask1=mask1"""
    return "".join(f", {name.id}={name.id}" for name in keywords)


def write_pass(program: Program, lines: Sequence[Assignment]) -> list[str]:
    """Parameters, n where it is read, and the lines."""
    values = [line.value for line in lines]
    count = ["n = X.shape[0]"] if uses(values, "n") else []
    return [*unpack(program), *count, *(write_line(line) for line in lines)]


def write_stack_body(program: Program) -> list[str]:
    """forward_pass, forward, cost, gradients; predict and evaluate where prediction is another program."""
    assert program.output is not None
    kept = [line.target.id for line in program.forward]
    masks, context = [mask.name for mask in program.masks], list_context(program)
    training = " in training" if program.prediction else ""
    run = f"forward_pass(params, X{calls(masks)})"
    unused = [name for name in context if name not in masks]
    forward_keywords = (*masks, *(Name(f"{name.id}=None", name.dims) for name in unused))
    last = [f"return {run}[{find_output(program)}]"]
    backward = [line.value for line in program.backward]
    gradients = [*unpack(program), *wrap(kept, after=f" = {run}")]
    gradients += ["n = X.shape[0]"] if uses(backward, "n") else []
    gradients += [write_line(line) for line in program.backward]
    returned = [pack(group, "d", named=True) for group in program.groups]
    body = [
        write_function(
            "forward_pass" + signature("params", "X", keywords=masks),
            f"Every quantity of the forward pass{training}.",
            [*write_pass(program, program.forward), *wrap(kept, "return ")],
        ),
        write_function(
            "forward" + signature("params", "X", keywords=forward_keywords),
            f"The outputs{training}, one row for each sample.",
            last,
        ),
        write_function(
            "cost" + signature("params", "X", "Y", keywords=context),
            f"The cost C{training}, one number.",
            write_cost(program, program.cost, kept, run),
        ),
        write_function(
            "gradients" + signature("params", "X", "Y", keywords=context),
            "The derivative of C by every parameter, in the structure of params.",
            [*gradients, *wrap(returned, "return ", ends="[]")],
        ),
    ]
    return body + write_prediction(program)


def find_output(program: Program) -> int:
    """Where the outputs stand among the quantities, from the end."""
    assert program.output is not None
    names = [line.target.id for line in program.forward]
    return names.index(program.output.id) - len(names)


def write_cost(program: Program, cost: Expression, kept: Sequence[str], run: str) -> list[str]:
    """The lines of the cost: parameters if a penalty reads them, the forward pass, the formula."""
    names = [name.id for group in program.groups for name in group.names]
    first = unpack(program) if any(uses([cost], name) for name in names) else []
    begin = next(place for place, name in enumerate(kept) if uses([cost], name))
    last = [name if uses([cost], name) else "_" for name in kept[begin:]]
    count = ["n = X.shape[0]"] if uses([cost], "n") else []
    return [*first, *wrap(["*_", *last], after=f" = {run}"), *count, *write_sum(cost)]


def write_sum(cost: Expression) -> list[str]:
    """return, with every penalty on a line of its own where the line would be too long."""
    text = f"return {write_expression(cost)}"
    if len(text) <= LONGEST:
        return [text]
    terms: list[str] = []
    while isinstance(cost, Add):
        terms.insert(0, f"    + {write_expression(cost.right)}")
        cost = cost.left
    return ["return (", f"    {write_expression(cost)}", *terms, ")"]


def write_prediction(program: Program) -> list[str]:
    """predict and evaluate: no dropout, given statistics."""
    if program.prediction is None:
        return []
    given, lines = list_given(program), program.prediction.forward
    weights = [program.weights] if program.weights else []
    inner = write_pass(program, lines)
    count = ["n = X.shape[0]"] if uses([program.prediction.cost], "n") and "n = X.shape[0]" not in inner else []
    return [
        write_function(
            "predict" + signature("params", "X", keywords=given),
            "The outputs in prediction: no dropout, running means and variances.",
            [*inner, f"return {lines[-1].target.id}"],
        ),
        write_function(
            "evaluate" + signature("params", "X", "Y", keywords=(*given, *weights)),
            "The cost in prediction, one number.",
            [*inner, *count, *write_sum(program.prediction.cost)],
        ),
    ]


def write_stack_samples(network: Network, program: Program) -> list[str]:
    """parameters, data, and context where something comes in beside the batch."""
    owners = [element for element in network.elements if element.parameters]
    starts = [
        f"    {line}"
        for element, group in zip(owners, program.groups, strict=True)
        for line in write_start(element, group)
    ]
    data = [
        f"n = {SAMPLE_ROWS} if n is None else n",
        f"return rng.normal(size=(n, SIZES[0])), {DRAWS[network.targets]}",
    ]
    doc = "Random parameters: weights with variance 1/fan-in, biases small but not zero, scales 1, shifts 0."
    functions = [
        write_function("parameters(rng)", doc, ["return [", *starts, "]"]),
        write_function("data(rng, n=None)", f"A random batch of n samples ({SAMPLE_ROWS} by default).", data),
    ]
    entries = [
        f'    "{mask.name.id}": (rng.random((n, {mask.name.dims[1]})) >= {mask.rate!r}) / (1 - {mask.rate!r}),'
        for mask in program.masks
    ]
    entries += ['    "weights": rng.uniform(0.5, 2, size=(n, 1)),'] if program.weights else []
    if entries:
        parts = ["dropout masks (0 or 1/(1 - rate))"] * bool(program.masks) + ["weights"] * bool(program.weights)
        doc = f"What comes in beside n samples in training: {' and '.join(parts)}."
        functions.append(write_function("context(rng, n)", doc, ["return {", *entries, "}"]))
    return functions


def write_start(element: Element, group: Group) -> list[str]:
    """Random parameters of one element, as text."""
    start = getattr(element.layer, "initial", 0.0)
    parts = []
    for parameter in element.parameters:
        if len(parameter.shape) == 2:
            rows, columns = parameter.shape
            parts.append(f"rng.normal(size=({rows}, {columns})) / np.sqrt({rows})")
        else:
            parts.append(STARTS[parameter.field].format(parameter.shape[0], start=start))
    kind = "" if group.kind == "Dense" else group.kind
    if len(parts) <= 2:
        return [f"{kind}({', '.join(parts)}),"]
    return [f"{kind}(", *(f"    {part}," for part in parts), "),"]


def write_stack_heading(network: Network, program: Program) -> str:
    """The module's docstring: the layers, and the equations of every kind of layer."""
    kinds = dict.fromkeys(element.kind for element in network.elements if element.kind in STATEMENTS)
    equations: list[str] = []
    for kind in kinds:
        derived = layer_equations(STATEMENTS[kind])
        given = [(e.label, show(Array(e.target)), e.matrix) for e in derived.forward]
        given += [(e.label, f"∂C/∂{show(Array(e.target))}", e.matrix) for e in derived.backward]
        equations.append(f"    {TITLES[kind]}")
        equations += [f"        {label:<4} {name} = {show(matrix)}" for label, name, matrix in given]
    error = show(output_error_of(network.output, network.cost, network.weighted))
    cost = find_cost(network.cost, network.weighted)
    penalties = [f"Added for the weights of a layer, entry by entry: {stated}." for _, stated in program.penalties]
    lines = [
        "Forward pass, cost and gradients of a network.",
        "",
        *(f"    {line}".rstrip() for line in network.table().splitlines()),
        "",
        "Derived layer by layer, for any width, activation and cost, then written down for this network:",
        "",
        *equations,
        f"    BP1: the derivative of C by what enters the output function is {error}",
        "",
        "Rows are samples, ∘ = entry by entry, 1 = a column of ones; Δ is the derivative of C by Z.",
        "What a layer hands on is read by the next; where two read it, its derivative is the sum of both.",
        f"C is {cost.title}: {show(cost.expression)}",
        f"({cost.scale}).",
        *penalties,
    ]
    return '"""' + "\n".join(line.replace("\\", "\\\\") for line in lines) + '\n"""\n'


def emit_stack(network: Network, program: Program, accuracy: Accuracy = "fast") -> str:
    """The whole module of a network of any layers.

    >>> from backprop.codegen.lower_stack import lower_stack
    >>> from backprop.layers import Dense, Dropout
    >>> network = Network(3, Dense(4, "tanh"), Dropout(0.5), Dense(2))
    >>> source = emit_stack(network, lower_stack(network))
    >>> print([line for line in source.splitlines() if "# BP2" in line][-1].strip())
    delta1 = (delta2 @ W2.T) * mask1 * tanh_prime(z1) # BP2  (n, 4)
    """
    texts, table = write_table_functions(network, program, accuracy)
    for name, stated in program.penalties:
        texts |= write_penalty(name, stated)
        table |= {name: f"{name}_prime", f"{name}_prime": None}
    for name, number in program.roots:
        texts |= write_root(name, number)
        table[name] = f"{name}_prime"
    entries = ", ".join(f"{key!r}: {value!r}".replace("'", '"') for key, value in table.items())
    tuples = dict.fromkeys((group.kind, " ".join(group.fields)) for group in program.groups if group.kind != "Dense")
    constants = [
        f"SIZES = {network.sizes!r}",
        f'TARGETS = "{network.targets}"' + TARGET_COMMENT[network.targets],
        *(f'{kind} = namedtuple("{kind}", "{names}")' for kind, names in tuples),
        "# every function that is not plain arithmetic, with the name of its derivative",
        f"TABLE = {{{entries}}}",
    ]
    imports = "from collections import namedtuple\n\n" * bool(tuples) + "import numpy as np\n\n"
    head = write_stack_heading(network, program) + "\n" + imports + "\n".join(constants) + "\n"
    functions = [text.rstrip("\n") + "\n" for text in texts.values()]
    return "\n\n".join([head, *functions, *write_stack_body(program), *write_stack_samples(network, program)])
