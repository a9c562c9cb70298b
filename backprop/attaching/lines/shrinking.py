"""An iteration with few samples, unlike ones: what is measured entry by entry is small then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from backprop.attaching.running.leaves import NumberLeaf, Place, children, find_leaves, set_place
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.states import Names

__all__ = ["count_samples", "shrink"]

DEEPEST = 4
MOST_SAMPLES = 100_000
FEW, TRIED, SMALLER = 2, 16, 0.8
DRAWS = 16


def count_samples(iteration: Iteration) -> list[int]:
    """What may be the number of samples, that which makes an iteration smallest first: a size of its values, or of a
    list, with which something becomes small where only a few are left."""
    recorder = iteration.freeze(wanted=None)
    iteration.run(None, recorder)
    own = {n for value in iteration.start for n in value.shape}
    seen: Counter[int] = Counter()
    for event in recorder.events:
        seen.update({n for n in event.value.shape if n > FEW})
    names = iteration.snapshot.names
    lists = Counter(len(value) for _, value in _walk(names) if _is_batch(value) and len(value) > FEW)
    held = Counter(n for leaf in _list_arrays(names) for n in np.shape(leaf.value) if n > FEW)
    told = {int(value) for _, value in _walk(names) if type(value) in (int, np.int64) and FEW < value < MOST_SAMPLES}
    usual = sorted({*seen, *lists, *held, *told}, key=lambda n: (n in own, -(seen[n] + lists[n] + held[n])))
    sizes = {n: _measure(iteration, n) for n in usual[:TRIED]}
    whole = sum(event.value.size for event in recorder.events)
    return sorted((n for n in sizes if sizes[n] < SMALLER * whole), key=lambda n: sizes[n])


def _measure(iteration: Iteration, samples: int) -> float:
    """How many numbers an iteration makes with few samples; infinite where it does not bear that."""
    recorder = iteration.freeze(wanted=None)
    try:
        shrink(iteration, samples, FEW).run(None, recorder)
    except Exception:  # shapes that do not fit any more
        return np.inf
    return float(sum(event.value.size for event in recorder.events))


def shrink(iteration: Iteration, samples: int, rows: int) -> Iteration:
    """The same iteration with some rows of everything that has so many samples, and of numbers that count them."""
    out = iteration.like(iteration.leaves)
    known = {place for leaf in (*iteration.leaves, *iteration.emptied) for place in leaf.places}
    names = iteration.snapshot.names
    changes = list(_list_changes(names, known, samples, _draw_rows(names, known, samples, rows)))
    before = iteration.adjust

    def adjust(names: Names) -> None:
        before(names)
        for place, value in changes:
            set_place(names, place, value)

    out.adjust = adjust
    return out


def _draw_rows(names: Names, known: set[Place], samples: int, rows: int) -> list[int]:
    """Samples from everywhere, and as unlike as they are: where targets are sorted, the first are all of one class."""
    classes = [group for leaf in _list_arrays(names) if not known & set(leaf.places)
               for group in _list_classes(leaf.value, samples)]  # fmt: skip
    ends = np.linspace(0, samples, rows + 1)
    rng = np.random.default_rng(rows)
    draws = [np.sort((ends[:-1] + rng.random(rows) * np.diff(ends)).astype(int)) for _ in range(DRAWS)]
    best = max(draws, key=lambda rows: sum(len(np.unique(group[rows])) for group in classes))
    return [int(row) for row in best]


def _list_classes(value: Any, samples: int) -> Iterator[Any]:
    """The class of each sample, as a number, where an array has few kinds of entries along its samples."""
    array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    for axis in range(array.ndim):
        if array.shape[axis] == samples and array.size <= MOST_SAMPLES:
            kinds, group = np.unique(np.moveaxis(array, axis, 0).reshape(samples, -1), axis=0, return_inverse=True)
            if 1 < len(kinds) <= samples / 2:
                yield np.ravel(group)


def _list_changes(names: Names, known: set[Place], samples: int, rows: list[int]) -> Iterator[tuple[Place, Any]]:
    for leaf in _list_arrays(names):
        if known & set(leaf.places):
            continue
        cut = _cut(leaf.value, samples, rows)
        if cut is not None:
            yield from ((place, cut) for place in leaf.places)
    for place, value in _walk(names):
        if type(value) in (int, np.int64) and value == samples:
            yield place, type(value)(len(rows))
        elif _is_batch(value) and len(value) == samples and not known & {place}:
            yield place, type(value)(value[row] for row in rows)


def _list_arrays(names: Names) -> Sequence[NumberLeaf]:
    return [leaf for leaf in find_leaves(names) if hasattr(leaf.value, "shape")]


def _cut(value: Any, samples: int, rows: list[int]) -> Any:
    """These rows along every axis that has so many samples."""
    if samples not in value.shape or (isinstance(value, np.generic)):
        return None
    kept = value
    for axis in (axis for axis, n in enumerate(value.shape) if n == samples):
        kept = kept[(slice(None),) * axis + (rows,)]
    is_order = len(value.shape) == 1 and np.asarray(value).dtype.kind in "iu"
    if is_order and np.array_equal(np.sort(np.asarray(value)), np.arange(samples)):
        # An order of the samples stays one.
        return value[np.asarray(value) < len(rows)]
    return kept.copy() if isinstance(kept, np.ndarray) else kept.clone() if hasattr(kept, "clone") else kept


def _is_batch(value: Any) -> bool:
    """A list of samples, each an array or a few of them."""
    if not isinstance(value, list | tuple) or not 1 < len(value) <= MOST_SAMPLES:
        return False
    first = value[0]
    if isinstance(first, list | tuple):
        return any(hasattr(one, "shape") for one in first)
    return hasattr(first, "shape")


def _walk(names: Names) -> Iterator[tuple[Place, Any]]:
    """Numbers and lists that names and attributes lead to."""
    queue: list[tuple[Place, Any]] = [((("name", name),), names[name]) for name in names]
    seen: set[int] = set()
    while queue:
        place, value = queue.pop(0)
        yield place, value
        simple = isinstance(value, str | bytes | int | float | np.ndarray | np.generic)
        if not simple and len(place) < DEEPEST and id(value) not in seen:
            seen.add(id(value))
            queue += [((*place, step), child) for step, child in children(value)]
