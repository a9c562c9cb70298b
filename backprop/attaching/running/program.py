"""A program run with hooks: up to a place, and one iteration of it again and again from the same state."""

from __future__ import annotations

import ast
import os
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from backprop.attaching.looking.documents import Document
from backprop.attaching.looking.iterations import PIECE, load_names
from backprop.attaching.looking.rewriting import Rewritten, rewrite
from backprop.attaching.running.copying import copy_names
from backprop.attaching.running.states import (
    ASKED,
    Hooks,
    Names,
    Stage,
    StateSnapshot,
    is_data,
    read_randomness,
    set_randomness,
    uncompiled,
    widen,
)

__all__ = ["HookedProgram"]

MODULE = "subject_under_examination"


class HookedProgram:
    """A file's program. `hooks` may be changed between runs, and while it runs."""

    def __init__(self, document: Document, rewritten: Rewritten | None = None) -> None:
        self.document = document
        self.rewritten = rewritten or rewrite(document.tree)
        self.is_interpreted = False
        """Whether what a library would compile is run line by line: slow, and seen."""
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
        self._drawn: tuple[StateSnapshot, dict[Any, Any]] | None = None

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
            with uncompiled(self.is_interpreted):
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
            with uncompiled(self.is_interpreted):
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

    def list_drawn(self, snapshot: StateSnapshot) -> dict[Any, Any]:
        """What was chosen at random in the first run from a state, by site and occurrence."""
        if self._drawn is None or self._drawn[0] is not snapshot:
            self._drawn = snapshot, {}
        return self._drawn[1]

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
