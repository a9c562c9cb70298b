"""The fast source of one network: in which form, loaded, and how much memory it needs.

Loaded with the first gradient: a network that is only built, shown or evaluated starts sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np

from backprop.codegen.functions.elementwise import Accuracy
from backprop.codegen.lowering.load import load, load_functions
from backprop.codegen.lowering.program import Program
from backprop.codegen.lowering.support import ROW_FUNCTIONS
from backprop.codegen.passes.emit_fast import FastSource, emit_fast
from backprop.codegen.passes.exact_subject import write_exact_subject
from backprop.codegen.passes.functions import NEW, CalledFunctions
from backprop.codegen.passes.slopes import SLOPE, list_pairs, list_slopes, take_slopes_from_values
from backprop.codegen.passes.steps import Unsupported
from backprop.codegen.passes.writing import Form
from backprop.runtime.workspace import Memory, Workspace
from backprop.specification.network import Network
from backprop.specification.parameters import ParameterLayout

__all__ = ["FastForm"]

TYPES = frozenset({np.dtype(np.float64), np.dtype(np.float32), np.dtype(object)})
FOLD = 4096
"""Biases are folded into the matrices while no layer has more numbers than this (rows times units)."""
COPY = 512
"""The inputs are copied beside a column of ones up to so many numbers."""
TURN_ROWS, TURN_PRODUCT = 48, 10**6
"""W is copied before a product with its transpose from so many rows on and up to so many multiplications: OpenBLAS does
such products without packing, and for a transposed right side slower by a quarter."""


class FastForm:
    """The fast source of a network in up to three forms, by the number of rows; made when first needed."""

    def __init__(
        self,
        network: Network,
        program: Program,
        layout: ParameterLayout,
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
        return list_slopes(self.readable, exact_only=self.accuracy == "full")

    @cached_property
    def program(self) -> Program:
        """The program with f' taken from the values of f."""
        return take_slopes_from_values(self.readable, self.slopes)

    @cached_property
    def functions(self) -> CalledFunctions:
        """The functions of the readable module, and the slopes."""
        known: dict[str, Any] = dict(vars(self.get_module()))
        for name, text in self.slopes.items():
            known[name + SLOPE] = load_functions(text, "slope")[name + SLOPE]
        return CalledFunctions(known, frozenset(ROW_FUNCTIONS), list_pairs(self.program))

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
