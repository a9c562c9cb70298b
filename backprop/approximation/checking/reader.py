"""An own reader of expressions in x: text becomes a tree of Python's syntax, and nothing of it is executed."""

from __future__ import annotations

import ast

from backprop.errors import UsageError

__all__ = ["ACTIVATIONS", "TARGETS", "read"]

LONGEST = 4000
FUNCTIONS = {
    "exp",
    "log",
    "sin",
    "cos",
    "tan",
    "tanh",
    "sinh",
    "cosh",
    "atan",
    "erf",
    "erfc",
    "sqrt",
    "abs",
    "max",
    "min",
    "sign",
    "heaviside",
}
OPERATIONS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
COMPARISONS = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)

SELU = "1.0507009873554804934193349852946 * (max(x, 0) + 1.6732632423543772848170429916717 * (exp(min(x, 0)) - 1))"
ACTIVATIONS = {
    "identity": "x",
    "sigmoid": "1/(1 + exp(-x))",
    "tanh": "tanh(x)",
    "relu": "max(x, 0)",
    "leaky_relu": "max(x, x/100)",
    "elu": "max(x, 0) + exp(min(x, 0)) - 1",
    "selu": SELU,
    "softplus": "log(1 + exp(x))",
    "log_sigmoid": "-log(1 + exp(-x))",
    "gelu": "x*(1 + erf(x/sqrt(2)))/2",
    "gelu_tanh": "x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2",
    "silu": "x/(1 + exp(-x))",
    "mish": "x*tanh(log(1 + exp(x)))",
}
TARGETS = {
    "sine": "sin(2*pi*x)",
    "square": "x**2",
    "kink": "abs(x - 1/2)",
    "root": "sqrt(x)",
    "runge": "1/(1 + 25*(2*x - 1)**2)",
    "wave": "exp(-x)*sin(8*pi*x)",
    "oscillator": "exp(-3*x)*cos(6*pi*x)",
    "planck": "planck(12*x)",
    "step": "x > 1/2",
    "weierstrass": "cos(pi*x) + cos(3*pi*x)/2 + cos(9*pi*x)/4 + cos(27*pi*x)/8 + cos(81*pi*x)/16 + cos(243*pi*x)/32",
}
"""The definitions that names stand for, stated once more: a checker shares nothing with what it checks."""


def read(text: str, names: dict[str, str]) -> ast.expr:
    """The syntax tree of an expression, or of what a name stands for.

    Errors: UsageError for text that is no expression in x with known functions.

    >>> ast.unparse(read("square", TARGETS))
    'x ** 2'
    """
    known = text in names
    written = names.get(text, text).replace("^", "**")
    if len(written) > LONGEST:
        raise UsageError(f"an expression of {len(written)} characters is too long; at most {LONGEST}")
    try:
        tree = ast.parse(written.strip(), mode="eval").body
        _check(tree, known)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(f"{text[:80]!r} is no expression in x") from None
    return tree


def _check(node: ast.expr, known: bool) -> None:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return
        case ast.Name(id="x" | "pi" | "E"):
            return
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATIONS):
            children = [left, right]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            children = [operand]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, COMPARISONS):
            children = [left, right]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS or (
            known and name == "planck"
        ):
            children = arguments
        case _:
            raise ValueError(ast.dump(node)[:40])
    for child in children:
        _check(child, known)
