"""The screen while a file is verified: the verdict stands there before its cause and its line are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from backprop.examiner.saying.report import Report

__all__ = ["Screen"]

ENDED = "interrupted: the search for {what} was ended; the verdict stands"


class Screen:
    """What was said already, for a person who reads along; where it does not speak, nothing is said before the end."""

    def __init__(self, hint: str, *, speaks: bool) -> None:
        self._hint, self._speaks = hint, speaks
        self._said = ""
        self._report: Report | None = None
        self._what = "the cause"

    def hear(self, report: Report) -> None:
        """Print a verdict that nothing can change any more, and where the numbers differ."""
        self._report = report
        if self._speaks:
            told = report.tell(self._hint)
            self._said = report.headline
            places = "; ".join(finding.place for finding in told.findings)
            typer.echo(self._said + (f"\nThe numbers differ at: {places}" if places else "") + "\n")

    def hear_cause(self, report: Report) -> None:
        """Keep what is known when the line is looked for."""
        self._report, self._what = report, "the line and a mend"

    def leave_out(self, text: str) -> str:
        """The text of the whole report without what stands on the screen; all of it where that reads otherwise."""
        return text.removeprefix(self._said).lstrip("\n") if self._said else text

    def end(self) -> Report:
        """After an interruption: what is known till then, and that it is not all; raises where there is no verdict."""
        if not self._said or self._report is None:
            raise KeyboardInterrupt
        if self._what != "the cause":
            typer.echo(self.leave_out(str(self._report.tell(self._hint))))
        typer.echo(ENDED.format(what=self._what), err=True)
        return self._report
