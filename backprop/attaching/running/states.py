"""What a program is between two hooks: its names, its state, and what its hooks do."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import types
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from backprop.attaching.looking.rewriting import HOOKS
from backprop.attaching.running.copying import copy_names
from backprop.attaching.running.leaves import find_leaves, has_cells, put
from backprop.attaching.running.restoring import Restorer, Unrestorable

__all__ = [
    "ASKED", "Hooks", "Names", "Old", "Stage", "StateSnapshot", "is_data", "read_randomness", "set_randomness",
    "uncompiled", "widen",
]  # fmt: skip

NEVER = {"__builtins__", "__name__", "__file__", "__doc__", "__loader__", "__spec__", "__package__", *HOOKS}
OURS = ("backprop_probe_", "backprop_scope_", "backprop_tick_")
"""What the reading room puts among the names of a program."""
Old: TypeAlias = Callable[[], Any] | list[Callable[[], Any]] | tuple[Any, ...]
"""What stands where something is about to be stored: read, with what it is an item of, one for each of several."""
ATOMIC = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
ASKED = ("probe", "scale", "blend", "call", "grow")
"""Hooks that are asked without a way between: a program comes to them a million times."""


class Hooks:
    """What the hooks do: nothing. Each way of running changes some of them."""

    def probe(self, site: int, value: Any) -> Any:
        """A value, where it is made."""
        return value

    def scale(self, statement: int, old: Old, change: Any) -> Any:
        """What is about to be added to, or taken from, something."""
        return change

    def grow(self, statement: int, old: Old, times: Any, divides: bool) -> Any:
        """What something is about to be multiplied by, or divided by."""
        return times

    def blend(self, statement: int, old: Old, new: Any) -> Any:
        """What is about to be stored."""
        return new

    def call(self, statement: int, function: Any, *args: Any, **keywords: Any) -> Any:
        """A call whose result nobody takes."""
        return function(*args, **keywords)

    def wants(self, site: int) -> bool:
        """Whether a value is asked for that the program does not compute itself."""
        return False

    def loop(self, number: int, frame: types.FrameType) -> bool:
        """An iteration begins; whether the loop shall end instead."""
        return False

    def done(self, number: int, frame: types.FrameType) -> None:
        """A loop is over."""


class Names(MutableMapping[str, Any]):
    """Local names before those of the file."""

    def __init__(self, local: dict[str, Any] | None, shared: dict[str, Any]) -> None:
        self.local, self.shared = local, shared

    def _home(self, name: str) -> dict[str, Any]:
        return self.local if self.local is not None and name in self.local else self.shared

    def __getitem__(self, name: str) -> Any:
        return self._home(name)[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._home(name)[name] = value

    def __delitem__(self, name: str) -> None:
        del self._home(name)[name]

    def __iter__(self) -> Iterator[str]:
        local = self.local or {}
        yield from (name for name in local if is_data(name, local[name]))
        yield from (name for name in self.shared if name not in local and is_data(name, self.shared[name]))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def is_data(name: str, value: Any) -> bool:
    """Whether a name stands for a value of the program: no hook, module, function or class; a function that was made in
    another one, with values of that, is a value."""
    return (
        name not in NEVER
        and not name.startswith(OURS)
        and not name.startswith("hook_")
        and (not isinstance(value, ATOMIC) or has_cells(value))
    )


@dataclass(frozen=True)
class StateSnapshot:
    """The state at the beginning of one iteration of a loop."""

    loop: int
    local: Mapping[str, Any] | None
    shared: Mapping[str, Any]
    randomness: tuple[Any, ...]

    def thaw(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Copies of both kinds of names, with everything they share still shared."""
        return copy_names(self.local, self.shared)

    @property
    def names(self) -> Names:
        """All names, to be looked at only."""
        return Names(None if self.local is None else dict(self.local), dict(self.shared))


def widen(names: Names) -> None:
    """Float32 becomes float64, so that small faults show and rounding does not."""
    for leaf in find_leaves(names):
        old = leaf.value
        if getattr(old, "dtype", None) != np.float32 and str(getattr(old, "dtype", "")) != "torch.float32":
            continue
        if getattr(old, "grad_fn", None) is not None:
            continue  # a tensor inside a graph is no copy: it keeps its kind
        with contextlib.suppress(Exception):  # what allows no change keeps its kind
            if isinstance(old, np.ndarray | np.generic) or not hasattr(old, "data_ptr"):
                put(names, leaf, np.asarray(old, dtype=float))
            else:
                old.data = old.data.double()


def read_randomness() -> tuple[Any, ...]:
    """The states of the global generators."""
    torch = sys.modules.get("torch")
    return np.random.get_state(), random.getstate(), torch.random.get_rng_state() if torch else None


def set_randomness(states: tuple[Any, ...]) -> None:
    """Put them back."""
    np.random.set_state(states[0])
    random.setstate(states[1])
    if states[2] is not None:
        sys.modules["torch"].random.set_rng_state(states[2])


@contextlib.contextmanager
def uncompiled(wanted: bool) -> Iterator[None]:
    """JAX runs what it would compile line by line, where that is wanted, so that what happens inside is seen."""
    if not wanted:
        yield
        return
    jax, before = sys.modules.get("jax"), os.environ.get("JAX_DISABLE_JIT")
    if jax is not None:
        with jax.disable_jit():
            yield
        return
    os.environ["JAX_DISABLE_JIT"] = "1"
    try:
        yield
    finally:
        os.environ.pop("JAX_DISABLE_JIT")
        if before is not None:
            os.environ["JAX_DISABLE_JIT"] = before
        if "jax" in sys.modules:
            sys.modules["jax"].config.update("jax_disable_jit", before not in (None, "", "0", "false"))


class Stage:
    """The state of a snapshot, to be had again and again: put back in place where that is possible, else copied."""

    def __init__(self, snapshot: StateSnapshot) -> None:
        self.snapshot = snapshot
        self.restorer: Restorer | None = None
        self.local, self.shared = snapshot.thaw()
        with contextlib.suppress(Unrestorable):
            self.restorer = Restorer(self.local or {}, self.shared)

    def open(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Names as they were."""
        if self.restorer is None:
            return self.snapshot.thaw()
        self.restorer.restore()
        return None if self.local is None else dict(self.local), dict(self.shared)
