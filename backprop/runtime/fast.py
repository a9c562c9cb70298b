"""The fast functions of one network: their source, their memory, and who may use which piece of it.

A workspace belongs to one thread, one number of rows and one type of numbers.  It remembers the vector theta that it
saw last (its views are made once for each), never what a call computed: results are new arrays or the caller's `out`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from backprop.codegen.elementwise import Accuracy
from backprop.codegen.emit_fast import FastSource, Form, emit_fast
from backprop.codegen.load import load, load_functions
from backprop.codegen.passes.exact_subject import write_exact_subject
from backprop.codegen.passes.functions import NEW, Functions
from backprop.codegen.passes.slopes import SLOPE, list_pairs, list_slopes, take_slopes_from_values
from backprop.codegen.passes.steps import Unsupported
from backprop.codegen.program import Program
from backprop.codegen.support import ROW_FUNCTIONS
from backprop.errors import UsageError
from backprop.network import Network
from backprop.runtime.parameters import Array, Layout

__all__ = ["FastForm", "Memory", "Spaces", "Workspace"]

TYPES = frozenset({np.dtype(np.float64), np.dtype(np.float32), np.dtype(object)})
FOLD = 4096
"""Biases are folded into the matrices while no layer has more numbers than this (rows times units)."""
COPY = 512
"""The inputs are copied beside a column of ones up to so many numbers."""
TURN_ROWS, TURN_PRODUCT = 48, 10**6
"""W is copied before a product with its transpose from so many rows on and up to so many multiplications: OpenBLAS does
such products without packing, and for a transposed right side slower by a quarter."""
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


class FastForm:
    """The fast source of a network in up to three forms, by the number of rows; made when first needed."""

    def __init__(
        self,
        network: Network,
        program: Program,
        layout: Layout,
        source: str,
        module: Callable[[], ModuleType],
        accuracy: Accuracy,
    ) -> None:
        self.network, self.layout, self.accuracy = network, layout, accuracy
        self.readable, self.readable_source, self.get_module = program, source, module
        self.widest = max(network.sizes)
        self.largest = max((a * b for a, b in pairwise(network.sizes[1:])), default=0)
        self.modules: dict[Form, ModuleType | None] = {}

    @cached_property
    def slopes(self) -> Mapping[str, str]:
        """The texts of f' in terms of f, by the name of f in the module."""
        return list_slopes(self.network, self.readable, exact_only=self.accuracy == "full")

    @cached_property
    def program(self) -> Program:
        """The program with f' taken from the values of f."""
        return take_slopes_from_values(self.readable, self.slopes)

    @cached_property
    def functions(self) -> Functions:
        """The functions of the readable module, and the slopes."""
        known: dict[str, Any] = dict(vars(self.get_module()))
        for name, text in self.slopes.items():
            known[name + SLOPE] = load_functions(text, "slope")[name + SLOPE]
        return Functions(known, frozenset(ROW_FUNCTIONS), list_pairs(self.program))

    def choose(self, n: int) -> Form:
        """The form for n rows."""
        folded = n * self.widest <= FOLD
        turned = n >= TURN_ROWS and n * self.largest <= TURN_PRODUCT
        return Form(folded, folded and n * self.network.inputs <= COPY, turned and not folded)

    def emit(self, form: Form) -> FastSource:
        """The source in one form.  Errors: Unsupported."""
        return emit_fast(self.program, self.layout, self.functions, form)

    def write_exact_subject(self, form: Form) -> str:
        """A module for `check_exact`: the readable cost, and gradients by the wiring of the fast source, unchanged."""
        source = self.emit(form)
        return write_exact_subject(self.readable_source, source.wiring, self.layout, self.slopes, source.calls)

    def module(self, form: Form) -> ModuleType | None:
        """The loaded source; None where the program has no fast form."""
        if form not in self.modules:
            try:
                source = self.emit(form)
            except Unsupported:
                self.modules[form] = None
            else:
                made = load(source.text, "fast_network")
                for name in source.calls:
                    if name in self.functions.module:
                        setattr(made, name + NEW, self.functions.module[name])
                self.modules[form] = made
        return self.modules[form]

    def prepare(self, n: int, dtype: np.dtype[Any]) -> Workspace | None:
        """A new workspace, or None where there is no fast form."""
        module = self.module(self.choose(n)) if dtype in TYPES else None
        return None if module is None else Workspace(module, self.network, self.layout, n, dtype)

    def measure(self, n: int, dtype: np.dtype[Any]) -> Memory | None:
        """How much memory n rows need."""
        module = self.module(self.choose(n)) if dtype in TYPES else None
        if module is None:
            return None
        numbers = n * (module.MATRICES + 1) + module.VECTORS + module.ONES
        return Memory(numbers * dtype.itemsize, self.layout.size * dtype.itemsize)


class Workspace:
    """Buffers for n rows of one type, and the functions that work on the theta and the result that were used last.

    `run(X, Y)` fills `scratch`, `value(X, Y)` as well and returns the cost: for networks of few parameters only.
    """

    __slots__ = (
        "aimed", "buffers", "dtype", "module", "out", "results", "run", "scratch", "scratch_results", "size", "theta",
        "value", "value_buffers", "weights", "x_shape", "y_shape",
    )  # fmt: skip

    def __init__(self, module: ModuleType, network: Network, layout: Layout, n: int, dtype: np.dtype[Any]) -> None:
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
    """The workspaces of one thread for one network."""

    def __init__(self) -> None:
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
        self.last = space
        return space
