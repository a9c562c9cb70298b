"""Progress for long work: a bar on a terminal, plain lines or silence elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

__all__ = ["NOTE", "Stages", "is_told", "make_bar", "show_count", "show_stages"]

LINES = 10  # how many plain lines a long count may print
NOTE = "{task.fields[note]}"


def is_told(done: int, whole: int) -> bool:
    """Whether a plain line is printed: each time another tenth is done, and at the end.

    >>> [done for done in range(1, 26) if is_told(done, 25)]
    [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 25]
    """
    return done == whole or done % max(1, whole // LINES) == 0


def make_bar(console: Console, *columns: ProgressColumn, spins: bool = False) -> Progress:
    """What is done, a bar, and these columns; it leaves nothing behind."""
    first = [SpinnerColumn()] if spins else []
    words, bar = TextColumn("{task.description}"), BarColumn()
    return Progress(*first, words, bar, *columns, console=console, transient=True, refresh_per_second=5)


def open_console(plain: bool) -> Console:
    """Standard error; silent if it is no terminal and plain lines are not wanted."""
    return Console(stderr=True, quiet=not plain and not sys.stderr.isatty())


class Stages(Protocol):
    """What a long job calls: `start` for each stage, `advance` inside one."""

    def start(self, title: str) -> None: ...

    def advance(self, done: int, whole: int, note: str = "") -> None: ...


@contextmanager
def show_count(what: str, *, plain: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Progress of work that counts: the function yielded takes (done, whole).

    Without a terminal it prints lines, or nothing if not `plain`.
    """
    console = open_console(plain)
    if not console.is_terminal:
        yield plain_counter(console, what)
        return
    with make_bar(console, MofNCompleteColumn(), TimeElapsedColumn()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)


def plain_counter(console: Console, what: str) -> Callable[[int, int], None]:
    """A line each time another tenth is done."""

    def count(done: int, whole: int) -> None:
        if is_told(done, whole):
            console.print(f"{done}/{whole} {what}", highlight=False)

    return count


class PlainStages:
    """One line a stage, with its time when it ends."""

    def __init__(self, console: Console) -> None:
        self.console, self.title, self.began = console, "", 0.0

    def start(self, title: str) -> None:
        self.finish()
        self.title, self.began = title, time.perf_counter()

    def advance(self, done: int, whole: int, note: str = "") -> None:
        """Plain output does not move."""

    def finish(self) -> None:
        if self.title:
            self.console.print(
                f"{self.title}  {time.perf_counter() - self.began:.1f} s", highlight=False, soft_wrap=True
            )
        self.title = ""


class BarStages(PlainStages):
    """A spinner and a bar for the stage at hand."""

    def __init__(self, console: Console, progress: Progress) -> None:
        super().__init__(console)
        self.progress = progress
        self.task = progress.add_task("", total=None)

    def start(self, title: str) -> None:
        super().start(title)
        self.progress.update(self.task, description=title, completed=0, total=None, note="")

    def advance(self, done: int, whole: int, note: str = "") -> None:
        self.progress.update(self.task, completed=done, total=whole, note=note)


@contextmanager
def show_stages(*, plain: bool = True) -> Iterator[Stages]:
    """Progress of work in stages; without a terminal a line for each, or nothing if not `plain`."""
    console = open_console(plain)
    if not console.is_terminal:
        lines = PlainStages(console)
        yield lines
        lines.finish()
        return
    with make_bar(console, TextColumn(NOTE), TimeElapsedColumn(), spins=True) as progress:
        stages = BarStages(progress.console, progress)
        progress.update(stages.task, note="")
        yield stages
        stages.finish()
