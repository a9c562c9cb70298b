"""emit_jax: the same program as a module for JAX, for whoever outgrows one machine."""

from __future__ import annotations

from backprop.codegen.lowering.program import Program
from backprop.codegen.printing.emit import write_function, write_table_functions
from backprop.codegen.printing.emit_heading import write_heading
from backprop.codegen.printing.emit_module import write_body, write_constants, write_samples
from backprop.errors import UsageError
from backprop.specification.network import Network

__all__ = ["emit_jax"]

USE = """
The parameters are a list of (W, b), which JAX maps over as it is. For more devices than one put X and Y on them by
rows (jax.sharding.NamedSharding over a mesh) and the parameters on all of them: the sums over the batch become sums
over the devices, nothing here has to change. JAX computes in single precision unless jax_enable_x64 is set.
"""
COMPILED = (
    (
        "value_and_gradient(params, X, Y)",
        "C and its derivative by every parameter, compiled.",
        ["return cost(params, X, Y), gradients(params, X, Y)"],
    ),
    (
        "step(params, X, Y, rate)",
        "The parameters after one step of gradient descent, compiled.",
        ["return jax.tree.map(lambda theta, slope: theta - rate * slope, params, gradients(params, X, Y))"],
    ),
)


def emit_jax(network: Network, program: Program) -> str:
    """The module for JAX: the functions of the NumPy module, and two compiled ones, `value_and_gradient` and `step`.

    It has the same lines, the array library apart: `np` is `jax.numpy`. Its `gradients` are the derived equations, not
    JAX's own derivative; both can be compared (`jax.grad(cost)`).

    Errors: UsageError for networks of more than dense layers. Nothing of JAX is needed to print it.

    >>> from backprop.codegen.lowering.lower import lower
    >>> network = Network.parse("3-2-1")
    >>> source = emit_jax(network, lower(network))
    >>> [line for line in source.splitlines() if line.startswith(("import", "@"))]
    ['import jax', 'import jax.numpy as np', '@jax.jit', '@jax.jit']
    """
    if not network.is_plain:
        raise UsageError("--target jax is for networks of dense layers only; use --target numpy for this one")
    texts, _ = write_table_functions(program)
    heading = write_heading(network, program).rstrip().removesuffix('"""') + USE + '"""\n'
    constants = "\n".join(write_constants(network)) + "\n"
    return "\n\n".join(
        [
            f"{heading}\nimport jax\nimport jax.numpy as np\n\n{constants}",
            *texts.values(),
            *write_body(program, network.is_plain),
            *("@jax.jit\n" + write_function(*function) for function in COMPILED),
            *write_samples(network, program),
        ]
    )
