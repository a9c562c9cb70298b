"""What a subject is: anybody's code with parameters, data, cost and gradients, called safely."""

from __future__ import annotations

import contextlib
import inspect
import random
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.pace import Pace
from backprop.examiner.saying.grounds import tell
from backprop.examiner.saying.remarks import IMPLIED
from backprop.examiner.subject.protocol.from_steps import imply_gradients
from backprop.examiner.subject.protocol.nests import Nest

__all__ = ["OPTIONAL", "Subject", "Unusable", "describe_error", "has_protocol", "quiet"]

REQUIRED = ("parameters", "data", "cost", "gradients")
OPTIONAL = ("forward", "context", "step", "batches")
"""`batches()`, of a subject whose `data` are empty: arrays of which it may be made, for a diagnosis alone."""
FLAT = ("fun", "grad", "theta0")


class Unusable(UsageError):
    """A subject that cannot be examined, with the reason in one line.

    `reason` is one word for programs: crashed, time, package, nothing, syntax, ambiguous; "" where none is known.
    """

    def __init__(self, said: str, reason: str = "") -> None:
        super().__init__(said)
        self.reason = reason


class Subject:
    """A module, object or mapping of functions, seen through the protocol (DESIGN: "a subject").

    Attributes: `label` (how to name it again), `file` (where its code is, if known), `flat` (a pair
    fun/grad without layers), `takes_rows` (its `data` accepts n), `notes` (what a reader of the report should know).
    Where there is a `step` but no `gradients`, the gradient that the step implies is examined.
    """

    has_command = False
    """Whether its label is what the command line takes."""
    pace = Pace()
    """Asked before every call; this one never says stop."""

    def __init__(self, source: Any, label: str, file: str | None = None) -> None:
        self.label = label
        self.file = file
        found = {name: _get(source, name) for name in (*REQUIRED, *OPTIONAL, *FLAT)}
        self.flat = all(found[name] for name in FLAT) and not all(found[name] for name in REQUIRED)
        if self.flat:
            found |= _adapt_flat(found)
        self.notes: list[str] = []
        if found["gradients"] is None and found["step"] is not None:
            found["gradients"] = imply_gradients(found["step"])
            tell(self.notes, IMPLIED, gradients=False, step=True)
        missing = [name for name in REQUIRED if found[name] is None]
        if missing:
            raise Unusable(
                f"{label} is not a subject: it has no function {' or '.join(map(repr, missing))}; a subject "
                f"has {', '.join(REQUIRED)} (or step), or as a flat one {', '.join(FLAT)}",
                "nothing",
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
        """Call one function; whatever it raises, even SystemExit, becomes `Unusable` with the line.

        Raises `CutShort` where the examination was told to end.
        """
        self.pace.check()
        function = self._functions[name]
        assert function is not None
        try:
            with np.errstate(all="ignore"):
                return function(*args, **keywords)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            said = f"{self.label}: {name} raised {describe_error(error, self.file)}"
            raise Unusable(said, "crashed") from error

    def call_each(self, name: str, calls: Sequence[Sequence[Any]], **keywords: Any) -> list[Any]:
        """Call one function with several lists of arguments; raises as `call` does, for any of them."""
        return [self.call(name, *args, **keywords) for args in calls]


def has_protocol(thing: Any) -> bool:
    """Whether a module, object or mapping has the functions of a subject (or fun, grad, theta0, or a bare step)."""
    names = {name for name in (*REQUIRED, *FLAT, "step") if _get(thing, name) is not None}
    return names >= set(FLAT) or ({"parameters", "data", "cost"} <= names and bool(names & {"gradients", "step"}))


def describe_error(error: BaseException, file: str | None) -> str:
    """Say an exception in one line, with the last line of the subject's own code it went through."""
    try:
        said = str(error)
    except Exception:
        said = "(its message could not be read)"
    text = " ".join(f"{type(error).__name__}: {said}".split()).rstrip(": ")
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
        "batches": None,
    }


def _accepts(function: Any, name: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _type(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep a subject's warnings and what it does to the global generators away from the caller."""
    states = np.random.get_state(), random.getstate(), np.geterr()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(states[0])
        random.setstate(states[1])
        np.seterr(**states[2])
