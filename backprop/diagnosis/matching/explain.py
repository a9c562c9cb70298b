"""explain: from a wrong verdict to the likely mistake, its sentence, and the line of the derivation to re-read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from backprop.diagnosis.matching.comparison import layer_of, list_wrong
from backprop.diagnosis.matching.error_patterns import name_error
from backprop.diagnosis.matching.match import Match, Trial, find_matches
from backprop.diagnosis.matching.slope_fit import try_slopes
from backprop.diagnosis.matching.steps import explain_step
from backprop.diagnosis.matching.wording import (
    describe_factor,
    describe_match,
    describe_pattern,
    name_behaving,
    name_finding,
)
from backprop.diagnosis.mistakes.catalogue import CAUSES, find_cause
from backprop.diagnosis.model.grounds import BEHAVIOUR
from backprop.diagnosis.model.work import OutOfWork, Work
from backprop.diagnosis.recognition.recognise import Recognised, recognise
from backprop.diagnosis.signs.behaviour import measure_writing, name_behaviour
from backprop.diagnosis.signs.factors import name_factor_on, name_law
from backprop.diagnosis.signs.pattern import PatternMatch
from backprop.diagnosis.signs.patterns import find_patterns
from backprop.diagnosis.signs.statistics import find_statistics
from backprop.examiner.judging.factors import divide_out, find_shared
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.saying.report import Finding
from backprop.examiner.saying.sentences import BEYOND_KINK, COST_WRITES, SHARED_FACTOR, STEP_DIFFERS
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["explain"]

MOST_TRIALS = 45_000
"""For recognition and all mutants together."""
UNSEEN = ("derivative_factor_wrong",)
"""Where the program draws its noise itself, it may be a mask's scale as well."""
EXHAUSTED = f"the search for the likely mistake ended at its limit of {MOST_TRIALS:,} trials, not everything was tried"


def explain(subject: Subject, examination: Examination, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with cause and explanation filled in, as far as a mistake of the table explains every number.

    Where a mutant of the recognised network gives exactly the subject's gradient, its equation and layer are the root
    cause. Without one the findings keep the judge's equation and layer, and `cause` stays "unknown".
    """
    if not examination.cases:
        return [_explain_behaviour(subject, finding) for finding in findings]
    work = allow_work(examination)
    steps = [finding for finding in findings if _rests_on(finding, STEP_DIFFERS.identifier)]
    others = [finding for finding in findings if finding not in steps]
    explained = others
    try:
        explained = explain_gradients(examination, others, work)
        steps = [explain_step(examination, finding, work) for finding in steps]
    except OutOfWork:
        explained = explain_without_network(examination, others)
        examination.limits.append(EXHAUSTED)
    return explained + steps


def allow_work(examination: Examination) -> Work:
    """The limit for one search, in trials on a network of this size."""
    rows = max((found.case.rows or 1 for found in examination.cases), default=1)
    return Work(MOST_TRIALS, rows * sum(leaf.size for leaf in examination.leaves), examination.pace)


def explain_gradients(examination: Examination, findings: Sequence[Finding], work: Work) -> list[Finding]:
    """What is known without the network; then one mutant for everything; then each fault on its own.

    Raises `OutOfWork`.
    """
    if not findings or _rests_on(findings[0], BEYOND_KINK.identifier):
        return list(findings)
    patterns = find_patterns(examination)
    faulty = [tensor for case in examination.cases for tensor in case.tensors if tensor.faulty]
    if patterns and (patterns[0].plain or all(tensor.status == "shape" for tensor in faulty)):
        return describe_pattern(findings, patterns[0], examination.depth)
    networks: list[Recognised] = []
    for recognised in recognise(examination, work):
        networks.append(recognised)
        matches = find_all(recognised, work)
        if matches and not (matches[0].cause.identifier in UNSEEN and not any(c.case.rows for c in examination.cases)):
            factor = describe_factor(findings, recognised, matches[0])
            return [*factor, describe_match(findings, recognised, matches, examination.factor)]
    return explain_shared(examination, findings, work) or explain_apart(examination, findings, networks, work)


def find_all(recognised: Recognised, work: Work) -> list[Match]:
    """The mistakes that give every number: of the table, with a fitted f', or in the output error alone."""
    matches = find_matches(recognised.net, recognised.scenes, CAUSES, work)
    return matches or find_slope(recognised, work) or find_error(recognised)


def find_slope(recognised: Recognised, work: Work) -> list[Match]:
    """A wrong f' that is no formula of the table."""
    wrong = list_wrong(recognised.scenes)
    if not wrong:
        return []
    trial = Trial(recognised.net, recognised.scenes, work)
    return list(try_slopes(trial, list(CAUSES), max(map(layer_of, wrong))))


def find_error(recognised: Recognised) -> list[Match]:
    """A wrong output error, from which everything else follows."""
    found, depth = name_error(recognised), recognised.net.depth
    return [] if found is None else [Match(find_cause(found[0]), depth, (depth,), numbers=found[1])]


def explain_shared(examination: Examination, findings: Sequence[Finding], work: Work) -> list[Finding]:
    """The factor that all gradients share, by its name, and what is left without it; nothing if there is none."""
    wrong = examination.wrong
    factor = find_shared(examination, wrong) if _rests_on(findings[0], SHARED_FACTOR.identifier) else None
    if factor is None:
        return []
    cause = find_cause(name_law("cost", factor))
    first = name_finding(findings[0], cause, examination.depth)
    return [first, *explain_gradients(divide_out(examination, factor), findings[1:], work)]


def explain_apart(
    examination: Examination, findings: Sequence[Finding], networks: Sequence[Recognised], work: Work
) -> list[Finding]:
    """Each of several faults by its own mutant, its own factor, or as the judge has it."""
    if len(findings) == 1:
        return explain_without_network(examination, findings)
    found = [
        next(_explain_parts(examination, finding, findings, networks, work), None)
        or _explain_factor(examination, finding)
        for finding in findings
    ]
    return (
        found
        if any(finding.cause != "unknown" for finding in found)
        else explain_without_network(examination, findings)
    )


def _explain_parts(
    examination: Examination,
    finding: Finding,
    findings: Sequence[Finding],
    networks: Sequence[Recognised],
    work: Work,
) -> Iterator[Finding]:
    """A mutant for one of several faults: it must give its tensors, and leave those of the others as they should be."""
    index = {leaf.name: i for i, leaf in enumerate(examination.leaves)}
    elsewhere = {index[name] for other in findings if other is not finding for name in other.parameters}
    mine = {index[name] for name in finding.parameters}
    for recognised in networks:
        part = mend_tensors(recognised, elsewhere - mine)
        matches = [] if part is None else find_matches(part.net, part.scenes, CAUSES, work)
        if part is not None and matches and not matches[0].scaled:
            yield describe_match([finding], part, matches, examination.factor)


def mend_tensors(recognised: Recognised, tensors: set[int]) -> Recognised | None:
    """The same comparison with the right numbers in some tensors; None where they are not weights and biases."""
    layout = recognised.layout
    names = {i: f"dW{layer}" for layer, i in enumerate(layout.weights, start=1)}
    names |= {i: f"db{layer}" for layer, i in enumerate(layout.biases, start=1) if i is not None}
    if layout.fold or not tensors <= set(names):
        return None
    mended = {names[i] for i in tensors}
    scenes = [
        replace(scene, yours={name: scene.right[name] if name in mended else g for name, g in scene.yours.items()})
        for scene in recognised.scenes
    ]
    return replace(recognised, scenes=scenes)


def _explain_factor(examination: Examination, finding: Finding) -> Finding:
    """The cause that one factor on the tensors of a finding means; the finding as it was without one."""
    index = {leaf.name: i for i, leaf in enumerate(examination.leaves)}
    named = name_factor_on(examination, [index[name] for name in finding.parameters])
    return finding if named is None else name_finding(finding, find_cause(named[0]), examination.depth)


def explain_without_network(examination: Examination, findings: Sequence[Finding]) -> list[Finding]:
    """What batch, statistics and patterns tell; the judge's own words where they tell nothing."""
    if not findings:
        return []
    first = findings[0]
    if first.equation == "forward":
        change = measure_writing(examination.cases[0].case)
        wrote = PatternMatch("inputs_overwritten", None, BEHAVIOUR, {"change": change})
        found = wrote if BEHAVIOUR.holds(**wrote.numbers) else find_statistics(examination)
        if found is not None:
            return describe_pattern(findings, found, examination.depth)
    patterns = find_patterns(examination)
    if patterns:
        return describe_pattern(findings, patterns[0], examination.depth)
    return [_explain_factor(examination, finding) for finding in findings]


def _explain_behaviour(subject: Subject, finding: Finding) -> Finding:
    """A fault in what is kept between calls."""
    wrote = _rests_on(finding, COST_WRITES.identifier)
    identifier = "cost_writes_into_inputs" if wrote else name_behaviour(subject)
    return finding if identifier is None else name_behaving(finding, find_cause(identifier))


def _rests_on(finding: Finding, predicate: str) -> bool:
    return bool(finding.said) and finding.said[0].grounds["predicate"] == predicate
