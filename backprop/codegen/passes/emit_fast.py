"""emit_fast: the same program as quick source: buffers instead of new arrays, views made once, every result in place.

The text is for running. `emit` writes the one to read; both come from one program and are proved equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backprop.codegen.lowering.program import Program
from backprop.codegen.passes.functions import INTO, CalledFunctions
from backprop.codegen.passes.steps import ValueKind
from backprop.codegen.passes.writing import SMALL, Form, Writer, list_used, write_views
from backprop.specification.parameters import ParameterLayout

__all__ = ["FastSource", "emit_fast"]

NAMES = f"""import numpy as np
from numpy import absolute, add, arctan, copyto, cos, cosh, divide, exp, expm1, greater, greater_equal, heaviside, less
from numpy import less_equal, log, log1p, matmul, maximum, minimum, multiply, negative, reciprocal, sign, sin, sinh
from numpy import sqrt, square, subtract, tan, tanh, where

SMALL = {SMALL}
dot = np.ndarray.dot
sum_all = add.reduce
"""
TABLED = {"exp": "exp", "log": "log", "row_max": "maximum.reduce"}
"""What the wiring calls beside activations and the readable module's table names, as the definitions have it."""


@dataclass(frozen=True)
class FastSource:
    """The text: `wiring`, what is computed from what; `definitions`, the functions that it calls."""

    definitions: str
    wiring: str
    calls: tuple[str, ...]

    @property
    def text(self) -> str:
        """One module."""
        return "\n\n".join([NAMES, self.definitions, self.wiring])


def emit_fast(program: Program, layout: ParameterLayout, functions: CalledFunctions, form: Form) -> FastSource:
    """The fast source.  Errors: Unsupported where the program has a node that the passes do not know.

    `gradient(buffers, weights, results)(X, Y)` with buffers from `gradient_buffers(memory, vectors, ones, n, dtype)`,
    weights from `weights(theta)`, results from `results(gradient)`; `value_and_gradient` likewise.
    """
    writers = [Writer(program, layout, functions, form, with_cost=with_cost) for with_cost in (False, True)]
    size = max(writer.plan.size for writer in writers)
    vectors = max(writer.plan.vector_size for writer in writers)
    ones = sum(set().union(*(writer.columns for writer in writers)))
    head = f"MATRICES = {size}  # numbers for each row\nVECTORS = {vectors}\nONES = {ones}  # for sums along rows\n"
    given = list_used(writers, ValueKind.PARAMETER), list_used(writers, ValueKind.RESULT)
    parts = [part for writer in writers for part in writer.write(*given)]
    views = write_views(layout, writers)
    calls = tuple(dict.fromkeys(call for writer in writers for call in writer.calls))
    return FastSource(write_definitions(functions, calls, form), "\n\n".join([head, *views, *parts]), calls)


def write_definitions(functions: CalledFunctions, calls: Iterable[str], form: Form) -> str:
    """What the wiring calls.  The step function is 1 where a > 0; for a handful of numbers one ufunc is quicker, for
    many another."""
    lines = [f"{name}{INTO} = {function}" for name, function in TABLED.items()]
    lines.append(f"step = {'heaviside' if form.inputs_too else 'greater'}")
    texts = []
    for name in calls:
        known = functions.form(name)
        if known is None:
            continue
        if known.ufunc:
            lines.append(f"{name}{INTO} = {known.ufunc}")
        else:
            texts.append(known.text)
    return "\n\n".join(["\n".join(lines) + "\n", *texts])
