"""A step that names a published rule: whether it is one of its variants, from one iteration with drawn memories.

With memories m, s of the file and a gradient g, the iteration gives m', s' and the step d. Fits are exact, or say
nothing:

    first moment     m' = a m + c g                  second moment    s' = b s + e g²
    adam             m' / d = A √s' + B              rmsprop, adagrad    g / d = A √s' + B
    momentum         d ~ m'                          nesterov         d ~ g + a m'  or  m' + a (m' − m)
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.attaching.costing.fitting import gradient_reader
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.running.leaves import NumberLeaf, read, to_array

__all__ = ["check_rule", "name_rule"]

RULES: Mapping[str, str] = {
    "adam": r"adam(?!ax)", "rmsprop": r"rms_?prop", "adagrad": r"ada_?grad", "nesterov": r"nesterov|(^|_)nag($|_)",
    "momentum": r"momentum",
}  # fmt: skip
"""Names of rules, and how they are written."""
EXACT = 1e-7
LEAST = 4
"""Entries of a parameter by which a fit is made."""
DRAWN = 3

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Remembered:
    """One parameter: its gradient, its step, and its memories before and after, as vectors."""

    g: Vector
    d: Vector
    before: tuple[Vector, ...]
    after: tuple[Vector, ...]


def name_rule(flow: GradientFlow) -> str | None:
    """The rule that functions and classes around the update are named after; None where there is not exactly one."""
    iteration = flow.iteration
    rewritten = iteration.program.rewritten
    lines = [rewritten.statements[number].lineno for number in iteration.held]
    tree = iteration.program.document.tree
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    words = {node.name.lower() for node in nodes for line in lines if node.lineno <= line <= (node.end_lineno or 0)}
    found = [rule for rule, pattern in RULES.items() if any(re.search(pattern, word) for word in words)]
    if found == ["nesterov", "momentum"]:
        return "nesterov"
    return found[0] if len(found) == 1 else None


def check_rule(flow: GradientFlow, rule: str) -> str:
    """What is wrong with a step that is named after a rule; "" where it is a variant of it, or cannot be told."""
    said = {_check(one, rule, flow) for one in _list_moments(flow)}
    return said.pop() if len(said) == 1 else ""


def _list_moments(flow: GradientFlow) -> Iterator[Remembered]:
    """The parameters whose memories can be told, each with memories that were drawn."""
    iteration = flow.iteration.like(flow.leaves)
    memories = [leaf for leaf in iteration.emptied if to_array(leaf.value) is not None]
    gradients = gradient_reader(flow)(iteration.start)
    placed = tuple(_draw(leaf, k, iteration.start, gradients) for k, leaf in enumerate(memories))
    iteration.placed = placed
    names = iteration.run_names(None, None)
    after = [to_array(read(names, leaf.places[0])) for leaf in flow.leaves]
    now: list[Any] = [to_array(read(names, leaf.places[0])) for leaf in memories]
    for k, leaf in enumerate(flow.leaves):
        g, d = gradients[k], None if after[k] is None else iteration.start[k] - after[k]
        mine = [i for i in range(len(memories)) if _belongs(flow, memories[i], leaf, placed[i][1])]
        if g is None or d is None or g.size < LEAST or not np.any(g) or any(now[i] is None for i in mine):
            continue
        parts = [(placed[i][1].ravel(), now[i].ravel()) for i in mine]
        yield Remembered(g.ravel(), d.ravel(), tuple(b for b, _ in parts), tuple(a for _, a in parts))


def _read(leaf: NumberLeaf) -> Any:
    return to_array(leaf.value)


def _draw(leaf: NumberLeaf, k: int, starts: Sequence[Any], gradients: Sequence[Any]) -> tuple[NumberLeaf, Any]:
    """Positive numbers of the size of a squared gradient: good for both moments."""
    shape = np.shape(_read(leaf))
    sizes = [float(np.max(np.abs(g), initial=0.0)) for g in gradients if g is not None and g.shape == shape]
    size = max(sizes, default=0.0) or 1.0
    return leaf, size**2 * np.random.default_rng(k + 1).uniform(0.5, 1.5, shape)


def _belongs(flow: GradientFlow, memory: NumberLeaf, leaf: NumberLeaf, value: Any) -> bool:
    """Whether a change of a memory changes the parameter."""
    if np.shape(value) != np.shape(_read(leaf)):
        return False
    ends = []
    for factor in (1.0, 1.5):
        iteration = flow.iteration.like(flow.leaves)
        iteration.placed = ((memory, factor * value),)
        names = iteration.run_names(None, None)
        ends.append(to_array(read(names, leaf.places[0])))
    return ends[0] is not None and ends[1] is not None and not np.array_equal(ends[0], ends[1])


def _fit(target: Vector, *columns: Vector) -> Vector | None:
    """The factors with which the columns make the target; None where they do not."""
    table = np.stack(columns, axis=1)
    if len(target) <= table.shape[1]:
        return None
    scale = np.max(np.abs(table), axis=0)
    if not np.all(scale > 0):
        return None
    found = np.linalg.lstsq(table / scale, target, rcond=None)[0]
    off = float(np.max(np.abs(table / scale @ found - target), initial=0.0))
    return found / scale if off <= EXACT * float(np.max(np.abs(target), initial=0.0)) else None


def _check(one: Remembered, rule: str, flow: GradientFlow) -> str:
    if rule in ("momentum", "nesterov"):
        return _check_velocity(one, nesterov=rule == "nesterov")
    seconds = [_fit(after, before, one.g**2) for before, after in zip(one.before, one.after, strict=True)]
    firsts = [_fit(after, before, one.g) for before, after in zip(one.before, one.after, strict=True)]
    if any(first is None and second is None for first, second in zip(firsts, seconds, strict=True)):
        return ""
    s = next((k for k, second in enumerate(seconds) if second is not None), None)
    if s is None:
        return "no memory of it gathers squares of the gradient" if one.before else ""
    b, e = seconds[s]  # type: ignore[misc]
    if rule == "adagrad":
        return _check_scaled(one.g, one, s) if abs(b - 1) < EXACT else "its memory of squares forgets, a sum does not"
    if rule == "rmsprop":
        return _check_scaled(one.g, one, s) if abs(b + e - 1) < EXACT else _tell_decay("squares", b, e)
    m = next((k for k, first in enumerate(firsts) if first is not None and k != s), None)
    if m is None:
        return "no memory of it gathers the gradient"
    a, c = firsts[m]  # type: ignore[misc]
    if abs(a + c - 1) > EXACT and abs(c) > EXACT:
        return _tell_decay("gradients", a, c)
    if abs(b + e - 1) > EXACT:
        return _tell_decay("squares", b, e)
    return _check_scaled(one.after[m], one, s) or _check_corrections(one, (m, a), (s, b), flow)


def _tell_decay(what: str, decay: float, weight: float) -> str:
    return f"its memory of {what} keeps {decay:.6g} and takes {weight:.6g}, which is not one less that"


def _check_scaled(top: Vector, one: Remembered, s: int) -> str:
    """top / (√s' + ε), or top / √(s' + ε), times a rate."""
    if np.any(one.d == 0.0) or np.any(one.after[s] <= 0):
        return ""
    ratio, ones = top / one.d, np.ones_like(top)
    outside = _fit(ratio, np.sqrt(one.after[s]), ones)
    inside = _fit(ratio**2, one.after[s], ones)
    if outside is None and inside is None:
        return "the step is not in proportion to that over the root of the memory of squares"
    return "" if np.all(ratio > 0) or np.all(np.sign(top) == np.sign(one.d)) else "the step goes up"


def _check_corrections(one: Remembered, first: tuple[int, float], second: tuple[int, float], flow: GradientFlow) -> str:
    """Both moments are divided by one less a power of their decay, or none: told where the file holds the rate."""
    (m, a), (s, b) = first, second
    fitted = _fit(one.after[m] / one.d, np.sqrt(one.after[s]), np.ones_like(one.d))
    if fitted is None:
        return ""
    slope, (rates, counts) = float(fitted[0]), _list_numbers(flow)
    own = [x for t in counts for x in (a, b, 1 - a**t, 1 - b**t)]
    rates = [rate for rate in rates if not np.any(np.isclose(rate, own, rtol=1e-9))]
    known = [(1 - a**t) / np.sqrt(1 - b**t) for t in counts] + [1.0]
    if any(abs(slope * rate / good - 1) < 1e-5 for rate in rates for good in known):
        return ""
    corrections = [x for t in counts for x in (1 - a**t, 1 / np.sqrt(1 - b**t), (1 - b**t) / np.sqrt(1 - a**t), (
        1 - a**t) / (1 - b**t), np.sqrt(1 - b**t) / (1 - a**t))]  # fmt: skip
    if any(abs(slope * rate / bad - 1) < 1e-5 for rate in rates for bad in corrections):
        return "its two moments are not corrected alike, each by one less its own decay to the number of the step"
    return ""


def _list_numbers(flow: GradientFlow) -> tuple[list[float], list[int]]:
    """Numbers in the lines of the update that may be its rate, and what may be the number of the step."""
    iteration, rewritten = flow.iteration, flow.iteration.program.rewritten
    recorder = iteration.freeze(wanted=None)
    iteration.run(None, recorder)
    held = [rewritten.statements[number] for number in iteration.held]
    lines = {line for one in held for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
    constants = [n.value for one in held for n in ast.walk(one) if isinstance(n, ast.Constant)]
    written = {float(value) for value in constants if isinstance(value, float)}
    made = [e for e in recorder.events if e.value.size == 1]
    single = {float(e.value.real.reshape(())) for e in made if _line_of(flow, e.key[0]) in lines}
    whole = {int(v) for v in itertools.chain(*([t, t + 1] for t in _whole(flow))) if 0 < v < MOST_STEPS}
    return sorted(x for x in single | written if 0 < x < MOST_RATE), sorted(whole | {1})


MOST_STEPS, MOST_RATE = 10_000, 10.0


def _line_of(flow: GradientFlow, site: int) -> int:
    return int(getattr(flow.iteration.program.rewritten.sites[site].node, "lineno", 0))


def _whole(flow: GradientFlow) -> Iterator[int]:
    names = flow.iteration.snapshot.names
    for name in names:
        value = names[name]
        for held in (value, *(vars(value).values() if hasattr(value, "__dict__") else ())):
            if type(held) in (int, np.int64):
                yield int(held)


def _check_velocity(one: Remembered, *, nesterov: bool) -> str:
    if len(one.before) != 1:
        return ""
    v, new = one.before[0], one.after[0]
    fitted = _fit(new, v, one.g)
    if fitted is None:
        return ""
    decay = float(fitted[0])
    if not EXACT < decay < 1 - EXACT:
        return f"its memory keeps {decay:.6g} of itself, which is no momentum"
    if _fit(one.d, new) is not None:
        return "the step is the memory itself, without a look ahead" if nesterov else ""
    ahead, back = _fit(one.d, one.g, new), _fit(one.d, new, v)
    pace = decay / float(fitted[1]) if fitted[1] else 0.0
    looks = (ahead is not None and abs(float(ahead[1] / ahead[0]) / (pace or 1.0) - 1) < EXACT) or (
        back is not None and abs(float(back[1] / back[0]) + decay / (1 + decay)) < EXACT
    )
    if nesterov:
        return (
            "" if looks else "the step is neither the gradient with the memory ahead of it nor the memory looked ahead"
        )
    return "" if looks else "the step is not in proportion to its memory"
