"""emit: a program becomes the text of a module that a student can read and that imports NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backprop.codegen.elementwise import Accuracy, ElementwiseSource, write_functions
from backprop.codegen.lower import output_error_of
from backprop.codegen.program import (
    Add,
    Assignment,
    Binary,
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
    Shape,
    Subtract,
    SumAll,
    SumColumns,
    SumRows,
    Transpose,
    walk,
)
from backprop.codegen.secure import SECURE_ROWS
from backprop.codegen.support import DERIVATIVES, ROW_FUNCTIONS, SIGMOID_FAMILY
from backprop.network import Network, find_activation
from theory.activations import X
from theory.costs import find_cost
from theory.four_equations import derive_matrix_form, forward_matrix_form
from theory.matrices import Entry
from theory.printing import show
from theory.softmax import slope_by_sigmoid

__all__ = [
    "TARGET_COMMENT", "emit", "write_body", "write_expression", "write_function", "write_heading", "write_samples",
    "write_table_functions",
]  # fmt: skip

SUM, PRODUCT, POWER, ATOM = range(4)
COMMENT_COLUMN = 48
SAMPLE_ROWS = 8
OPERATORS: dict[type, tuple[str, int]] = {
    Add: (" + ", SUM),
    Subtract: (" - ", SUM),
    Multiply: (" * ", PRODUCT),
    Divide: (" / ", PRODUCT),
}


def write_expression(node: Expression, level: int = SUM) -> str:
    """The NumPy text of a node, in parentheses where its surroundings bind more tightly.

    >>> delta, W = Name("delta2", ("n", 10)), Name("W2", (32, 10))
    >>> write_expression(Multiply(MatMul(delta, Transpose(W)), Call("f_prime", Name("z1", ("n", 32)))))
    '(delta2 @ W2.T) * f_prime(z1)'
    """
    text, own = write_bare(node)
    return f"({text})" if own < level else text


def write_bare(node: Expression) -> tuple[str, int]:
    """The text of a node and how tightly it binds."""
    match node:
        case Name(id=name):
            return name, ATOM
        case Number(value=value):
            return str(value), ATOM if value >= 0 else SUM
        case Call(function=function, of=of):
            return f"{function}({write_expression(of)})", ATOM
        case Transpose(of=of):
            return write_expression(of, ATOM) + ".T", ATOM
        case SumRows(of=of):
            return f"np.sum({write_expression(of)}, axis=0)", ATOM
        case SumColumns(of=of):
            return f"np.sum({write_expression(of)}, axis=1, keepdims=True)", ATOM
        case SumAll(of=of):
            return f"np.sum({write_expression(of)})", ATOM
        case Negate(of=of):
            return "-" + write_expression(of, PRODUCT), PRODUCT
        case Power(of=of, exponent=exponent):
            return f"{write_expression(of, ATOM)} ** {exponent}", POWER
        case MatMul(left=left, right=right):
            return f"{write_expression(left, POWER)} @ {write_expression(right, ATOM)}", PRODUCT
    return write_binary(node)


def write_binary(node: Expression) -> tuple[str, int]:
    """Sums, differences, products and quotients."""
    if not isinstance(node, Binary):
        raise TypeError(f"no way to print a {type(node).__name__}")
    operator, level = OPERATORS[type(node)]
    left, right = node.left, node.right
    first = f"({write_expression(left)})" if isinstance(left, MatMul) and level > SUM else write_expression(left, level)
    smaller = isinstance(node, Multiply) and len(right.shape) < len(left.shape)  # vectors first, as the node says
    tight = level if isinstance(node, Add | Multiply) and not smaller else level + 1
    second = (
        f"({write_expression(right)})" if isinstance(right, MatMul) and level > SUM else write_expression(right, tight)
    )
    return first + operator + second, level


def write_shape(shape: Shape) -> str:
    """(n, 32), (32,) or ()."""
    return "(" + ", ".join(str(size) for size in shape) + (",)" if len(shape) == 1 else ")")


def write_line(assignment: Assignment) -> str:
    """One line with its equation and its shape.

    >>> z, W = Name("z1", ("n", 2)), Name("W1", (3, 2))
    >>> write_line(Assignment(z, MatMul(Name("X", ("n", 3)), W), "F1"))
    'z1 = X @ W1                                      # F1   (n, 2)'
    """
    code = f"{assignment.target.id} = {write_expression(assignment.value)}"
    return f"{code:<{COMMENT_COLUMN}} # {assignment.label:<4} {write_shape(assignment.target.shape)}"


def unpack(depth: int, prefix: str = "") -> str:
    """(W1, b1), (W2, b2)"""
    pairs = ", ".join(f"({prefix}W{layer}, {prefix}b{layer})" for layer in range(1, depth + 1))
    return pairs + ("," if depth == 1 else "")


def write_function(head: str, doc: str, lines: Iterable[str]) -> str:
    """A function definition."""
    return "\n".join([f"def {head}:", f'    """{doc}"""', *(f"    {line}" for line in lines)]) + "\n"


def uses(expressions: Sequence[Expression], name: str) -> bool:
    """Does any of the expressions read this name?"""
    return any(isinstance(node, Name) and node.id == name for e in expressions for node in walk(e))


def write_body(program: Program) -> list[str]:
    """The functions forward_pass, forward, cost and gradients."""
    depth = program.depth
    kept = ", ".join(line.target.id for line in program.forward)
    count = "n = X.shape[0]"
    forward = [f"{unpack(depth)} = params", *(write_line(line) for line in program.forward), f"return {kept}"]
    backward = [f"{unpack(depth)} = params", f"{kept} = forward_pass(params, X)"]
    if uses([line.value for line in program.backward], "n"):
        backward.append(count)
    backward += [*(write_line(line) for line in program.backward), f"return [{unpack(depth, 'd').rstrip(',')}]"]
    names = [name if uses([program.cost], name) else "_" for name in (f"z{depth}", f"a{depth}")]
    last = f"*_, {', '.join(names)} = forward_pass(params, X)"
    cost = [last, *([count] if uses([program.cost], "n") else []), f"return {write_expression(program.cost)}"]
    first = f"params: a list of (W, b), one for each layer; X: (n, {program.sizes[0]})"
    params = f"{first}; Y: (n, {program.sizes[-1]})."
    return [
        write_function("forward_pass(params, X)", f"z and a of every layer.  {first}.", forward),
        write_function(
            "forward(params, X)", "The outputs a^L, one row for each sample.", ["return forward_pass(params, X)[-1]"]
        ),
        write_function("cost(params, X, Y)", f"The cost C, one number.  {params}", cost),
        write_function(
            "gradients(params, X, Y)", "The derivative of C by every parameter, in the structure of params.", backward
        ),
    ]


def write_table_functions(
    network: Network, program: Program, accuracy: Accuracy = "fast"
) -> tuple[dict[str, str], dict[str, str | None]]:
    """The text of every function that is not + - * / @ ** sum or transpose, and the table that names them."""
    texts: dict[str, str] = {}
    table: dict[str, str | None] = {}
    called = program.calls()
    for name, function in list_statements(network, program):
        if name not in ("softmax", "identity") and function in called and function not in table:
            source = write_functions(find_activation(name, "network"), function, accuracy)
            texts |= {**dict(source.support), function: source.value, f"{function}_prime": source.derivative}
            table |= {function: f"{function}_prime", f"{function}_prime": None}
    for name in SIGMOID_FAMILY.intersection(called):
        value, slope = write_cost_function(name, program.functions[-1], accuracy)
        texts |= {**dict(value.support), name: value.value, f"{name}_prime": slope}
        table[name] = f"{name}_prime"
    rows = {**ROW_FUNCTIONS, **SECURE_ROWS} if accuracy == "full" else ROW_FUNCTIONS
    waiting = [name for name in called if name in rows]
    while waiting:
        row = rows[waiting.pop(0)]
        waiting += [name for name in row.calls if name not in texts]
        texts[row.name] = row.text
        if row.name in DERIVATIVES:
            table[row.name] = DERIVATIVES[row.name]
    return texts, table


def list_statements(network: Network, program: Program) -> list[tuple[str, str]]:
    """What is applied in a network, and how it is called in its module."""
    if program.groups:
        return [(statement, function) for function, statement in program.statements]
    return list(zip(network.functions, program.functions, strict=True))


def write_cost_function(name: str, sigmoid: str, accuracy: Accuracy = "fast") -> tuple[ElementwiseSource, str]:
    """softplus or log_sigmoid, and its derivative in terms of the module's sigmoid, as `theory` finds it."""
    statement = find_activation(name, "cost")
    source = write_functions(statement, name, accuracy)
    mirrored = statement.expression.subs(X, -X)
    slopes = {"z": slope_by_sigmoid(statement.expression, X), "-z": -slope_by_sigmoid(mirrored, X)}
    at = min(slopes, key=lambda argument: int(slopes[argument].count_ops()))
    text = f"""def {name}_prime(z):
    \"\"\"Derivative of {name} in terms of a = {sigmoid}({at})\"\"\"
    a = {sigmoid}({at})
    return {slopes[at]}
"""
    return source, text


def write_heading(network: Network) -> str:
    """The module's docstring: what it is, and the equations it follows."""
    depth = network.depth
    equations = [f"F1   Z^l = {show(forward_matrix_form()['F1'])}", "F2   A^l = f_l(Z^l)"]
    equations.append(f"BP1  Δ^L = {show(output_error_of(network.output, network.cost))}")
    symbols = {"BP2": "Δ^l", "BP3": "∂C/∂b^l", "BP4": "∂C/∂W^l"}
    for label, symbol in symbols.items():
        entry = derive_matrix_form(label).result
        assert isinstance(entry, Entry)
        equations.append(f"{label}  {symbol} = {show(entry.matrix)}")
    cost = find_cost(network.cost, network.weighted)
    lines = [
        f"A network {network}: forward pass, cost and gradients.",
        "",
        "Derived for any depth, width, activation and cost, then written down for this network:",
        "",
        *(f"    {equation}" for equation in equations),
        "",
        f"with l = 1..{depth}, A^0 = X, rows = samples, ∘ = entry by entry, 1 = a column of ones.",
        f"C is {cost.title}: {show(cost.expression)}",
        f"({cost.scale}).",
    ]
    body = "\n".join(line.replace("\\", "\\\\") for line in lines)
    return f'"""{body}\n"""\n'


def write_samples(network: Network) -> list[str]:
    """`parameters` and `data`: random parameters with biases away from zero, and a random batch."""
    draws = {
        "real": "rng.normal(size=(n, SIZES[-1]))",
        "binary": "rng.integers(2, size=(n, SIZES[-1])).astype(float)",
        "distribution": "np.eye(SIZES[-1])[rng.integers(SIZES[-1], size=n)]",
    }
    pair = "(rng.normal(size=(rows, columns)) / np.sqrt(rows), rng.normal(size=columns) / 10)"
    parameters = ["return [", f"    {pair}", "    for rows, columns in zip(SIZES, SIZES[1:])", "]"]
    data = [
        f"n = {SAMPLE_ROWS} if n is None else n",
        f"return rng.normal(size=(n, SIZES[0])), {draws[network.targets]}",
    ]
    return [
        write_function(
            "parameters(rng)",
            "Random parameters: weights with variance 1/fan-in, biases small but not zero.",
            parameters,
        ),
        write_function("data(rng, n=None)", f"A random batch of n samples ({SAMPLE_ROWS} by default).", data),
    ]


def emit(network: Network, program: Program, accuracy: Accuracy = "fast") -> str:
    """The whole module; `accuracy` says which formulas of the activations it has.

    It imports NumPy only, is itself a subject of `backprop verify` (parameters, data, cost, gradients), and
    names in TABLE every function that is not plain arithmetic, with the name of its derivative.

    >>> from backprop.codegen.lower import lower
    >>> network = Network.parse("3-2-1")
    >>> source = emit(network, lower(network))
    >>> print([line for line in source.splitlines() if "BP2" in line][-1].strip())
    delta1 = (delta2 @ W2.T) * f_prime(z1)           # BP2  (n, 2)
    """
    texts, table = write_table_functions(network, program, accuracy)
    entries = ", ".join(f"{key!r}: {value!r}".replace("'", '"') for key, value in table.items())
    constants = [
        f"SIZES = {network.sizes!r}",
        f'TARGETS = "{network.targets}"' + TARGET_COMMENT[network.targets],
        "# every function that is not plain arithmetic, with the name of its derivative",
        f"TABLE = {{{entries}}}",
    ]
    head = write_heading(network) + "\nimport numpy as np\n\n" + "\n".join(constants) + "\n"
    return "\n\n".join(
        [head, *(text.rstrip("\n") + "\n" for text in texts.values()), *write_body(program), *write_samples(network)]
    )


TARGET_COMMENT = {
    "real": "  # Y: any real numbers",
    "binary": "  # Y: numbers between 0 and 1",
    "distribution": "  # Y: rows sum to one (one-hot labels)",
}
