"""A JAX function, its own custom_vjp and all, against differences of its value."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from backprop.examiner.subject.adapters.batches import give_rows
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["subject_from_jax"]


def subject_from_jax(
    cost: Callable[[Any, Any, Any], Any],
    params: Any,
    X: Any,
    Y: Any,
    *,
    double: bool = True,
    jit: bool = True,
    label: str | None = None,
) -> Subject:
    """Make a subject of a JAX function cost(params, X, Y); its gradients are those of `jax.grad(cost)`.

    Parameters: `params` is any nest of lists, tuples and dicts of arrays; X, Y have one row a sample. With `double` the
    function runs in 64 bits, whatever the global setting: a rule written in `custom_vjp` is the same rule there,
    and the comparison is sharp; without, it is judged by its measured noise. With `jit` it is compiled, unless its
    control flow does not allow that.

    >>> import backprop, jax
    >>> @jax.custom_vjp
    ... def cube(z):
    ...     return z**3
    >>> cube.defvjp(lambda z: (z**3, z), lambda z, delta: (2 * z**2 * delta,))  # should be 3
    >>> def cost(params, X, Y):
    ...     (W1, b1), (W2, b2) = params
    ...     return ((cube(X @ W1 + b1) @ W2 + b2 - Y) ** 2).mean()
    >>> rng = np.random.default_rng(0)
    >>> params = [(rng.normal(size=(3, 4)), rng.normal(size=4)), (rng.normal(size=(4, 2)), rng.normal(size=2))]
    >>> subject = backprop.subject_from_jax(cost, params, rng.normal(size=(6, 3)), rng.normal(size=(6, 2)))
    >>> finding = backprop.verify(subject).findings[0]
    >>> finding.equation, finding.layer, finding.parameters
    ('BP2', 1, ('W1', 'b1'))
    """
    import jax

    def precise() -> contextlib.AbstractContextManager[Any]:
        return jax.enable_x64(True) if double else contextlib.nullcontext()

    data = give_rows(X, Y)
    own = jax.tree_util.tree_map(lambda leaf: np.array(leaf, dtype=float), params)
    gradient = jax.grad(cost)
    if jit:
        with precise():
            cost, gradient = _compile(jax, cost, gradient, own, data)

    def run_cost(params: Any, X: Any, Y: Any) -> Any:
        with precise():
            return np.asarray(cost(params, X, Y))

    def run_gradients(params: Any, X: Any, Y: Any) -> Any:
        with precise():
            return jax.tree_util.tree_map(np.array, gradient(params, X, Y))

    functions = {
        "parameters": lambda rng: jax.tree_util.tree_map(np.array, own),
        "data": data,
        "cost": run_cost,
        "gradients": run_gradients,
    }
    return Subject(functions, label or f"JAX function {getattr(cost, '__name__', 'cost')}")


def _compile(jax: Any, cost: Any, gradient: Any, own: Any, data: Any) -> tuple[Any, Any]:
    """The two functions compiled, or as they were where their control flow depends on values."""
    compiled = jax.jit(cost), jax.jit(gradient)
    X, Y = data(np.random.default_rng(0))
    try:
        compiled[0](own, X, Y)
        compiled[1](own, X, Y)
    except jax.errors.JAXTypeError:
        return cost, gradient
    return compiled
