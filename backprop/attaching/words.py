"""What is said of a file that was attached to, each sentence with what it rests on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backprop.examiner.saying.grounds import Predicate, say
from backprop.examiner.saying.report import Finding, Report

__all__ = [
    "CHOICE", "HABIT", "IDLE", "LEFT_OUT", "MARK", "OTHERS", "OTHER_RULE", "RULE", "STEP", "STEP_LEAVES_OUT", "TAKEN",
    "is_taken_alike", "list_others", "name_choice", "name_loop", "name_taken", "name_training_faults",
    "write_options",
]  # fmt: skip

TAKEN = "taken: "
"""Before each of the three lines that say what was taken for what."""
OTHERS = "other trainings in it: "
"""Before the numbers of what else in the file could be meant."""
HABIT = "training: "
"""Before what is said of how a file trains; no verdict rests on it."""
STEP = "the step: "
"""Before what it was compared with; no verdict rests on it."""
RULE, LEFT_OUT = "the step is named after ", "the step leaves out "
IDLE = "not examined: "
"""Before arrays beside the parameters that change nothing."""
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
OTHER_RULE = Predicate(
    "step_is_not_its_rule",
    lambda rule, broken, **more: bool(rule and broken),
    lambda rule, broken, **more: f"The step is named after {rule} and is no published variant of it: {broken}.",
)
STEP_LEAVES_OUT = Predicate(
    "step_leaves_out",
    lambda names, **more: bool(names),
    lambda names, **more: (
        f"The gradient of {', '.join(names)} is computed, and the step does not move "
        f"{'it' if len(names) == 1 else 'them'}, though the cost depends on {'it' if len(names) == 1 else 'them'}."
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


def is_taken_alike(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether two readings took the same for cost and parameters; one whose gradient became nothing may be gone.

    >>> is_taken_alike(("parameters W, b", "cost: loss"), ("parameters W", "cost: loss"))
    True
    """
    (mine, *rest), (theirs, *others) = before or ("",), after or ("",)
    names = [set(words.removeprefix(PARAMETERS).split(", ")) for words in (mine, theirs)]
    return rest == others and bool(after) and names[1] <= names[0]


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


def name_training_faults(report: Report) -> Report:
    """What a judge of gradients does not see: a cost that is another function, a step that is not what it is named
    after, or that leaves parameters out."""
    report = _name_other_cost(report)
    if report.verdict not in ("verified", "wrong"):
        return report
    tensors = tuple(report.evidence.get("tensors", {}))
    found = []
    for note in map(str, report.notes):
        if note.startswith(RULE):
            rule, _, broken = note.removeprefix(RULE).partition(": ")
            found.append(Finding("update", None, tensors, say(OTHER_RULE, rule=rule, broken=broken)))
        if note.startswith(LEFT_OUT):
            names = tuple(note.removeprefix(LEFT_OUT).split(", "))
            found.append(Finding("update", None, names, say(STEP_LEAVES_OUT, names=list(names))))
    kept = tuple(note for note in report.notes if not str(note).startswith((RULE, LEFT_OUT)))
    if not found:
        return report
    return replace(report, verdict="wrong", findings=(*report.findings, *found), notes=kept)


def _name_other_cost(report: Report) -> Report:
    """Where every gradient is that of a known cost, and that is not the file's, the fault is in the file's cost."""
    found = [str(note).partition(MARK)[2] for note in report.notes if MARK in str(note)]
    if report.verdict != "wrong" or not found:
        return report
    names = tuple(dict.fromkeys(name for finding in report.findings for name in finding.parameters))
    said = say(OTHER_COST, theirs=found[0])
    return replace(report, findings=(Finding("cost", None, names, said, entries=report.findings[0].entries),))


def write_options(options: Mapping[str, Any]) -> list[str]:
    """The words of a command by which a file was attached.

    >>> write_options({"cost": "half-sse", "owner": "Net", "begin": 3})
    ['--cost half-sse', '--class Net', '--begin 3']
    """
    given = {name: word for name, word in options.items() if word is not None}
    return [f"--{'class' if name == 'owner' else name} {shlex.quote(str(word))}" for name, word in given.items()]
