"""A Keras 3 model with a loss, on its torch or JAX backend, against differences of the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.subject.adapters.batches import give_rows
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["subject_from_keras"]


def subject_from_keras(
    model: Any, loss: Callable[[Any, Any], Any], X: Any, Y: Any, *, label: str | None = None
) -> Subject:
    """Make a subject of a built Keras 3 model and `loss(Y, model(X))`, as Keras orders its losses.

    Parameters: X, Y are arrays, one row a sample; `loss` is a keras loss object or function; its mean is taken where
    it gives one number a sample. Trainable variables are the tensors of the report, under their paths. The cost runs
    the model in the mode of training = False, the gradients are those of the backend's own backward pass, in the
    model's own number type: set `keras.config.set_floatx("float64")` before it is built for a sharp comparison. The
    model's variables are put back after each call. Errors: UsageError on the TensorFlow backend, and for a model
    without variables.
    """
    import keras

    backend = keras.backend.backend()
    if backend not in ("torch", "jax"):
        raise UsageError(f"the Keras backend is {backend}; set KERAS_BACKEND=torch or jax before keras is imported")
    variables = list(model.trainable_variables)
    if not variables:
        raise UsageError(f"{type(model).__name__} has no trainable variables; build it, or call it on a batch first")
    names = [variable.path for variable in variables]
    read = keras.ops.convert_to_numpy

    def mean_loss(X: Any, Y: Any) -> Any:
        return keras.ops.mean(loss(keras.ops.convert_to_tensor(Y), model(X, training=False)))

    def holding(params: Mapping[str, Any], run: Callable[[], Any]) -> Any:
        kept = [np.array(read(variable.value)) for variable in variables]
        try:
            for name, variable in zip(names, variables, strict=True):
                variable.assign(np.asarray(params[name], dtype=str(variable.dtype)))
            return run()
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

    pull = _pull_torch if backend == "torch" else _pull_jax
    functions = {
        "parameters": lambda rng: {
            name: np.array(read(variable.value), dtype=float) for name, variable in zip(names, variables, strict=True)
        },
        "data": give_rows(np.asarray(X), np.asarray(Y)),
        "cost": lambda params, X, Y: holding(params, lambda: float(read(mean_loss(X, Y)))),
        "gradients": lambda params, X, Y: holding(
            params, lambda: dict(zip(names, pull(model, loss, variables, mean_loss, X, Y), strict=True))
        ),
    }
    return Subject(functions, label or f"Keras model {model.name}")


def _pull_torch(model: Any, loss: Any, variables: Any, mean_loss: Any, X: Any, Y: Any) -> list[Any]:
    import torch

    values = [variable.value for variable in variables]
    with torch.enable_grad():
        found = torch.autograd.grad(mean_loss(X, Y), values, allow_unused=True)
    return [
        np.zeros(tuple(v.shape)) if g is None else g.detach().cpu().numpy() for g, v in zip(found, values, strict=True)
    ]


def _pull_jax(model: Any, loss: Any, variables: Any, mean_loss: Any, X: Any, Y: Any) -> list[Any]:
    import jax

    fixed = [variable.value for variable in model.non_trainable_variables]

    def run(values: Any) -> Any:
        output, _ = model.stateless_call(values, fixed, X, training=False)
        return jax.numpy.mean(loss(jax.numpy.asarray(Y), output))

    return [np.asarray(g) for g in jax.grad(run)([variable.value for variable in variables])]
