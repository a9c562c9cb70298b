"""Who may use which piece of memory.

A workspace belongs to one thread, one number of rows and one type of numbers.  It remembers the vector theta that it
saw last (its views are made once for each), never what a call computed: results are new arrays or the caller's `out`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from backprop.arrays import Array
from backprop.errors import UsageError
from backprop.specification.network import Network
from backprop.specification.parameters import ParameterLayout

if TYPE_CHECKING:
    from backprop.runtime.fast import FastForm

__all__ = ["KEPT", "SCRATCH", "Memory", "Spaces", "Workspace"]

SCRATCH = 4096
"""Up to so many parameters the gradient is computed in the workspace and copied; above, straight into the result."""
KEPT = 4
"""Workspaces that a thread keeps for one network."""

Run = Callable[..., Any]
ndarray = np.ndarray  # looked up in every call


class Memory(NamedTuple):
    """Bytes that one gradient needs beside theta, X and Y: `buffers` a thread keeps, `gradient` is the result."""

    buffers: int
    gradient: int

    @property
    def total(self) -> int:
        """Both."""
        return self.buffers + self.gradient


class Workspace:
    """Buffers for n rows of one type, and the functions that work on the theta and the result that were used last.

    `run(X, Y)` fills `scratch`, `value(X, Y)` as well and returns the cost: for networks of few parameters only.
    """

    __slots__ = (
        "aimed", "buffers", "dtype", "module", "out", "results", "run", "scratch", "scratch_results", "size", "theta",
        "value", "value_buffers", "weights", "x_shape", "y_shape",
    )  # fmt: skip

    def __init__(
        self, module: ModuleType, network: Network, layout: ParameterLayout, n: int, dtype: np.dtype[Any]
    ) -> None:
        self.dtype, self.size, self.module = dtype, layout.size, module
        self.x_shape, self.y_shape = (n, network.inputs), (n, network.outputs)
        memory, vectors = np.empty(n * module.MATRICES, dtype), np.empty(module.VECTORS, dtype)
        ones = np.ones(n, dtype)
        self.buffers = module.gradient_buffers(memory, vectors, ones, n, dtype)
        self.value_buffers = module.value_and_gradient_buffers(memory, vectors, ones, n, dtype)
        self.theta: Array | None = None
        self.weights: tuple[Array, ...] = ()
        self.out: Array | None = None
        self.results: tuple[Array, ...] = ()
        self.aimed: dict[str, Run] = {}
        self.run: Run | None = None
        self.value: Run | None = None
        self.scratch = np.empty(layout.size if layout.size <= SCRATCH else 0, dtype)
        self.scratch_results = module.results(self.scratch) if self.scratch.size else ()

    def fits(self, theta: Array, X: Array, Y: Array) -> bool:
        """Are these arrays like those before, and theta the same?"""
        return (
            theta is self.theta
            and type(X) is ndarray
            and type(Y) is ndarray
            and X.shape == self.x_shape
            and Y.shape == self.y_shape
            and X.dtype is self.dtype
            and Y.dtype is self.dtype
        )

    def bind(self, theta: Array) -> None:
        """Look at another theta from now on."""
        self.theta, self.weights = theta, self.module.weights(theta)
        self.aimed = {}
        if self.scratch.size:
            self.run = self.module.gradient(self.buffers, self.weights, self.scratch_results)
            self.value = self.module.value_and_gradient(self.value_buffers, self.weights, self.scratch_results)

    def fill(self, name: str, X: Array, Y: Array, **more: Any) -> tuple[Any, Array]:
        """`gradient` (then the first is None) or `value_and_gradient` into a new vector."""
        out = np.empty(self.size, self.dtype)
        buffers = self.buffers if name == "gradient" else self.value_buffers
        return getattr(self.module, name)(buffers, self.weights, self.module.results(out))(X, Y, **more), out

    def aim(self, name: str, out: Array, X: Array, Y: Array) -> Run:
        """`gradient` or `value_and_gradient` into the caller's vector.

        Errors: UsageError if it does not fit or is memory of an input.
        """
        if out is not self.out:
            self.take(out)
        if not (is_apart(out, X) and is_apart(out, Y) and self.theta is not None and is_apart(out, self.theta)):
            raise UsageError("out shares memory with theta, X or Y; make it with np.empty_like(theta)")
        run = self.aimed.get(name)
        if run is None:
            buffers = self.buffers if name == "gradient" else self.value_buffers
            run = self.aimed[name] = getattr(self.module, name)(buffers, self.weights, self.results)
        return run

    def take(self, out: Array) -> None:
        """Check an `out`, and make its views."""
        if type(out) is not ndarray or out.shape != (self.size,) or out.dtype != self.dtype:
            got = f"{type(out).__name__} {getattr(out, 'shape', '')} {getattr(out, 'dtype', '')}".strip()
            raise UsageError(f"out must be an array of {self.size} numbers of type {self.dtype}, got {got}")
        if not (out.flags.c_contiguous and out.flags.writeable):
            raise UsageError("out must be contiguous and writeable; make it with np.empty_like(theta)")
        self.results, self.out, self.aimed = self.module.results(out), out, {}


def is_apart(out: Array, other: Array) -> bool:
    """Surely no memory in common?  What owns its memory is quickly told from what looks at another owner's."""
    base = other.base
    if out.base is None and out is not other and (base is None or (type(base) is ndarray and base.base is None)):
        return base is not out
    return not np.may_share_memory(out, other)


class Spaces(threading.local):
    """The workspaces of one thread for one network; `last` is kept where a gradient takes no keywords (`is_quick`)."""

    def __init__(self, is_quick: bool = True) -> None:
        self.is_quick = is_quick
        self.last: Workspace | None = None
        self.all: dict[tuple[int, np.dtype[Any]], Workspace] = {}

    def find(self, form: FastForm, n: int, dtype: np.dtype[Any]) -> Workspace | None:
        """The workspace for n rows, made if there is none; the one made first gives way to a fifth."""
        key = (n, dtype)
        space = self.all.get(key)
        if space is None:
            space = form.prepare(n, dtype)
            if space is None:
                return None
            if len(self.all) >= KEPT:
                del self.all[next(iter(self.all))]
            self.all[key] = space
        self.last = space if self.is_quick else None
        return space
