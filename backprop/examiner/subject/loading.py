"""From a path, a name or an object to a subject: loaded safely, its kind recognised."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from backprop.examiner.subject.adapters.detection import recognise
from backprop.examiner.subject.protocol.subjects import Subject, Unusable, describe_error

__all__ = ["load_subject", "name_reason"]

MODULE_NAME = "subject_under_examination"


def load_subject(target: Any, text: str | None = None) -> Subject:
    """Make a subject of a path, "package.module[:object]", a module, an object or a mapping.

    Parameters: `text` is run in place of what the file holds, as if it stood there.

    Raises `Unusable` with one line if there is no such thing or it does not load.

    >>> load_subject({"fun": sum, "grad": abs, "theta0": lambda rng: rng.normal(size=3)}).flat
    True
    """
    if isinstance(target, Subject):
        return target
    if isinstance(target, Path) or (isinstance(target, str) and _looks_like_file(target)):
        return _load_file(Path(target), text)
    if isinstance(target, str):
        return _load_name(target)
    label = getattr(target, "__name__", None) or type(target).__name__
    return recognise(target, str(label), getattr(target, "__file__", None))


def _looks_like_file(target: str) -> bool:
    return target.endswith(".py") or "/" in target or "\\" in target


def _load_file(path: Path, text: str | None) -> Subject:
    if not path.is_file():
        raise Unusable(f"no file {str(path)!r}; give a Python file, or package.module[:object]")
    resolved = path.resolve()
    spec = importlib.util.spec_from_file_location(MODULE_NAME, resolved)
    if spec is None or spec.loader is None:
        raise Unusable(f"{path} is not a Python file; its name should end in .py")
    module = importlib.util.module_from_spec(spec)
    # dataclasses and pickles inside the subject look their own module up.
    sys.modules[MODULE_NAME] = module

    def run() -> None:
        if text is None:
            spec.loader.exec_module(module)  # type: ignore[union-attr]
        else:
            exec(compile(text, str(resolved), "exec"), vars(module))

    with _importing_beside(resolved.parent):
        _run_import(str(path), run, str(resolved))
        # A class in it may be constructed, and import more.
        return recognise(module, str(path), str(resolved))


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
        return recognise(thing, target, getattr(found[0], "__file__", None))


def _run_import(label: str, run: Callable[[], Any], file: str | None) -> None:
    try:
        run()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Unusable(f"{label} does not load: {describe_error(error, file)}", name_reason(error)) from error


def name_reason(error: BaseException) -> str:
    """Why code does not load, in one word.

    >>> name_reason(ModuleNotFoundError("No module named 'nothing'")), name_reason(ZeroDivisionError())
    ('package', 'crashed')
    """
    if isinstance(error, SyntaxError):
        return "syntax"
    return "package" if isinstance(error, ModuleNotFoundError) else "crashed"


@contextlib.contextmanager
def _importing_beside(folder: Path) -> Iterator[None]:
    """Let a subject import the modules that lie beside it, as it can when it is run."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))
