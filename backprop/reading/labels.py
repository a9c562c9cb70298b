"""Labels: what each value of the backward pass is, in the reader's own names: `= ∂C/∂z1`, `= n · ∂C/∂W2`.

The adjoint of a forward value is measured: the value is moved on its way and the cost is asked.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.examiner.measuring.cases import Array
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.recorder import Event, Key
from backprop.reading.source import head_of

__all__ = ["Label", "label_lines"]

STEP = 6e-4
MOST_ENTRIES = 64
MOST_VALUES = 60
CLOSE = 1e-5
NOTHING = 1e-9
FOREIGN = 40
"""Characters of a piece of code that may stand for a name."""


@dataclass(frozen=True)
class Label:
    """What the value of a line is; several where it is several things at once."""

    line: int
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return "= " + " = ".join(self.texts)


@dataclass(frozen=True, eq=False)
class _Known:
    """Something with a name that a backward value may be: its values at every point."""

    name: str
    values: tuple[Array, ...]


def label_lines(bench: Bench, points: Sequence[Point]) -> list[Label]:
    """Labels of the statements of the gradients, in order of the text.

    A label must hold at every one of the points, up to a transpose, a shape, a sign and a factor 2, ½, n, 1/n.
    """
    runs = [_values_by_key(bench, point) for point in points]
    shared = [key for key in runs[0] if all(key in run for run in runs)]
    known = _list_known(bench, points)
    rows = [point.case.rows for point in points]
    found: dict[int, dict[str, None]] = {}
    for key in shared:
        node = bench.instrumented.sites[key[0]]
        if not _is_result(bench, node):
            continue
        values = tuple(run[key] for run in runs)
        line = bench.source.statement_of(node).lineno
        for text in _name(values, known, rows):
            found.setdefault(line, {})[text] = None
    return [Label(line, _choose(list(texts))) for line, texts in sorted(found.items())]


def _choose(texts: list[str]) -> tuple[str, ...]:
    """Those that name something; where none does, the shortest piece of code."""
    named = [text for text in texts if text.rpartition("∂")[2].rstrip(")ᵀ").isidentifier()]
    return tuple(named or [min(texts, key=len)])


def _is_result(bench: Bench, node: ast.AST) -> bool:
    """Whether a node is what its statement makes: the right side, an element of what is returned, or what `+=` left."""
    statement = bench.source.statement_of(node)
    if node is statement:
        return True
    value = getattr(head_of(statement), "value", None)
    while node is not value and isinstance(bench.source.parents.get(node), ast.Tuple | ast.List | ast.Dict):
        node = bench.source.parents[node]
    return node is value


def _values_by_key(bench: Bench, point: Point) -> dict[Key, NDArray[Any]]:
    events, _ = bench.record(point.case)
    return {event.key: event.value for event in events if event.value.dtype.kind == "f"}


def _list_known(bench: Bench, points: Sequence[Point]) -> list[_Known]:
    """∂C by parameters, then by every forward value with a name."""
    found = []
    for k, leaf in enumerate(points[0].case.leaves):
        whole = all(len(p.truth.values[k]) == leaf.size for p in points)
        if whole:
            found.append(_Known(leaf.name, tuple(p.truth.values[k].reshape(leaf.shape) for p in points)))
    measured = [_measure_adjoints(bench, point) for point in points]
    names = _forward_names(bench, points[0])
    for key in measured[0]:
        if all(key in one for one in measured):
            found.append(_Known(names[key], tuple(one[key] for one in measured)))
    return found


def _record_cost(bench: Bench, point: Point) -> list[Event]:
    return [event for event in bench.record_cost(point.case) if event.value.dtype.kind == "f"]


def _forward_names(bench: Bench, point: Point) -> dict[Key, str]:
    """Forward values by the names that the backward pass has for them, else by their own."""
    events, _ = bench.record(point.case)
    bound: dict[bytes, str] = {}
    for event in events:
        node = bench.instrumented.sites[event.key[0]]
        if isinstance(node, ast.Name) and event.value.ndim:
            bound.setdefault(event.value.tobytes(), node.id)
    names = {}
    for event in _record_cost(bench, point):
        own = _own_name(bench, bench.instrumented.sites[event.key[0]])
        names[event.key] = own if own.isidentifier() else bound.get(event.value.tobytes(), own)
    return names


def _own_name(bench: Bench, node: ast.AST) -> str:
    statement = bench.source.statement_of(node)
    if isinstance(statement, ast.Assign) and statement.value is node:
        return bench.source.segment(statement.targets[0])
    return bench.source.segment(node)


def _measure_adjoints(bench: Bench, point: Point) -> dict[Key, Array]:
    """∂C by each forward value that is made, entry by entry, by central differences of the cost."""
    found: dict[Key, Array] = {}
    seen: set[bytes] = set()
    for event in _record_cost(bench, point):
        node = bench.instrumented.sites[event.key[0]]
        made = isinstance(node, ast.BinOp | ast.Call | ast.UnaryOp | ast.IfExp)
        if not made or not 0 < event.value.size <= MOST_ENTRIES or not event.value.ndim or len(found) >= MOST_VALUES:
            continue
        if len(bench.source.segment(node)) > FOREIGN and not isinstance(bench.source.parents[node], ast.Assign):
            continue
        adjoint = _differentiate(bench, point, event)
        if adjoint is not None and adjoint.any() and event.value.tobytes() not in seen:
            seen.add(event.value.tobytes())
            found[event.key] = adjoint
    return found


def _differentiate(bench: Bench, point: Point, event: Event) -> Array | None:
    scale = max(float(np.max(np.abs(event.value))), 1e-3)
    out = np.zeros(event.value.size)
    for k in range(event.value.size):
        slopes = []
        for step in (STEP * scale, STEP * scale / 2):
            ahead, behind = (_cost_moved(bench, point, event.key, k, sign * step) for sign in (1, -1))
            slopes.append((ahead - behind) / (2 * step))
        out[k] = (4 * slopes[1] - slopes[0]) / 3
    return out.reshape(event.value.shape) if np.isfinite(out).all() else None


def _cost_moved(bench: Bench, point: Point, key: Key, k: int, step: float) -> float:
    def change(met: Key, value: Any) -> Any:
        if met != key:
            return value
        moved = np.array(value, dtype=float)
        moved.flat[k] += step
        return moved

    bench.recorder.restart()
    bench.recorder.change = {key[0]: change}
    try:
        return float(np.real(point.case.cost(point.case.values)))
    except Unusable:
        return float("nan")
    finally:
        bench.recorder.change = {}


def _name(values: tuple[Array, ...], known: Sequence[_Known], rows: Sequence[int | None]) -> Iterator[str]:
    """All that these values are."""
    if not any(v.any() for v in values):
        return
    for one in known:
        for turned, what in _forms(one):
            factor = _find_factor(values, turned, rows)
            if factor is not None:
                yield f"{factor}{what}"
                break


def _forms(one: _Known) -> Iterator[tuple[tuple[Array, ...], str]]:
    name = one.name if one.name.isidentifier() else f"({one.name})"
    yield one.values, f"∂C/∂{name}"
    if all(v.ndim == 2 for v in one.values):
        yield tuple(v.T for v in one.values), f"(∂C/∂{name})ᵀ"


def _find_factor(values: tuple[Array, ...], known: tuple[Array, ...], rows: Sequence[int | None]) -> str | None:
    """The factor, as it is written before; None if there is none of the natural ones."""
    constants = {"": 1.0, "-": -1.0, "2 · ": 2.0, "½ · ": 0.5}
    factors = [(text, [c] * len(values)) for text, c in constants.items()]
    if all(rows):
        n = [float(row or 1) for row in rows]
        factors += [("n · ", n), ("1/n · ", [1 / one for one in n])]
    for text, each in factors:
        if all(_equal(v, c * k) for v, k, c in zip(values, known, each, strict=True)):
            return text
    return None


def _equal(v: Array, k: Array) -> bool:
    if v.shape != k.shape and not (v.size == k.size and v.ndim != k.ndim):
        return False
    scale = max(float(np.max(np.abs(k), initial=0.0)), NOTHING)
    return bool(np.all(np.abs(v.ravel() - k.ravel()) <= CLOSE * scale))
