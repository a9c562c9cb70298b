"""How a run shows that it is alive: silence, a callable that is told, or a bar with a running estimate of the cost."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import TextColumn, TimeElapsedColumn, TimeRemainingColumn

from backprop.progress import NOTE, is_told, make_bar

__all__ = ["Progress", "Tell", "as_progress"]

Tell = Callable[[int, int, float, float | None], object]
"""Told after each epoch: (epochs done, epochs in all, training cost, validation accuracy or None)."""

FRESH = 0.05  # how much a new batch counts in the running estimate of the cost


class Progress:
    """Silence; the others are this with a voice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Nothing to clear away."""

    def step(self, done: int, whole: int, cost: float) -> None:
        """One batch of an epoch is done; `cost` is its cost."""

    def tell(self, done: int, epochs: int, cost: float, validation: float | None, right: float | None) -> None:
        """One epoch is done."""


class Told(Progress):
    """Passes epochs on to a callable."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def tell(self, done: int, epochs: int, cost: float, validation: float | None, right: float | None) -> None:
        self._tell(done, epochs, cost, right)


class Lines(Progress):
    """A line each time another tenth is done; for files and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def tell(self, done: int, epochs: int, cost: float, validation: float | None, right: float | None) -> None:
        if is_told(done, epochs):
            self._console.print(f"epoch {done}/{epochs}  {describe(cost, validation, right)}", highlight=False)


class Bar(Progress):
    """A bar over all batches of all epochs, the cost of the latest batches, the time that is left."""

    def __init__(self, console: Console, epochs: int) -> None:
        columns = TextColumn(NOTE), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
        self._bar = make_bar(console, *columns)
        self._task = self._bar.add_task("training", total=epochs, note="")
        self._estimate: float | None = None
        self._done, self._note = 0, ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._bar.stop()

    def step(self, done: int, whole: int, cost: float) -> None:
        self._estimate = cost if self._estimate is None else self._estimate + FRESH * (cost - self._estimate)
        note = f"cost now about {self._estimate:.3g}  {self._note}"
        self._bar.update(self._task, completed=self._done + done / whole, note=note)

    def tell(self, done: int, epochs: int, cost: float, validation: float | None, right: float | None) -> None:
        self._done, self._note = done, describe(cost, validation, right)
        self._bar.update(self._task, completed=done, description=f"epoch {done}/{epochs}")


def describe(cost: float, validation: float | None, right: float | None) -> str:
    """The figures of an epoch in words.

    >>> describe(0.25, 0.3, 0.981)
    'cost 0.25, validation 0.3, 98.1 % right'
    """
    words = [f"cost {cost:.3g}"]
    words += [] if validation is None else [f"validation {validation:.3g}"]
    return ", ".join([*words, *([] if right is None else [f"{100 * right:.1f} % right"])])


def as_progress(progress: Tell | bool | None, epochs: int) -> Progress:
    """True: a bar on standard error (lines if that is not a terminal); a callable: told; None or False: silence."""
    if callable(progress):
        return Told(progress)
    if not progress:
        return Progress()
    console = Console(stderr=True)
    return Bar(console, epochs) if console.is_terminal else Lines(console)
