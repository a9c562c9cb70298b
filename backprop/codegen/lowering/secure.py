"""secure: the output layer of a program rewritten so that probabilities near 1 keep the digits of what they miss.

    a - y          =  a (1 - y) - y (sum of the other entries of the row)          where a row of a sums to 1
    log Σ e^(z-m)  =  log1p of what Σ e^(z-m) has beyond the 1 of the largest      in `log_softmax`

Where p = 1 - 1e-20, a - 1 is 0 in floats and the cost is 0; the right sides are 1e-20.
"""

from __future__ import annotations

from dataclasses import replace

from backprop.codegen.lowering.nodes import Call, Expression, Name, Subtract, rewrite
from backprop.codegen.lowering.program import Assignment, Program
from backprop.codegen.lowering.support import RowFunction
from backprop.specification.network import Network

__all__ = ["SECURE_ROWS", "secure"]

SECURE_ROWS: dict[str, RowFunction] = {
    row.name: row
    for row in (
        RowFunction(
            "log_softmax",
            '''def log_softmax(z):
    """log softmax by rows: z_j - log Σ_k e^z_k; of the sum, the 1 of the largest entry is left out, log1p adds it."""
    s = z - row_max(z)
    e = exp(s)
    ones = e == 1
    beyond = np.sum(np.where(ones, 0, e), axis=1, keepdims=True) + (np.sum(ones, axis=1, keepdims=True) - 1)
    return s - log1p(beyond)
''',
            ("exp", "log1p", "row_max"),
        ),
        RowFunction(
            "log1p",
            '''def log1p(z):
    """log(1 + z); its derivative is `log1p_prime`"""
    return np.log1p(z)
''',
            ("log1p_prime",),
        ),
        RowFunction(
            "log1p_prime",
            '''def log1p_prime(z):
    """1 / (1 + z)"""
    return 1 / (1 + z)
''',
        ),
        RowFunction(
            "others",
            '''def others(a):
    """For each entry the sum of the other entries of its row, of positive terms only: nothing cancels."""
    before, after = np.zeros_like(a), np.zeros_like(a)
    before[:, 1:] = np.cumsum(a[:, :-1], axis=1)
    after[:, :-1] = np.cumsum(a[:, :0:-1], axis=1)[:, ::-1]
    return before + after
''',
        ),
    )
}


def secure(program: Program, network: Network) -> Program:
    """The program with a - y of softmax and cross-entropy written without cancelling; any other as it is.

    >>> from backprop.codegen.lowering.lower import lower
    >>> network = Network.parse("3-2", output="softmax", cost="cross-entropy")
    >>> print(secure(lower(network), network).calls())
    ('softmax', 'others', 'log_softmax')
    """
    if (network.output, network.cost) != ("softmax", "cross-entropy"):
        return program
    first, *rest = program.backward
    value = rewrite(first.value, write_residual)
    return replace(program, backward=(Assignment(first.target, value, first.label), *rest))


def write_residual(node: Expression) -> Expression | None:
    """a - Y as a (1 - Y) - Y others(a)."""
    match node:
        case Subtract(left=Name() as a, right=Name(id="Y") as y):
            return a * (1 - y) - y * Call("others", a)
    return None
