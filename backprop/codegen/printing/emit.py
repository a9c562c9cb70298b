"""emit: expressions, lines and functions of a program as NumPy text, for every module that is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backprop.codegen.functions.elementwise import Accuracy, ElementwiseSource, write_functions
from backprop.codegen.functions.numbered_functions import write_penalty, write_root
from backprop.codegen.lowering import nodes
from backprop.codegen.lowering.nodes import Expression, Shape, walk
from backprop.codegen.lowering.program import Assignment, Program
from backprop.codegen.lowering.secure import SECURE_ROWS
from backprop.codegen.lowering.support import DERIVATIVES, ROW_FUNCTIONS, SIGMOID_FAMILY
from backprop.specification.network import find_activation
from theory.chapters.networks.softmax import slope_by_sigmoid
from theory.functions.half_line import X

__all__ = ["uses", "write_expression", "write_function", "write_line", "write_table_functions"]

SUM, PRODUCT, POWER, ATOM = range(4)
COMMENT_COLUMN = 48
OPERATORS: dict[type, tuple[str, int]] = {
    nodes.Add: (" + ", SUM),
    nodes.Subtract: (" - ", SUM),
    nodes.Multiply: (" * ", PRODUCT),
    nodes.Divide: (" / ", PRODUCT),
}


def write_expression(node: Expression, level: int = SUM) -> str:
    """The NumPy text of a node, in parentheses where its surroundings bind more tightly.

    >>> delta, W = nodes.Name("delta2", ("n", 10)), nodes.Name("W2", (32, 10))
    >>> write_expression((delta @ W.T) * nodes.Call("f_prime", nodes.Name("z1", ("n", 32))))
    '(delta2 @ W2.T) * f_prime(z1)'
    """
    text, own = write_bare(node)
    return f"({text})" if own < level else text


def write_bare(node: Expression) -> tuple[str, int]:
    """The text of a node and how tightly it binds."""
    match node:
        case nodes.Name(id=name):
            return name, ATOM
        case nodes.Number(value=value):
            return str(value), ATOM if value >= 0 else SUM
        case nodes.Call(function=function, of=of):
            return f"{function}({write_expression(of)})", ATOM
        case nodes.Transpose(of=of):
            return write_expression(of, ATOM) + ".T", ATOM
        case nodes.SumRows(of=of):
            return f"np.sum({write_expression(of)}, axis=0)", ATOM
        case nodes.SumColumns(of=of):
            return f"np.sum({write_expression(of)}, axis=1, keepdims=True)", ATOM
        case nodes.SumAll(of=of):
            return f"np.sum({write_expression(of)})", ATOM
        case nodes.SumSteps(of=of):
            return f"sum({write_expression(of)} for t in steps)", ATOM
        case nodes.Negate(of=of):
            return "-" + write_expression(of, PRODUCT), PRODUCT
        case nodes.Power(of=of, exponent=exponent):
            return f"{write_expression(of, ATOM)} ** {exponent}", POWER
        case nodes.MatMul(left=left, right=right):
            return f"{write_expression(left, POWER)} @ {write_expression(right, ATOM)}", PRODUCT
    return write_binary(node)


def write_binary(node: Expression) -> tuple[str, int]:
    """Sums, differences, products and quotients."""
    if not isinstance(node, nodes.Binary):
        raise TypeError(f"no way to print a {type(node).__name__}")
    operator, level = OPERATORS[type(node)]
    left, right = node.left, node.right
    smaller = isinstance(node, nodes.Multiply) and len(right.shape) < len(left.shape)  # vectors first, as the node says
    tight = level if isinstance(node, nodes.Add | nodes.Multiply) and not smaller else level + 1

    def side(part: Expression, least: int) -> str:
        return (
            f"({write_expression(part)})" if isinstance(part, nodes.MatMul) and level else write_expression(part, least)
        )

    return side(left, level) + operator + side(right, tight), level


def write_shape(shape: Shape) -> str:
    """(n, 32), (32,) or ()."""
    return "(" + ", ".join(str(size) for size in shape) + (",)" if len(shape) == 1 else ")")


def write_line(assignment: Assignment) -> str:
    """One line with its equation and its shape.

    >>> z, W = nodes.Name("z1", ("n", 2)), nodes.Name("W1", (3, 2))
    >>> write_line(Assignment(z, nodes.Name("X", ("n", 3)) @ W, "F1"))
    'z1 = X @ W1                                      # F1   (n, 2)'
    """
    code = f"{assignment.target.id} = {write_expression(assignment.value)}"
    return f"{code:<{COMMENT_COLUMN}} # {assignment.label:<4} {write_shape(assignment.target.shape)}"


def write_function(head: str, doc: str, lines: Iterable[str]) -> str:
    """A function definition."""
    return "\n".join([f"def {head}:", f'    """{doc}"""', *(f"    {line}" for line in lines)]) + "\n"


def uses(expressions: Sequence[Expression], name: str) -> bool:
    """Does any of the expressions read this name?"""
    return any(isinstance(node, nodes.Name) and node.id == name for e in expressions for node in walk(e))


def write_table_functions(
    program: Program, accuracy: Accuracy = "fast"
) -> tuple[dict[str, str], dict[str, str | None]]:
    """The text of every function that is not + - * / @ ** sum or transpose, and the table that names them."""
    texts: dict[str, str] = {}
    table: dict[str, str | None] = {}
    called = program.calls()
    for function, name in program.statements:
        if function in called and function not in table:
            source = write_functions(find_activation(name, "network"), function, accuracy)
            texts |= {**dict(source.support), function: source.value, f"{function}_prime": source.derivative}
            table |= {function: f"{function}_prime", f"{function}_prime": None}
    for name in (name for name in called if name in SIGMOID_FAMILY):
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
    for name, stated in program.penalties:
        texts |= write_penalty(name, stated)
        table |= {name: f"{name}_prime", f"{name}_prime": None}
    for name, number in program.roots:
        texts |= write_root(name, number)
        table[name] = f"{name}_prime"
    return {name: text.rstrip("\n") + "\n" for name, text in texts.items()}, table


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
