"""A folder of submissions: each graded in a process of its own, with a summary for the teacher."""

from __future__ import annotations

import ast
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backprop.errors import UsageError
from backprop.examiner.saying.report import VERDICTS, Report
from backprop.verification.cluster import grade_on_cluster
from backprop.verification.marking import grade_file

__all__ = ["Grades", "find_submissions", "grade_folder"]

NOT_SUBMITTED = ("conftest.py", "setup.py")
SUBJECT_NAMES = {"subject", "cost", "gradients", "step", "fun", "grad"}
"""A file that defines one of these at its top level means to be a subject."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Grades:
    """What became of every file: `reports` by its path in the folder, `helpers` with why they were not graded."""

    folder: Path
    reports: Mapping[str, Report]
    helpers: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many subjects got each verdict."""
        found = Counter(report.verdict for report in self.reports.values())
        return {verdict: found[verdict] for verdict in VERDICTS}

    @property
    def causes(self) -> dict[str, int]:
        """The likely mistakes by how often they are the first finding, the most frequent first."""
        named = (report.findings[0].cause for report in self.reports.values() if report.findings)
        return dict(Counter(named).most_common())

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types: one report for each subject, the helpers, the counts."""
        subjects = {name: report.to_dict() for name, report in self.reports.items()}
        summary = {"verdicts": self.counts, "causes": self.causes}
        return {"subjects": subjects, "helpers": dict(self.helpers), "summary": summary}


def grade_folder(
    folder: Path,
    *,
    seed: int = 0,
    timeout: float | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    lines: bool = False,
    cluster: str | None = None,
) -> Grades:
    """Verify every submission of a folder, each in a process of its own with a time limit in seconds (`verify_file`).

    Parameters: `jobs` is how many run at once; `progress(done, whole)` is called after each; with `lines` the source of
    those that are wrong is read as well, each for some seconds at most; `cluster` is the address of a scheduler of
    Dask, whose workers grade in the place of this machine. Which files count is said
    at `find_submissions`. A file that is unusable, defines none of a subject's names and is imported by another one
    beside it is a helper: it is listed, not graded. Errors: UsageError if there is nothing to grade; none for what the
    submissions do.
    """
    files = find_submissions(folder)
    if not files:
        raise UsageError(f"no .py file in the folder {str(folder)!r}; give a folder of submissions")
    names = [path.relative_to(folder).as_posix() for path in files]
    reports: dict[str, Report] = {}
    how: Any = {"seed": seed, "timeout": timeout, "lines": lines}
    graded = _run(files, jobs, how) if cluster is None else grade_on_cluster(cluster, folder, files, how)
    for done, (name, report) in enumerate(zip(names, graded, strict=True), start=1):
        reports[name] = report
        if progress is not None:
            progress(done, len(files))
    helpers = _find_helpers(dict(zip(names, files, strict=True)), reports)
    return Grades(folder, {name: r for name, r in reports.items() if name not in helpers}, helpers)


def _run(files: list[Path], jobs: int, how: dict[str, Any]) -> Iterator[Report]:
    """One after the other in this thread, or several at once; an interruption ends those that run."""
    abandon = threading.Event()

    def verify(path: Path) -> Report:
        return grade_file(path, abandon=abandon, **how)

    if jobs == 1:
        yield from map(verify, files)
        return
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(verify, files)
        except BaseException:
            abandon.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def find_submissions(folder: Path) -> list[Path]:
    """The .py files and notebooks of a folder and of its folders, in their order.

    Left out: names that begin with "_" or "." (files and folders), virtual environments, tests (test_*.py,
    conftest.py) and setup.py; links to folders are not followed.
    """
    return sorted(_walk(folder), key=lambda path: path.relative_to(folder).parts)


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if not name.startswith(("_", ".")) and not _is_environment(here / name)]
        for name in files:
            chosen = (
                name.endswith((".py", ".ipynb"))
                and not name.startswith(("_", ".", "test_"))
                and name not in NOT_SUBMITTED
            )
            if chosen and (here / name).is_file():
                yield here / name


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").exists()


def _find_helpers(files: Mapping[str, Path], reports: Mapping[str, Report]) -> dict[str, str]:
    trees = {name: _parse(path) for name, path in files.items()}
    helpers = {}
    for name, path in files.items():
        if reports[name].verdict != "unusable" or _defined(trees[name]) & SUBJECT_NAMES:
            continue
        users = [
            other
            for other in files
            if other != name and files[other].parent == path.parent and path.stem in _imported(trees[other])
        ]
        if users:
            helpers[name] = f"imported by {', '.join(users)}; no subject itself"
    return helpers


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _defined(tree: ast.Module) -> set[str]:
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names
