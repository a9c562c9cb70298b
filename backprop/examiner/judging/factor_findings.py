"""Findings about factors: on every gradient, shared by all beneath other faults, or different from tensor to tensor."""

from __future__ import annotations

from collections.abc import Callable

from backprop.examiner.judging.factors import divide_out, find_factor, find_shared, group_by_factor
from backprop.examiner.judging.findings import make_finding, measure_sizes, name_tensors
from backprop.examiner.judging.patterns import fit_factor
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.measuring.laws import Factor, describe_law
from backprop.examiner.saying.grounds import Said, say
from backprop.examiner.saying.report import Finding
from backprop.examiner.saying.sentences import (
    BATCH_SIZE,
    OUTPUT_COUNT,
    OUTPUTS_OVER_BATCH,
    SHARED_FACTOR,
    TENSORS_FACTOR,
    WHOLE_FACTOR,
    WHOLE_SIGN,
    WHOLE_ZERO,
)

__all__ = ["explain_factors", "explain_shared", "explain_whole"]


def explain_whole(examination: Examination, wrong: list[int]) -> Finding | None:
    """A fault of the whole network: one factor on everything that can be seen."""
    if len(wrong) + sum(examination.is_silent(i) for i in range(len(examination.leaves))) < len(examination.leaves):
        return None
    faulty = [case for case in examination.cases if any(case.tensors[i].faulty for i in wrong)]
    fits = [fit_factor([case.tensors[i] for i in wrong]) for case in faulty]
    known = [fit for fit in fits if fit is not None]
    if len(known) < len(faulty):
        return None
    depth = examination.depth or None
    largest, expected = measure_sizes(examination, wrong)
    zero = say(WHOLE_ZERO, largest=largest, expected=expected)
    if zero:
        return make_finding(examination, "update", None, wrong, zero)
    numbers = [fit.factor for fit in known]
    measured = {"off": max(fit.off for fit in known), "entries": sum(fit.entries for fit in known), "numbers": numbers}
    flipped = say(WHOLE_SIGN, **measured)
    if flipped:
        return make_finding(examination, "BP1" if depth else "cost", depth, wrong, flipped)
    factor = find_factor(examination, wrong)
    text = str(factor or " and ".join(dict.fromkeys(describe_law(number, 0) for number in numbers)))
    said = (*say(WHOLE_FACTOR, factor=text, **measured), *say_more(examination, factor))
    return make_finding(examination, "cost", None, wrong, said)


def say_more(examination: Examination, factor: Factor | None) -> tuple[Said, ...]:
    """What a factor may stand for: the batch size, the number of outputs."""
    if factor is None:
        return ()
    outputs = examination.outputs
    batch = say(BATCH_SIZE, number=factor.number, power=factor.power, rows=list(factor.rows))
    over = say(OUTPUTS_OVER_BATCH, number=factor.number, power=factor.power, outputs=outputs, rows=list(factor.rows))
    return (*batch, *over, *say(OUTPUT_COUNT, number=factor.number, outputs=outputs))


def explain_shared(
    examination: Examination, wrong: list[int], localise: Callable[[Examination], list[Finding]]
) -> list[Finding]:
    """A factor that all gradients carry, and what is left once it is divided out; nothing if there is none."""
    factor = find_shared(examination, wrong)
    if factor is None:
        return []
    bare = [i for i in wrong if (own := find_factor(examination, [i])) is not None and own.law == factor.law]
    names = [examination.leaves[i].name for i in bare]
    said = say(SHARED_FACTOR, factor=str(factor), number=factor.number, power=factor.power,
               off=factor.off, entries=factor.entries, tensors=names)  # fmt: skip
    rest = localise(divide_out(examination, factor))
    if not said or not rest:
        return []
    return [make_finding(examination, "cost", None, wrong, (*said, *say_more(examination, factor))), *rest]


def explain_factors(examination: Examination, wrong: list[int]) -> list[Finding]:
    """Different constant factors in different tensors: a fault for each; nothing if some tensor has another one.

    Only where every group holds weights alone or biases alone: errors that are off take both along.
    """
    groups = group_by_factor(examination, wrong)
    roles = [{examination.leaves[i].role for i in tensors} for _, tensors in groups]
    if len(groups) < 2 or any(len(kinds) > 1 for kinds in roles):
        return []
    findings = []
    for (factor, tensors), kinds in zip(groups, roles, strict=True):
        if factor is None:
            return []
        said = say(TENSORS_FACTOR, tensors=name_tensors(examination, tensors), factor=str(factor), number=factor.number,
                   power=factor.power, off=factor.off, entries=factor.entries)  # fmt: skip
        if not said:
            return []
        top = max(examination.leaves[i].layer or 0 for i in tensors)
        findings.append(make_finding(examination, "BP3" if kinds == {"b"} else "BP4", top, tensors, said))
    return findings
