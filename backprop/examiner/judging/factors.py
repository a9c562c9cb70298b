"""One factor on a tensor's gradient, or on several: its law in n, and what is left once a shared one is divided out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backprop.examiner.judging.patterns import SAME_FACTOR, fit_factor
from backprop.examiner.measuring.examination import CaseExamination, Examination, Reading, TensorVerdict
from backprop.examiner.measuring.laws import Factor, find_law
from backprop.examiner.tolerance import RELATIVE_SLACK, agree

__all__ = ["divide_out", "find_factor", "find_shared", "group_by_factor"]

SAME = 1e-4
"""Of a factor: how closely its law has to be met at every case."""


def find_factor(examination: Examination, tensors: Sequence[int]) -> Factor | None:
    """The one factor on some tensors, 0 where all is zero; None where there is none, or it follows no law in n."""
    faulty = [case for case in examination.cases if any(case.tensors[i].faulty for i in tensors)]
    fits = [fit_factor([case.tensors[i] for i in tensors]) for case in faulty]
    known = [fit for fit in fits if fit is not None]
    if not known or len(known) < len(fits):
        return None
    rows = [case.case.rows or 1 for case in faulty]
    law = find_law([(fit.factor, size) for fit, size in zip(known, rows, strict=True)], SAME)
    if law is None:
        return None
    return Factor(*law, max(fit.off for fit in known), sum(fit.entries for fit in known), tuple(rows))


def group_by_factor(examination: Examination, tensors: Sequence[int]) -> list[tuple[Factor | None, list[int]]]:
    """Tensors with the same factor together, the topmost first; last, under None, those that have no factor."""
    groups: dict[tuple[float, int] | None, tuple[Factor | None, list[int]]] = {}
    for i in sorted(tensors, key=lambda i: -(examination.leaves[i].layer or 0)):
        factor = find_factor(examination, [i])
        groups.setdefault(None if factor is None else factor.law, (factor, []))[1].append(i)
    return sorted(groups.values(), key=lambda pair: pair[0] is None)


def find_shared(examination: Examination, wrong: Sequence[int]) -> Factor | None:
    """A factor that every gradient carries though other faults hide it in some: then nothing is right, and it is met in
    every layer, or it follows n and is met in all of the topmost one."""
    leaves = examination.leaves
    visible = [i for i in range(len(leaves)) if not examination.is_silent(i)]
    if not examination.depth or set(visible) - set(wrong):
        return None
    groups = group_by_factor(examination, wrong)
    layers = {leaves[i].layer for i in visible}
    top = {i for i in visible if leaves[i].layer == examination.depth}
    for factor, tensors in groups:
        if factor is None or len(groups) < 2 or not factor.number:
            continue
        everywhere = {leaves[i].layer for i in tensors} == layers and groups[-1][0] is None
        if everywhere or (factor.power and top <= set(tensors)) or (factor.power and _have_power(groups, factor)):
            return factor
    return None


def _have_power(groups: Sequence[tuple[Factor | None, list[int]]], factor: Factor) -> bool:
    return all(other is not None and other.power == factor.power for other, _ in groups)


def divide_out(examination: Examination, factor: Factor) -> Examination:
    """The same evidence with the subject's gradients divided by a factor, every reading compared anew."""
    return replace(examination, cases=[_divide(case, factor) for case in examination.cases], factor=factor)


def _divide(found: CaseExamination, factor: Factor) -> CaseExamination:
    share = factor.at(found.case.rows)
    yours = [None if y is None else np.asarray(y) / share for y in found.yours]
    return replace(found, yours=yours, tensors=[_divide_tensor(tensor, share) for tensor in found.tensors])


def _divide_tensor(verdict: TensorVerdict, share: float) -> TensorVerdict:
    if verdict.status not in ("right", "wrong"):
        return verdict
    readings = [_divide_reading(reading, share, verdict.scale) for reading in verdict.readings]
    states = {reading.state for reading in readings}
    status = "wrong" if "differs" in states else "undecided" if states - {"agrees"} else "right"
    return replace(verdict, readings=readings, status=status)


def _divide_reading(reading: Reading, share: float, scale: float) -> Reading:
    yours = reading.yours / share
    if reading.state not in ("agrees", "differs"):
        return replace(reading, yours=yours)
    room = 4 * reading.uncertainty + SAME_FACTOR * abs(reading.expected)
    same = agree(yours, reading.expected, room, RELATIVE_SLACK * scale)
    return replace(reading, yours=yours, state="agrees" if same else "differs")
