"""From what explains the numbers to a finding: the cause's sentence, where it stands, what else would give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backprop.diagnosis.matching.match import Match
from backprop.diagnosis.mistakes.catalogue import CAUSES, find_cause
from backprop.diagnosis.model.cause import Cause
from backprop.diagnosis.model.grounds import BEHAVIOUR, BESIDE_FACTOR, MENTIONED, MUTANT
from backprop.diagnosis.model.net import MEASURED, Net
from backprop.diagnosis.recognition.recognise import Recognised
from backprop.diagnosis.signs.pattern import PatternMatch
from backprop.examiner.measuring.laws import SAME_NUMBER, Factor
from backprop.examiner.saying.grounds import say
from backprop.examiner.saying.report import Finding

__all__ = ["describe_factor", "describe_match", "describe_pattern", "name_behaving", "name_finding"]

MOST_MENTIONED = 2
PENALTY = "penalty"
SIGN = 1e-6
WHOLE = ("parameters_overwritten", "inputs_overwritten", "cost_writes_into_inputs")
"""What is written in place is no fault of one layer."""


def describe_match(
    findings: Sequence[Finding], recognised: Recognised, matches: Sequence[Match], factor: Factor | None = None
) -> Finding:
    """One finding: the mutant explains every number, so all others are consequences.

    A penalty's number is told as it is in the subject, before a `factor` on everything was divided out.
    """
    match, net, first = matches[0], recognised.net, findings[0]
    if factor is not None and match.number is not None and match.cause.chapter == PENALTY:
        match = replace(match, number=match.number * factor.number, power=match.power + factor.power)
    cause = match.cause
    layer = None if cause.equation in ("cost", "forward") else match.layer
    names = tuple(dict.fromkeys(name for finding in findings for name in finding.parameters))
    text = f"{cause.sentence} {_describe_place(match, net)}"
    said = say(MUTANT, text=text, cause=cause.identifier, layers=match.layers, **match.numbers)
    for other in matches[1 : 1 + MOST_MENTIONED]:
        said += say(MENTIONED, text=_mention(other, first=other is matches[1]), cause=other.cause.identifier,
                    **other.numbers)  # fmt: skip
    if not said:
        return first
    said = (*said[:-1], replace(said[-1], text=f"{said[-1].text} {_reread(cause, match.layer, net.depth)}"))
    return Finding(cause.equation_at(match.layer, net.depth), layer, names, said, cause.identifier, first.entries)


def describe_factor(findings: Sequence[Finding], recognised: Recognised, match: Match) -> list[Finding]:
    """A factor on every gradient beside a mistake further down is a fault of its own, and the upper one."""
    net = recognised.net
    if not match.scaled or (match.layer == net.depth and match.cause.equation in ("BP1", "slope")):
        return []
    assert match.number is not None
    flipped = match.power == 0 and abs(match.number + 1) < SIGN
    cause = find_cause("output_error_sign_flipped") if flipped else name_factor(net, match)
    text = f"{cause.sentence} The factor is {match.describe_number()}. {_reread(cause, net.depth, net.depth)}"
    said = say(BESIDE_FACTOR, text=text, cause=cause.identifier, **match.numbers)
    layer = net.depth if flipped else None
    names = tuple(dict.fromkeys(name for finding in findings for name in finding.parameters))
    return [Finding(cause.equation, layer, names, said, cause.identifier, findings[0].entries)] if said else []


def name_factor(net: Net, match: Match) -> Cause:
    """The entry for a factor of the cost."""
    assert match.number is not None
    fitting = (c for c in CAUSES if c.equation == "cost" and c.accepts and c.accepts(match.number, match.power, net))
    return next(fitting, find_cause("cost_factor_wrong"))


def describe_pattern(findings: Sequence[Finding], match: PatternMatch, depth: int) -> list[Finding]:
    """The first finding with the pattern's cause; the judge's own words stay behind it where they say which tensor."""
    cause, first = find_cause(match.identifier), findings[0]
    detail = f" {match.detail[0].upper()}{match.detail[1:]}." if match.detail else ""
    text = f"{cause.sentence}{detail}"
    own = cause.equation == "any"
    text = text if own else f"{text} {_reread(cause, match.layer, depth)}"
    said = say(match.predicate, text=text, cause=cause.identifier, **match.numbers)
    if not said:
        return list(findings)
    if own:
        return [replace(first, cause=cause.identifier, said=said + first.said), *findings[1:]]
    placed = match.layer or cause.equation in ("cost", "update")
    equation = cause.equation_at(match.layer, depth) if placed else first.equation
    layer = None if cause.equation == "cost" else match.layer
    return [replace(first, cause=cause.identifier, equation=equation, layer=layer, said=said), *findings[1:]]


def name_finding(finding: Finding, cause: Cause, depth: int) -> Finding:
    """The judge's finding, whose words say how it was measured, with a cause's sentence before them."""
    reread = _reread(cause, finding.layer or depth, depth)
    first, *more = finding.said
    named = replace(first, text=f"{cause.sentence} {first.text}", grounds={**first.grounds, "cause": cause.identifier})
    *most, last = (named, *more)
    said = (*most, replace(last, text=f"{last.text} {reread}"))
    return replace(finding, cause=cause.identifier, said=said)


def name_behaving(finding: Finding, cause: Cause) -> Finding:
    """The finding about behaviour between calls with its cause, on the change that the judge measured and tells."""
    change = finding.said[0].grounds["change"] if finding.said else 0.0
    said = say(BEHAVIOUR, text=cause.sentence, cause=cause.identifier, change=change or float("inf"))
    layer = None if cause.identifier in WHOLE else finding.layer
    return replace(finding, cause=cause.identifier, equation=cause.equation, layer=layer, said=said + finding.said)


def _describe_place(match: Match, net: Net) -> str:
    """Where exactly, with the activation's name and what was fitted."""
    layers = f"layer {match.layer}" if len(match.layers) == 1 else f"layers {', '.join(map(str, match.layers))}"
    unknown = net.cost == MEASURED and match.layer == net.depth
    place = f"Here: {layers}" if unknown else f"Here: {layers}, activation {net.activation(match.layer)}"
    if isinstance(match.value, str) and match.cause.equation in ("slope", "forward"):
        place += f" against {match.value}"
    if match.cause.given == MEASURED and isinstance(match.value, str):
        place += f"; the gradient is that of {match.value}"
    number = match.describe_number()
    if match.scaled:
        return f"{place}; besides, every gradient carries the factor {number}."
    # A number of 0 is what "missing" says already.
    if match.number is None or abs(match.number) < SAME_NUMBER or _says_nothing(match):
        return f"{place}."
    if match.power == 0 and match.cause.chapter == PENALTY:
        number = f"{match.number:.6g}"
    return f"{place}; the number found is {number}{_count_outputs(match, net)}."


def _says_nothing(match: Match) -> bool:
    """Whether the number found is that of no fault."""
    return match.power == 0 and match.number is not None and abs(match.number - 1) < SAME_NUMBER


def _count_outputs(match: Match, net: Net) -> str:
    """ ", where 3 is the number of outputs" for a factor of the cost that holds it."""
    assert match.number is not None
    width = net.sizes[-1]
    holds = width > 1 and min(abs(match.number - width), abs(1 / match.number - width)) < SAME_NUMBER
    return f", where {width} is the number of outputs" if holds and match.cause.equation == "cost" else ""


def _mention(other: Match, *, first: bool) -> str:
    """Another mistake that gives the same numbers."""
    lead = "The same numbers would come from: " if first else ""
    return f"{lead}{other.cause.sentence} ({other.cause.identifier})"


def _reread(cause: Cause, layer: int | None, depth: int) -> str:
    return f"Read again: {cause.reread(layer, depth)}."
