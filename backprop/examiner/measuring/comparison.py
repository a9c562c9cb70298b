"""The comparison of one case: shape, then NaN, then value along random directions and entries."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from backprop.examiner.measuring.cases import Array, Case
from backprop.examiner.measuring.effort import Effort, choose_effort
from backprop.examiner.measuring.examination import CaseExamination, Reading, TensorVerdict
from backprop.examiner.measuring.kinks import confirm_mismatch
from backprop.examiner.measuring.noise import entry_sizes, measure_gradient_noise, measure_noise
from backprop.examiner.measuring.oracles import Estimate, Oracle
from backprop.examiner.subject.protocol.sizes import root_mean_square
from backprop.examiner.tolerance import DECIDED, GRADIENT_NOISE_SAFETY, MARGIN, RELATIVE_SLACK, agree

__all__ = ["examine_case", "shape_fits"]

PATTERN_LIMIT = 400
HUNT = 12
NEGLIGIBLE = 1e-3
OTHER_UNIT = 10.0
"""Times gradient and size of an entry: below this two parameters of a tensor count as of one unit."""


def examine_case(case: Case, rng: np.random.Generator, *, thorough: bool = True) -> CaseExamination:
    """Compare every tensor of a case: shape, then NaN, then value along random directions and entries.

    `thorough` is for the main case; further cases take fewer readings and look less closely into what fails, and
    so does a subject so large that its cost takes long.
    """
    effort = choose_effort(case, thorough=thorough)
    yours = case.gradients(case.values)
    oracle = Oracle(case, measure_noise(case, rng))
    noises = measure_gradient_noise(case, rng)
    sizes = entry_sizes(case)
    probes = [_Probe(oracle, i, sizes[i], yours[i], noises[i], rng, effort) for i in range(len(yours))]
    comparable = [p for p in probes if p.refusal() is None]
    oracle.choose_analytic(lambda: [p.trust() for p in comparable if p.leaf.size])
    for probe in comparable:
        probe.survey()
    whole = max((p.scale for p in comparable), default=0.0)
    return CaseExamination(case, oracle, yours, [p.conclude(whole) for p in probes])


def shape_fits(got: tuple[int, ...], want: tuple[int, ...]) -> bool:
    """Whether `param - rate * gradient` keeps the parameter's shape and no entry is spread over others.

    >>> shape_fits((), (1,)), shape_fits((1, 3), (3,)), shape_fits((), (3,)), shape_fits((3,), (3, 1))
    (True, False, False, False)
    """
    if got == want:
        return True
    if math.prod(got) != math.prod(want):
        return False
    try:
        return np.broadcast_shapes(got, want) == want
    except ValueError:
        return False


class _Probe:
    """The comparison of one tensor at one case, in progress."""

    def __init__(
        self,
        oracle: Oracle,
        tensor: int,
        sizes: Array,
        yours: Array | None,
        noise: float,
        rng: np.random.Generator,
        effort: Effort,
    ) -> None:
        self.oracle, self.tensor, self.noise = oracle, tensor, noise
        self.sizes, self.size = sizes, root_mean_square(sizes) or 1.0
        self.leaf = oracle.case.leaves[tensor]
        self.absent = yours is None
        self.yours = np.zeros(self.leaf.shape) if yours is None else yours
        self.rng = np.random.default_rng(rng.integers(2**63))
        self.readings: list[tuple[Reading, Estimate, Array]] = []
        self.directions = 0
        self.effort = effort

    def refusal(self) -> str | None:
        """What makes values not comparable: shape, nan. A missing gradient is compared as zeros."""
        if not shape_fits(self.yours.shape, self.leaf.shape):
            return "shape"
        return None if np.isfinite(self.yours).all() else "nan"

    @property
    def gradient(self) -> Array:
        return self.yours.reshape(self.leaf.shape)

    @property
    def scale(self) -> float:
        return max((abs(r.expected) for r, _, _ in self.readings if math.isfinite(r.expected)), default=0.0)

    def trust(self) -> tuple[int, Array, Estimate]:
        """One random direction, and what differences say along it: what an analytic oracle has to agree with."""
        direction = self._draw()
        claimed = float(np.sum(self.gradient * direction))
        return self.tensor, direction, self.oracle.extrapolate(self.tensor, direction, self.size, claimed)

    def survey(self) -> None:
        """Take the readings: all entries of a small tensor; directions and spot checks of a large one."""
        if self.leaf.size <= self.effort.exhaustive:
            self._read_entries(range(self.leaf.size))
            return
        self.directions = self.effort.directions
        self._read([(self._draw(), None) for _ in range(self.directions)])
        self._read_entries(self._choose_spots())
        if self.effort.closer and any(self._mismatches(r) for r, _, _ in self.readings):
            self._look_closer()

    def _draw(self) -> Array:
        """A random direction, every entry in its own unit."""
        return np.asarray(self.rng.standard_normal(self.leaf.shape) * self.sizes / self.size)

    def conclude(self, whole: float) -> TensorVerdict:
        """Settle every reading and the verdict on the tensor."""
        refusal = self.refusal()
        if refusal is not None:
            spots = self._sample_for_refusal(refusal)
            if refusal == "nan" and not any(math.isfinite(spot.uncertainty) for spot in spots):
                # Around this point the cost has no finite derivative either: nothing is shown, and nothing passes.
                refusal = "undecided"
            return TensorVerdict(self.leaf, refusal, spots, self.scale, got_shape=self.yours.shape)
        self._settle(whole)
        states = [r.state for r, _, _ in self.readings]
        status = "right" if states or not self.leaf.size else "undecided"
        for state, name in (("differs", "wrong"), ("kink", "kink"), ("undecided", "undecided")):
            if state in states:
                status = name
                break
        if self.absent and status != "right":
            # A parameter that the cost does not feel may go without a gradient; any other may not.
            return TensorVerdict(self.leaf, "missing")
        readings = [r for r, _, _ in self.readings]
        worst = max((r.uncertainty for r in readings), default=0.0)
        return TensorVerdict(self.leaf, status, readings, self.scale, worst, self.directions)

    def _sample_for_refusal(self, refusal: str) -> list[Reading]:
        """A few expected entries, so that the report can show what should be there."""
        if refusal != "nan":
            return []
        bad = np.flatnonzero(~np.isfinite(self.gradient))[:3]
        self._read_entries(bad.tolist())
        for reading, _, _ in self.readings:
            reading.state = "differs"
        return [r for r, _, _ in self.readings]

    def _read(self, places: Sequence[tuple[Array, tuple[int, ...] | None]]) -> None:
        """Readings along directions, each that of an entry or of none."""
        claims = [float(np.sum(self.gradient * along) if at is None else self.gradient[at]) for along, at in places]
        sizes = [self.size if at is None else float(self.sizes[at]) for _, at in places]
        hoped = [claim if math.isfinite(claim) else 0.0 for claim in claims]
        asked = [(along, size, claim) for (along, _), size, claim in zip(places, sizes, hoped, strict=True)]
        found = self.oracle.differentiate_each(self.tensor, asked)
        for (along, at), claimed, one in zip(places, claims, found, strict=True):
            self.readings.append((Reading(at, claimed, one.value, one.uncertainty), one, along))

    def _read_entries(self, flat: Sequence[int] | range) -> None:
        known = {r.index for r, _, _ in self.readings}
        places: dict[tuple[int, ...], Array] = {}
        for k in flat:
            index = tuple(int(i) for i in np.unravel_index(int(k), self.leaf.shape)) if self.leaf.shape else ()
            if index not in known:
                places[index] = np.zeros(self.leaf.shape)
                places[index][index] = 1.0
        self._read([(direction, index) for index, direction in places.items()])

    def _choose_spots(self) -> list[int]:
        """The largest entries, some that are claimed to be zero, and some at random."""
        flat = np.abs(self.gradient).ravel()
        third = self.effort.spots // 3
        largest = np.argsort(flat)[-third:]
        zeros = np.flatnonzero(flat == 0)
        dead = self.rng.choice(zeros, size=min(third, zeros.size), replace=False) if zeros.size else zeros
        return [*largest.tolist(), *dead.tolist(), *self.rng.integers(flat.size, size=third).tolist()]

    def _look_closer(self) -> None:
        """Find wrong entries: all of a tensor of middle size; of a large one a sample, then bisection."""
        if self.leaf.size <= PATTERN_LIMIT and self.effort.closer > 1:
            self._read_entries(range(self.leaf.size))
            return
        self._read_entries(self.rng.integers(self.leaf.size, size=HUNT).tolist())
        if not any(self._mismatches(r) for r, _, _ in self.readings if r.index is not None):
            self._read_entries(list(self._bisect(np.arange(self.leaf.size))))

    def _bisect(self, part: np.ndarray) -> Iterator[int]:
        while part.size > 4:
            half = self.rng.permutation(part)[: part.size // 2]
            direction = np.zeros(self.leaf.size)
            direction[half] = self.rng.standard_normal(half.size)
            direction = direction.reshape(self.leaf.shape) * self.sizes / self.size
            claimed = float(np.sum(self.gradient * direction))
            found = self.oracle.differentiate(self.tensor, direction, self.size, claimed)
            differs = not agree(claimed, found.value, found.uncertainty, self._slack(direction))
            part = half if differs else np.setdiff1d(part, half)
        yield from part.tolist()

    def _slack(self, direction: Array) -> float:
        norm = float(np.linalg.norm(direction))
        return RELATIVE_SLACK * self.scale + GRADIENT_NOISE_SAFETY * self.noise * norm

    def _mismatches(self, reading: Reading, margin: float = 1.0) -> bool:
        slack = RELATIVE_SLACK * self._scale_of(reading) + self._noise_along(reading)
        uncertainty = margin * reading.uncertainty
        if not math.isfinite(uncertainty):
            return margin == 1.0
        return not agree(reading.yours, reading.expected, uncertainty, slack)

    def _scale_of(self, reading: Reading) -> float:
        """What a mismatch is held against: the largest entry, unless its parameter is in a much smaller unit."""
        if reading.index is None:
            return self.scale
        entries = [r for r, _, _ in self.readings if r.index is not None and math.isfinite(r.expected)]
        reach = max((abs(r.expected) * float(self.sizes[r.index or ()]) for r in entries), default=math.inf)
        return min(self.scale, OTHER_UNIT * reach / float(self.sizes[reading.index]))

    def _noise_along(self, reading: Reading) -> float:
        """How far rounding inside the subject's gradient may move this reading."""
        norm = 1.0 if reading.index is not None else math.sqrt(self.leaf.size)
        return GRADIENT_NOISE_SAFETY * self.noise * norm

    def _settle(self, whole: float) -> None:
        tried = confirmed = 0
        claimed = max((abs(r.yours) for r, _, _ in self.readings), default=0.0)
        enough = DECIDED * max(self.scale, NEGLIGIBLE * whole) or DECIDED * claimed
        for reading, estimate, direction in self.readings:
            if not self._mismatches(reading):
                blurred = max(reading.uncertainty, self._noise_along(reading))
                reading.state = "agrees" if blurred <= enough or not enough else "undecided"
                continue
            reading.state = "kink"
            if not self._mismatches(reading, MARGIN):
                reading.state = "undecided"
            elif tried < self.effort.confirmations or confirmed:
                if tried < self.effort.confirmations:
                    tried += 1
                    claimed = reading.yours
                    size = self.size if reading.index is None else float(self.sizes[reading.index])
                    confirmed += confirm_mismatch(self.oracle, self.tensor, direction, size, claimed, estimate)
                reading.state = "differs" if confirmed else "kink"
