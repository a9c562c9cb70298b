"""emit_flat: the same program for one flat parameter vector, as training calls it.

The lines are those of the readable module; only how parameters come in and gradients go out differs.
"""

from __future__ import annotations

from backprop.codegen.emit import uses, write_expression, write_function
from backprop.codegen.program import Program
from backprop.runtime.parameters import Layout

__all__ = ["emit_flat"]


def emit_flat(program: Program, layout: Layout) -> str:
    """Two functions of (theta, X, Y): gradient and value_and_gradient; the result is a new vector.

    >>> from backprop.codegen.lower import lower
    >>> from backprop.network import Network
    >>> network = Network.parse("2-1")
    >>> print(emit_flat(lower(network), Layout.of(network.sizes)).split("def value")[0].rstrip())
    def gradient(theta, X, Y):
        \"\"\"dC by theta, one new vector.\"\"\"
        W1 = theta[0:2].reshape(2, 1)
        b1 = theta[2:3]
        result = np.empty_like(theta)
        z1 = X @ W1 + b1
        a1 = z1
        delta1 = a1 - Y
        result[0:2] = (X.T @ delta1).ravel()
        result[2:3] = np.sum(delta1, axis=0)
        return result
    """
    views = [f"{block.name} = theta[{block.start}:{block.stop}]{reshape(block.shape)}" for block in layout.blocks]
    spans = {"d" + block.name: f"{block.start}:{block.stop}" for block in layout.blocks}
    whole = [*(line.value for line in program.backward), program.cost]
    count = ["n = X.shape[0]"] if uses(whole, "n") else []
    forward = [f"{line.target.id} = {write_expression(line.value)}" for line in program.forward]
    backward = []
    for line in program.backward:
        name, text = line.target.id, write_expression(line.value)
        matrix = len(line.target.shape) == 2
        backward.append(
            f"result[{spans[name]}] = {f'({text}).ravel()' if matrix else text}"
            if name in spans
            else f"{name} = {text}"
        )
    start = [*views, "result = np.empty_like(theta)", *count, *forward]
    cost = f"value = {write_expression(program.cost)}"
    return "\n\n".join(
        [
            write_function(
                "gradient(theta, X, Y)", "dC by theta, one new vector.", [*start, *backward, "return result"]
            ),
            write_function(
                "value_and_gradient(theta, X, Y)",
                "C and dC by theta, from one forward pass.",
                [*start, cost, *backward, "return value, result"],
            ),
        ]
    )


def reshape(shape: tuple[int, ...]) -> str:
    """.reshape(64, 32) for a matrix, nothing for a vector."""
    return f".reshape({shape[0]}, {shape[1]})" if len(shape) == 2 else ""
