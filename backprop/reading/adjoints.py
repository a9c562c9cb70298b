"""The adjoints of forward values, measured: a value is moved on its way and the cost is asked."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.examiner.measuring.cases import Array
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.recorder import Event, Key

__all__ = ["Known", "list_known", "record_forward"]

STEP = 6e-4
TINY = 1e-30
AGREE = 1e-5
MOST_ENTRIES = 96
MOST_VALUES = 60
MOST_MADE = 400_000
"""Values that the runs of one point may make, about."""
FOREIGN = 40
"""Characters of a piece of code that may stand for a name."""


@dataclass(frozen=True, eq=False)
class Known:
    """Something with a name that a backward value may be: its values at every point.

    `forward` is the value that it is the adjoint of, `made_of` the name of the value which that was made of.
    """

    name: str
    values: tuple[Array, ...]
    forward: tuple[Array, ...] | None = None
    made_of: str = ""


def list_known(bench: Bench, points: Sequence[Point]) -> list[Known]:
    """∂C by parameters, then by every forward value with a name."""
    found = []
    for k, leaf in enumerate(points[0].case.leaves):
        whole = all(len(p.truth.values[k]) == leaf.size for p in points)
        if whole:
            found.append(Known(leaf.name, tuple(p.truth.values[k].reshape(leaf.shape) for p in points)))
    measured = [_measure_adjoints(bench, point) for point in points]
    names = _forward_names(bench, points[0])
    for key in measured[0]:
        if all(key in one for one in measured):
            values, forward = (tuple(one[key][k] for one in measured) for k in (0, 1))
            found.append(Known(names[key], values, forward, _made_of(bench, names, key)))
    return [one for one in found if not _is_shared(one.name, found)]


def _is_shared(name: str, found: Sequence[Known]) -> bool:
    """Whether a parameter and another value, with another adjoint, have one name: then it says nothing."""
    same = [one.values for one in found if one.name == name]
    if all(one.forward is not None for one in found if one.name == name):
        return False
    return any(a.shape != b.shape or not np.allclose(a, b) for one in same for a, b in zip(same[0], one, strict=True))


def _made_of(bench: Bench, names: dict[Key, str], key: Key) -> str:
    """The name of the only value of the same call that the expression of a value uses."""
    node = bench.instrumented.sites[key[0]]
    used = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)} & set(names.values())
    return used.pop() if len(used) == 1 else ""


def record_forward(bench: Bench, point: Point) -> list[Event]:
    """The numbers that the cost makes on its way."""
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
    for event in record_forward(bench, point):
        own = _own_name(bench, bench.instrumented.sites[event.key[0]])
        names[event.key] = own if own.isidentifier() else bound.get(event.value.tobytes(), own)
    return names


def _own_name(bench: Bench, node: ast.AST) -> str:
    statement = bench.source.statement_of(node)
    if isinstance(statement, ast.Assign) and statement.value is node:
        return bench.source.segment(statement.targets[0])
    return bench.source.segment(node)


def _measure_adjoints(bench: Bench, point: Point) -> dict[Key, tuple[Array, Array]]:
    """∂C by each forward value that is made, with the value; those that have a name first, the last made first."""
    found: dict[Key, tuple[Array, Array]] = {}
    seen: set[bytes] = set()
    events = [event for event in record_forward(bench, point) if _is_made(bench, event)]
    named = [e for e in events if isinstance(bench.source.parents[bench.instrumented.sites[e.key[0]]], ast.Assign)]
    made, each = 0, len(record_forward(bench, point))
    for event in [*named[::-1], *events[::-1]]:
        if len(found) >= MOST_VALUES or event.value.tobytes() in seen or made > MOST_MADE:
            continue
        made += event.value.size * each
        adjoint = _differentiate(bench, point, event)
        if adjoint is not None and adjoint.any():
            seen.add(event.value.tobytes())
            found[event.key] = adjoint, event.value
    return dict(sorted(found.items()))


def _is_made(bench: Bench, event: Event) -> bool:
    node = bench.instrumented.sites[event.key[0]]
    made = isinstance(node, ast.BinOp | ast.Call | ast.UnaryOp | ast.IfExp)
    if not made or not 0 < event.value.size <= MOST_ENTRIES or not event.value.ndim:
        return False
    return len(bench.source.segment(node)) <= FOREIGN or isinstance(bench.source.parents[node], ast.Assign)


def _differentiate(bench: Bench, point: Point, event: Event) -> Array | None:
    """Entry by entry: by complex steps where they agree with a difference along one direction, else by differences.

    Code that makes a float of its cost has no complex steps: one step along the direction tells.
    """
    size = event.value.size
    direction = np.random.default_rng(size).uniform(0.5, 1.0, size)
    whole = _difference(bench, point, event, direction)
    units = np.eye(size)
    if not np.isfinite(whole):
        return None
    out = np.zeros(size)
    if whole and _step_aside(bench, point, event.key, direction):
        out = np.array([_step_aside(bench, point, event.key, unit) for unit in units])
    if not _agree(out, direction, whole):
        out = np.array([_difference(bench, point, event, unit) for unit in units])
    return out.reshape(event.value.shape) if _agree(out, direction, whole) else None


def _step_aside(bench: Bench, point: Point, key: Key, direction: Array) -> float:
    """By a complex step along a direction; NaN where the code does not bear it."""
    return _cost_moved(bench, point, key, TINY * 1j * direction).imag / TINY


def _agree(out: Array, direction: Array, whole: float) -> bool:
    """Whether the entries add up to what the direction says; where not, a kink is near, or rounding too large."""
    total = float(out @ direction)
    return bool(np.isfinite(total)) and abs(total - whole) <= AGREE * max(float(np.abs(out) @ direction), abs(whole))


def _difference(bench: Bench, point: Point, event: Event, direction: Array) -> float:
    """By central differences of two steps, extrapolated."""
    scale = max(float(np.max(np.abs(event.value))), 1e-3)
    slopes = []
    for step in (STEP * scale, STEP * scale / 2):
        ahead, behind = (_cost_moved(bench, point, event.key, sign * step * direction) for sign in (1, -1))
        slopes.append((ahead - behind).real / (2 * step))
    return (4 * slopes[1] - slopes[0]) / 3


def _cost_moved(bench: Bench, point: Point, key: Key, by: Any) -> complex:
    """The cost with a value moved; NaN where the code does not bear it."""

    def change(met: Key, value: Any) -> Any:
        return value + by.reshape(np.shape(value)) if met == key else value

    bench.recorder.restart()
    bench.recorder.change = {key[0]: change}
    try:
        return complex(point.case.cost(point.case.values))
    except (Unusable, TypeError):
        return complex("nan")
    finally:
        bench.recorder.change = {}
