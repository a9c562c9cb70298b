"""functions: the functions of a module in the form that the fast source calls: name_into(z, out, work …, numbers …).

One that cannot be recorded is called as it is, by the name name_new(z), and its new array is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backprop.codegen.passes.in_place import InPlace, write_in_place
from backprop.codegen.passes.linearise import Lineariser
from backprop.codegen.passes.record import Record, record
from backprop.codegen.passes.steps import Unsupported

__all__ = ["BOTH", "INTO", "NEW", "CalledFunctions"]

INTO, NEW, BOTH = "_into", "_new", "_both"
ROWS = frozenset({"subtract", "add", "divide", "multiply", "exp", "log", "row_max", "sum_columns"})


@dataclass
class CalledFunctions:
    """What the calls of a program become.

    `module`: the functions of the readable module (and slopes) by name; `rows`: those by rows; `paired`: those whose
    derivative is called on the same argument.
    """

    module: Mapping[str, Callable[[Any], Any]]
    rows: frozenset[str]
    paired: frozenset[str] = frozenset()
    forms: dict[str, InPlace | None] = field(default_factory=dict)
    records: dict[str, Record | None] = field(default_factory=dict)

    def form(self, name: str) -> InPlace | None:
        """The function that works in place, or None: the readable one is called and its result copied."""
        if name not in self.forms:
            try:
                self.forms[name] = write_in_place(name + INTO, self.record(name))
            except Unsupported:
                self.forms[name] = None
        return self.forms[name]

    def record(self, name: str) -> Record:
        """What a function does; f_both stands for f and f_prime together."""
        if name.endswith(BOTH):
            own = name.removesuffix(BOTH)
            return record(self.module[own], self.module[f"{own}_prime"])
        return record(self.module[name])

    def expand(self, function: str, operand: str, to: Lineariser) -> str | None:
        """Cut softmax and its logarithm into steps, so that what they share is computed once; f' is computed beside
        f, and kept instead of z, where it cannot be taken from f."""
        own = function.removesuffix("_prime")
        if own in self.paired and self.form(own + BOTH):
            return to.step_twice(own + BOTH, operand)[function != own]
        if function not in self.rows:
            return None
        known = self.record_rows(function)
        return None if known is None else replay(known, operand, to)

    def record_rows(self, function: str) -> Record | None:
        """The steps of a function by rows, if the fast source knows them all."""
        if function not in self.records:
            try:
                made = record(self.module[function])
                simple = {name for name, _ in made.entries} <= ROWS
                simple &= all(isinstance(operand, int) for _, operands in made.entries for operand in operands)
                self.records[function] = made if simple else None
            except Unsupported:
                self.records[function] = None
        return self.records[function]


def replay(known: Record, operand: str, to: Lineariser) -> str:
    """Enter recorded steps into a flow."""
    names = {-1: operand}
    shape = to.flow.shapes[operand]
    for k, (function, operands) in enumerate(known.entries):
        own = (shape[0], 1) if function in ("sum_columns", "row_max") else shape
        column = function == "log" and to.flow.shapes[names[int(operands[0])]][-1] == 1
        names[k] = to.step(function, *(names[int(o)] for o in operands), shape=(shape[0], 1) if column else own)
    return names[known.result]
