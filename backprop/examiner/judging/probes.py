"""Probes of a wrong subject: one row of its batch at a time, where dW is an outer product of a and delta."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ParamSpec, TypeVar

import numpy as np

from backprop.examiner.measuring.cases import Array, Case, slice_case
from backprop.examiner.measuring.examination import Examination, TensorVerdict
from backprop.examiner.measuring.noise import measure_noise, tensor_sizes
from backprop.examiner.measuring.oracles import Oracle
from backprop.examiner.saying.sentences import PARALLEL, SAME_RATE
from backprop.examiner.subject.protocol.naming import Leaf
from backprop.examiner.subject.protocol.pairing import follow
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["Probes"]

Answer = TypeVar("Answer")
Given = ParamSpec("Given")

SLICES = ((1, 0), (1, 1), (1, 2), (2, 0), (3, 0))
"""How many rows, from which one on."""
PLACES = 6
BLOCK = 8
FELT, STILL = 100.0, 1e-9
"""Times the noise, and of the cost: what a sample's cost may change while its z stays."""
SHARP = 1e-2
"""Of the largest entry: a slice measured less sharply tells nothing."""
VISIBLE = 1e-6


@dataclass(frozen=True)
class ProbedBlock:
    """A few rows and columns of a weight gradient: the subject's and the true ones."""

    keep: list[list[int]]
    yours: Array
    expected: Array


Place = tuple[float, float]
"""Which multiple of a move of layer 1, and what the other layers are multiplied by."""
MOVED: dict[Place, float] = {(0.0, 1.0): -1.0, (1.0, 1.0): 1.0}
MIXED: dict[Place, float] = MOVED | {(0.0, 1.25): 1.0, (1.0, 1.25): -1.0}
"""Differences of the cost: along the move; and how that changes with the other layers (of a penalty it does not)."""


class Probes:
    """Answers about a wrong subject, from the same point with one, two or three rows of the batch.

    With fewer rows than units, dW = Aᵀ Δ has low rank: its columns lie in the span of the activations that
    entered, its rows in the span of the errors. That tells a wrong activation from a wrong error.
    """

    def __init__(self, examination: Examination) -> None:
        self.leaves = examination.leaves
        self._cases = examination.cases
        jittered = [c.case for c in examination.cases if c.case.jittered and (c.case.rows or 0) > 1]
        self._base = jittered[0] if jittered else examination.cases[0].case
        self._answers: dict[int, bool | None] = {}
        self._factor = examination.factor

    def uses_right_activation(self, tensor: int) -> bool | None:
        """Whether a wrong W gradient is built from the right activations; None if it cannot be told."""
        if tensor not in self._answers:
            self._answers[tensor] = self._compare_spans(tensor)
        return self._answers[tensor]

    def measure_rates(self, layer: int) -> dict[str, float]:
        """How the error would have entered this layer through weights W^{l+1} − rate·dW^{l+1} of the layer above.

        For one row, δ^l = f' ∘ (W δ^{l+1}). With the changed weights each unit's error is off by the factor
        1 − rate · (dW δ^{l+1})_j / (W δ^{l+1})_j: one rate must explain all units of several rows. Gives how many
        rates were read, the middle one, and how far the others are from it.
        """
        above, mine = self._find(layer + 1, "W"), self._find(layer, "b")
        beside = self._find(layer + 1, "b")
        rates: list[float] = []
        if above is not None and mine is not None and beside is not None:
            for first in range(PLACES):
                rates += _ask(self._implied_rates, first, above, beside, mine) or []
                if len(rates) > 1 and np.ptp(rates) > 4 * SAME_RATE * max(map(abs, rates)):
                    break  # no further row can make one rate of these
        middle = float(np.median(rates or [0.0]))
        spread = float(np.max(np.abs(np.array(rates) - middle), initial=0.0))
        return {"rates": len(rates), "rate": middle, "spread": spread}

    def spares_inputs(self, tensor: int) -> bool:
        """Whether the gradient of some inputs' weights is right and that of others wrong, in all their entries.

        dW_ij = Σ_n a_ni δ_nj: a wrong error spoils columns j, for all inputs i alike.
        """
        if len(self.leaves[tensor].shape) != 2:
            return False
        return any(self._spares_inputs_at(found.tensors[tensor]) for found in self._cases)

    def _spares_inputs_at(self, verdict: TensorVerdict) -> bool:
        if verdict.status != "wrong" or len(verdict.entries) != verdict.leaf.size:
            return False
        agrees, seen = np.zeros(verdict.leaf.shape, dtype=bool), np.zeros(verdict.leaf.shape, dtype=bool)
        for reading in verdict.entries:
            agrees[reading.index] = reading.state == "agrees"
            seen[reading.index] = abs(reading.expected) > VISIBLE * verdict.scale
        axis = 0 if _is_outward(self.leaves, self.leaves.index(verdict.leaf)) else 1
        several = seen.sum(axis=axis) > 1
        spared = several & np.all(agrees | ~seen, axis=axis)
        return bool(spared.any() and not np.any(agrees & seen & ~np.expand_dims(spared, axis)))

    def _find(self, layer: int, role: str, *, dense: bool = False) -> int | None:
        found = [k for k, x in enumerate(self.leaves) if (x.layer, x.role) == (layer, role) and (x.dense or not dense)]
        return found[0] if len(found) == 1 else None

    def _compare_spans(self, tensor: int) -> bool | None:
        """One slice with activations outside the span settles it; a single live unit may agree by chance."""
        if len(self.leaves[tensor].shape) != 2:
            return None
        answers: list[bool] = []
        for rows, first in SLICES:
            part = slice_case(self._base, first, rows)
            answer = None if part is None else _ask(self._compare_slice, part, tensor, rows)
            if answer is False:
                return bool(self._compare_differences(tensor))
            answers += [] if answer is None else [answer]
        return True if answers else None

    def _compare_differences(self, tensor: int) -> bool | None:
        """The same with the difference of two rows' gradients, in which a penalty cancels."""
        answers: list[bool] = []
        for first, second in itertools.combinations(range(PLACES // 2), 2):
            parts = [slice_case(self._base, row, 1) for row in (first, second)]
            if parts[0] is None or parts[1] is None:
                continue
            answer = _ask(self._compare_pair, parts[0], parts[1], tensor)
            if answer is False:
                return False
            answers += [] if answer is None else [answer]
        return True if answers else None

    def _compare_pair(self, one: Case, other: Case, tensor: int) -> bool | None:
        yours = self._take(one, tensor) - self._take(other, tensor)
        keep = [_largest(np.abs(yours).sum(axis=1 - axis)) for axis in (0, 1)]
        places: list[tuple[int, ...]] = [(i, j) for i in keep[0] for j in keep[1]]
        expected = np.subtract(measure_entries(one, tensor, places), measure_entries(other, tensor, places))
        yours, expected = yours[np.ix_(*keep)], expected.reshape(len(keep[0]), len(keep[1]))
        if _is_outward(self.leaves, tensor):
            yours, expected = yours.T, expected.T
        return _within_span(yours, expected, 2)

    def fit_activations(self, W: int, b: int) -> dict[str, float] | None:
        """Activations that W's gradient is made from, fitted sample by sample; None where there are none to fit.

        For one row dW = a δᵀ and db = δ, so each side's own pair gives the a it used: a = dW δ / (δ·δ). `off` says how
        far Σ a δᵀ and Σ δ over the samples are from the subject's own gradient of all of them, `away` how far its a are
        from the cost's, but for one factor, and `moved` how much the cost of a sample feels of layer 1 beside z^1, in
        units of its noise: where it does, its layers are no dense ones and its "a" no activations.
        """
        if len(self.leaves[W].shape) != 2 or self.leaves[b].size not in self.leaves[W].shape:
            return None
        parts = [slice_case(self._base, first, 1) for first in range(min(PLACES, self._base.rows or 0))]
        whole = slice_case(self._base, 0, len(parts))
        pairs = (_ask(self._read_activations, part, W, b) for part in parts if part is not None)
        known = [pair for pair in pairs if pair is not None]
        if len(known) < 2 or whole is None:
            return None
        mine, true = (np.concatenate([pair[k] for pair in known]) for k in (0, 1))
        share = float(mine @ true) / float(true @ true)
        away = float(np.linalg.norm(mine - share * true)) / float(np.linalg.norm(mine))
        fitted = _ask(self._add_up, whole, [part for part in parts if part is not None], (W, b))
        moved = self.feel_inputs()
        if fitted is None or moved is None:
            return None
        return {"off": fitted[0], "entries": fitted[1], "away": away, "moved": moved}

    def _add_up(self, whole: Case, parts: list[Case], tensors: tuple[int, int]) -> tuple[float, int]:
        """How far the gradients of single samples, as outer products, add up to that of all, but for one factor."""
        total = [self._take(whole, i) for i in tensors]
        added = [np.zeros(g.shape) for g in total]
        for part in parts:
            W, b = (self._take(part, i) for i in tensors)
            outward = _is_outward(self.leaves, tensors[0])
            a = _divide(W.T if outward else W, b.ravel())
            if a is None:
                return np.inf, 0
            outer = np.outer(a, b.ravel())
            added[0] += outer.T if outward else outer
            added[1] += b
        one, other = (np.concatenate([np.ravel(g) for g in side]) for side in (total, added))
        share = float(one @ other) / (float(other @ other) or 1.0)
        room = PARALLEL * float(np.max(np.abs(one), initial=0.0)) or 1.0
        return float(np.max(np.abs(one - share * other))) / room, one.size

    def feel_inputs(self) -> float | None:
        """The `moved` of `fit_activations`, for the first sample; None where it cannot be measured."""
        part = slice_case(self._base, 0, 1)
        return None if part is None else _ask(self._feel_inputs, part, MOVED)

    @cached_property
    def felt_derivatives(self) -> float:
        """The same without what is felt of each layer apart, as a penalty is: more than 1 where derivatives of the
        outputs are in the cost; 0 where they are not, or where it cannot be measured."""
        part = slice_case(self._base, 0, 1)
        felt = None if part is None else _ask(self._feel_inputs, part, MIXED)
        return felt or 0.0

    def _feel_inputs(self, part: Case, shares: dict[Place, float]) -> float | None:
        """How much the cost of one sample changes where W^1 and b^1 move so that z^1 stays, in units of noise."""
        W, b = self._find(1, "W", dense=True), self._find(1, "b", dense=True)
        x = np.ravel(np.asarray(part.X, dtype=float)) if isinstance(part.X, np.ndarray) else np.zeros(0)
        if W is None or b is None or len(self.leaves[W].shape) != 2 or not x.any():
            return None
        outward = _is_outward(self.leaves, W)
        inside, units = self.leaves[W].shape[::-1] if outward else self.leaves[W].shape
        if (inside, units) != (x.size, self.leaves[b].size):
            return None
        move = tensor_sizes(part)[W] * np.random.default_rng(0).standard_normal(units)
        added = np.outer(x, move) / (x @ x)
        found = {}
        for times, stretch in shares:
            values = [v if leaf.layer == 1 else stretch * v for v, leaf in zip(part.values, self.leaves, strict=True)]
            values[W] = values[W] + times * (added.T if outward else added)
            values[b] = values[b] - times * move.reshape(self.leaves[b].shape)
            found[times, stretch] = float(np.real(part.cost(values)))
        room = FELT * measure_noise(part, np.random.default_rng(0)) + STILL * max(map(abs, found.values()))
        return abs(sum(share * found[place] for place, share in shares.items())) / (room or 1.0)

    def _take(self, part: Case, tensor: int) -> Array:
        """The subject's gradient of one tensor, without what was divided out."""
        share = 1.0 if self._factor is None else self._factor.at(part.rows)
        return np.asarray(part.gradients(part.values)[tensor]).reshape(part.leaves[tensor].shape) / share

    def _read_activations(self, part: Case, W: int, b: int) -> tuple[Array, Array] | None:
        block, outward = self._read_block(part, W), _is_outward(self.leaves, W)
        units = block.keep[0 if outward else 1]
        shape = self.leaves[b].shape
        given = self._take(part, b).ravel()[units]
        true = measure_entries(part, b, [tuple(map(int, np.unravel_index(k, shape))) for k in units])
        pair = []
        for dW, delta in ((block.yours, given), (block.expected, true)):
            pair.append(_divide(dW.T if outward else dW, delta))
        return None if pair[0] is None or pair[1] is None else (pair[0], pair[1])

    def _compare_slice(self, part: Case, tensor: int, rows: int) -> bool | None:
        block = self._read_block(part, tensor)
        yours, expected = block.yours, block.expected
        if _is_outward(self.leaves, tensor):
            yours, expected = yours.T, expected.T
        return _within_span(yours, expected, rows)

    def _read_block(self, part: Case, tensor: int) -> ProbedBlock:
        """The subject's gradient and the oracle's, on the same few rows and columns of W."""
        yours = self._take(part, tensor)
        keep = [_largest(np.abs(yours).sum(axis=1 - axis)) for axis in (0, 1)]
        expected = measure_entries(part, tensor, [(i, j) for i in keep[0] for j in keep[1]])
        return ProbedBlock(keep, yours[np.ix_(*keep)], expected.reshape(len(keep[0]), len(keep[1])))

    def _implied_rates(self, first: int, above: int, beside: int, mine: int) -> list[float]:
        part = slice_case(self._base, first, 1)
        if part is None or len(part.leaves[above].shape) != 2 or part.leaves[above].size > BLOCK * BLOCK * 4:
            return []
        yours = self._take(part, mine).ravel()
        dW, delta, right = (_measure_all(part, i) for i in (above, beside, mine))
        W, d = part.values[above], delta.ravel()
        if _is_outward(self.leaves, above):
            W, dW = W.T, dW.T
        if W.shape != (right.size, d.size):
            return []
        through, moved, right = W @ d, dW @ d, right.ravel()
        visible = (np.abs(right) > VISIBLE) & (np.abs(moved) > VISIBLE)
        return [float(x) for x in ((1 - yours / right) * through / moved)[visible]]


def _ask(probe: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs) -> Answer | None:
    """Run a probe; where the subject does not take its point, there is no answer, and the verdict stands."""
    try:
        return probe(*given, **named)
    except Unusable:
        return None


def measure_entries(part: Case, tensor: int, indices: list[tuple[int, ...]]) -> Array:
    """Measure single entries of the true gradient of one tensor; NaN where the cost is too noisy for a comparison."""
    oracle = Oracle(part, measure_noise(part, np.random.default_rng(0)))
    size = tensor_sizes(part)[tensor]
    found = []
    for index in indices:
        direction = np.zeros(part.leaves[tensor].shape)
        direction[index] = 1.0
        found.append(oracle.differentiate(tensor, direction, size))
    values = np.array([estimate.value for estimate in found])
    blurred = max(estimate.uncertainty for estimate in found) > SHARP * np.max(np.abs(values)) > 0
    return np.full(len(values), np.nan) if blurred else values


def _divide(dW: Array, delta: Array) -> Array | None:
    """The a with dW = a δᵀ, or None if there is none."""
    if not delta.any() or not np.isfinite(dW).all():
        return None
    a = dW @ delta / (delta @ delta)
    fits = np.linalg.norm(dW - np.outer(a, delta)) <= PARALLEL * np.linalg.norm(dW)
    return np.asarray(a) if fits else None


def _measure_all(part: Case, tensor: int) -> Array:
    shape = part.leaves[tensor].shape
    return measure_entries(part, tensor, list(np.ndindex(*shape))).reshape(shape)


def _largest(weights: Array) -> list[int]:
    return sorted(np.argsort(weights)[-BLOCK:].tolist())


def _is_outward(leaves: list[Leaf], tensor: int) -> bool:
    """Whether a W is stored as (out, in): its first axis is the one that b has; without a b the other weights tell."""
    W = leaves[tensor]
    if len(W.shape) != 2:
        return False
    b = [leaf for leaf in leaves if leaf.layer == W.layer and leaf.role == "b" and leaf.dense]
    if len(b) != 1:
        shapes = [leaf.shape for leaf in leaves if leaf.role == "W" and leaf.dense and len(leaf.shape) == 2]
        fits = [any(follow(shapes, turned=turned, spare=spare) for spare in (0, 1)) for turned in (False, True)]
        return fits[1] and not fits[0]
    if W.shape[0] != W.shape[1]:
        return bool(W.shape[0] == b[0].size)
    return len(b[0].shape) == 2 and bool(b[0].shape[1] == 1)


def _within_span(yours: Array, expected: Array, rows: int) -> bool | None:
    """Whether the columns of `yours` lie in the span of those of `expected`, of full rank `rows`."""
    if rows >= expected.shape[0] or not np.isfinite(expected).all() or not np.abs(yours).max(initial=0.0):
        return None
    left, singular, _ = np.linalg.svd(expected)
    if len(singular) < rows or singular[rows - 1] <= PARALLEL * singular[0] or not singular[0]:
        return None
    span = left[:, :rows]
    outside = yours - span @ (span.T @ yours)
    return bool(np.linalg.norm(outside) <= PARALLEL * np.linalg.norm(yours))
