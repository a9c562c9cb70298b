"""A page for each student of a folder, and one for the teacher that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from backprop.files import make_folder, write_atomically
from backprop.reporting.pages.homework_page import read_source, write_homework_page
from backprop.reporting.pages.template import PagePart, fill, write_page
from backprop.reporting.rubric import Score
from backprop.verification.grading import Grades

__all__ = ["write_feedback"]


def write_feedback(grades: Grades, folder: Path, scores: Mapping[str, Score] | None = None) -> list[Path]:
    """Write DIR/name.html for every subject (folders in its name are kept) and DIR/index.html; returns the pages.

    A page tells no more than the reports do, and the points where there are some. Errors: UsageError for a folder that
    cannot be made or written.
    """
    make_folder(folder)
    pages, rows = [], []
    for name, report in grades.reports.items():
        page = folder / Path(name).with_suffix(".html")
        make_folder(page.parent)
        score = scores[name] if scores else None
        pages.append(write_atomically(page, write_homework_page(report, read_source(grades.folder / name), score)))
        place = page.relative_to(folder).as_posix()
        rows.append({"name": name, "page": place, "verdict": report.verdict, "reason": report.reason,
                     "equation": report.findings[0].equation or "?" if report.findings else "",
                     "points": "" if score is None else str(score).partition(":")[0]})  # fmt: skip
    counts = ", ".join(f"{number} {verdict}" for verdict, number in grades.counts.items() if number)
    parts = [PagePart("grades", "Submissions", fill("grades", rows, scores is not None))]
    if grades.helpers:
        left = (Markup("<li>{}: {}</li>").format(name, why) for name, why in grades.helpers.items())
        parts.append(PagePart("helpers", "Not graded", Markup("<ul>{}</ul>").format(Markup("").join(left))))
    write_atomically(
        folder / "index.html", write_page(f"{grades.folder.name}: {counts}", "One page for each.", [], parts)
    )
    return pages
