"""emit_flat_stack: the program of a network of any layers for one flat vector, with what comes in beside the batch."""

from __future__ import annotations

from collections.abc import Iterable

from backprop.codegen.emit import write_expression, write_function
from backprop.codegen.program import Name, Program
from backprop.runtime.parameters import Layout

__all__ = ["emit_flat_stack", "list_context", "list_given", "signature"]


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


def emit_flat_stack(program: Program, layout: Layout) -> str:
    """The same program for one flat vector: gradient, value_and_gradient, learn (with the batch's statistics), cost;
    and forward and evaluate for prediction."""
    views = [f"{b.name} = theta[{b.start}:{b.stop}]{reshape(b.shape)}" for b in layout.blocks]
    spans = {"d" + block.name: f"{block.start}:{block.stop}" for block in layout.blocks}
    backward = []
    for line in program.backward:
        name, text = line.target.id, write_expression(line.value)
        backward.append(f"{name} = {text}")
        if name in spans:
            backward.append(f"result[{spans[name]}] = {name}{'.ravel()' if len(line.target.shape) == 2 else ''}")
    forward = [f"{line.target.id} = {write_expression(line.value)}" for line in program.forward]
    head = [*views, "n = X.shape[0]"]
    start = [*head, "result = np.empty_like(theta)", *forward]
    value = f"value = {write_expression(program.cost)}"
    seen = [
        f'"{given.id}": {own.id}'
        for statistic in program.statistics
        for given, own in zip(statistic.given, statistic.seen, strict=True)
    ]
    keywords = signature("theta", "X", "Y", keywords=list_context(program))
    other = program.prediction
    lines = forward if other is None else [f"{x.target.id} = {write_expression(x.value)}" for x in other.forward]
    output = program.output if other is None else other.forward[-1].target
    assert output is not None
    cost = program.cost if other is None else other.cost
    given = list_given(program)
    weights = [program.weights] if program.weights else []
    functions = {
        f"gradient{keywords}": [*start, *backward, "return result"],
        f"value_and_gradient{keywords}": [*start, value, *backward, "return value, result"],
        f"learn{keywords}": [*start, value, *backward, f"return value, result, {{{', '.join(seen)}}}"],
        f"cost{keywords}": [*head, *forward, f"return {write_expression(program.cost)}"],
        f"forward{signature('theta', 'X', keywords=given)}": [*head, *lines, f"return {output.id}"],
        f"evaluate{signature('theta', 'X', 'Y', keywords=(*given, *weights))}": [
            *head, *lines, f"return {write_expression(cost)}",
        ],
        f"statistics{signature('theta', 'X', keywords=[mask.name for mask in program.masks])}": [
            *head, *forward, f"return {{{', '.join(seen)}}}",
        ],
    }  # fmt: skip
    return "\n\n".join(write_function(name, "Of one flat vector.", body) for name, body in functions.items())


def reshape(shape: tuple[int, ...]) -> str:
    """.reshape(64, 32) for a matrix, nothing for a vector."""
    return f".reshape({shape[0]}, {shape[1]})" if len(shape) == 2 else ""
