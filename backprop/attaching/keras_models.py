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
    adapter = _KerasAdapter(model, loss)
    functions = {
        "parameters": lambda rng: adapter.read(),
        "data": give_rows(np.asarray(X), np.asarray(Y)),
        "cost": lambda params, X, Y: adapter.holding(params, lambda: float(adapter.numbers(adapter.mean_loss(X, Y)))),
        "gradients": lambda params, X, Y: adapter.holding(params, lambda: adapter.pull(X, Y)),
    }
    return Subject(functions, label or f"Keras model {model.name}")


class _KerasAdapter:
    """The model with its loss, called on NumPy arrays."""

    def __init__(self, model: Any, loss: Callable[[Any, Any], Any]) -> None:
        import keras

        self.keras, self.model, self.loss = keras, model, loss
        self.backend = keras.backend.backend()
        if self.backend not in ("torch", "jax"):
            raise UsageError(f"the Keras backend is {self.backend}; set KERAS_BACKEND=torch or jax before keras is "
                             "imported")  # fmt: skip
        self.variables = {variable.path: variable for variable in model.trainable_variables}
        if not self.variables:
            raise UsageError(f"{type(model).__name__} has no trainable variables; build it first")
        self.numbers = keras.ops.convert_to_numpy

    def read(self) -> dict[str, Any]:
        """The model's own parameters."""
        return {name: np.array(self.numbers(one.value), dtype=float) for name, one in self.variables.items()}

    def mean_loss(self, X: Any, Y: Any) -> Any:
        """The loss, as the backend has it."""
        ops = self.keras.ops
        return ops.mean(self.loss(ops.convert_to_tensor(Y), self.model(X, training=False)))

    def holding(self, params: Mapping[str, Any], run: Callable[[], Any]) -> Any:
        """What a function gives while the model has other parameters."""
        kept = {name: np.array(self.numbers(one.value)) for name, one in self.variables.items()}
        try:
            for name, one in self.variables.items():
                one.assign(np.asarray(params[name], dtype=str(one.dtype)))
            return run()
        finally:
            for name, one in self.variables.items():
                one.assign(kept[name])

    def pull(self, X: Any, Y: Any) -> dict[str, Any]:
        """What the backend's backward pass gives."""
        found = self._pull_torch(X, Y) if self.backend == "torch" else self._pull_jax(X, Y)
        return dict(zip(self.variables, found, strict=True))

    def _pull_torch(self, X: Any, Y: Any) -> list[Any]:
        import torch

        values = [one.value for one in self.variables.values()]
        with torch.enable_grad():
            found = torch.autograd.grad(self.mean_loss(X, Y), values, allow_unused=True)
        return [
            np.zeros(tuple(v.shape)) if g is None else g.detach().cpu().numpy()
            for g, v in zip(found, values, strict=True)
        ]

    def _pull_jax(self, X: Any, Y: Any) -> list[Any]:
        import jax

        fixed = [one.value for one in self.model.non_trainable_variables]

        def run(values: Any) -> Any:
            output, _ = self.model.stateless_call(values, fixed, X, training=False)
            return jax.numpy.mean(self.loss(jax.numpy.asarray(Y), output))

        return [np.asarray(g) for g in jax.grad(run)([one.value for one in self.variables.values()])]
