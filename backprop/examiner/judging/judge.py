"""The judge: examine a subject and give a verdict with evidence."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from backprop.examiner.judging.conventions import settle_kinks
from backprop.examiner.judging.guards import settle_guards
from backprop.examiner.judging.localise import localise
from backprop.examiner.judging.purity import Impurity, check_purity, settle_randomness
from backprop.examiner.judging.updates import check_step
from backprop.examiner.measuring.cases import Case, choose_cases, draw_case, move_beside
from backprop.examiner.measuring.comparison import examine_case
from backprop.examiner.measuring.effort import FRUGAL, choose_effort
from backprop.examiner.measuring.evidence import gather_evidence
from backprop.examiner.measuring.examination import Examination, TensorVerdict
from backprop.examiner.measuring.kinks import seems_bent
from backprop.examiner.measuring.noise import measure_noise, tensor_sizes
from backprop.examiner.measuring.oracles import Oracle
from backprop.examiner.pace import CutShort, Pace
from backprop.examiner.saying.grounds import tell
from backprop.examiner.saying.remarks import LEFT_OUT, SILENT
from backprop.examiner.saying.report import Entry, Finding, Report
from backprop.examiner.subject.loading import load_subject
from backprop.examiner.subject.protocol.subjects import Subject, Unusable, describe_error, quiet
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = ["examine", "judge"]

SHOWN_MEMORY_ENTRIES = 6
MORE_POINTS = 2
FURTHER = 100
ENOUGH_RIGHT = 2

Explain: TypeAlias = Callable[[Subject, Examination, list[Finding]], list[Finding]]
"""Names causes. It is handed in from above: what judges does not know what explains."""
Early: TypeAlias = Callable[[Report], None]
"""Hears after each step what would be said if the examination were ended in the next one, and "wrong" once it is
known."""


def judge(
    subject: Any, *, seed: int = 0, explain: Explain | None = None, pace: Pace | None = None, early: Early | None = None
) -> Report:
    """Judge anybody's hand-written gradient: is it the derivative of its own cost?

    Parameters: `subject` is a module, an object or a mapping with the functions of the protocol (or fun,
    grad, theta0), a path of a Python file, or "package.module:object". `seed` fixes every draw; `explain` may
    name the causes of what was found; `pace` may end the examination before it is through, which decides nothing, and
    `early` hears after each step how far it came, and the verdict before causes are looked for. The code runs in this
    process; `examine_file` does the same in a process of its own. Never raises for a bad subject: its verdict is then
    "unusable", with the reason in the notes.

    >>> square = {
    ...     "theta0": lambda rng: rng.normal(size=3),
    ...     "fun": lambda theta: float(np.sum(theta**4)),
    ...     "grad": lambda theta: 4 * theta**3,
    ... }
    >>> judge(square).verdict, judge(square | {"grad": lambda theta: 3 * theta**3}).findings[0].equation
    ('verified', 'cost')
    """
    label = _name(subject)
    reproduce = _tell_how(subject, label, seed)

    def hear(examination: Examination) -> None:
        if early is not None:
            so_far = _report(examination, [], label, seed, reproduce)
            early(so_far.cut_short(f"cut off while {examination.stage}"))

    with quiet():
        try:
            loaded = load_subject(subject)
            loaded.pace = pace or Pace()
            examination, findings = examine(loaded, seed, hear)
            if findings and explain is not None:
                names = ", ".join(dict.fromkeys(name for finding in findings for name in finding.parameters))
                examination.stage = f"looking for the mistake behind the mismatches of {names}"
                if early is not None:
                    early(_report(examination, findings, label, seed, reproduce))
                findings = _explain(loaded, examination, findings, explain)
        except CutShort:
            note = f"{label}: it did not finish a first step in the time it had"
            return Report("unusable", label, notes=(note,), reproduce=reproduce)
        except Unusable as error:
            return Report("unusable", label, notes=(str(error),), reproduce=reproduce, reason=error.reason)
        except MemoryError:
            raise
        except Exception as error:
            # Objects of a subject can fail in any way when compared; that is no pass and no traceback.
            note = f"{label}: the examination failed: {describe_error(error, None)}"
            return Report("unusable", label, notes=(note,), reproduce=reproduce)
    return _report(examination, findings, label, seed, reproduce)


def _explain(subject: Subject, examination: Examination, findings: list[Finding], explain: Explain) -> list[Finding]:
    """The findings with their causes; none if that was cut short, since another cause may name another place."""
    try:
        return explain(subject, examination, findings)
    except CutShort:
        examination.cut_off()
        return []


def _report(examination: Examination, findings: list[Finding], label: str, seed: int, reproduce: str) -> Report:
    verdict = _decide(examination, findings)
    evidence = gather_evidence(examination, seed)
    notes, limits = tuple(examination.notes), tuple(examination.limits)
    return Report(verdict, label, tuple(findings), evidence, notes, reproduce, limits)


def examine(
    subject: Subject, seed: int, hear: Callable[[Examination], None] = lambda _: None
) -> tuple[Examination, list[Finding]]:
    """Collect all evidence about a subject and name what is wrong; raises `Unusable`.

    The evidence (every case with the subject's gradients and the oracle's readings) is for a diagnosis. `hear` is
    called before each stage; where the subject's pace ends it, the examination is marked as cut and names nothing.
    Raises `CutShort` where that happens before anything was compared.
    """
    cases, notes = choose_cases(subject, seed)
    examination = Examination(cases[0].leaves, notes=notes, pace=subject.pace, hear=hear)
    try:
        return examination, _collect(examination, subject, cases, seed)
    except CutShort:
        if not examination.cases:
            raise
        examination.cut_off()
        return examination, []


def _collect(examination: Examination, subject: Subject, cases: list[Case], seed: int) -> list[Finding]:
    """All evidence, case by case, then what excuses a mismatch, then its place."""
    if not np.isfinite(cases[0].cost(cases[0].values)):
        raise Unusable(f"{subject.label}: the cost is NaN or infinite at its own parameters and data")
    settle_randomness(cases, examination.notes)
    main = cases[min(1, len(cases) - 1)]
    impurity = check_purity(main, cases[0], examination.notes)
    if impurity is not None:
        return [_explain_impurity(examination, main, impurity)]
    rng = np.random.default_rng([seed, 2])
    large = choose_effort(main, thorough=True) is FRUGAL
    for case in sorted(cases, key=lambda one: one is not main) if large else cases:
        _examine_into(examination, case, rng, thorough=case is main, needed=case is cases[0])
    _look_for_life(examination, subject, seed, rng, reseed=main.reseed)
    examination.begin("looking for what excuses a mismatch: a guard, a kink, rounding")
    settle_guards(examination, rng)
    if examination.cut:
        return []
    _settle_own_point(examination, rng)
    _settle_tiny(examination)
    beyond = settle_kinks(examination, rng)
    examination.begin("looking for the place of a mismatch")
    findings = localise(examination) or beyond
    if subject.has("step"):
        examination.begin("comparing the step")
        findings += check_step(examination)
    return findings


def _examine_into(
    examination: Examination,
    case: Case,
    rng: np.random.Generator,
    *,
    thorough: bool,
    needed: bool,
) -> None:
    examination.begin(f"comparing at {case.label}")
    try:
        examination.cases.append(examine_case(case, rng, thorough=thorough))
    except Unusable as error:
        if needed:
            raise
        tell(examination.notes, LEFT_OUT, case=case.label, reason=str(error))


def _look_for_life(
    examination: Examination,
    subject: Subject,
    seed: int,
    rng: np.random.Generator,
    *,
    reseed: bool,
) -> None:
    """Visit more points while some gradient is zero everywhere, as in a network whose units are all dead."""
    for extra in range(MORE_POINTS):
        if not _list_silent(examination):
            return
        try:
            case = draw_case(subject, seed + FURTHER + extra, jitter=True)
        except Unusable:
            return
        case.reseed = reseed
        _examine_into(examination, case, rng, thorough=True, needed=False)
    silent = _list_silent(examination)
    if silent and not examination.wrong:
        share = max(
            _share_of_largest(examination, i) for i, leaf in enumerate(examination.leaves) if leaf.name in silent
        )
        tell(examination.notes, SILENT, tensors=silent, share=share, limit=RELATIVE_SLACK)


def _list_silent(examination: Examination) -> list[str]:
    return [leaf.name for i, leaf in enumerate(examination.leaves) if examination.is_silent(i)]


def _share_of_largest(examination: Examination, tensor: int) -> float:
    """A tensor's largest gradient entry, as a part of the largest of all."""
    scales = [(case.tensors[tensor].scale, case.scale) for case in examination.cases]
    return max((mine / whole for mine, whole in scales if whole), default=0.0)


def _decide(examination: Examination, findings: list[Finding]) -> str:
    if examination.cut:
        return "undecided"
    if findings:
        return "wrong"
    tensors = range(len(examination.leaves))
    return "verified" if examination.cases and all(examination.is_right(i) for i in tensors) else "undecided"


def _explain_impurity(examination: Examination, case: Case, impurity: Impurity) -> Finding:
    names = tuple(examination.leaves[i].name for i in impurity.tensors)
    layers = [examination.leaves[i].layer or 0 for i in impurity.tensors]
    whole = len(impurity.tensors) == len(examination.leaves)
    layer = None if whole or not max(layers) else max(layers)
    entries = _list_memory_entries(case, impurity)
    return Finding(impurity.equation, layer, names, impurity.said, entries=entries)


def _list_memory_entries(case: Case, impurity: Impurity) -> tuple[Entry, ...]:
    """What the repeated call gave beside what the cost says."""
    oracle = Oracle(case, measure_noise(case, np.random.default_rng(0)))
    entries: list[Entry] = []
    for i in impurity.tensors:
        leaf, again = case.leaves[i], impurity.again[i] if impurity.again else None
        if again is None or again.shape != leaf.shape or not leaf.size:
            continue
        index = tuple(int(k) for k in np.unravel_index(int(np.argmax(np.abs(again))), leaf.shape))
        direction = np.zeros(leaf.shape)
        direction[index] = 1.0
        found = oracle.differentiate(i, direction, tensor_sizes(case)[i])
        entries.append(Entry(leaf.name, index, float(again[index]), found.value, found.uncertainty))
    return tuple(entries[:SHOWN_MEMORY_ENTRIES])


def _settle_own_point(examination: Examination, rng: np.random.Generator) -> None:
    """A mismatch at the subject's own parameters only, which may sit on many kinks at once, is not shown to be a fault.

    Zero weights or biases put every unit on its kink, along which no line need be seen to bend. Where moved parameters
    are right, several times and without exception, and the cost is seen to bend at its own, the mismatch is one of
    conventions. Where no line bends there is no convention to choose, and a mismatch that stays where only the biases
    or only the weights are moved off their kinks is none.
    """
    own = [c for c in examination.cases if not c.case.jittered and any(t.status == "wrong" for t in c.tensors)]
    if not own or not any(seems_bent(c.case, c.oracle.noise, rng) for c in own):
        return
    for role in ("b", "W"):
        _examine_into(examination, move_beside(own[0].case, role, rng), rng, thorough=False, needed=False)
    for i in range(len(examination.leaves)):
        found = [(c.case.jittered, c.tensors[i]) for c in examination.cases]
        moved = [verdict.status for jittered, verdict in found if jittered]
        if moved.count("right") < ENOUGH_RIGHT or set(moved) - {"right", "undecided", "kink"}:
            continue
        for jittered, verdict in found:
            if not jittered and verdict.status == "wrong":
                verdict.status = "kink"


def _settle_tiny(examination: Examination) -> None:
    """A mismatch below the slack of what the tensor reaches at other points, where it is right, is rounding.

    A float32 code loses the digits of a gradient that has all but vanished: 1 − a² where a is nearly 1.
    """
    for i in range(len(examination.leaves)):
        verdicts = examination.verdicts(i)
        slack = RELATIVE_SLACK * max(v.scale for v in verdicts)
        wrong = [v for v in verdicts if v.faulty]
        tiny = all(v.status == "wrong" and _find_mismatch(v) <= slack for v in wrong)
        if wrong and tiny and sum(v.status == "right" for v in verdicts) >= ENOUGH_RIGHT:
            for verdict in wrong:
                verdict.status = "undecided"


def _find_mismatch(verdict: TensorVerdict) -> float:
    return max((abs(r.yours - r.expected) for r in verdict.readings if r.state == "differs"), default=0.0)


def _tell_how(subject: Any, label: str, seed: int) -> str:
    """The command that repeats the examination, or the call where an object of this process was given."""
    if isinstance(subject, (str, Path)) or (isinstance(subject, Subject) and subject.has_command):
        return f"backprop verify {shlex.quote(label)} --seed {seed}"
    return f"backprop.verify(subject, seed={seed})  # subject: {label}"


def _name(subject: Any) -> str:
    if isinstance(subject, Subject):
        return subject.label
    if isinstance(subject, (str, Path)):
        return str(subject)
    return str(getattr(subject, "__name__", None) or type(subject).__name__)
