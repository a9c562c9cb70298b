"""explain: from a wrong verdict to the likely mistake, its sentence, and the line of the derivation to re-read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backprop.diagnosis.behaviour import name_behaviour, writes_batch
from backprop.diagnosis.catalogue import CAUSES
from backprop.diagnosis.cause import Cause
from backprop.diagnosis.error_patterns import name_error
from backprop.diagnosis.match import Match, Trial, find_matches, layer_of, list_wrong
from backprop.diagnosis.net import MEASURED, Net
from backprop.diagnosis.patterns import PatternMatch, find_patterns
from backprop.diagnosis.recognise import Recognised, recognise
from backprop.diagnosis.slope_fit import try_slopes
from backprop.diagnosis.work import OutOfWork, Work
from backprop.examiner.examination import Examination
from backprop.examiner.report import Finding
from backprop.examiner.subjects import Subject

__all__ = ["explain"]

MENTIONED = 2
MOST_TRIALS = 45_000
"""For recognition and all mutants together."""
EXHAUSTED = f"the search for the likely mistake ended at its limit of {MOST_TRIALS:,} trials, not everything was tried"
WHOLE = ("parameters_overwritten", "inputs_overwritten")
"""What is written in place is no fault of one layer."""
STEP_RATE = 0.05
STEP_ROOM = 1e-6


def explain(subject: Subject, examination: Examination, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with cause and explanation filled in, as far as a mistake of the table explains every number.

    Where a mutant of the recognised network gives exactly the subject's gradient, its equation and layer are the root
    cause. Without one the findings keep the judge's equation and layer, and `cause` stays "unknown".
    """
    if not findings:
        return []
    first = findings[0]
    if not examination.cases:
        identifier = name_behaviour(subject)
        return [_name(finding, identifier) for finding in findings] if identifier else list(findings)
    if first.equation == "update" and not any(map(examination.is_wrong, range(len(examination.leaves)))):
        return [explain_step(examination, finding) for finding in findings]
    patterns = find_patterns(examination)
    faulty = [tensor for case in examination.cases for tensor in case.tensors if tensor.faulty]
    if patterns and (patterns[0].plain or all(tensor.status == "shape" for tensor in faulty)):
        return _describe_pattern(findings, patterns[0], examination.depth)
    try:
        work = allow_work(examination)
        for recognised in recognise(examination, work):
            matches = find_matches(recognised.net, recognised.scenes, CAUSES, work)
            matches = matches or find_slope(recognised, work) or find_error(recognised)
            if matches:
                factor = _describe_factor(findings, recognised, matches[0])
                return [*factor, _describe_match(findings, recognised, matches)]
    except OutOfWork:
        examination.limits.append(EXHAUSTED)
    if first.equation == "forward" and writes_batch(examination.cases[0].case):
        return [_name(first, "inputs_overwritten"), *findings[1:]]
    if first.equation == "forward" and any(leaf.name.startswith("gamma") for leaf in examination.leaves):
        return [_name(first, "other_statistics_in_forward"), *findings[1:]]
    if patterns:
        return _describe_pattern(findings, patterns[0], examination.depth)
    return [first, *findings[1:]]


def allow_work(examination: Examination) -> Work:
    """The limit for one search, in trials on a network of this size."""
    rows = max((found.case.rows or 1 for found in examination.cases), default=1)
    return Work(MOST_TRIALS, rows * sum(leaf.size for leaf in examination.leaves), examination.pace)


def find_slope(recognised: Recognised, work: Work) -> list[Match]:
    """A wrong f' that is no formula of the table."""
    wrong = list_wrong(recognised.scenes)
    if not wrong:
        return []
    trial = Trial(recognised.net, recognised.scenes, work)
    return list(try_slopes(trial, list(CAUSES), max(map(layer_of, wrong))))


def find_error(recognised: Recognised) -> list[Match]:
    """A wrong output error, from which everything else follows."""
    identifier, depth = name_error(recognised), recognised.net.depth
    return [] if identifier is None else [Match(find_cause(identifier), depth, (depth,))]


def explain_step(examination: Examination, finding: Finding) -> Finding:
    """Right gradients, wrong update: what a step moved, over the rate, is compared with the mutants."""
    identifier = name_step(examination)
    if identifier is not None:
        return _name(finding, identifier)
    work = allow_work(examination)
    try:
        for recognised in recognise(examination, work):
            for scene, case in zip(recognised.scenes, recognised.cases, strict=True):
                moved = [(old - new) / STEP_RATE for old, new in zip(case.values, case.step(STEP_RATE), strict=True)]
                scene.yours = recognised.layout.read_gradients(moved)
            updates = [cause for cause in CAUSES if cause.equation == "update"]
            matches = find_matches(recognised.net, recognised.scenes, updates, work)
            if matches:
                cause = matches[0].cause
                text = f"{cause.sentence} Read again: {cause.reread(matches[0].layer, recognised.net.depth)}."
                return replace(finding, cause=cause.identifier, explanation=text, layer=matches[0].layer)
    except OutOfWork:
        examination.limits.append(EXHAUSTED)
    return finding


def name_step(examination: Examination) -> str | None:
    """A plain pattern in what a step moves."""
    shares: list[float] = []
    rows: list[int] = []
    for found in examination.cases:
        moved = found.case.step(STEP_RATE)
        for old, new, gradient in zip(found.case.values, moved, found.yours, strict=True):
            if new is None or new.shape != old.shape or gradient is None or not np.any(gradient):
                return None
            implied, g = (old - new).ravel() / STEP_RATE, np.ravel(gradient)
            share = float(implied @ g / (g @ g))
            if np.max(np.abs(implied - share * g)) > STEP_ROOM * np.max(np.abs(g)):
                return None
            shares.append(share)
            rows.append(found.case.rows or 1)
    if not shares:
        return None
    if any(abs(s) < STEP_ROOM for s in shares) and all(min(abs(s), abs(s - 1)) < STEP_ROOM for s in shares):
        return "step_leaves_parameters_out"
    for scaled in (np.array(shares) * rows, np.array(shares) / rows):
        if max(rows) > min(rows) and np.ptp(scaled) <= STEP_ROOM * np.max(np.abs(scaled)):
            return "step_scaled"
    if np.ptp(shares) > STEP_ROOM * max(map(abs, shares)):
        return None
    return "step_sign_flipped" if abs(shares[0] + 1) < STEP_ROOM else "step_scaled"


def find_cause(identifier: str) -> Cause:
    """An entry of the table."""
    return next(cause for cause in CAUSES if cause.identifier == identifier)


def _name(finding: Finding, identifier: str) -> Finding:
    cause = find_cause(identifier)
    layer = None if identifier in WHOLE else finding.layer
    return replace(finding, cause=identifier, equation=cause.equation, layer=layer, explanation=cause.sentence)


def _describe_match(findings: Sequence[Finding], recognised: Recognised, matches: Sequence[Match]) -> Finding:
    """One finding: the mutant explains every number, so all others are consequences."""
    match, net, first = matches[0], recognised.net, findings[0]
    cause = match.cause
    whole = cause.equation in ("cost", "forward")
    layer = None if whole else match.layer
    equation = cause.equation_at(match.layer, net.depth)
    names = tuple(dict.fromkeys(name for finding in findings for name in finding.parameters))
    parts = [cause.sentence, _describe_place(match, net), _mention(matches[1:])]
    parts.append(f"Read again: {cause.reread(match.layer, net.depth)}.")
    text = " ".join(part for part in parts if part)
    return Finding(equation, layer, names, text, cause.identifier, first.entries)


def _describe_factor(findings: Sequence[Finding], recognised: Recognised, match: Match) -> list[Finding]:
    """A factor on every gradient beside a mistake further down is a fault of its own, and the upper one."""
    net = recognised.net
    if not match.scaled or (match.layer == net.depth and match.cause.equation in ("BP1", "slope")):
        return []
    assert match.number is not None
    flipped = match.power == 0 and abs(match.number + 1) < STEP_ROOM
    cause = find_cause("output_error_sign_flipped") if flipped else name_factor(net, match)
    names = findings[0].parameters
    text = (
        f"{cause.sentence} The factor is {match.describe_number()}. Read again: {cause.reread(net.depth, net.depth)}."
    )
    layer = net.depth if flipped else None
    return [Finding(cause.equation, layer, names, text, cause.identifier, findings[0].entries)]


def name_factor(net: Net, match: Match) -> Cause:
    """The entry for a factor of the cost."""
    assert match.number is not None
    fitting = (c for c in CAUSES if c.equation == "cost" and c.accepts and c.accepts(match.number, match.power, net))
    return next(fitting, find_cause("cost_factor_wrong"))


def _describe_place(match: Match, net: Net) -> str:
    """Where exactly, with the activation's name and what was fitted."""
    layers = f"layer {match.layer}" if len(match.layers) == 1 else f"layers {', '.join(map(str, match.layers))}"
    unknown = net.cost == MEASURED and match.layer == net.depth
    place = f"Here: {layers}" if unknown else f"Here: {layers}, activation {net.activation(match.layer)}"
    if isinstance(match.value, str) and match.cause.equation in ("slope", "forward"):
        place += f" against {match.value}"
    if match.cause.given == MEASURED:
        place += f"; the gradient is that of {match.value}"
    number = match.describe_number()
    if match.scaled:
        return f"{place}; besides, every gradient carries the factor {number}."
    return f"{place}; the number found is {number}." if number else f"{place}."


def _mention(others: Sequence[Match]) -> str:
    """Other mistakes that give the same numbers."""
    if not others:
        return ""
    names = " ".join(f"{match.cause.sentence} ({match.cause.identifier})" for match in others[:MENTIONED])
    return f"The same numbers would come from: {names}"


def _describe_pattern(findings: Sequence[Finding], match: PatternMatch, depth: int) -> list[Finding]:
    """The first finding with the pattern's cause; the judge's own words stay behind it."""
    cause, first = find_cause(match.identifier), findings[0]
    detail = f" {match.detail[0].upper()}{match.detail[1:]}." if match.detail else ""
    layer = match.layer if cause.equation not in ("cost",) else None
    text = f"{cause.sentence}{detail} Read again: {cause.reread(match.layer, depth)}."
    if cause.equation == "any":
        return [
            replace(first, cause=cause.identifier, explanation=f"{cause.sentence} {first.explanation}"),
            *findings[1:],
        ]
    equation = (
        cause.equation_at(match.layer, depth) if match.layer or cause.equation in ("cost", "update") else first.equation
    )
    return [replace(first, cause=cause.identifier, equation=equation, layer=layer, explanation=text), *findings[1:]]
