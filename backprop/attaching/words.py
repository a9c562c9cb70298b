"""What is said of a file that was attached to, each sentence with what it rests on."""

from __future__ import annotations

from dataclasses import replace

from backprop.examiner.saying.grounds import Predicate, say
from backprop.examiner.saying.report import Finding, Report

__all__ = [
    "CHOICE", "MARK", "OTHERS", "OTHER_COST", "TAKEN", "list_others", "name_choice", "name_loop", "name_other_cost",
    "name_taken",
]  # fmt: skip

TAKEN = "taken: "
"""Before each of the three lines that say what was taken for what."""
OTHERS = "other trainings in it: "
"""Before the numbers of what else in the file could be meant."""
CHOICE = "to choose this one: "
"""Before the options that say so, where a file trains more than once."""
PARAMETERS, COST = "parameters ", "cost: "
MARK = "the gradients of all parameters are those of "
OTHER_COST = Predicate(
    "gradient_of_another_cost",
    lambda theirs, **more: bool(theirs),
    lambda theirs, **more: (
        f"The gradients of all parameters are those of {theirs}; what the file calls its cost is another function. The "
        "mistake is in the cost, not in the gradients."
    ),
)


def name_taken(report: Report) -> tuple[str, ...]:
    """The parameters and the cost that were taken for such in a file as it is; nothing for a subject.

    >>> said = [f"{TAKEN}the loop at line 3: parameters W, b", f"{TAKEN}cost: loss (the file's own)"]
    >>> name_taken(Report("wrong", "f.py", notes=tuple(said)))
    ('parameters W, b', 'cost: loss')
    """
    said = [str(note).removeprefix(TAKEN) for note in report.notes if str(note).startswith(TAKEN)]
    names = [line[line.index(PARAMETERS) :] for line in said if PARAMETERS in line]
    return tuple(names + [line.split(" (")[0] for line in said if line.startswith(COST)])


def list_others(report: Report) -> list[int]:
    """The numbers of further trainings in a file as it is.

    >>> list_others(Report("wrong", "f.py", notes=(f"{OTHERS}1, 2",)))
    [1, 2]
    """
    said = [str(note).removeprefix(OTHERS) for note in report.notes if str(note).startswith(OTHERS)]
    return [int(number) for one in said for number in one.split(", ")]


def name_loop(report: Report) -> str:
    """What trains in a file as it is, in words.

    >>> name_loop(Report("wrong", "f.py", notes=(f"{TAKEN}the loop at line 3: parameters W, b",)))
    'the loop at line 3'
    """
    said = [str(note).removeprefix(TAKEN) for note in report.notes if str(note).startswith(TAKEN)]
    return said[0].partition(f": {PARAMETERS}")[0] if said else report.subject


def name_choice(report: Report) -> str:
    """The options that choose what was read."""
    return next((str(note).removeprefix(CHOICE) for note in report.notes if str(note).startswith(CHOICE)), "")


def name_other_cost(report: Report) -> Report:
    """Where every gradient is that of a known cost, and that is not the file's, the fault is in the file's cost."""
    found = [str(note).partition(MARK)[2] for note in report.notes if MARK in str(note)]
    if report.verdict != "wrong" or not found:
        return report
    names = tuple(dict.fromkeys(name for finding in report.findings for name in finding.parameters))
    said = say(OTHER_COST, theirs=found[0])
    return replace(report, findings=(Finding("cost", None, names, said, entries=report.findings[0].entries),))
