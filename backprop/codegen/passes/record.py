"""record: a readable function runs on a recorder instead of an array; what it does is written down as steps.

Helpers it calls and loops over coefficients dissolve on the way; a step that was done before is not done again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from backprop.codegen.passes.steps import Unsupported

__all__ = ["Record", "Recorder", "record"]

Entry = tuple[str, tuple[int | str, ...]]
"""(function, operands): an operand is the number of an earlier entry, -1 for the argument, or the text of a number."""

REDUCTIONS: dict[Any, str] = {np.sum: "sum_columns", np.max: "row_max"}


class Record:
    """The steps of one function of one array, and which of them is its value."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.known: dict[Entry, int] = {}
        self.result = -1
        self.second = -1

    def add(self, function: str, *operands: int | str) -> Recorder:
        """One more step, unless it is there."""
        entry = (function, operands)
        if entry not in self.known:
            self.known[entry] = len(self.entries)
            self.entries.append(entry)
        return Recorder(self, self.known[entry])


class Recorder(NDArrayOperatorsMixin):
    """Stands for an array in a function that is recorded."""

    __hash__ = None  # type: ignore[assignment]  # it has ==, as arrays have

    def __init__(self, record: Record, number: int) -> None:
        self.record, self.number = record, number

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Recorder:
        if method != "__call__" or keywords or ufunc.nout != 1:
            raise Unsupported(f"no step for np.{ufunc.__name__}.{method}")
        name = ufunc.__name__
        if name == "power" and inputs[1] == 2:
            name, inputs = "square", inputs[:1]
        elif name == "power" and isinstance(inputs[1], int) and 2 < inputs[1] <= LARGEST_POWER:
            return raise_to(inputs[0], inputs[1])
        return self.record.add(name, *map(self.name, inputs))

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Recorder:
        if function is np.where and len(args) == 3 and not keywords:
            return choose(self.record, *args)
        if function in REDUCTIONS and keywords == {"axis": 1, "keepdims": True}:
            return self.record.add(REDUCTIONS[function], *map(self.name, args))
        raise Unsupported(f"no step for np.{function.__name__}")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise Unsupported("the function looks into its array")

    def name(self, value: Any) -> int | str:
        """How an operand is written down."""
        if isinstance(value, Recorder):
            return value.number
        if isinstance(value, int | float):
            return repr(value)
        raise Unsupported(f"no step with a {type(value).__name__}")


LARGEST_POWER = 4


def raise_to(base: Any, exponent: int) -> Any:
    """A small power by products."""
    half = base**2
    return half * base if exponent == 3 else half * half


def choose(record: Record, condition: Any, yes: Any, no: Any) -> Recorder:
    """np.where; -z where z > 0 and z elsewhere is -|z|."""
    if isinstance(condition, Recorder):
        function, operands = record.entries[condition.number]
        argument = record.entries[yes.number] if isinstance(yes, Recorder) and yes.number >= 0 else None
        other = record.entries[no.number] if isinstance(no, Recorder) and no.number >= 0 else None
        if (function, operands[1:]) == ("greater", ("0",)):
            if argument == ("negative", operands[:1]) and isinstance(no, Recorder) and no.number == operands[0]:
                return record.add("negative", record.add("absolute", operands[0]).number)
            if other == ("negative", operands[:1]) and isinstance(yes, Recorder) and yes.number == operands[0]:
                return record.add("absolute", operands[0])
        return record.add("where", condition.number, condition.name(yes), condition.name(no))
    raise Unsupported("a choice that is no comparison")


def record(function: Callable[[Any], Any], second: Callable[[Any], Any] | None = None) -> Record:
    """Write down what a function of one array does; with a second function, what both do, sharing what they can.

    Errors: Unsupported where there is no step for it.

    >>> record(lambda z: np.exp(np.where(z > 0, -z, z))).entries[2:]
    [('absolute', (-1,)), ('negative', (2,)), ('exp', (3,))]
    """
    made = Record()
    made.result = run(function, made)
    if second is not None:
        made.second = run(second, made)
    return made


def run(function: Callable[[Any], Any], made: Record) -> int:
    """Call a function with a recorder; the number of its result."""
    try:
        result = function(Recorder(made, -1))
    except Unsupported:
        raise
    except (TypeError, AttributeError, IndexError, ValueError) as error:
        raise Unsupported(f"cannot be recorded: {error}") from error
    if not isinstance(result, Recorder) or result.number < 0:
        raise Unsupported("the function does nothing")
    return result.number
