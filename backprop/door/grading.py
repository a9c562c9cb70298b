"""`verify FOLDER`: every submission graded, told as a table or for another program, with points and pages if asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from backprop.door.commands import EXIT, FAILS, UNUSABLE
from backprop.door.files import Telling

if TYPE_CHECKING:
    from backprop.reporting.rubric import Score
    from backprop.verification.grading import Grades

__all__ = ["finish_folder"]


def finish_folder(folder: Path, telling: Telling, how: dict[str, Any]) -> int:
    """Grade every submission of a folder; 1 if one is wrong, 2 if one is unusable or undecided and none is wrong."""
    from backprop.progress import show_count
    from backprop.verification.grading import grade_folder

    rubric = telling.load_rubric()
    with show_count("subjects", plain=telling.form == "text") as progress:
        grades = grade_folder(folder, progress=progress, lines=telling.tells_lines, **how)
    scores = None if rubric is None else {name: rubric.score(one) for name, one in grades.reports.items()}
    grades = replace(grades, reports={name: one.tell(telling.hint) for name, one in grades.reports.items()})
    tell_grades(grades, telling.form, scores)
    if telling.feedback is not None:
        from backprop.reporting.feedback import write_feedback

        pages = write_feedback(grades, telling.feedback, scores)
        typer.echo(f"wrote {len(pages)} pages and index.html in {telling.feedback}", err=True)
    return status_of(grades)


def tell_grades(grades: Grades, form: str, scores: dict[str, Score] | None) -> None:
    """The table, or what another program reads."""
    from backprop.reporting.formats import render
    from backprop.reporting.grades import print_grades

    if form == "json":
        points = {name: {"points": s.points, "of": s.most, "why": str(s)} for name, s in (scores or {}).items()}
        typer.echo(json.dumps(grades.to_dict() | ({"points": points} if points else {}), allow_nan=False))
    elif form == "text":
        print_grades(grades, scores=scores)
    else:
        typer.echo(render(list(grades.reports.values()), form, list(scores.values()) if scores else None))


def status_of(grades: Grades) -> int:
    """The exit status of a folder; what was not decided is named."""
    codes = {EXIT[report.verdict] for report in grades.reports.values()}
    if FAILS not in codes and UNUSABLE in codes:
        unclear = [name for name, report in grades.reports.items() if EXIT[report.verdict] == UNUSABLE]
        typer.echo(f"not decided: {', '.join(unclear)}", err=True)
    return FAILS if FAILS in codes else max(codes, default=UNUSABLE)
