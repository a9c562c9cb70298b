"""Guards of a logarithm: a cost with log(a + ε) or log(max(a, ε)) beside the gradient of the cost without it.

Where outputs saturate, the fused gradient a − y of a right code differs from the derivative of its guarded cost. That
is told from a fault by its size and its direction: it must be the derivative of Σ y (log g(a) − log a) with one factor,
entry by entry, and it must be gone, or tiny and explained, at a point where no output is near 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from backprop.examiner.judging.guarded_samples import MOST_SAMPLES, SIZES, Outputs, is_guarded_by_sample
from backprop.examiner.measuring.cases import Array, Case
from backprop.examiner.measuring.comparison import examine_case
from backprop.examiner.measuring.examination import CaseExamination, Examination, Reading
from backprop.examiner.measuring.laws import find_law
from backprop.examiner.measuring.noise import tensor_sizes
from backprop.examiner.saying.grounds import tell
from backprop.examiner.saying.remarks import GUARDED
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.examiner.tolerance import RELATIVE_SLACK

__all__ = ["settle_guards"]

TAMER = (0.3, 0.1, 0.03, 0.01)
UNSATURATED = 0.02
SMALL = 1e-4
"""Of the largest entry: all that a guard of 1e-5 or less makes where outputs are not near 0 or 1."""
MOST_ENTRIES = 24
STEP = 1e-4
SEEN = 1e-10
"""Of a guarded output: below this share the output itself is lost in the rounding."""
DIRECTIONS, ROUGH = 3, 0.1
ROUNDS, EXACT, NEAR = 8, 1e-3, 1e-4
"""In which the size of a guard is corrected until the weight of the cost comes out."""
FITS = 0.02
"""A part of the largest mismatch: how closely a guard must explain every entry."""


ONE_WEIGHT = 0.05
"""Of the weights found at several cases that are still one."""
WAYS = ("one added", "one clipped", "one bounded", "two added", "two clipped", "two bounded", "one seen")
LOGARITHMS = ("one", "two")
Share: TypeAlias = tuple[Array, Array, Array, float]
"""Outputs at both sides of a point, targets, distance."""


@dataclass(frozen=True)
class Guard:
    """A guard that explains the mismatches of one case."""

    size: float
    way: str
    shares: tuple[Share, ...] = field(repr=False)
    mismatch: Array = field(repr=False)
    room: Array = field(repr=False)
    rows: int = 1

    def fit(self, size: float, way: str) -> tuple[float, float]:
        """The weight of the cost with which another guard would explain the case, and the largest gap in units of the
        room."""
        slopes = np.array([(_gap(a, y, size, way) - _gap(b, y, size, way)) / h for a, b, y, h in self.shares])
        square = float(slopes @ slopes)
        if not np.isfinite(slopes).all() or not square:
            return 0.0, np.inf
        factor = float(slopes @ self.mismatch) / square
        return factor, float(np.max(np.abs(self.mismatch - factor * slopes) / self.room))

    def __str__(self) -> str:
        return f"{self.size:.2g} ({'clipped' if self.way.endswith(('clipped', 'bounded')) else 'added'})"


def settle_guards(examination: Examination, rng: np.random.Generator) -> None:
    """Where a guard explains every mismatch, take the tensors for what they are at a point that does not saturate.

    That point is added to the cases. Nothing changes if a mismatch remains, here or there.
    """
    wrong = [c for c in examination.cases if any(t.faulty for t in c.tensors)]
    if not wrong or any(t.status in ("shape", "missing", "nan") for c in wrong for t in c.tensors):
        return
    guards: list[Guard] = []
    unexplained: list[Case] = []
    for case in wrong:
        guard = _explain(case, rng)
        if guard is None and not is_guarded_by_sample(case.case, rng):
            return
        guards += [] if guard is None else [guard]
        unexplained += [case.case] if guard is None else []
    tame = _tame(wrong[0].case)
    if tame is None:
        return
    looked = examine_case(tame, rng)
    if any(t.faulty for t in looked.tensors):
        if not _is_small(looked) or _explain(looked, rng) is None:
            return
        _forgive(looked, "right")
    if any(t.status != "right" for t in looked.tensors):
        return
    examination.cases.append(looked)
    largest = max((case.rows or 0 for case in unexplained), default=0)
    if largest > MOST_SAMPLES:
        # What was seen would excuse the mismatch, but not all of it was seen.
        examination.limits.append(f"a guard of the logarithm was looked for in {MOST_SAMPLES} of {largest} samples")
        examination.cut = True
    for case in wrong:
        _forgive(case)
    named = name_guard(guards if not unexplained else [])
    tell(examination.notes, GUARDED, guard=named, explained=len(wrong), mismatches=len(wrong))


def name_guard(guards: Sequence[Guard]) -> str:
    """The one number that explains every case of a cost that is a sum, or a mean over samples, if there is one.

    Where outputs are far from 0 and 1 only the product of number and weight shows; one saturated case tells them apart.
    """
    best: tuple[float, str] | None = None
    for way in WAYS if guards else ():
        for size in SIZES:
            fits = [guard.fit(size, way) for guard in guards]
            numbers = [(factor, guard.rows) for (factor, _), guard in zip(fits, guards, strict=True)]
            law = find_law(numbers, ONE_WEIGHT) if all(factor > 0 for factor, _ in numbers) else None
            off = max(gap for _, gap in fits)
            plain = law is not None and abs(law[0] - 1) <= ONE_WEIGHT and law[1] in (0, -1)
            if plain and off <= 1 and (best is None or off < best[0]):
                best = off, str(replace(guards[0], size=size, way=way))
    return "a small number that could not be told" if best is None else best[1]


def _explain(found: CaseExamination, rng: np.random.Generator) -> Guard | None:
    """The guard whose derivative is the mismatch of every entry looked at, or None."""
    readings = list(_list_readings(found))
    if not readings:
        return None
    mismatch = np.array([r.yours - r.expected for _, r, _ in readings])
    room = np.array([r.uncertainty + RELATIVE_SLACK * scale for _, r, scale in readings])
    room += FITS * float(np.max(np.abs(mismatch)))
    shares = []
    try:
        outputs = Outputs(found.case)
        for tensor, r, _ in readings:
            pair = _look_beside(outputs, tensor, r)
            if pair is None:
                return None
            shares.append(pair)
    except (Unusable, TypeError, ValueError):
        return None
    tame = _tame(found.case) if found.case.subject.has("forward") else None
    weights = {name: None if tame is None else _weigh(tame, name, rng) for name in LOGARITHMS}
    yours = np.array([r.yours for _, r, _ in readings])
    whole = {name: known for name, known in weights.items() if known is not None and known.alone}
    if any(not known.gives(yours, shares, name, room) for name, known in whole.items()):
        return None
    for way, begun in _list_guards():
        logarithms = way.split()[0]
        if whole and logarithms not in whole:
            continue
        size, known = begun, weights[logarithms]
        weight = None if known is None else known.value
        for _ in range(ROUNDS):
            slopes = np.array([(_gap(a, y, size, way) - _gap(b, y, size, way)) / h for a, b, y, h in shares])
            square = float(slopes @ slopes)
            factor = float(slopes @ mismatch) / square if np.isfinite(slopes).all() and square else 0.0
            if weight is None or not factor / weight > 0 or abs(factor - weight) <= EXACT * abs(weight):
                break
            size *= factor / weight
        # The cost holds −Σ y log g(a) with a positive weight, which can be measured where there is a forward. Another
        # one only says that the gradient is too small, as one that is clipped: where outputs saturate, the derivative
        # of a clipped logarithm is the gradient itself.
        fits = factor > 0 if weight is None else abs(factor - weight) <= ROUGH * abs(weight)
        if fits and size <= SIZES[0] and np.all(np.abs(mismatch - factor * slopes) <= room):
            return Guard(size, way, tuple(shares), mismatch, room, found.case.rows or 1)
    return None


@dataclass(frozen=True)
class Weight:
    """Of Σ y log a in a cost; `alone` if the cost has nothing else."""

    value: float
    alone: bool

    def gives(self, yours: Array, shares: Sequence[Share], logarithms: str, room: Array) -> bool:
        """Whether a gradient is that of the unguarded cost."""
        sides = ((_surprise(a, y, logarithms) - _surprise(b, y, logarithms)) / h for a, b, y, h in shares)
        away = np.abs(yours - self.value * np.array(list(sides)))
        return bool(np.all(away <= room + NEAR * np.max(np.abs(yours))))


def _weigh(tame: Case, logarithms: str, rng: np.random.Generator) -> Weight | None:
    """The weight of Σ y log a in the cost (or of both logarithms), from a few lines at a point that does not saturate;
    None where it cannot be told."""
    found = [weight for _ in range(DIRECTIONS) if (weight := _measure_weight(tame, logarithms, rng)) is not None]
    if len(found) < DIRECTIONS:
        return None
    spread = (max(found) - min(found)) / abs(found[0])
    return Weight(found[0], spread <= EXACT) if spread <= ROUGH else None


def _measure_weight(case: Case, logarithms: str, rng: np.random.Generator) -> float | None:
    """The change of the cost over that of −Σ y log a (and its twin for 1 − a) along a line through all parameters."""
    sizes = tensor_sizes(case)
    line = [STEP * size * rng.standard_normal(v.shape) for size, v in zip(sizes, case.values, strict=True)]
    sides = []
    for sign in (1, -1):
        values = [v + sign * d for v, d in zip(case.values, line, strict=True)]
        outputs = Outputs(case).read(values)
        targets = None if outputs is None else _read_targets(case, outputs.shape)
        if outputs is None or targets is None:
            return None
        sides.append((float(np.real(case.cost(values))), _surprise(outputs, targets, logarithms)))
    (cost, surprise), (other, less) = sides
    return (cost - other) / (surprise - less) if surprise != less else None


def _surprise(a: Array, y: Array, logarithms: str) -> float:
    """−Σ y log a, with its twin for 1 − a where there are two logarithms."""
    tiny = np.finfo(float).tiny
    total = -float(np.sum(y * np.log(np.maximum(a, tiny))))
    return total - float(np.sum((1 - y) * np.log(np.maximum(1 - a, tiny)))) if logarithms == "two" else total


def _list_guards() -> Iterator[tuple[str, float]]:
    for way in WAYS:
        for size in SIZES:
            yield way, size


def _list_readings(found: CaseExamination) -> Iterator[tuple[int, Reading, float]]:
    """The largest mismatches among the single entries of each wrong tensor, and as many others."""
    wrong = [(i, t) for i, t in enumerate(found.tensors) if t.status == "wrong"]
    share = max(3, MOST_ENTRIES // max(1, len(wrong)))
    for i, verdict in wrong:
        order = sorted(verdict.entries, key=lambda r: -abs(r.yours - r.expected))
        for reading in order[:share]:
            yield i, reading, verdict.scale


def _look_beside(known: Outputs, tensor: int, reading: Reading) -> Share | None:
    """Outputs at both sides of a point along one entry, with the targets, and the distance."""
    case = known.case
    direction = np.zeros(case.leaves[tensor].shape)
    direction[reading.index or ()] = STEP * tensor_sizes(case)[tensor]
    sides = []
    for sign in (1, -1):
        values = [v + sign * direction if i == tensor else v for i, v in enumerate(case.values)]
        outputs = known.read(values)
        if outputs is None:
            return None
        sides.append(outputs)
    targets = _read_targets(case, sides[0].shape)
    return None if targets is None else (sides[0], sides[1], targets, 2 * float(np.max(direction)))


def _read_targets(case: Case, shape: tuple[int, ...]) -> Array | None:
    """Targets in the shape of the outputs; class numbers as ones in rows or columns."""
    if not case.subject.has("forward") and len(shape) == 1:
        return np.ones(shape)
    Y = np.asarray(case.Y, dtype=float)
    if Y.size == np.prod(shape):
        return Y.reshape(shape)
    for axis in (1, 0):
        if len(shape) == 2 and Y.size == shape[1 - axis] and np.array_equal(Y, np.round(Y)):
            labels = Y.ravel().astype(int)
            if labels.min() >= 0 and labels.max() < shape[axis]:
                one_hot = np.eye(shape[axis])[labels]
                return np.asarray(one_hot if axis == 1 else one_hot.T)
    return None


def _gap(a: Array, y: Array, size: float, way: str) -> float:
    """Σ y (log g(a) − log a), with the same for 1 − a where there are two logarithms; "seen": g(a) is given, not a."""

    def lift(p: Array) -> Array:
        p = np.maximum(p, np.finfo(float).tiny)
        if way.endswith("seen"):
            return np.asarray(-np.log1p(-np.minimum(size / p, 1 - SEEN)))
        if way.endswith("bounded"):
            return np.asarray(np.log(np.clip(p, size, 1 - size) / p))
        return np.asarray(np.log1p(size / p) if way.endswith("added") else np.log(np.maximum(p, size) / p))

    total = float(np.sum(y * lift(a)))
    return total + float(np.sum((1 - y) * lift(1 - a))) if way.startswith("two") else total


def _tame(case: Case) -> Case | None:
    """The same point with smaller parameters, where no output is near 0 or 1."""
    for part in TAMER:
        tame = replace(case, values=[part * v for v in case.values], label=f"{case.label}, times {part:g}")
        try:
            outputs = Outputs(tame, sampled=True).read(tame.values)
        except (Unusable, TypeError, ValueError):
            return None
        if outputs is not None and np.min(np.minimum(outputs, 1 - outputs)) >= UNSATURATED:
            return tame
    return None


def _is_small(found: CaseExamination) -> bool:
    """Whether no mismatch at an unsaturated point is larger than a guard of the usual sizes makes it."""
    readings = [(r, t.scale) for t in found.tensors for r in t.readings if r.state == "differs"]
    return all(abs(r.yours - r.expected) <= SMALL * scale for r, scale in readings)


def _forgive(found: CaseExamination, status: str = "guarded") -> None:
    for k, verdict in enumerate(found.tensors):
        if verdict.status == "wrong":
            readings = [replace(r, state="guarded" if r.state == "differs" else r.state) for r in verdict.readings]
            found.tensors[k] = replace(verdict, status=status, readings=readings)
