"""A single operation and its hand-written backward: every input's gradient, in words of inputs, not of layers."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backprop.attaching.running.leaves import is_tensor
from backprop.errors import UsageError
from backprop.examiner.subject.protocol.naming import Inputs
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["subject_from_op"]

SEED = 7


def subject_from_op(
    function: Callable[..., Any],
    inputs: Sequence[Any] | Mapping[str, Any],
    backward: Callable[..., Any] | None = None,
    *,
    label: str | None = None,
) -> Subject:
    """Make a subject of an operation: of sums of its output with fixed weights, and what its backward says of them.

    Parameters: `function` is `MyFunction.apply` of torch, a JAX function with `custom_vjp`, or any function of arrays
    with its `backward`; `inputs` are the values at which it is examined, in order or by name (arrays, tensors; what is
    whole, a flag or a number stays as it is). `backward` takes (inputs…, g), or (g, cache) where the function returns
    (output, cache), with g of the output's shape, and returns one gradient an input (None: it has none).
    Every input of real numbers is one tensor of the report. Errors: UsageError where there is nothing to differentiate.

    >>> import backprop
    >>> square = lambda x, c: c * x**2
    >>> wrong = lambda x, c, g: (2 * c * x * g, None)
    >>> backprop.verify(subject_from_op(square, {"x": np.array([1.0, 2.0]), "c": 3}, wrong)).verdict
    'verified'
    """
    names = list(inputs) if isinstance(inputs, Mapping) else _name_inputs(function, len(inputs))
    values = list(inputs.values()) if isinstance(inputs, Mapping) else list(inputs)
    kind = _Torch if any(map(is_tensor, values)) else _Jax if backward is None else _Arrays
    if kind is _Jax and "jax" not in sys.modules:
        raise UsageError("an operation of NumPy needs its backward: verify(f, inputs=…, backward=f_backward)")
    operation = kind(function, values, names, backward)
    if not operation.free:
        raise UsageError(f"no input is an array of real numbers, got {', '.join(type(v).__name__ for v in values)}")
    functions = {
        "parameters": lambda rng: operation.read(),
        "data": lambda rng: (np.zeros(0), np.zeros(0)),
        "cost": lambda params, X, Y: operation.weigh(params),
        "gradients": lambda params, X, Y: operation.pull(params),
    }
    owner = getattr(getattr(function, "__self__", None), "__name__", None)
    subject = Subject(functions, label or f"operation {owner or getattr(function, '__qualname__', 'function')}")
    subject.flat = True
    return subject


def _name_inputs(function: Any, count: int) -> list[str]:
    owner = getattr(function, "__self__", None)
    forward = getattr(owner, "forward", function)
    try:
        names = [name for name in inspect.signature(forward).parameters if name not in ("ctx", "self")]
    except (TypeError, ValueError):
        names = []
    return names[:count] if len(names) >= count else [f"x{i + 1}" for i in range(count)]


class _Arrays:
    """A function of arrays with its backward."""

    def __init__(self, function: Any, values: Sequence[Any], names: Sequence[str], backward: Any) -> None:
        self.function, self.values, self.backward = function, list(values), backward
        arrays = [np.asarray(v.detach().cpu()) if is_tensor(v) else np.asarray(v) for v in values]
        single = [isinstance(v, float) for v in values]
        self.free = {
            name: i for i, (name, array, number) in enumerate(zip(names, arrays, single, strict=True))
            if array.dtype.kind == "f" and not number
        }  # fmt: skip
        self.start = {name: arrays[i].astype(float) for name, i in self.free.items()}
        self.weights: Any = None

    def read(self) -> Inputs:
        """The inputs, as they were given."""
        return Inputs({name: np.array(value) for name, value in self.start.items()})

    def arguments(self, params: Mapping[str, Any]) -> list[Any]:
        """All inputs, with some of them replaced."""
        out = list(self.values)
        for name, i in self.free.items():
            out[i] = np.asarray(params[name])
        return out

    def output(self, params: Mapping[str, Any]) -> Any:
        """The output, as an array."""
        returned = self.function(*self.arguments(params))
        return np.asarray(returned[0] if isinstance(returned, tuple) else returned)

    def weigh(self, params: Mapping[str, Any]) -> Any:
        """Σ g · output, with the same g in every call."""
        output = self.output(params)
        if self.weights is None or self.weights.shape != output.shape:
            self.weights = np.random.default_rng(SEED).uniform(0.5, 1.5, output.shape)
        return np.sum(self.weights * output)

    def pull(self, params: Mapping[str, Any]) -> Inputs:
        """What the backward says of it."""
        self.weigh(params)
        arguments = self.arguments(params)
        returned = self.function(*arguments)
        if isinstance(returned, tuple):
            found = self.backward(self.weights, returned[1])
        else:
            found = self.backward(*arguments, self.weights)
        row = list(found) if isinstance(found, tuple | list) else [found]
        return self.pack(row)

    def pack(self, row: Sequence[Any]) -> Inputs:
        """One gradient an input; zeros where the backward says that there is none."""
        if len(row) != len(self.values):
            row = [row[list(self.free.values()).index(i)] if i in self.free.values() and len(row) == len(self.free)
                   else None for i in range(len(self.values))]  # fmt: skip
        return Inputs({
            name: np.zeros_like(self.start[name]) if row[i] is None else np.asarray(row[i], dtype=float)
            for name, i in self.free.items()
        })  # fmt: skip


class _Torch(_Arrays):
    """A torch function: its own backward is run by autograd, in double precision."""

    def arguments(self, params: Mapping[str, Any]) -> list[Any]:
        torch = sys.modules["torch"]
        out = list(self.values)
        for name, i in self.free.items():
            out[i] = torch.tensor(np.asarray(params[name]), dtype=torch.float64, requires_grad=True)
        return out

    def output(self, params: Mapping[str, Any]) -> Any:
        with sys.modules["torch"].no_grad():
            returned = self.function(*self.arguments(params))
        return (returned[0] if isinstance(returned, tuple) else returned).detach().cpu().numpy()

    def pull(self, params: Mapping[str, Any]) -> Inputs:
        torch = sys.modules["torch"]
        self.weigh(params)
        arguments = self.arguments(params)
        returned = self.function(*arguments)
        output = returned[0] if isinstance(returned, tuple) else returned
        free = [arguments[i] for i in self.free.values()]
        found = torch.autograd.grad(output, free, torch.as_tensor(self.weights), allow_unused=True)
        row: list[Any] = [None] * len(self.values)
        for i, one in zip(self.free.values(), found, strict=True):
            row[i] = None if one is None else one.detach().cpu().numpy()
        return self.pack(row)


class _Jax(_Arrays):
    """A JAX function: its own rule is run by `jax.vjp`, in double precision."""

    def output(self, params: Mapping[str, Any]) -> Any:
        with sys.modules["jax"].enable_x64(True):
            returned = self.function(*self.arguments(params))
        return np.asarray(returned[0] if isinstance(returned, tuple) else returned)

    def pull(self, params: Mapping[str, Any]) -> Inputs:
        jax = sys.modules["jax"]
        self.weigh(params)
        arguments = self.arguments(params)
        places = list(self.free.values())

        def free_only(*free: Any) -> Any:
            mine = list(arguments)
            for i, value in zip(places, free, strict=True):
                mine[i] = value
            return self.function(*mine)

        with jax.enable_x64(True):
            _, pull = jax.vjp(free_only, *(jax.numpy.asarray(arguments[i]) for i in places))
            found = pull(jax.numpy.asarray(self.weights))
        row: list[Any] = [None] * len(self.values)
        for i, one in zip(places, found, strict=True):
            row[i] = np.asarray(one)
        return self.pack(row)
