"""Mistakes known by a pattern: numbers beside the oracle's tell them, without knowing the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.diagnosis.model.evaluate import Array
from backprop.diagnosis.model.grounds import NO_NUMBERS, OTHER_SHAPE, PATTERN, ZERO
from backprop.diagnosis.signs.beside import Compared, fits, measure_fit, read_case
from backprop.diagnosis.signs.factors import list_factors, list_shared
from backprop.diagnosis.signs.input_factors import find_scaled_inputs
from backprop.diagnosis.signs.uses import name_use
from backprop.examiner.measuring.examination import CaseExamination, Examination
from backprop.examiner.saying.grounds import Predicate

__all__ = ["PatternMatch", "find_patterns"]

SHARE = 1e-3
FEWEST_CLIPPED = 2
"""Entries at the limit; a single one is only the largest."""


@dataclass(frozen=True)
class PatternMatch:
    """A cause known by its pattern, in which layer (None: everywhere), with a detail for the reader."""

    identifier: str
    layer: int | None
    predicate: Predicate
    numbers: Mapping[str, Any]
    detail: str = ""

    @property
    def plain(self) -> bool:
        """Whether the pattern leaves nothing to a comparison with mutants."""
        return self.identifier in PLAIN


PLAIN = {"gradient_never_computed", "gradient_not_finite", "layer_never_updated"}


def find_patterns(examination: Examination) -> list[PatternMatch]:
    """All patterns that hold at every case where something is wrong, the plainest first."""
    cases = [c for c in examination.cases if any(t.faulty for t in c.tensors)]
    if not cases:
        return []
    return [match for detect in DETECTORS for match in detect(examination, cases)]


def detect_refusals(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Shape and NaN."""
    turned = find_turned_list(examination, cases)
    if turned is not None:
        shapes = [list(leaf.shape) for leaf in examination.leaves]
        given = [list(np.shape(g)) for g in cases[0].yours]
        yield PatternMatch("gradients_of_layers_exchanged", turned, OTHER_SHAPE, {"got": given, "expected": shapes})
    for i, leaf in enumerate(examination.leaves):
        states = {case.tensors[i].status for case in cases}
        if states == {"nan"}:
            yield PatternMatch("gradient_not_finite", None, NO_NUMBERS, {"tensor": leaf.name, "bad": len(cases)})
        if "shape" in states:
            got = next(c.tensors[i].got_shape for c in cases if c.tensors[i].status == "shape")
            rows = next(c.case.rows for c in cases if c.tensors[i].status == "shape")
            numbers = {"tensor": leaf.name, "got": list(got or ()), "expected": list(leaf.shape), "rows": rows}
            if leaf.role == "b" and got and rows in got and math.prod(got) == leaf.size * (rows or 0):
                top = _top(examination, "shape", "b")
                yield PatternMatch("bias_gradient_not_reduced", top, OTHER_SHAPE, numbers)
            elif leaf.role == "b" and got in ((), (1,), (1, 1)):
                yield PatternMatch("bias_gradient_scalar_sum", _top(examination, "shape", "b"), OTHER_SHAPE, numbers)
            else:
                yield PatternMatch("gradient_has_wrong_shape", leaf.layer, OTHER_SHAPE, numbers)


def find_turned_list(examination: Examination, cases: list[CaseExamination]) -> int | None:
    """The topmost layer, if the gradients have the shapes of the layers from the last to the first."""
    leaves = examination.leaves
    layers = sorted({leaf.layer or 0 for leaf in leaves})
    if len(layers) < 2 or 0 in layers:
        return None
    by_place = [[leaf.shape for leaf in leaves if leaf.layer == layer] for layer in layers]
    for case in cases:
        given: list[list[tuple[int, ...]]] = [[] for _ in layers]
        for leaf, verdict, yours in zip(leaves, case.tensors, case.yours, strict=True):
            shape = verdict.got_shape if verdict.status == "shape" else np.shape(yours)
            given[layers.index(leaf.layer or 0)].append(shape or ())
        if given != by_place[::-1] or given == by_place:
            return None
    return layers[-1]


def _top(examination: Examination, status: str, role: str) -> int | None:
    layers = [
        leaf.layer or 0
        for i, leaf in enumerate(examination.leaves)
        if leaf.role == role and any(c.tensors[i].status == status for c in examination.cases)
    ]
    return max(layers, default=0) or None


def detect_zeros(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Nothing but zeros, everywhere or in layers."""
    silent = {i for i in range(len(examination.leaves)) if examination.is_silent(i)}
    wrong = {i for i in range(len(examination.leaves)) if examination.is_wrong(i)}
    zero = {i for i in wrong if all(c.yours[i] is None or not np.any(c.yours[i]) for c in cases)}
    if not zero:
        return
    numbers = {
        "largest": max((float(np.max(np.abs(c.yours[i]))) for c in cases for i in zero if np.size(c.yours[i])
                        and c.yours[i] is not None), default=0.0),
        "expected": max(c.tensors[i].scale or float(c.tensors[i].status == "missing") for c in cases for i in zero),
    }  # fmt: skip
    if zero | silent == set(range(len(examination.leaves))):
        yield PatternMatch("gradient_never_computed", None, ZERO, numbers)
        return
    layers = sorted({examination.leaves[i].layer or 0 for i in zero}, reverse=True)
    mine = {i for i, leaf in enumerate(examination.leaves) if leaf.layer == layers[0]}
    if mine <= zero | silent and wrong == zero:
        yield PatternMatch("layer_never_updated", layers[0], ZERO, numbers)
    elif wrong == zero:
        role = {examination.leaves[i].role for i in zero}
        identifier = "bias_gradient_zero" if role == {"b"} else "weight_gradient_zero"
        yield PatternMatch(identifier, layers[0], ZERO, numbers)


def detect_clipping(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Entries or lengths cut off; signs only; whole numbers only."""
    limits = [max(float(np.max(np.abs(t.yours))) for t in read_case(c)) for c in cases if read_case(c)]
    if not limits:
        return
    limit = max(limits)
    signs = measure_fit(cases, lambda t: np.sign(t.expected))
    if PATTERN.holds(**signs):
        yield PatternMatch("gradient_sign_only", None, PATTERN, signs)
        return
    clipped = measure_fit(cases, lambda t: np.clip(t.expected, -limit, limit))
    reached = sum(_count_beyond(t, limit) for c in cases for t in read_case(c))
    if PATTERN.holds(**clipped) and reached >= FEWEST_CLIPPED:
        numbers = clipped | {"limit": limit, "reached": reached}
        yield PatternMatch("gradient_clipped", None, PATTERN, numbers, f"entries are cut off at {limit:.6g}")


def _count_beyond(t: Compared, limit: float) -> int:
    """How many entries the true gradient has beyond a limit, where the subject's are at it."""
    known = t.known
    beyond = np.abs(t.expected[known]) > limit + t.room
    return int(np.sum(beyond & (np.abs(t.yours[known]) >= limit - t.room)))


def detect_integers(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Whole numbers in every wrong tensor, each off by less than one for every sample that was added."""
    wrong = [i for i in range(len(examination.leaves)) if examination.is_wrong(i)]

    def truncated(t: Compared, rows: int) -> float:
        off = np.abs(t.yours - t.expected)[t.known]
        whole = np.array_equal(t.yours, np.trunc(t.yours))
        return float(np.max(off, initial=0.0)) / (rows + t.room) if whole else math.inf

    seen = [(t, case.case.rows or 1) for case in cases for t in read_case(case) if t.index in wrong]
    if seen and any(t.yours.any() for t, _ in seen):
        numbers = {"off": max(truncated(t, rows) for t, rows in seen), "entries": sum(t.yours.size for t, _ in seen)}
        if PATTERN.holds(**numbers):
            layer = None if len(wrong) == len(examination.leaves) else examination.leaves[wrong[-1]].layer
            yield PatternMatch("gradient_truncated_to_integers", layer, PATTERN, numbers)


def detect_length(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """One factor per case (or per tensor) that makes the same length every time."""
    whole, each = [], []
    for case in cases:
        tensors = [t for t in read_case(case) if t.known.all()]
        if len(tensors) < len(case.tensors):
            return
        if not all(_parallel(t) for t in tensors):
            return
        whole.append(math.sqrt(sum(float(np.sum(t.yours**2)) for t in tensors)))
        each += [float(np.linalg.norm(t.yours)) for t in tensors if t.yours.any()]
    factors = [np.linalg.norm(t.expected) for case in cases for t in read_case(case)]
    if np.ptp(factors) <= SHARE * max(factors):
        return
    if len(whole) > 1 and np.ptp(whole) <= SHARE * max(whole):
        text = "gradient_normalised" if abs(whole[0] - 1) < SHARE else "gradient_clipped"
        yield PatternMatch(text, None, PATTERN, _spread(whole), f"its length is always {whole[0]:.6g}")
    elif len(each) > 2 and np.ptp(each) <= SHARE * max(each):
        yield PatternMatch("gradient_normalised", None, PATTERN, _spread(each),
                           f"the length of every tensor is {each[0]:.6g}")  # fmt: skip


def _spread(lengths: list[float]) -> dict[str, float]:
    """How far lengths are apart, in units of what counts as the same."""
    return {"off": float(np.ptp(lengths)) / (SHARE * max(lengths)), "entries": len(lengths), "length": lengths[0]}


def _parallel(t: Compared) -> bool:
    norm = float(np.sum(t.expected * t.expected))
    if not norm:
        return not t.yours.any()
    factor = float(np.sum(t.yours * t.expected)) / norm
    return bool(np.max(np.abs(t.yours - factor * t.expected)) <= abs(factor) * t.room)


def detect_exchange(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """Tensors of equal shape that hold each other's gradient."""
    wrong = [i for i in range(len(examination.leaves)) if examination.is_wrong(i)]
    for i in wrong:
        partners = [j for j in wrong if j > i and examination.leaves[j].shape == examination.leaves[i].shape]
        for j in partners:
            numbers = {"off": max(_exchanged(case, i, j) for case in cases),
                       "entries": examination.leaves[i].size * len(cases)}  # fmt: skip
            if PATTERN.holds(**numbers):
                layers = [examination.leaves[k].layer or 0 for k in (i, j)]
                yield PatternMatch("gradients_of_layers_exchanged", max(layers) or None, PATTERN, numbers)
                return


def _exchanged(case: CaseExamination, i: int, j: int) -> float:
    """How far two tensors are from holding each other's gradient, in units of the room."""
    read = {t.index: t for t in read_case(case)}
    if i not in read or j not in read:
        return math.inf
    a, b = read[i], read[j]
    room = max(a.room, b.room)
    one, two = np.abs(a.yours - b.expected), np.abs(b.yours - a.expected)
    known = np.isfinite(one) & np.isfinite(two)
    if not known.any() or fits(a, a.expected):
        return math.inf
    return float(max(np.max(one[known]), np.max(two[known]))) / room


def detect_units(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """A factor of its own for each unit of a hidden layer, the same at every case."""
    tops = [leaf.layer or 0 for i, leaf in enumerate(examination.leaves) if examination.is_wrong(i)]
    top = max(tops, default=0)
    if not top or top == examination.depth or find_scaled_inputs(examination, cases) is not None:
        return
    W = [i for i, leaf in enumerate(examination.leaves) if leaf.layer == top and leaf.dense and len(leaf.shape) == 2]
    if not W:
        return
    for axis in (0, 1):
        found = [_unit_factors(case, W[0], axis) for case in cases]
        known = [f for f in found if f is not None]
        if len(known) < len(cases) or not known:
            continue
        masked = any(np.isinf(f).any() for f in known)
        table = np.where(np.isinf(np.array(known)), np.nan, np.array(known))
        if masked and all(np.nanmax(np.abs(row - 1)) < SHARE for row in table if np.isfinite(row).any()):
            off = max(float(np.nanmax(np.abs(row - 1))) for row in table if np.isfinite(row).any()) / SHARE
            numbers = {"off": off, "entries": int(np.isfinite(table).sum())}
            yield PatternMatch("dropout_mask_missing_in_backward", top, PATTERN, numbers)
            return
        if (
            not masked
            and np.all(np.ptp(table, axis=0) <= SHARE * np.abs(table).max(axis=0))
            and np.ptp(table[0]) > SHARE
        ):
            shown = ", ".join(f"{1 / x:.4g}" for x in table[0][:6] if x)
            biases = [
                i for i, leaf in enumerate(examination.leaves) if leaf.layer == top and leaf.role == "b" and leaf.dense
            ]
            cancels = any(examination.is_silent(i) for i in biases)
            name = "normalisation_scale_missing" if cancels else "factor_per_unit_missing"
            off = float(np.max(np.ptp(table, axis=0) / (SHARE * np.abs(table).max(axis=0))))
            numbers = {"off": off, "entries": int(table.size), "factors": table[0]}
            yield PatternMatch(name, top, PATTERN, numbers, f"the factors missing are {shown}")
            return


def _unit_factors(case: CaseExamination, index: int, axis: int) -> Array | None:
    """yours = factor · expected along an axis; infinite where the truth is zero and yours is not; None if neither."""
    t = next((t for t in read_case(case) if t.index == index), None)
    if t is None or not t.known.all() or t.yours.shape[axis] < 2:
        return None
    yours, expected = (np.moveaxis(x, axis, 0) for x in (t.yours, t.expected))
    factors = []
    for mine, true in zip(yours, expected, strict=True):
        norm = float(np.sum(true * true))
        if norm <= t.room**2 * true.size:
            factors.append(math.inf if np.max(np.abs(mine)) > t.room else 1.0)
            continue
        factor = float(np.sum(mine * true)) / norm
        if np.max(np.abs(mine - factor * true)) > max(1.0, abs(factor)) * t.room:
            return None
        factors.append(factor)
    return np.array(factors)


def detect_inputs(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """A factor and a shift of its own for each input of one layer."""
    found = find_scaled_inputs(examination, cases)
    if found is not None:
        layer, fitted = found
        shown = ", ".join(f"{scale:.4g}" for scale, _ in fitted[:6])
        numbers = {"off": 1.0, "entries": len(fitted), "factors": [scale for scale, _ in fitted]}
        yield PatternMatch("inputs_scaled_differently", layer, PATTERN, numbers, f"the factors are {shown}")


def detect_mean_path(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """A bias before a normalisation: its true gradient is zero, the subject's is not."""
    top = max((leaf.layer or 0 for i, leaf in enumerate(examination.leaves) if examination.is_wrong(i)), default=0)
    for i, leaf in enumerate(examination.leaves):
        if leaf.role != "b" or not leaf.dense or leaf.layer != top or not examination.is_wrong(i):
            continue
        read = [next((t for t in read_case(c) if t.index == i), None) for c in cases]
        known = [t for t in read if t is not None and np.any(t.yours)]
        off = max((float(np.max(np.abs(t.expected[t.known]), initial=0.0)) / t.room for t in known), default=math.inf)
        numbers = {"off": off, "entries": sum(t.yours.size for t in known)}
        if len(known) == len(read) and PATTERN.holds(**numbers):
            yield PatternMatch("normalisation_mean_path_missing", leaf.layer, PATTERN, numbers)


def detect_factors(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """One factor on all wrong tensors; one array for several of them."""
    for identifier, layer, off in list_shared(examination, cases):
        yield PatternMatch(identifier, layer, PATTERN, off)
    for identifier, layer, factor in list_factors(examination):
        numbers = {"off": factor.off, "entries": factor.entries, "number": factor.number, "power": factor.power}
        yield PatternMatch(identifier, layer, PATTERN, numbers, f"the factor is {factor}")


def detect_uses(examination: Examination, cases: list[CaseExamination]) -> Iterator[PatternMatch]:
    """One wrong multiplicative tensor beside right ones: what its gradient is made of."""
    found = name_use(examination)
    if found is not None:
        yield PatternMatch(*found)


Detector = Callable[[Examination, list[CaseExamination]], Iterator[PatternMatch]]
DETECTORS: tuple[Detector, ...] = (
    detect_refusals, detect_zeros, detect_clipping, detect_integers, detect_length, detect_exchange, detect_inputs,
    detect_units, detect_mean_path, detect_factors, detect_uses,
)  # fmt: skip
