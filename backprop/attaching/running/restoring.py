"""The state of a program put back after each run: in place and cheap, since one iteration is run thousands of times."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop.attaching.running.leaves import is_jax, is_tensor, list_cells

__all__ = ["Restorer"]

PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic, np.dtype, range, slice)
FIXED = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, types.MethodType, property)
MOST = 60_000


class Unrestorable(Exception):
    """An object whose state cannot be read or written."""


class Restorer:
    """Remembers everything that names lead to, and puts it back.

    Containers get their items again, objects their attributes, arrays and tensors their numbers, generators their
    state: the objects stay the same ones, so that whatever refers to them goes on to do so. Raises `Unrestorable` at
    anything else that can change.
    """

    def __init__(self, *names: Mapping[str, Any]) -> None:
        self.containers: list[tuple[Any, Any]] = []
        self.arrays: list[tuple[Any, Any]] = []
        self.tensors: list[tuple[Any, Any, Any]] = []
        self.generators: list[tuple[Any, Any]] = []
        self.functions: list[tuple[types.FunctionType, dict[str, Any]]] = []
        self._seen: set[int] = set()
        queue: list[Any] = [value for one in names for value in one.values()]
        while queue:
            queue += self._take(queue.pop())
            if len(self._seen) > MOST:
                raise Unrestorable("too much")

    def _take(self, value: Any) -> list[Any]:
        if isinstance(value, types.FunctionType) and value.__closure__ and id(value) not in self._seen:
            return self._take_function(value)
        if isinstance(value, (PLAIN, FIXED)) or id(value) in self._seen or is_jax(value):
            return []
        self._seen.add(id(value))
        if isinstance(value, np.ndarray):
            self.arrays.append((value, value.copy()))
            return list(value.flat) if value.dtype == object else []
        if is_tensor(value):
            self.tensors.append((value, value.detach().clone(), value.grad if value.is_leaf else None))
            return []
        if isinstance(value, np.random.Generator):
            self.generators.append((value.bit_generator, value.bit_generator.state))
            return []
        if isinstance(value, np.random.RandomState):
            self.generators.append((value, value.get_state()))
            return []
        return self._take_container(value)

    def _take_function(self, function: types.FunctionType) -> list[Any]:
        """What a function holds of the functions around it."""
        self._seen.add(id(function))
        held = dict(list_cells(function))
        self.functions.append((function, held))
        return list(held.values())

    def _take_container(self, value: Any) -> list[Any]:
        if isinstance(value, tuple | frozenset):
            return list(value)
        if isinstance(value, dict):
            self.containers.append((value, dict(value)))
            return [*value.values(), *(list(vars(value).values()) if hasattr(value, "__dict__") else [])]
        if isinstance(value, list | deque):
            self.containers.append((value, list(value)))
            return list(value)
        if isinstance(value, set):
            self.containers.append((value, set(value)))
            return list(value)
        return self._take_object(value)

    def _take_object(self, value: Any) -> list[Any]:
        slots = [
            name for kind in type(value).__mro__ for name in _names(kind.__dict__.get("__slots__", ()))
            if name not in ("__dict__", "__weakref__") and hasattr(value, name)
        ]  # fmt: skip
        if slots:
            held = {name: getattr(value, name) for name in slots}
            self.containers.append((value, held))
            return [*held.values(), *getattr(value, "__dict__", {}).values()]
        if hasattr(value, "__dict__") and type(value).__module__ != "builtins":
            attributes = vars(value)
            self.containers.append((attributes, dict(attributes)))
            return list(attributes.values())
        raise Unrestorable(type(value).__name__)

    def restore(self) -> None:
        """Put everything back."""
        for array, numbers in self.arrays:
            if array.flags.writeable:
                array[...] = numbers
        for tensor, numbers, grad in self.tensors:
            if tensor.dtype != numbers.dtype or tensor.shape != numbers.shape:
                tensor.data = numbers.clone()
            elif not tensor.detach().equal(numbers):  # writing what is there spoils the graph that it is in
                tensor.detach().copy_(numbers)
            if tensor.is_leaf:
                tensor.grad = grad
        for container, items in self.containers:
            _refill(container, items)
        for function, held in self.functions:
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
                if name in held:
                    cell.cell_contents = held[name]
        for generator, state in self.generators:
            if hasattr(generator, "set_state"):
                generator.set_state(state)
            else:
                generator.state = state


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _refill(container: Any, items: Any) -> None:
    if isinstance(container, dict):
        if len(container) == len(items) and all(container.get(k, container) is v for k, v in items.items()):
            return
        container.clear()
        container.update(items)
    elif isinstance(container, list):
        container[:] = items
    elif isinstance(container, deque | set):
        container.clear()
        (container.extend if isinstance(container, deque) else container.update)(items)
    else:
        for name, value in items.items():
            setattr(container, name, value)
