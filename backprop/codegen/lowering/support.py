"""The functions a module needs besides its activations: softmax and its logarithm, by rows, and what they call.

They are the definitions with one change that the definition allows: the largest entry of a row is
subtracted first (softmax(z) = softmax(z - m) for every m), so that no exponential overflows.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RESERVED", "ROW_FUNCTIONS", "SIGMOID_FAMILY", "RowFunction"]


@dataclass(frozen=True)
class RowFunction:
    """The text of one function, and the functions it calls."""

    name: str
    text: str
    calls: tuple[str, ...] = ()


ROW_FUNCTIONS: dict[str, RowFunction] = {
    function.name: function
    for function in (
        RowFunction(
            "softmax",
            '''def softmax(z):
    """softmax by rows: e^z_j / Σ_k e^z_k; the row's largest entry is subtracted first, which changes nothing."""
    e = exp(z - row_max(z))
    return e / np.sum(e, axis=1, keepdims=True)
''',
            ("exp", "row_max"),
        ),
        RowFunction(
            "log_softmax",
            '''def log_softmax(z):
    """log softmax by rows: z_j - log Σ_k e^z_k."""
    s = z - row_max(z)
    return s - log(np.sum(exp(s), axis=1, keepdims=True))
''',
            ("exp", "log", "row_max"),
        ),
        RowFunction(
            "exp",
            '''def exp(z):
    """e^z, its own derivative"""
    return np.exp(z)
''',
        ),
        RowFunction(
            "log",
            '''def log(z):
    """natural logarithm; its derivative is `reciprocal`"""
    return np.log(z)
''',
            ("reciprocal",),
        ),
        RowFunction(
            "reciprocal",
            '''def reciprocal(z):
    """1 / z"""
    return 1 / z
''',
        ),
        RowFunction(
            "row_max",
            '''def row_max(z):
    """the largest entry of each row, as a column"""
    return np.max(z, axis=1, keepdims=True)
''',
        ),
    )
}
DERIVATIVES = {"exp": "exp", "log": "reciprocal", "log1p": "log1p_prime", "row_max": "free"}
"""What the table says of them; softmax, log_softmax and reciprocal run as they stand."""

SIGMOID_FAMILY = frozenset({"softplus", "log_sigmoid"})
"""Functions of a cost after a sigmoid, whose derivatives are expressions in that sigmoid."""

RESERVED = frozenset(ROW_FUNCTIONS) | SIGMOID_FAMILY
"""Names that an activation may not take in a module, because they mean something there."""
