"""The points at which a subject is examined: parameter draws, batches, and calls that protect both sides."""

from __future__ import annotations

import contextlib
import copy
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop.examiner.measuring.duals import DualNumber
from backprop.examiner.saying.grounds import tell
from backprop.examiner.saying.remarks import LEFT_OUT, OWN_SIZE
from backprop.examiner.subject.protocol.naming import Leaf, name_leaves
from backprop.examiner.subject.protocol.nests import Nest, flatten, flatten_like, plan_rebuilding
from backprop.examiner.subject.protocol.sizes import root_mean_square, size_entries
from backprop.examiner.subject.protocol.subjects import Subject, Unusable

__all__ = [
    "Array",
    "Case",
    "choose_cases",
    "count_restarts",
    "draw_case",
    "move_beside",
    "read_globals",
    "seed_globals",
    "slice_case",
]

Array: TypeAlias = NDArray[np.float64]

BIAS_JITTER = 0.3
WEIGHT_JITTER = 0.05
SMALLEST_JITTER = 0.1
FAR_BIAS = 10.0
"""Times the weights beside it: a bias farther from zero moves by no more than a part of this."""
OTHER_BATCHES = (5, 1)
RESEED = 20_011


@dataclass
class Case:
    """A subject at one point: parameter values as float64 arrays, one batch, one context.

    Code that writes into its inputs cannot change the point: `gradients` gets copies, `cost` arrays that are
    read-only, and copies as well if it does not bear that. `reseed` restarts the global generators before
    each call, for code that draws masks from them.
    """

    subject: Subject
    template: Nest
    leaves: list[Leaf]
    values: list[Array]
    X: Any
    Y: Any
    context: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    jittered: bool = False
    reseed: bool = False
    evaluations: int = 0
    shares: bool = True

    def __post_init__(self) -> None:
        for array in (*self.values, self.X, self.Y):
            if isinstance(array, np.ndarray):
                array.setflags(write=False)

    @cached_property
    def _build(self) -> Callable[[Iterator[Any]], Nest]:
        """Puts values into the subject's own structure."""
        return plan_rebuilding(self.template)

    @property
    def rows(self) -> int | None:
        """Batch size, where the batch has one."""
        return None if self.subject.flat else count_samples(self.leaves, self.X)

    @property
    def columns(self) -> bool:
        """Whether a sample is a column of the batch."""
        return not self.subject.flat and has_samples_last(self.leaves, self.X)

    def cost(self, values: Sequence[NDArray[Any]]) -> Any:
        """Evaluate the cost: a float, or a complex number if the values are complex."""
        self.evaluations += 1
        return _as_scalar(self._call_cost(values), self.subject.label)

    def costs(self, points: Sequence[Sequence[NDArray[Any]]]) -> list[float]:
        """The real cost at several points, at once where all of them have one; else NaN where it has none."""
        found = self.costs_at_once(points)
        if found is None:
            return [self._cost_or_nan(values) for values in points]
        return [float(np.real(one)) for one in found]

    def costs_at_once(self, points: Sequence[Sequence[NDArray[Any]]]) -> list[Any] | None:
        """What `cost` gives at several points, asked for together; None where that cannot be, or one has none."""
        with contextlib.suppress(Unusable):
            if self.shares and not self.reseed:
                calls = [(self._build(iter(values)), self.X, self.Y) for values in points]
                found = self.subject.call_each("cost", calls, **copy.deepcopy(self.context))
                self.evaluations += len(points)
                return [_as_scalar(one, self.subject.label) for one in found]
        return None

    def _cost_or_nan(self, values: Sequence[NDArray[Any]]) -> float:
        try:
            return float(np.real(self.cost(values)))
        except Unusable:
            return math.nan

    def gradients(self, values: Sequence[Array]) -> list[Any]:
        """Evaluate the subject's gradients: one array for each leaf, None where there is nothing usable."""
        returned = self._call("gradients", self.pack(values))
        if returned is None:
            raise Unusable(f"{self.subject.label}: gradients returned None; return the structure of params")
        return self.read(returned)

    def read(self, nest: Nest) -> list[Any]:
        """Take a nest like the parameters apart; every usable leaf becomes a float64 array of its own."""
        try:
            leaves = flatten_like(self.template, nest)
        except ValueError as error:
            reason = f"gradients returned another structure than params: {error}"
            raise Unusable(f"{self.subject.label}: {reason}") from error
        return [_as_array(leaf) for leaf in leaves]

    def pack(self, values: Sequence[NDArray[Any]]) -> Nest:
        """Put fresh copies of the values into the subject's own structure."""
        return self._build(np.array(v) for v in values)

    def _call_cost(self, values: Sequence[NDArray[Any]]) -> Any:
        if self.shares:
            if self.reseed:
                seed_globals()
            try:
                params = self._build(iter(values))
                return self.subject.call("cost", params, self.X, self.Y, **copy.deepcopy(self.context))
            except Unusable:
                self.shares = False
        return self._call("cost", self.pack(values))

    def step(self, rate: float) -> list[Any]:
        """Let the subject update the parameters once; it may return them or write into them."""
        params = self.pack(self.values)
        returned = self._call("step", params, rate)
        return self.read(params if returned is None else returned)

    def _call(self, name: str, params: Nest, *more: Any) -> Any:
        if self.reseed:
            seed_globals()
        return self.subject.call(name, params, _copy(self.X), _copy(self.Y), *more, **copy.deepcopy(self.context))


def seed_globals(seed: int = RESEED) -> None:
    """Restart the global generators of NumPy and of the standard library."""
    np.random.seed(seed % 2**32)
    random.seed(seed)
    _RESTARTS.append(seed)


def read_globals() -> tuple[object, ...]:
    """The states of both, to be compared with later ones."""
    _, key, place, *rest = np.random.get_state()
    return np.asarray(key).tobytes(), place, tuple(rest), random.getstate()


def count_restarts() -> int:
    """How often that happened: for a subject whose generators are in another process."""
    return len(_RESTARTS)


_RESTARTS: list[int] = []


def draw_case(subject: Subject, seed: int, *, jitter: bool, rows: int | None = None) -> Case:
    """Draw parameters and a batch from a seed; `jitter` moves parameters off kinks and biases off zero.

    Raises `Unusable` if the parameters are not arrays of numbers, or the cost there is not a finite number.
    """
    rng = np.random.default_rng(seed)
    template = subject.parameters(rng)
    X, Y = subject.data(rng, rows)
    values = _read_parameters(subject, template)
    X, Y = _copy(X), _copy(Y)
    leaves = name_leaves(template)
    if jitter:
        values = _jitter(values, leaves, np.random.default_rng([seed, 1]))
    samples = count_samples(leaves, X)
    context = subject.context(rng, rows if samples is None else samples)
    batch = "own batch" if rows is None else f"batch of {rows}"
    label = f"seed {seed}, {batch}, {'jittered' if jitter else 'own'} parameters"
    return Case(subject, template, leaves, values, X, Y, context, label, jitter)


def choose_cases(subject: Subject, seed: int) -> tuple[list[Case], list[str]]:
    """Choose the cases: the subject's own point, jittered ones, other batch sizes where it takes them.

    The first case must work; what fails later is left out and noted.
    """
    cases, notes = [draw_case(subject, seed, jitter=False)], list(subject.notes)
    plans: list[int | None] = [None, None]
    if subject.takes_rows:
        plans = [None, *OTHER_BATCHES]
    elif not subject.flat:
        tell(notes, OWN_SIZE, takes_rows=False)
    for offset, rows in enumerate(plans, start=1):
        try:
            case = draw_case(subject, seed + offset, jitter=True, rows=rows)
            if not np.isfinite(case.cost(case.values)):
                tell(notes, LEFT_OUT, case=case.label, reason="the cost is not finite there")
                continue
        except Unusable as error:
            tell(notes, LEFT_OUT, case="own batch" if rows is None else f"n = {rows}", reason=str(error))
            continue
        cases.append(case)
    return cases, notes


def slice_case(case: Case, first: int, rows: int) -> Case | None:
    """Give the same point with a few rows of its batch, or None if the subject does not take it."""
    if case.subject.flat or case.subject.has("context") or not case.rows or case.rows <= first:
        return None
    try:
        X, Y = (_take(array, first, rows, columns=case.columns) for array in (case.X, case.Y))
        part = replace(case, X=X, Y=Y, label=f"{rows} samples")
        cost = part.cost(part.values)
        gradients = part.gradients(part.values)
    except (Unusable, TypeError, IndexError, KeyError):
        return None
    fits = all(g is not None and g.size == leaf.size for g, leaf in zip(gradients, part.leaves, strict=True))
    return part if fits and np.isfinite(cost) else None


def _take(batch: Any, first: int, rows: int, *, columns: bool) -> Any:
    kept = slice(first, first + rows)
    if isinstance(batch, tuple):
        # Several inputs, each with a row a sample.
        return tuple(part[kept] for part in batch)
    return batch[:, kept] if columns and np.ndim(batch) == 2 else batch[kept]


def count_samples(leaves: Sequence[Leaf], X: Any) -> int | None:
    """The batch size, None for a number.

    >>> leaves = name_leaves([(np.ones((5, 3)), np.ones((5, 1)))])
    >>> count_samples(leaves, np.ones((3, 7)))
    7
    """
    if isinstance(X, tuple):
        return next((count_samples(leaves, part) for part in X), None)
    shape = _shape(X)
    return int(shape[-1 if has_samples_last(leaves, X) else 0]) if shape else None


def has_samples_last(leaves: Sequence[Leaf], X: Any) -> bool:
    """Whether a sample is a column: the first axis of X fits the first weights and the last one does not, or both fit
    and the bias stands upright.  A bias as a row of the weights makes them one longer."""
    W = next((leaf.shape for leaf in leaves if leaf.dense and leaf.role == "W" and len(leaf.shape) == 2), None)
    if W is None or len(_shape(X)) != 2:
        return False
    b = next((leaf.shape for leaf in leaves if leaf.dense and leaf.role == "b"), None)
    spare = (0,) if b is not None else (0, 1)
    first, last = (any(size + more in W for more in spare) for size in _shape(X))
    upright = b == (W[0], 1) and b[0] > 1
    return first and (upright or not last)


def _shape(X: Any) -> tuple[int, ...]:
    """The shape; of sequences of different lengths only how many there are."""
    try:
        return np.shape(X)
    except ValueError:
        return (len(X),)


def _copy(data: Any) -> Any:
    return data.copy() if isinstance(data, np.ndarray) else copy.deepcopy(data)


def _read_parameters(subject: Subject, template: Nest) -> list[Array]:
    try:
        values = [np.asarray(leaf, dtype=np.float64) for leaf in flatten(template)]
    except (TypeError, ValueError) as error:
        raise Unusable(f"{subject.label}: parameters(rng) returned something that is not numbers: {error}") from error
    if not values or not sum(v.size for v in values):
        raise Unusable(f"{subject.label}: parameters(rng) returned no parameters; return one tuple of arrays a layer")
    if not all(np.isfinite(v).all() for v in values):
        raise Unusable(f"{subject.label}: parameters(rng) returned NaN or infinite parameters")
    return [np.array(v) for v in values]


def _jitter(values: list[Array], leaves: list[Leaf], rng: np.random.Generator) -> list[Array]:
    """Move parameters a little: weights by a part of their own size, biases by one of the weights beside them."""
    sizes = [root_mean_square(v) for v in values]
    typical = float(np.median([size for size in sizes if size] or [SMALLEST_JITTER]))
    moved = []
    for value, own, entries, leaf in zip(values, sizes, size_entries(values, leaves), leaves, strict=True):
        part, scale = WEIGHT_JITTER, entries if own else np.full(value.shape, typical)
        if leaf.role == "b":
            # It may start at zero, or far away: the units shall neither stay where they are nor saturate.
            nearby = [s for s, other in zip(sizes, leaves, strict=True) if s and _is_beside(other, leaf)]
            weights = float(np.median(nearby or [typical]))
            part, scale = BIAS_JITTER, np.full(value.shape, min(max(own, weights), FAR_BIAS * weights))
        moved.append(value + part * scale * rng.standard_normal(value.shape))
    return moved


def move_beside(case: Case, role: str, rng: np.random.Generator) -> Case:
    """The same point with only the biases, or only the weights, moved a little; the others may stay at zero."""
    moved = _jitter(case.values, case.leaves, rng)
    mine = [(leaf.role == "b") == (role == "b") for leaf in case.leaves]
    values = [new if its else np.array(old) for new, old, its in zip(moved, case.values, mine, strict=True)]
    what = "biases" if role == "b" else "weights"
    return replace(case, values=values, label=f"{case.label}, {what} moved", jittered=True)


def _is_beside(weights: Leaf, bias: Leaf) -> bool:
    return weights.layer == bias.layer and weights.role == "W"


def _as_scalar(value: Any, label: str) -> Any:
    if isinstance(value, (float, int, complex, DualNumber)) and not isinstance(value, bool):
        return value
    with contextlib.suppress(TypeError, ValueError):
        array = np.asarray(value)
        if array.size == 1:
            item = array.reshape(()).item()
            return item if isinstance(item, DualNumber) or array.dtype.kind in "fciu" else float(item)
    shape = f" of shape {np.shape(value)}" if isinstance(value, np.ndarray) else ""
    raise Unusable(f"{label}: cost returned a {type(value).__name__}{shape}; it should return one number")


def _as_array(leaf: Any) -> Array | None:
    if leaf is None:
        return None
    try:
        dense = getattr(leaf, "toarray", None) or getattr(leaf, "todense", None)
        array = np.array(dense() if callable(dense) else leaf)
        if array.dtype.kind == "c":
            return np.array(array.real, dtype=np.float64) if not array.imag.any() else None
        return np.array(array, dtype=np.float64)
    except (TypeError, ValueError):
        return None
