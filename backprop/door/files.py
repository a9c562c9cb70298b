"""What `verify FILE.py` does: judge, read, tell as much as was asked, write a mended copy."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from backprop.door.screen import Screen
from backprop.errors import UsageError, unknown_name
from backprop.processes import count_processors

if TYPE_CHECKING:
    from backprop.examiner.saying.report import Report
    from backprop.reporting.rubric import Rubric, Score

__all__ = ["Telling", "finish_attach", "is_file", "refuse_for_files_only", "tell_file"]


@dataclass(frozen=True)
class Telling:
    """How much is told, and in which form: the options of `verify` about the source of a file."""

    hint: str = "mend"
    form: str = "text"
    annotate: bool = False
    diff: bool = False
    mend: Path | None = None
    rubric: Path | None = None
    feedback: Path | None = None

    @property
    def tells_lines(self) -> bool:
        """Whether lines of the source are told at all."""
        return self.hint in ("line", "mend")

    def load_rubric(self) -> Rubric | None:
        """The points, where a file of them was given."""
        from backprop.reporting.rubric import load_rubric

        return None if self.rubric is None else load_rubric(self.rubric)

    def check(self, target: str | None) -> None:
        """Options that mean nothing, or would overwrite, are refused before anything runs."""
        from backprop.examiner.saying.report import HINTS
        from backprop.reporting.formats import FORMATS

        if self.hint not in HINTS:
            raise unknown_name("hint", self.hint, HINTS)
        if self.form not in FORMATS:
            raise unknown_name("format", self.form, FORMATS)
        about_source = {"--annotate": self.annotate, "--diff": self.diff, "--mend": self.mend is not None}
        asked = [name for name, given in about_source.items() if given]
        if asked and not is_file(target):
            raise UsageError(f"{' and '.join(asked)} need the source of a FILE.py, got {target!r}; leave them out")
        if asked and self.hint != HINTS[-1] and asked != ["--annotate"]:
            raise UsageError(f"--hint {self.hint} tells no mend; leave {' and '.join(asked)} out")
        if self.annotate and self.hint in HINTS[:2]:
            raise UsageError(f"--hint {self.hint} tells no line; leave --annotate out")
        self.check_course(target)
        if self.mend is not None and self.mend.exists():
            raise UsageError(f"{self.mend} exists; --mend writes a new file, choose another name")

    def check_course(self, target: str | None) -> None:
        """Points and pages are for programs."""
        if self.feedback is not None and not Path(target or "").is_dir():
            raise UsageError(
                f"--feedback writes a page for each program of a folder, got {target!r}; use report for one"
            )
        if self.rubric is not None and not (is_file(target) or Path(target or "").is_dir()):
            raise UsageError(
                f"--rubric is for a FILE.py, a FILE.ipynb or a folder of them, got {target!r}; leave it out"
            )


def tell_file(
    target: str, telling: Telling, *, seed: int, timeout: float | None, options: Mapping[str, Any] | None = None
) -> Report:
    """Judge a file or module, read its source where it is wrong, print what was asked; the report tells the status."""
    rubric = telling.load_rubric()
    screen = Screen(telling.hint, speaks=telling.form == "text" and not telling.diff)
    how: dict[str, Any] = {"seed": seed, "timeout": timeout, "options": options}
    try:
        report, scores = _find_all(target, telling, how, screen, rubric)
    except KeyboardInterrupt:
        return screen.end()
    report = report.tell(telling.hint)
    _print_report(report, telling, scores, screen)
    if telling.mend is not None:
        _write_mended(report, telling.mend)
    return report


def _find_all(
    target: str, telling: Telling, how: dict[str, Any], screen: Screen, rubric: Rubric | None
) -> tuple[Report, list[Score] | None]:
    """Verdict, cause, line and mend; where there is a processor for it, the line is looked for beside the cause."""
    from backprop.verification.lines import annotate_lines, begin_reading, read_lines
    from backprop.verification.submission import verify_file

    begun = []
    reads = telling.tells_lines and is_file(target)

    def hear(report: Report) -> None:
        screen.hear(report)
        if reads and count_processors() > 1:
            begun.append(begin_reading(report, Path(target), **how))

    try:
        report = verify_file(target, known=hear, explains=telling.hint != "verdict" or rubric is not None, **how)
        scores = None if rubric is None else [rubric.score(report)]
        if reads:
            screen.hear_cause(report)
            report = read_lines(report, Path(target), begun=begun[0] if begun else None, **how)
            report = annotate_lines(report, Path(target), how["options"]) if telling.annotate else report
    finally:
        for one in filter(None, begun):
            one.asked.abandon.set()
    return report, scores


def _print_report(report: Report, telling: Telling, scores: list[Score] | None, screen: Screen) -> None:
    from backprop.examiner.saying.excerpt import describe_excerpt
    from backprop.reporting.formats import render

    if telling.diff:
        typer.echo(report.mend["diff"] if report.mend else "", nl=False)
    elif telling.form != "text":
        typer.echo(render(report, telling.form, scores))
    elif report.verdict == "unusable":
        typer.echo(describe_excerpt(report.reading), nl=bool(report.reading))
        for score in scores or ():
            typer.echo(f"Points: {score}")
    else:
        typer.echo(screen.leave_out(render(report, "text", scores)))
        if telling.annotate:
            typer.echo("\n" + report.annotated())


def is_file(target: str | None) -> bool:
    """Whether a target is code in a file: a .py file or a notebook."""
    return target is not None and target.endswith((".py", ".ipynb"))


def refuse_for_files_only(words: dict[str, Any], target: str | None) -> None:
    """Options that say what in a file is meant."""
    given = [f"--{'class' if name == 'owner' else name}" for name, word in words.items() if word is not None]
    if given:
        raise UsageError(f"{' and '.join(given)} say what in a FILE.py or FILE.ipynb is meant, got {target!r}; leave "
                         "them out")  # fmt: skip


def finish_attach(file: Path, out: Path, options: dict[str, Any]) -> int:
    """Write the subject of a file as it is; what was taken for what is said on standard error."""
    from backprop.attaching.process import describe_apart
    from backprop.files import write_atomically

    if out.exists():
        raise UsageError(f"{out} exists; attach writes a new file, choose another name")
    found = describe_apart(file, out, options)
    write_atomically(out, found["glue"])
    for line in found["lines"]:
        typer.echo(line, err=True)
    typer.echo(f"wrote {out}; examine it with: backprop verify {shlex.quote(str(out))}", err=True)
    return 0


def _write_mended(report: Report, file: Path) -> None:
    """The whole text after the mend, its line ends and its byte order mark as they were."""
    from backprop.files import write_atomically

    if report.mend is None or report.location is None:
        if report.verdict == "wrong":
            typer.echo(f"no mend was verified, {file} was not written", err=True)
        return
    write_atomically(file, report.reading["mended"])
    typer.echo(f"wrote {file}; compare with: diff {report.location['file']} {file}", err=True)
