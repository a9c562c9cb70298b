"""emit_tangents: a network y(x) with y' and y'' and a cost that contains them, a subject of `backprop verify`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from sympy import Expr, diff

from backprop.codegen.functions.elementwise import write_expression, write_functions
from backprop.codegen.printing.emit import write_function, write_line
from backprop.codegen.tangents.lower_tangents import lower_backward, lower_forward
from backprop.errors import UsageError
from backprop.specification.network import Network, find_activation
from theory.functions.elementwise import ActivationFunction, parse
from theory.functions.values import real_symbol
from theory.language.tokens import ExpressionError

__all__ = ["LETTERS", "emit_tangents"]

LETTERS = ("x", "y", "y1", "y2", "t")
"""What the cost of one row may contain: the input, the output, y', y'' and the target of the row."""

READ = {"y": "delta", "y1": "dzx", "y2": "dzxx"}
ROWS = 7


def emit_tangents(network: Network, cost: str) -> str:
    """The module of a network 1-…-1 with an identity output; `cost` is that of one row, and C their mean.

    Errors: UsageError for more than one input or output, an activation with a kink, a cost that cannot be read.

    >>> text = emit_tangents(Network.parse("1-8-1", "tanh"), "(y2 + y)^2")
    >>> print([line.strip() for line in text.splitlines() if line.strip().startswith("dzxx1")][0])
    dzxx1 = (dzxx2 @ W2.T) * f_prime(z1)             # BP2  (n, 8)
    """
    sizes = network.sizes
    if sizes[0] != 1 or sizes[-1] != 1 or not network.is_plain or network.output != "identity":
        raise UsageError(f"derivatives by the input need one input, one output and output identity, got {network}")
    names = [name for name in dict.fromkeys(network.activations) if name != "identity"]
    functions = {name: "f" if len(names) == 1 else f"f{k}" for k, name in enumerate(names, 1)}
    texts: dict[str, str] = {}
    for name, function in functions.items():
        texts |= write_derivatives(find_activation(name, "network"), function)
    texts |= write_row_cost(read_cost(cost))
    stated = f"{'-'.join(map(str, sizes))} ({', '.join(names) or 'identity'})"
    heading = f"A network {stated} with derivatives: C is the mean over the rows of"
    return "\n\n".join(
        [
            f'"""{heading}\n\n    {cost}\n"""\n\nimport numpy as np\n',
            *(text.rstrip("\n") + "\n" for text in texts.values()),
            *write_passes(sizes, [*(functions.get(name) for name in network.activations), None]),
            *write_sample_data(sizes),
        ]
    )


def write_row_cost(density: Expr) -> dict[str, str]:
    """The cost of one row, and its derivatives by y, y' and y''."""
    rows = {"row_cost": density} | {f"row_cost_{name}": diff(density, real_symbol(name)) for name in READ}
    texts: dict[str, str] = {}
    for name, expression in rows.items():
        source = write_expression(expression, name, LETTERS)
        texts |= {**dict(source.support), name: source.value}
    return texts


def write_passes(sizes: Sequence[int], functions: Sequence[str | None]) -> list[str]:
    """derivatives, forward, cost, gradients."""
    depth = len(functions)
    outputs = f"z{depth}, zx{depth}, zxx{depth}"
    run = [
        ", ".join(f"(W{k}, b{k})" for k in range(1, depth + 1)) + ("," if depth == 1 else "") + " = params",
        "ax0, axx0 = np.ones_like(X), np.zeros_like(X)  # ∂x/∂x and ∂²x/∂x²",
        *map(write_line, lower_forward(sizes, functions)),
    ]
    return [
        write_function(
            "derivatives(params, X)", "y, y' and y'' at X: (n, 1), each (n, 1).", [*run, f"return {outputs}"]
        ),
        write_function("forward(params, X)", "The outputs y.", ["return derivatives(params, X)[0]"]),
        write_function(
            "cost(params, X, Y)",
            "The cost C, one number.  Y: (n, 1), t of every row.",
            ["y, y1, y2 = derivatives(params, X)", "return np.sum(row_cost(X, y, y1, y2, Y)) / len(X)"],
        ),
        write_gradients(sizes, functions, run),
    ]


def write_gradients(sizes: Sequence[int], functions: Sequence[str | None], run: Sequence[str]) -> str:
    """The cost backwards: by the outputs and both derivatives first, then through the layers."""
    depth = len(functions)
    read = f"(X, z{depth}, zx{depth}, zxx{depth}, Y)"
    from_cost = [f"{target}{depth} = row_cost_{name}{read} / len(X)" for name, target in READ.items()]
    pairs = ", ".join(f"(dW{k}, db{k})" for k in range(1, depth + 1))
    return write_function(
        "gradients(params, X, Y)",
        "The derivative of C by every parameter, in the structure of params.",
        [*run, *from_cost, *map(write_line, lower_backward(sizes, functions)), f"return [{pairs}]"],
    )


def write_sample_data(sizes: Sequence[int]) -> list[str]:
    """parameters and data."""
    draws = [
        f"    (rng.normal(size=({m}, {k})) / np.sqrt({m}), rng.normal(size={k}))," for m, k in itertools.pairwise(sizes)
    ]
    data = [f"n = {ROWS} if n is None else n", "return rng.normal(size=(n, 1)), rng.uniform(size=(n, 1))"]
    return [
        write_function(
            "parameters(rng)", "Random parameters: weights with variance 1/fan-in.", ["return [", *draws, "]"]
        ),
        write_function("data(rng, n=None)", f"Random rows ({ROWS} by default).", data),
    ]


def read_cost(cost: str) -> Expr:
    """The cost of a row as an expression.  Errors: UsageError saying what cannot be read."""
    try:
        return parse(cost, LETTERS)
    except ExpressionError as error:
        raise UsageError(f"the cost of a row: {error}; it may contain {', '.join(LETTERS)}") from None


def write_derivatives(activation: ActivationFunction, function: str) -> dict[str, str]:
    """f, f', f'' and f''', each printed from the derivative of the one before.  Errors: UsageError for a kink."""
    if activation.kinks:
        raise UsageError(
            f"activation {activation.name!r} has a kink, so the network has no second derivative; try tanh"
        )
    texts: dict[str, str] = {}
    for order in range(3):
        source = write_functions(activation, function + "_prime" * order)
        texts |= {**dict(source.support), source.name: source.value, f"{source.name}_prime": source.derivative}
        activation = ActivationFunction(f"{activation.name}'", activation.derivative)
    return texts
