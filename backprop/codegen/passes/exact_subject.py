"""exact_subject: the fast wiring, unchanged, as a module for the exact check over a prime field.

The functions that it calls are those of the readable module's table, which the check replaces by arbitrary ones.
Where f' is taken from a = f(z), any function of a may stand for it: f_prime(z) is then f_slope(f(z)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backprop.codegen.passes.functions import BOTH, INTO
from backprop.codegen.passes.slopes import SLOPE
from backprop.codegen.passes.writing import SMALL
from backprop.specification.parameters import ParameterLayout

__all__ = ["write_exact_subject"]

NAMES = f"""from numpy import add, copyto, divide, matmul, multiply, negative, square, subtract

SMALL = {SMALL}
dot = np.ndarray.dot
sum_all = add.reduce
"""

CALLED = """def {name}_into(z, out, *work):
    out[...] = {name}(z)


def {name}_new(z):
    return {name}(z)
"""

BOTH_CALLED = """def {name}_both_into(z, out, slope, *work):
    slope[...] = {name}_prime(z)
    out[...] = {name}(z)  # may be z
"""

ROW_MAX = """def row_max_into(z, axis, dtype, out, keepdims):
    out[...] = row_max(z)
"""

GRADIENTS = """def run_fast(make, make_buffers, theta, X, Y, context):
    n = X.shape[0]
    memory, vectors, ones = np.empty(n * MATRICES, object), np.empty(VECTORS, object), np.ones(n, object)
    result = np.empty_like(theta)
    buffers = make_buffers(memory, vectors, ones, n, np.dtype(object))
    return make(buffers, weights(theta), results(result))(X, Y, **context), result


def gradients(params, X, Y, **context):
    theta = np.concatenate([np.ravel(array) for group in params for array in group])
    _, result = run_fast(gradient, gradient_buffers, theta, X, Y, context)
    value, again = run_fast(value_and_gradient, value_and_gradient_buffers, theta, X, Y, context)
    result = result + (again - result) * 7 + (value - cost(params, X, Y, **context))  # nothing is added if all agree
    arrays = iter([{arrays}])
    groups = [tuple(next(arrays) for _ in group) for group in params]
    return [type(group)(*own) if hasattr(group, "_make") else own for group, own in zip(params, groups, strict=True)]
"""


def write_exact_subject(
    readable: str, wiring: str, layout: ParameterLayout, slopes: Mapping[str, str], calls: Sequence[str]
) -> str:
    """The readable module, with `gradients` done by the fast wiring (both functions, cost compared).

    Parameters: the readable source, the fast wiring, the layout of theta, slopes by name, and what the wiring calls.
    """
    parts = [readable, NAMES]
    for name, text in slopes.items():
        parts += [text, f"def {name}_prime(z):\n    return {name}{SLOPE}({name}(z))\n"]
        parts.append(f'TABLE["{name}{SLOPE}"] = TABLE.pop("{name}_prime")\n')
    known = [name for name in ("exp", "log") if f"{name}{INTO}(" in wiring]
    for name in dict.fromkeys([*known, *calls]):
        pair = name.endswith(BOTH)
        parts.append(BOTH_CALLED.format(name=name.removesuffix(BOTH)) if pair else CALLED.format(name=name))
    parts += [ROW_MAX] if f"row_max{INTO}(" in wiring else []
    spans = [f"result[{block.start}:{block.stop}].reshape({block.shape})" for block in layout.blocks]
    return "\n\n".join([*parts, wiring, GRADIENTS.replace("{arrays}", ", ".join(spans))])
