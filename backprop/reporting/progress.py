"""Progress for long work: a bar on a terminal, plain lines or silence elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["Stages", "show_count", "show_stages"]

LINES = 10  # how many plain lines a long count may print


class Stages(Protocol):
    """What a long job calls: `start` for each stage, `advance` inside one."""

    def start(self, title: str) -> None: ...

    def advance(self, done: int, whole: int, note: str = "") -> None: ...


@contextmanager
def show_count(what: str, *, plain: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Progress of work that counts: the function yielded takes (done, whole).

    Without a terminal it prints lines, or nothing if not `plain`.
    """
    console = Console(stderr=True, quiet=not plain and not sys.stderr.isatty())
    if not console.is_terminal:
        yield plain_counter(console, what)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)


def plain_counter(console: Console, what: str) -> Callable[[int, int], None]:
    """A line each time another tenth is done."""

    def count(done: int, whole: int) -> None:
        if done == whole or done % max(1, whole // LINES) == 0:
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
    console = Console(stderr=True, quiet=not plain and not sys.stderr.isatty())
    if not console.is_terminal:
        lines = PlainStages(console)
        yield lines
        lines.finish()
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        stages = BarStages(progress.console, progress)
        progress.update(stages.task, note="")
        yield stages
        stages.finish()
