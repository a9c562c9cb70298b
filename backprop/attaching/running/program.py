"""A program run with hooks: up to a place, and one iteration of it again and again from the same state."""

from __future__ import annotations

import ast
import contextlib
import os
import random
import sys
import types
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from backprop.attaching.looking.documents import Document
from backprop.attaching.looking.iterations import PIECE, load_names
from backprop.attaching.looking.rewriting import HOOKS, Rewritten, rewrite
from backprop.attaching.running.copying import copy_names
from backprop.attaching.running.leaves import find_leaves, has_cells, put
from backprop.attaching.running.restoring import Restorer, Unrestorable

__all__ = ["HookedProgram", "Hooks", "Names", "Old", "StateSnapshot"]

MODULE = "subject_under_examination"
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
        with contextlib.suppress(Exception):  # a tensor inside a graph keeps its kind
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
def uncompiled() -> Iterator[None]:
    """JAX runs what it would compile line by line, so that what happens inside is seen."""
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


class HookedProgram:
    """A file's program. `hooks` may be changed between runs, and while it runs."""

    def __init__(self, document: Document, rewritten: Rewritten | None = None) -> None:
        self.document = document
        self.rewritten = rewritten or rewrite(document.tree)
        self.trained = False
        """Whether an iteration that trains was found in it."""
        self.module = types.ModuleType(MODULE)
        self.hooks = Hooks()
        self.module.__file__ = str(document.path.resolve())
        vars(self.module).update(self._list_hooks())
        self.more: dict[int, tuple[int, ...]] = {}
        """Sites of a loop that are computed at the end of its iteration, since it does not come to them itself."""
        self.code: types.CodeType | None = None
        """The whole program as it ran."""
        self.piece: types.CodeType | None = None
        """What one iteration is, where it is another than the program's own."""
        self._code: dict[int, Any] = {}
        self._staged: Stage | None = None

    @property
    def hooks(self) -> Hooks:
        """What the hooks do at the moment."""
        return self._hooks

    @hooks.setter
    def hooks(self, hooks: Hooks) -> None:
        self._hooks = hooks
        names = vars(self.module)
        for name in ASKED:
            names[f"hook_{name}"] = getattr(hooks, name)

    def _list_hooks(self) -> dict[str, Any]:
        """By the names in the tree; each asks for the hooks of the moment."""

        def tell(name: str) -> Callable[[int], Any]:
            return lambda number: getattr(self.hooks, name)(number, sys._getframe(1))

        asked: dict[str, Any] = {f"hook_{name}": getattr(self.hooks, name) for name in ASKED}
        asked["hook_beside"] = self._compute_beside
        return asked | {f"hook_{name}": tell(name) for name in ("loop", "done")}

    def _compute_beside(self, site: int, thunk: Callable[[], Any]) -> None:
        """A value that the program does not compute itself, where it is asked for: nothing else is to feel it."""
        hooks = self.hooks
        if not hooks.wants(site):
            return
        kept, self.hooks = read_randomness(), Hooks()
        try:
            value = thunk()
        except Exception:  # it was meant for something else
            return
        finally:
            self.hooks = hooks
            set_randomness(kept)
        hooks.probe(site, value)

    def run(self) -> None:
        """The whole file, as the program that is started: its main guard holds."""
        sys.modules[MODULE] = self.module
        os.environ.setdefault("JAX_ENABLE_X64", "1")
        os.environ.setdefault("MPLBACKEND", "agg")
        told = {"__name__": "__main__", "__file__": sys.argv[0] or str(self.document.path.resolve())}
        vars(self.module).update(told)
        main, sys.modules["__main__"] = sys.modules["__main__"], self.module
        try:
            self.code = self.compile(self.rewritten.tree)
            with uncompiled():
                exec(self.code, vars(self.module))
        finally:
            sys.modules["__main__"] = main

    def take(self, loop: int, frame: types.FrameType) -> StateSnapshot:
        """The state now."""
        shared = {name: value for name, value in vars(self.module).items() if is_data(name, value)}
        at_top = frame.f_locals is vars(self.module) or frame.f_code.co_name == "<module>"
        local = None if at_top else dict(frame.f_locals)
        mine, theirs = copy_names(local, shared)
        widen(Names(mine, theirs))
        return StateSnapshot(loop, mine, theirs, read_randomness())

    def replay(
        self, snapshot: StateSnapshot, hooks: Hooks, prepare: Callable[[Names], None] = lambda names: None
    ) -> Names:
        """One iteration from a state; `prepare` may change it first. Raises what the program raises.

        The names that come back are good until the next run.
        """
        view = self._stage(snapshot)
        set_randomness(snapshot.randomness)
        prepare(view)
        before, self.hooks = self.hooks, hooks
        try:
            with uncompiled():
                exec(self._compiled(snapshot), vars(self.module))
                if view.local is not None:
                    vars(self.module).pop(PIECE)(view.local)
        finally:
            self.hooks = before
        return view

    def _stage(self, snapshot: StateSnapshot) -> Names:
        """The state of a snapshot, put into the file's names."""
        names = vars(self.module)
        if self._staged is None or self._staged.snapshot is not snapshot:
            self._staged = Stage(snapshot)
        local, shared = self._staged.open()
        for name in [name for name, value in names.items() if is_data(name, value) and name not in shared]:
            del names[name]
        names.update(shared)
        return Names(local, names)

    def compile(self, tree: ast.Module) -> types.CodeType:
        """The code of a tree, under the name of the file."""
        code: types.CodeType = compile(tree, str(self.document.path.resolve()), "exec")
        return code

    def compile_piece(self, snapshot: StateSnapshot, piece: ast.Module) -> types.CodeType:
        """The code of one iteration, with the local names of a state."""
        return self.compile(load_names(piece, list(snapshot.local or ())))

    def _compiled(self, snapshot: StateSnapshot) -> Any:
        if self.piece is not None:
            return self.piece
        if snapshot.loop not in self._code:
            piece = self.rewritten.piece(snapshot.loop, self.more.get(snapshot.loop, ()))
            self._code[snapshot.loop] = self.compile_piece(snapshot, piece)
        return self._code[snapshot.loop]

    def compute_more(self, loop: int, sites: tuple[int, ...]) -> None:
        """From now on the iteration computes these as well."""
        self.more[loop] = sites
        self._code.pop(loop, None)

    def forget(self) -> None:
        """The next run starts from a copy of its own."""
        self._staged = None

    def aside(self) -> dict[str, Any]:
        """What a replay changes in the file's names, to be given to `resume`."""
        return {"names": dict(vars(self.module)), "random": read_randomness(), "hooks": self.hooks}

    def resume(self, kept: Mapping[str, Any]) -> None:
        """Go on as if nothing had been replayed."""
        vars(self.module).clear()
        vars(self.module).update(kept["names"])
        set_randomness(kept["random"])
        self.hooks = kept["hooks"]
