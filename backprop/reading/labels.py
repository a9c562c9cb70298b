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
from backprop.reading.adjoints import Known, list_known, record_forward
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.recorder import Key
from backprop.reading.source import head_of

__all__ = ["Label", "label_lines", "list_backward"]

CLOSE, COARSE = 1e-5, 1e-3
NOTHING = 1e-9
PART, SUM, MEAN, SLOPE, TIMES = "a part of ", "the sum of ", "the mean of ", "the slope of ", " ∘ "


@dataclass(frozen=True)
class Label:
    """What the value of a line is; several where it is several things at once."""

    line: int
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return "= " + " = ".join(self.texts)


def label_lines(bench: Bench, points: Sequence[Point]) -> list[Label]:
    """Labels of the statements of the gradients, in order of the text.

    A label must hold at every one of the points, up to a transpose, a shape, a sign and a factor 2, ½, n, 1/n.
    """
    runs = [_values_by_key(bench, point) for point in points]
    shared = [key for key in runs[0] if all(key in run for run in runs)]
    known = _Names(list_known(bench, points))
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
    for line, texts in _label_parts(bench, runs, shared, known, rows).items():
        found.setdefault(line, texts)
    return [Label(line, _choose(list(texts))) for line, texts in sorted(found.items())]


def _label_parts(
    bench: Bench,
    runs: Sequence[dict[Key, NDArray[Any]]],
    shared: Sequence[Key],
    known: _Names,
    rows: Sequence[int | None],
) -> dict[int, dict[str, None]]:
    """What is gathered in turns: where the name that is written into is something in the end, each turn is a part."""
    last: dict[tuple[ast.AST, str], Key] = {}
    writes: dict[tuple[ast.AST, str], set[int]] = {}
    for key in shared:
        node = bench.instrumented.sites[key[0]]
        statement = bench.source.statement_of(node)
        target = _written_into(statement)
        function = bench.source.function_of(node)
        if target is not None:
            writes.setdefault((function, target), set()).add(statement.lineno)
        if isinstance(node, ast.Name | ast.AugAssign):
            last[function, node.id if isinstance(node, ast.Name) else ast.unparse(node.target)] = key
    found: dict[int, dict[str, None]] = {}
    for place, lines in writes.items():
        texts = list(_name(tuple(run[last[place]] for run in runs), known, rows)) if place in last else []
        for line in lines if texts else ():
            found[line] = {f"{PART}{texts[0]}": None}
    return found


def _written_into(statement: ast.stmt) -> str | None:
    """The name that a statement writes into, or adds to."""
    if isinstance(statement, ast.AugAssign):
        target: ast.AST = statement.target
    elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
        target = statement.targets[0]
    else:
        return None
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.id if isinstance(target, ast.Name) else None


def list_backward(bench: Bench, point: Point) -> list[int]:
    """Lines of the gradients whose statement makes an array that is no value of the forward pass: what has a label."""
    forward = [event.value for event in record_forward(bench, point)]
    shared = {bench.source.statement_of(bench.instrumented.sites[e.key[0]]) for e in bench.record_cost(point.case)}
    found = set()
    for key, value in _values_by_key(bench, point).items():
        node = bench.instrumented.sites[key[0]]
        statement = bench.source.statement_of(node)
        made = _is_result(bench, node) and statement not in shared
        if made and value.ndim and value.any() and not any(_equal(value, v) or _equal(value.T, v) for v in forward):
            found.add(statement.lineno)
    return sorted(found)


def _choose(texts: list[str]) -> tuple[str, ...]:
    """Those that name something; where none does, the shortest piece of code."""
    plain = [text for text in texts if not text.startswith((SUM, MEAN, SLOPE)) and TIMES not in text] or texts
    named = [text for text in plain if text.rpartition("∂")[2].rstrip(")ᵀ").isidentifier()]
    return tuple(named or [min(plain, key=len)])


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


class _Names:
    """What is known, with all its forms by their size, so that only those of the right size are compared."""

    def __init__(self, known: Sequence[Known]) -> None:
        self.known = known
        self.by_size: dict[tuple[int, ...], list[tuple[int, tuple[Array, ...], str]]] = {}
        for k, one in enumerate(known):
            for values, text in _forms(one):
                self.by_size.setdefault(tuple(v.size for v in values), []).append((k, values, text))


def _name(values: tuple[Array, ...], names: _Names, rows: Sequence[int | None]) -> Iterator[str]:
    """All that these values are."""
    if not any(v.any() for v in values):
        return
    done = set()
    for k, known, text in names.by_size.get(tuple(v.size for v in values), ()):
        factor = None if k in done else _find_factor(values, known, rows)
        if factor is not None:
            done.add(k)
            yield f"{factor}{text}"
    yield from _name_slope(values, names.known)


def _name_slope(values: tuple[Array, ...], known: Sequence[Known]) -> Iterator[str]:
    """∂C/∂z over ∂C/∂a, entry by entry, is the slope of a by z, where a was made of z."""
    if values[0].ndim < 2 or not all(np.ptp(v) > 0 for v in values):
        return
    for z in known:
        for a in known:
            if a.made_of != z.name or any(x.shape != v.shape for x, v in zip(z.values, values, strict=True)):
                continue
            pairs = zip(values, a.values, z.values, strict=True)
            if all(w.shape == v.shape and _equal(v * w, x) for v, w, x in pairs):
                yield f"{SLOPE}{a.name} by {z.name}"


def _forms(one: Known) -> Iterator[tuple[tuple[Array, ...], str]]:
    """The adjoint itself, transposed, times the value it belongs to, and sums and means of both along an axis."""
    name = one.name if one.name.isidentifier() else f"({one.name})"
    said = [(one.values, f"∂C/∂{name}")]
    if one.forward is not None:
        said.append((tuple(f * v for f, v in zip(one.forward, one.values, strict=True)), f"{name}{TIMES}∂C/∂{name}"))
    yield said[0]
    if all(v.ndim == 2 for v in one.values):
        yield tuple(v.T for v in one.values), f"(∂C/∂{name})ᵀ"
    yield from said[1:]
    for values, text in said:
        axes = min(v.ndim for v in values)
        for axis in range(axes if axes > 1 else 0):
            yield tuple(v.sum(axis=axis) for v in values), f"{SUM}{text} over axis {axis}"
            yield tuple(v.sum(axis=axis, keepdims=True) for v in values), f"{SUM}{text} over axis {axis}"
            yield tuple(v.mean(axis=axis) for v in values), f"{MEAN}{text} over axis {axis}"
            yield tuple(v.mean(axis=axis, keepdims=True) for v in values), f"{MEAN}{text} over axis {axis}"


def _find_factor(values: tuple[Array, ...], known: tuple[Array, ...], rows: Sequence[int | None]) -> str | None:
    """The factor, as it is written before; None if there is none of the natural ones."""
    constants = {"": 1.0, "-": -1.0, "2 · ": 2.0, "½ · ": 0.5}
    factors = [(text, [c] * len(values)) for text, c in constants.items()]
    if all(rows):
        n = [float(row or 1) for row in rows]
        factors += [("n · ", n), ("1/n · ", [1 / one for one in n])]
    scales = [(float(np.max(np.abs(v))), float(np.max(np.abs(k)))) for v, k in zip(values, known, strict=True)]
    for text, each in factors:
        if any(abs(a - abs(c) * b) > COARSE * max(a, b) for (a, b), c in zip(scales, each, strict=True)):
            continue
        if all(_equal(v, c * k) for v, k, c in zip(values, known, each, strict=True)):
            return text
    return None


def _equal(v: NDArray[Any], k: NDArray[Any]) -> bool:
    if v.shape != k.shape and not (v.size == k.size and v.ndim != k.ndim):
        return False
    scale = max(float(np.max(np.abs(k), initial=0.0)), NOTHING)
    close = COARSE if np.float32 in (v.dtype, k.dtype) else CLOSE
    return bool(np.all(np.abs(v.ravel() - k.ravel()) <= close * scale))
