"""Points follow the file of the teacher, and a file that means nothing is refused."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree

import pytest

from backprop.errors import UsageError
from backprop.examiner.saying.report import Finding, Report
from backprop.reporting.formats import render
from backprop.reporting.rubric import EQUATIONS, REASONS, Rubric, load_rubric

RUBRIC = Rubric(10.0, {"BP1": 2.0, "BP2": 3.0, "BP3": 1.0, "BP4": 2.0}, 1.0, {"time": "look", "syntax": 1.0})


def wrong(*places: tuple[str | None, int | None]) -> Report:
    return Report("wrong", "net.py", tuple(Finding(equation, layer, ("W",), ()) for equation, layer in places))


@pytest.mark.parametrize(
    ("report", "points"),
    [
        (Report("verified", "a.py"), 10),
        (wrong(("BP2", 1)), 5),
        (wrong(("BP2", 1), ("BP2", 2)), 4),
        (wrong(("BP2", 1), ("BP3", 2)), 3),
        (wrong(("BP1", 2), ("BP2", 1), ("BP3", 1), ("BP4", 1)), 0),
        (wrong(("forward", None)), 0),
        (wrong((None, None)), 0),
        (wrong(("update", None)), 8),
        (wrong(), 0),
        (Report("unusable", "a.py", reason="syntax"), 1),
        (Report("unusable", "a.py", reason="crashed"), 0),
        (Report("undecided", "a.py", reason="time"), None),
    ],
)
def test_points_of_a_report(report, points):
    score = RUBRIC.score(report)
    assert score.points == points
    assert score.most == 10


@pytest.mark.parametrize("equation", EQUATIONS)
def test_a_wrong_equation_costs_its_own_points_only(equation):
    score = RUBRIC.score(wrong((equation, 1)))
    assert score.points == sum(RUBRIC.equations.values()) - RUBRIC.equations[equation]


def test_by_itself_one_point_for_what_is_verified():
    assert [Rubric().score(one).points for one in (Report("verified", "a"), wrong(("BP2", 1)))] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("total = ", "is no TOML"),
        ("totl = 3", "'totl'"),
        ("total = -1", "not negative"),
        ("total = nan", "not negative"),
        ("total = true", "not negative"),
        ("equations = 3", "is a table"),
        ("[equations]\nBP5 = 1", "'BP5'"),
        ("total = 1\n[equations]\nBP2 = 2", "more than total"),
        ("[reasons]\nlate = 1", "'late'"),
        ("[reasons]\ntime = 'perhaps'", "not negative"),
    ],
)
def test_a_rubric_that_means_nothing_is_refused(tmp_path, text, said):
    file = tmp_path / "rubric.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        load_rubric(file)


def test_a_rubric_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot read the rubric"):
        load_rubric(tmp_path / "none.toml")


def test_each_reason_is_a_row_of_its_own():
    reports = [Report("unusable", f"{reason}.py", notes=(f"{reason}!",), reason=reason) for reason in REASONS]
    rows = list(csv.DictReader(io.StringIO(render(reports, "csv", [RUBRIC.score(one) for one in reports]))))
    assert [row["reason"] for row in rows] == list(REASONS)
    assert {row["points"] for row in rows} == {"0.0", "1.0", ""}
    kinds = {case[-1].get("type") for case in ElementTree.fromstring(render(reports, "junit"))}
    assert kinds == set(REASONS)


def test_points_in_every_form():
    report = wrong(("BP2", 1))
    scores = [RUBRIC.score(report)]
    assert json.loads(render(report, "json", scores))["points"] == 5
    assert "Points: 5 of 10" in render(report, "text", scores)
    suite = ElementTree.fromstring(render(report, "junit", scores))
    assert {p.get("name"): p.get("value") for p in suite.iter("property")} == {"points": "5", "of": "10"}
    result = json.loads(render(report, "gradescope", scores))
    assert result["score"] == 5
    assert sum(test.get("score", 0) for test in result["tests"]) == 5
    assert {test["status"] for test in result["tests"]} == {"passed", "failed"}


def test_results_for_an_autograder_without_a_rubric():
    right, bad = (json.loads(render(one, "gradescope")) for one in (Report("verified", "a.py"), wrong(("BP2", 1))))
    assert (right["score"], bad["score"]) == (1.0, 0.0)
    assert right["tests"][0]["max_score"] == 1.0
