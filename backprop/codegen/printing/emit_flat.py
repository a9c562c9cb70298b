"""emit_flat: the same program for one flat parameter vector, with what comes in beside the batch.

The lines are those of the readable module; only how parameters come in and gradients go out differs.
"""

from __future__ import annotations

from collections.abc import Iterable

from backprop.codegen.lowering.nodes import Name
from backprop.codegen.lowering.program import Assignment, Program
from backprop.codegen.printing.emit import write_expression, write_function
from backprop.specification.parameters import ParameterLayout

__all__ = ["emit_flat", "list_context", "list_given", "signature"]


def list_context(program: Program) -> tuple[Name, ...]:
    """What comes in beside the batch in training: masks, weights of samples."""
    return (*(mask.name for mask in program.masks), *([program.weights] if program.weights else []))


def list_given(program: Program) -> tuple[Name, ...]:
    """What comes in beside the batch in prediction: running statistics."""
    return tuple(name for statistic in program.statistics for name in statistic.given)


def signature(*positional: str, keywords: Iterable[Name] = ()) -> str:
    """(params, X, *, mask1)"""
    names = [name.id for name in keywords]
    return f"({', '.join([*positional, *(['*', *names] if names else [])])})"


def emit_flat(program: Program, layout: ParameterLayout) -> str:
    """The same program for one flat vector: gradient, value_and_gradient, learn (with the batch's statistics), cost;
    forward and evaluate for prediction; statistics.

    >>> from backprop.codegen.lowering.lower import lower
    >>> from backprop.specification.network import Network
    >>> network = Network.parse("2-1")
    >>> print(emit_flat(lower(network), ParameterLayout.of(network.sizes)).split("def value")[0].rstrip())
    def gradient(theta, X, Y):
        \"\"\"Of one flat vector.\"\"\"
        W1 = theta[0:2].reshape(2, 1)
        b1 = theta[2:3]
        n = X.shape[0]
        result = np.empty_like(theta)
        z1 = X @ W1 + b1
        a1 = z1
        delta1 = a1 - Y
        dW1 = X.T @ delta1
        result[0:2] = dW1.ravel()
        db1 = np.sum(delta1, axis=0)
        result[2:3] = db1
        return result
    """
    views = [f"{b.name} = theta[{b.start}:{b.stop}]{reshape(b.shape)}" for b in layout.blocks]
    head = [*views, "n = X.shape[0]"]
    forward = write_lines(program.forward)
    start = [*head, "result = np.empty_like(theta)", *forward]
    backward = write_backward(program, layout)
    value = f"value = {write_expression(program.cost)}"
    pairs = [pair for statistic in program.statistics for pair in zip(statistic.given, statistic.seen, strict=True)]
    seen = "{" + ", ".join(f'"{given.id}": {own.id}' for given, own in pairs) + "}"
    keywords = signature("theta", "X", "Y", keywords=list_context(program))
    other, output = program.prediction, program.output
    lines = forward if other is None else write_lines(other.forward)
    output = output if other is None else other.forward[-1].target
    assert output is not None
    cost = program.cost if other is None else other.cost
    given = list_given(program)
    weights = [program.weights] if program.weights else []
    functions = {
        f"gradient{keywords}": [*start, *backward, "return result"],
        f"value_and_gradient{keywords}": [*start, value, *backward, "return value, result"],
        f"learn{keywords}": [*start, value, *backward, f"return value, result, {seen}"],
        f"cost{keywords}": [*head, *forward, f"return {write_expression(program.cost)}"],
        f"forward{signature('theta', 'X', keywords=given)}": [*head, *lines, f"return {output.id}"],
        f"evaluate{signature('theta', 'X', 'Y', keywords=(*given, *weights))}": [
            *head, *lines, f"return {write_expression(cost)}",
        ],
        f"statistics{signature('theta', 'X', keywords=[mask.name for mask in program.masks])}": [
            *head, *forward, f"return {seen}",
        ],
    }  # fmt: skip
    return "\n\n".join(write_function(name, "Of one flat vector.", body) for name, body in functions.items())


def write_lines(lines: Iterable[Assignment]) -> list[str]:
    """The lines without their comments."""
    return [f"{line.target.id} = {write_expression(line.value)}" for line in lines]


def write_backward(program: Program, layout: ParameterLayout) -> list[str]:
    """The lines of the backward pass; every gradient is put into its place."""
    spans = {f"d{block.name}": f"{block.start}:{block.stop}" for block in layout.blocks}
    written = []
    for line, text in zip(program.backward, write_lines(program.backward), strict=True):
        written.append(text)
        if span := spans.get(line.target.id):
            written.append(f"result[{span}] = {line.target.id}{'.ravel()' if len(line.target.shape) == 2 else ''}")
    return written


def reshape(shape: tuple[int, ...]) -> str:
    """.reshape(64, 32) for a matrix, nothing for a vector."""
    return f".reshape({shape[0]}, {shape[1]})" if len(shape) == 2 else ""
