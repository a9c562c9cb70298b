"""A pytest plugin: `pytest --backprop FILE.py` judges programs as tests, and tests of your own ask for the report.

    def test_bp2(backprop_report):             # of the file named by --backprop, or by the marker
        assert backprop_report.holds("BP2")

    @pytest.mark.backprop("student.py", seed=3)
    def test_all(backprop_report):
        assert backprop_report.ok

    def test_mine(backprop_verify):
        backprop_verify(my_subject)            # in this process; fails with the finding

Where such a test fails, the report stands in its failure section.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from backprop.examiner.saying.report import Report

__all__ = ["JudgedReport"]

MARKER = (
    "backprop(file, seed=0, timeout=None): the program that backprop_report is about; without it that of --backprop"
)
KEY = pytest.StashKey["list[JudgedReport]"]()


@dataclass(frozen=True)
class JudgedReport:
    """A report with the questions of a test.  Every other attribute is that of `backprop.examiner`'s report."""

    report: Report

    @property
    def ok(self) -> bool:
        """Whether the gradient was verified."""
        return self.report.ok

    def holds(self, equation: str) -> bool:
        """Whether an equation (BP1 to BP4) is right as far as is known: verified, or wrong elsewhere only.

        False where nothing could be judged, and where the forward pass or the cost is what differs.
        Errors: ValueError for another name.
        """
        from backprop.reporting.rubric import EQUATIONS, Rubric

        if equation not in EQUATIONS:
            raise ValueError(f"unknown equation {equation!r}; choose from: {', '.join(EQUATIONS)}")
        score = Rubric(1.0, {equation: 1.0}).score(self.report)
        return self.ok or (score.points or 0.0) > 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.report, name)

    def __str__(self) -> str:
        return str(self.report)

    def __repr__(self) -> str:
        return f"<{self.report.verdict}: {self.report.subject}>"


def pytest_addoption(parser: pytest.Parser) -> None:
    """--backprop FILE.py, as often as wanted."""
    group = parser.getgroup("backprop", "backward passes")
    told = "judge the backward pass of this program; also what the fixture backprop_report is about"
    group.addoption("--backprop", action="append", default=[], metavar="FILE.py", help=told)
    group.addoption("--backprop-timeout", type=float, metavar="SECONDS", help="for each of them")


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", MARKER)


@cache
def judge(path: Path, seed: int, timeout: float | None) -> JudgedReport:
    """Judge a file in a process of its own, once in a run of the tests; a wrong one is read as well."""
    from backprop.verification.lines import read_lines
    from backprop.verification.submission import verify_file

    report = verify_file(path, seed=seed, timeout=timeout)
    return JudgedReport(read_lines(report, path, seed=seed, timeout=timeout))


class ProgramItem(pytest.Item):
    """One program, verified or not."""

    def __init__(self, *, path: str, **words: Any) -> None:
        super().__init__(**words)
        self.program = path
        self.add_marker(pytest.mark.backprop(path))

    def runtest(self) -> None:
        """Fails with the report."""
        found = judge(Path(self.program), 0, self.config.getoption("--backprop-timeout"))
        if not found.ok:
            pytest.fail(str(found), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """How it is called."""
        return Path(self.program), 0, f"backward pass of {self.program}"


class ProgramCollector(pytest.Collector):
    """The programs that were named by --backprop."""

    def collect(self) -> Iterable[pytest.Item]:
        """One item each."""
        for path in self.config.getoption("--backprop"):
            yield ProgramItem.from_parent(self, name=str(path), path=str(path))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, Any, Any]:
    """Programs that were named are tests, before all others."""
    for path in session.config.getoption("--backprop"):
        if not Path(path).is_file():
            raise pytest.UsageError(f"--backprop {path}: no such file")
    return (yield)


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the programs in front."""
    if config.getoption("--backprop"):
        collector = ProgramCollector.from_parent(session, name="backprop", nodeid="backprop")
        items[:0] = list(collector.collect())


def note(request: pytest.FixtureRequest, found: JudgedReport) -> JudgedReport:
    """Keep a report for the failure section of its test."""
    request.node.stash.setdefault(KEY, []).append(found)
    return found


@pytest.fixture
def backprop_report(request: pytest.FixtureRequest) -> JudgedReport:
    """The report of the program that the marker names, or --backprop."""
    marker = request.node.get_closest_marker("backprop")
    named = request.config.getoption("--backprop")
    if marker is None and len(named) != 1:
        raise pytest.UsageError(
            f"backprop_report needs @pytest.mark.backprop(FILE) or one --backprop FILE, got {len(named)}"
        )
    words = {"seed": 0, "timeout": request.config.getoption("--backprop-timeout")} | (marker.kwargs if marker else {})
    path = Path(marker.args[0] if marker and marker.args else named[0])
    path = path if path.is_absolute() or path.exists() else request.path.parent / path
    return note(request, judge(path, words["seed"], words["timeout"]))


@pytest.fixture
def backprop_verify(request: pytest.FixtureRequest) -> Callable[..., JudgedReport]:
    """A function that judges a subject in this process and fails with the finding unless it is verified."""
    from backprop.verification.verify import verify

    def check(subject: Any, *, seed: int = 0) -> JudgedReport:
        __tracebackhide__ = True
        found = note(request, JudgedReport(verify(subject, seed=seed)))
        if not found.ok:
            pytest.fail(f"the backward pass is {found.report.verdict}", pytrace=False)
        return found

    return check


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The finding in the failure section."""
    made = yield
    if made.when == "call" and made.failed:
        made.sections += [(f"backprop: {found.report.subject}", str(found)) for found in item.stash.get(KEY, [])]
    return made
