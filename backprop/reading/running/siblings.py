"""Modules beside a subject that it imports: each can be read in the subject's place, which runs as it is."""

from __future__ import annotations

import ast
import importlib
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backprop.examiner.subject.adapters.detection import recognise
from backprop.examiner.subject.loading import load_subject
from backprop.examiner.subject.protocol.subjects import Subject
from backprop.reading.beside import list_siblings
from backprop.reading.running.bench import Bench, Point, load_module
from backprop.reading.running.entrances import Entrance, by_gradients
from backprop.reading.running.probes import PROBE, SCOPE, Instrumented, instrument
from backprop.reading.running.workshop import TICK, Premises, Workshop, find_functions, guard
from backprop.reading.source import Source

__all__ = ["load_beside", "open_sibling"]


def _run_beside(code: types.CodeType, name: str, path: Path, names: Mapping[str, Any]) -> types.ModuleType:
    """Run code as the module of that name, which whoever imports it next gets."""
    parent, _, last = name.rpartition(".")
    folder = path.resolve().parents[name.count(".")]
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    holder = importlib.import_module(parent) if parent else None
    module = load_module(code, path, names, name)
    if holder is not None:
        setattr(holder, last, module)
    return module


def _load_main(path: Path) -> Subject:
    """The subject, as it is."""
    code = compile(path.read_bytes(), str(path), "exec")
    return recognise(load_module(code, path, {}), str(path), str(path))


class SiblingBench(Bench):
    """The bench of a subject where the module beside it has the probes."""

    def __init__(self, premises: SiblingPremises, enter: Entrance) -> None:
        self._premises = premises
        super().__init__(premises.source, enter)

    def _start(self) -> tuple[Instrumented, types.ModuleType, Subject]:
        mine, made = self._premises, instrument(self.source)
        names = {PROBE: self.recorder.probe, SCOPE: self.recorder.scope}
        code = compile(made.tree, str(self.source.path), "exec")
        module = _run_beside(code, mine.name, self.source.path, names)
        return made, module, _load_main(mine.main)


class SiblingShop(Workshop):
    """The workshop of a subject where the module beside it is edited."""

    def __init__(self, premises: SiblingPremises, points: Sequence[Point], enter: Entrance) -> None:
        self._premises = premises
        super().__init__(premises.source, points, enter)

    def _load(self, source: Source) -> None:
        code = compile(guard(ast.parse(source.text, str(source.path))), str(source.path), "exec")
        self.module = _run_beside(code, self._premises.name, source.path, {TICK: self._tick})
        self.subject = self.enter(_load_main(self._premises.main))
        self.live = dict(find_functions(vars(self.module), self.module.__name__))


class SiblingPremises(Premises):
    """A module beside a subject, read where it is run: in the subject."""

    def __init__(self, main: Path, name: str, source: Source) -> None:
        super().__init__(source)
        self.main, self.name = main, name

    def open_bench(self, enter: Entrance = by_gradients) -> Bench:
        return SiblingBench(self, enter)

    def open_shop(self, bench: Bench, points: Sequence[Point]) -> Workshop:
        return SiblingShop(self, points, bench.enter)


def open_sibling(path: Path, text: str | None = None, *, name: str) -> SiblingPremises:
    """Those of the module of a name beside a subject, or of a text in its place.

    Errors: KeyError where the subject imports no such module, OSError, UnicodeDecodeError.
    """
    file = list_siblings(path)[name]
    return SiblingPremises(path, name, Source.read(file) if text is None else Source(file, text))


def load_beside(target: str, text: str | None, *, name: str) -> Subject:
    """The subject with a text in place of a module beside it. Errors: as for `load_subject`, `Unusable`."""
    path = Path(target)
    file = list_siblings(path)[name]
    if text is not None:
        _run_beside(compile(text, str(file), "exec"), name, file, {})
    return load_subject(path)
