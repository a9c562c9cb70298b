"""What a subject is: anybody's code with parameters, data, cost and gradients, loaded and called safely."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.nests import Nest

__all__ = ["Subject", "Unusable", "describe_error", "load_subject"]

REQUIRED = ("parameters", "data", "cost", "gradients")
OPTIONAL = ("forward", "context", "step")
FLAT = ("fun", "grad", "theta0")
MODULE_NAME = "subject_under_examination"


class Unusable(UsageError):
    """A subject that cannot be examined, with the reason in one line."""


class Subject:
    """A module, object or mapping of functions, seen through the protocol (DESIGN: "a subject").

    Attributes: `label` (how to name it again), `file` (where its code is, if known), `flat` (a pair
    fun/grad without layers), `takes_rows` (its `data` accepts n).
    """

    def __init__(self, source: Any, label: str, file: str | None = None) -> None:
        self.label = label
        self.file = file
        found = {name: _get(source, name) for name in (*REQUIRED, *OPTIONAL, *FLAT)}
        self.flat = all(found[name] for name in FLAT) and not all(found[name] for name in REQUIRED)
        if self.flat:
            found |= _adapt_flat(found)
        missing = [name for name in REQUIRED if found[name] is None]
        if missing:
            raise Unusable(
                f"{label} is not a subject: it has no function {' or '.join(map(repr, missing))}; a subject "
                f"has {', '.join(REQUIRED)}, or as a flat one {', '.join(FLAT)}"
            )
        self._functions = {name: found[name] for name in (*REQUIRED, *OPTIONAL)}
        self.takes_rows = not self.flat and _accepts(self._functions["data"], "n")

    def has(self, name: str) -> bool:
        """Whether an optional function is there."""
        return self._functions[name] is not None

    def parameters(self, rng: np.random.Generator) -> Nest:
        """Draw parameters."""
        return self.call("parameters", rng)

    def data(self, rng: np.random.Generator, rows: int | None = None) -> tuple[Any, Any]:
        """Draw a batch, of `rows` rows if given."""
        batch = self.call("data", rng) if rows is None else self.call("data", rng, n=rows)
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise Unusable(f"{self.label}: data(rng) returned {_type(batch)}; it should return (X, Y)")
        return batch[0], batch[1]

    def context(self, rng: np.random.Generator, rows: int | None) -> dict[str, Any]:
        """Draw what the other functions get as keywords: masks, mode, running statistics."""
        if not self.has("context"):
            return {}
        context = self.call("context", rng, rows)
        if not isinstance(context, Mapping):
            raise Unusable(f"{self.label}: context(rng, n) returned {_type(context)}; it should return a dict")
        return dict(context)

    def call(self, name: str, *args: Any, **keywords: Any) -> Any:
        """Call one function; whatever it raises, even SystemExit, becomes `Unusable` with the line."""
        function = self._functions[name]
        assert function is not None
        try:
            with np.errstate(all="ignore"):
                return function(*args, **keywords)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise Unusable(f"{self.label}: {name} raised {describe_error(error, self.file)}") from error


def load_subject(target: Any) -> Subject:
    """Make a subject of a path, "package.module[:object]", a module, an object or a mapping.

    Raises `Unusable` with one line if there is no such thing or it does not load.

    >>> load_subject({"fun": sum, "grad": abs, "theta0": lambda rng: rng.normal(size=3)}).flat
    True
    """
    if isinstance(target, Subject):
        return target
    if isinstance(target, Path) or (isinstance(target, str) and _looks_like_file(target)):
        return _load_file(Path(target))
    if isinstance(target, str):
        return _load_name(target)
    label = getattr(target, "__name__", None) or type(target).__name__
    return Subject(target, str(label), getattr(target, "__file__", None))


def describe_error(error: BaseException, file: str | None) -> str:
    """Say an exception in one line, with the last line of the subject's own code it went through."""
    text = f"{type(error).__name__}: {error}".strip().splitlines()[0].rstrip(": ")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if file and f.filename == file]
    return f"{text[:300]} (line {frames[-1].lineno})" if frames else text[:300]


def _get(source: Any, name: str) -> Callable[..., Any] | None:
    found = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    return found if callable(found) else None


def _adapt_flat(found: dict[str, Any]) -> dict[str, Any]:
    fun, grad, theta0 = (found[name] for name in FLAT)
    return {
        "parameters": theta0,
        "data": lambda rng: (np.zeros(0), np.zeros(0)),
        "cost": lambda theta, X, Y: fun(theta),
        "gradients": lambda theta, X, Y: grad(theta),
        "forward": None,
        "context": None,
        "step": None,
    }


def _accepts(function: Any, name: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _type(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _looks_like_file(target: str) -> bool:
    return target.endswith(".py") or "/" in target or "\\" in target


def _load_file(path: Path) -> Subject:
    if not path.is_file():
        raise Unusable(f"no file {str(path)!r}; give a Python file, or package.module[:object]")
    resolved = path.resolve()
    spec = importlib.util.spec_from_file_location(MODULE_NAME, resolved)
    if spec is None or spec.loader is None:
        raise Unusable(f"{path} is not a Python file; its name should end in .py")
    module = importlib.util.module_from_spec(spec)
    # dataclasses and pickles inside the subject look their own module up.
    sys.modules[MODULE_NAME] = module
    with _importing_beside(resolved.parent):
        _run_import(str(path), lambda: spec.loader.exec_module(module), str(resolved))  # type: ignore[union-attr]
    return Subject(module, str(path), str(resolved))


def _load_name(target: str) -> Subject:
    name, _, attribute = target.partition(":")
    found: list[Any] = []
    with _importing_beside(Path.cwd()):
        _run_import(target, lambda: found.append(importlib.import_module(name)), None)
    thing = found[0]
    for part in attribute.split(".") if attribute else ():
        if not hasattr(thing, part):
            raise Unusable(f"{name} has no object {attribute!r}; give package.module:object")
        thing = getattr(thing, part)
    if inspect.isclass(thing):
        _run_import(target, lambda: found.append(thing()), None)
        thing = found[-1]
    return Subject(thing, target, getattr(found[0], "__file__", None))


def _run_import(label: str, run: Callable[[], Any], file: str | None) -> None:
    try:
        run()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Unusable(f"{label} does not load: {describe_error(error, file)}") from error


@contextlib.contextmanager
def _importing_beside(folder: Path) -> Iterator[None]:
    """Let a subject import the modules that lie beside it, as it can when it is run."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))
