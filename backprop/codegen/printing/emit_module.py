"""emit_module: a program becomes the module that a student reads; it imports NumPy only.

It is itself a subject of `backprop verify` (parameters, data, cost, gradients) and names in TABLE every function that
is not plain arithmetic, with the name of its derivative.  Networks of other layers have named tuples, masks and weights
of samples as keywords, and a second forward pass for prediction where that is another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

from backprop.codegen.functions.elementwise import Accuracy
from backprop.codegen.lowering.nodes import Add, Expression, Name
from backprop.codegen.lowering.program import Assignment, Group, Program
from backprop.codegen.printing.emit import uses, write_expression, write_function, write_line, write_table_functions
from backprop.codegen.printing.emit_flat import list_context, list_given, signature
from backprop.codegen.printing.emit_heading import write_heading
from backprop.specification.network import Network
from backprop.specification.plan import Element, Parameter

__all__ = ["emit", "write_body", "write_constants", "write_samples"]

SAMPLE_ROWS = 8
LONGEST = 112
DRAWS = {
    "real": "rng.normal(size=(n, SIZES[-1]))",
    "binary": "rng.integers(2, size=(n, SIZES[-1])).astype(float)",
    "distribution": "np.eye(SIZES[-1])[rng.integers(SIZES[-1], size=n)]",
}


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
    return [*unpack(program), *count_rows([line.value for line in lines]), *map(write_line, lines)]


def write_body(program: Program, is_plain: bool) -> list[str]:
    """forward_pass, forward, cost, gradients; predict and evaluate where prediction is another program."""
    masks, context = [mask.name for mask in program.masks], list_context(program)
    unused = [Name(f"{name.id}=None", name.dims) for name in context if name not in masks]
    run = f"forward_pass(params, X{calls(masks)})"
    kept = [line.target.id for line in program.forward]
    whole, outputs, cost = describe_functions(program, is_plain)
    start = [*unpack(program), *wrap(kept, after=f" = {run}")]
    backward = [*count_rows([line.value for line in program.backward]), *map(write_line, program.backward)]
    returned = wrap([pack(group, "d", named=True) for group in program.groups], "return ", ends="[]")
    return [
        write_function(
            "forward_pass" + signature("params", "X", keywords=masks),
            whole,
            [*write_pass(program, program.forward), *wrap(kept, "return ")],
        ),
        write_function(
            "forward" + signature("params", "X", keywords=(*masks, *unused)),
            outputs,
            [f"return {run}[{find_output(program)}]"],
        ),
        write_function(
            "cost" + signature("params", "X", "Y", keywords=context),
            cost,
            write_cost(program, kept, run, at_least=2 if is_plain else 1),
        ),
        write_function(
            "gradients" + signature("params", "X", "Y", keywords=context),
            "The derivative of C by every parameter, in the structure of params.",
            [*start, *backward, *returned],
        ),
        *write_prediction(program),
    ]


def describe_functions(program: Program, is_plain: bool) -> tuple[str, str, str]:
    """What is said of forward_pass, forward and cost."""
    if is_plain:
        first = f"params: a list of (W, b), one for each layer; X: (n, {program.sizes[0]})"
        cost = f"The cost C, one number.  {first}; Y: (n, {program.sizes[-1]})."
        return f"z and a of every layer.  {first}.", "The outputs a^L, one row for each sample.", cost
    training = " in training" if program.prediction else ""
    outputs = f"The outputs{training}, one row for each sample."
    return f"Every quantity of the forward pass{training}.", outputs, f"The cost C{training}, one number."


def find_output(program: Program) -> int:
    """Where the outputs stand among the quantities, from the end."""
    assert program.output is not None
    names = [line.target.id for line in program.forward]
    return names.index(program.output.id) - len(names)


def write_cost(program: Program, kept: Sequence[str], run: str, at_least: int) -> list[str]:
    """The lines of the cost: parameters if a penalty reads them, the last quantities, the formula."""
    cost = [program.cost]
    first = unpack(program) if any(uses(cost, name.id) for group in program.groups for name in group.names) else []
    begin = min(next(place for place, name in enumerate(kept) if uses(cost, name)), len(kept) - at_least)
    last = [name if uses(cost, name) else "_" for name in kept[begin:]]
    return [*first, *wrap(["*_", *last], after=f" = {run}"), *count_rows(cost), *write_sum(program.cost)]


def count_rows(values: Sequence[Expression]) -> list[str]:
    """n, where it is read."""
    return ["n = X.shape[0]"] if uses(values, "n") else []


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
    count = [line for line in count_rows([program.prediction.cost]) if line not in inner]
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


def write_samples(network: Network, program: Program) -> list[str]:
    """parameters, data, and context where something comes in beside the batch."""
    data = [
        f"n = {SAMPLE_ROWS} if n is None else n",
        f"return rng.normal(size=(n, SIZES[0])), {DRAWS[network.targets]}",
    ]
    return [
        write_function("parameters(rng)", *write_starts(network, program)),
        write_function("data(rng, n=None)", f"A random batch of n samples ({SAMPLE_ROWS} by default).", data),
        *write_context(program),
    ]


def write_starts(network: Network, program: Program) -> tuple[str, list[str]]:
    """Random parameters: what is said of them, and the lines."""
    doc = "Random parameters: weights with variance 1/fan-in, biases small but not zero"
    if network.is_plain:
        pair = "(rng.normal(size=(rows, columns)) / np.sqrt(rows), rng.normal(size=columns) / 10)"
        return f"{doc}.", ["return [", f"    {pair}", "    for rows, columns in zip(SIZES, SIZES[1:])", "]"]
    owners = [element for element in network.elements if element.parameters]
    groups = zip(owners, program.groups, strict=True)
    starts = [f"    {line}" for element, group in groups for line in write_start(element, group)]
    return f"{doc}, scales 1, shifts 0.", ["return [", *starts, "]"]


def write_context(program: Program) -> list[str]:
    """What comes in beside a batch, if anything does."""
    entries = [
        f'    "{mask.name.id}": (rng.random((n, {mask.name.dims[1]})) >= {mask.rate!r}) / (1 - {mask.rate!r}),'
        for mask in program.masks
    ]
    entries += ['    "weights": rng.uniform(0.5, 2, size=(n, 1)),'] if program.weights else []
    parts = ["dropout masks (0 or 1/(1 - rate))"] * bool(program.masks) + ["weights"] * bool(program.weights)
    doc = f"What comes in beside n samples in training: {' and '.join(parts)}."
    return [write_function("context(rng, n)", doc, ["return {", *entries, "}"])] if entries else []


def write_start(element: Element, group: Group) -> list[str]:
    """Random parameters of one element, as text."""
    parts = [write_value(element, parameter) for parameter in element.parameters]
    kind = "" if group.kind == "Dense" else group.kind
    if len(parts) <= 2:
        return [f"{kind}({', '.join(parts)}),"]
    return [f"{kind}(", *(f"    {part}," for part in parts), "),"]


def write_value(element: Element, parameter: Parameter) -> str:
    """Where one parameter starts: at the number that its kind of layer says, else drawn."""
    rows, *columns = parameter.shape
    start = element.kind.starts.get(parameter.field) if element.kind else None
    if isinstance(start, str):
        return f"np.full({rows}, {getattr(element.layer, start)!r})"
    if start is not None:
        return f"np.{'ones' if start else 'zeros'}({rows})"
    return f"rng.normal(size=({rows}, {columns[0]})) / np.sqrt({rows})" if columns else f"rng.normal(size={rows}) / 10"


def write_constants(network: Network) -> list[str]:
    """The sizes, and what the targets are."""
    return [f"SIZES = {network.sizes!r}", f'TARGETS = "{network.targets}"' + TARGET_COMMENT[network.targets]]


def emit(network: Network, program: Program, accuracy: Accuracy = "fast") -> str:
    """The whole module; `accuracy` says which formulas of the activations it has.

    >>> from backprop.codegen.lowering.lower import lower
    >>> from backprop.specification.layers import Dense, Dropout
    >>> for network in (Network.parse("3-4-2", "tanh"), Network(3, Dense(4, "tanh"), Dropout(0.5), Dense(2))):
    ...     print([line for line in emit(network, lower(network)).splitlines() if "# BP2" in line][-1].strip())
    delta1 = (delta2 @ W2.T) * f_prime(z1)           # BP2  (n, 4)
    delta1 = (delta2 @ W2.T) * mask1 * tanh_prime(z1) # BP2  (n, 4)
    """
    texts, table = write_table_functions(program, accuracy)
    entries = ", ".join(f"{key!r}: {value!r}".replace("'", '"') for key, value in table.items())
    tuples = dict.fromkeys((group.kind, " ".join(group.fields)) for group in program.groups if group.kind != "Dense")
    constants = [
        *write_constants(network),
        *(f'{kind} = namedtuple("{kind}", "{names}")' for kind, names in tuples),
        "# every function that is not plain arithmetic, with the name of its derivative",
        f"TABLE = {{{entries}}}",
    ]
    imports = "from collections import namedtuple\n\n" * bool(tuples) + "import numpy as np\n\n"
    head = write_heading(network, program) + "\n" + imports + "\n".join(constants) + "\n"
    body = write_body(program, network.is_plain)
    return "\n\n".join([head, *texts.values(), *body, *write_samples(network, program)])


TARGET_COMMENT = {
    "real": "  # Y: any real numbers",
    "binary": "  # Y: numbers between 0 and 1",
    "distribution": "  # Y: rows sum to one (one-hot labels)",
}
