"""Whether the two moments of a step are corrected as published: each by one less its own decay to the number of the
step, at every turn, or not at all."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from backprop.attaching.advising.moments import Remembered, Vector, fit_factors
from backprop.attaching.costing.rates import GradientFlow

__all__ = ["Decays", "check_corrections", "find_broken_correction"]

MOST_STEPS, MOST_RATE = 10_000, 10.0
NEAR = 1e-6

Decays = tuple[tuple[int, float], tuple[int, float]]
"""Which memory gathers the gradient and which its squares, each with the share of itself that it keeps."""


def find_broken_correction(turns: Sequence[tuple[Remembered, Decays]]) -> str:
    """What is wrong with a correction that is one at the first turn and none at a later one; "" where nothing is.

    Looked at are values in proportion to a memory, and numbers that are written as one less something.
    """
    if len(turns) < 2:
        return ""
    for which, what in enumerate(("the gradient", "squares")):
        decays = [memories[which][1] for _, memories in turns]
        factors = [_list_factors(one, one.after[memories[which][0]]) for one, memories in turns]
        numbers = [_list_written(one) for one, _ in turns]
        for key, (node, first) in factors[0].items():
            later = [own[key][1] for own in factors[1:] if key in own]
            if first > 1 + NEAR and _count(1 - 1 / first, decays[0]) and (bad := _find_none(
                    [1 - 1 / f if f else math.nan for f in later], decays[1:])):  # fmt: skip
                return _tell(what, node, bad)
        for key, (node, first) in numbers[0].items():
            later = [own[key][1] for own in numbers[1:] if key in own]
            if abs(first / (1 - decays[0]) - 1) < NEAR and (bad := _find_none([1 - q for q in later], decays[1:])):
                return _tell(what, node, bad)
    return _tell_steps(*(_list_steps(turns, which) for which in (0, 1)))


def _list_steps(turns: Sequence[tuple[Remembered, Decays]], which: int) -> set[tuple[int, ...]]:
    """By which numbers of the step, turn by turn, values are corrected that are in proportion to a memory."""
    factors = [_list_factors(one, one.after[memories[which][0]]) for one, memories in turns]
    found = set()
    for key in factors[0]:
        made = [own[key][1] for own in factors if key in own]
        steps = [_count(1 - 1 / f, memories[which][1]) for f, (_, memories) in zip(made, turns, strict=False) if f > 1]
        if len(steps) == len(turns) and all(steps):
            found.add(tuple(steps))
    return found


def _tell_steps(first: set[tuple[int, ...]], second: set[tuple[int, ...]]) -> str:
    if not first or not second or first & second:
        return ""
    said = (", ".join(map(str, min(steps))) for steps in (first, second))
    return "its two moments are not corrected alike: at the first turns for the steps {} and {}".format(*said)


def _tell(what: str, node: ast.AST, turn: int) -> str:
    return (
        f"the correction of its memory of {what} at line {getattr(node, 'lineno', 0)} is one less its decay to the "
        f"number of the step at the first turn, and no longer at turn {turn}"
    )


def _find_none(powers: Sequence[float], decays: Sequence[float]) -> int:
    """The first turn whose number is no power of its decay, counted from one; 0 where all are, or none (zero)."""
    bad = [
        k for k, (x, decay) in enumerate(zip(powers, decays, strict=False)) if abs(x) > NEAR and not _count(x, decay)
    ]
    return bad[0] + 2 if bad else 0


def _count(x: float, decay: float) -> int:
    """n with x = decayⁿ; 0 where there is none."""
    if not 0 < x < 1 or not 0 < decay < 1:
        return 0
    n = math.log(x) / math.log(decay)
    return round(n) if n > 0.5 and abs(n - round(n)) < NEAR * max(n, 1 / (1 - decay) / 100) else 0


def _list_factors(one: Remembered, memory: Vector) -> dict[tuple[int, int], tuple[ast.AST, float]]:
    """Values of the turn that are a memory times a number, with that number."""
    out = {}
    for key, (node, value) in one.made.items():
        if value.shape == memory.shape and value.size > 1 and np.all(np.isfinite(value)) and np.all(memory != 0.0):
            ratio = value / memory
            if ratio[0] != 0.0 and np.max(np.abs(ratio / ratio[0] - 1)) < 1e-9:
                out[key] = node, float(ratio[0])
    return out


def _list_written(one: Remembered) -> dict[tuple[int, int], tuple[ast.AST, float]]:
    """Single numbers that are written as one less something, or as a power of that."""
    out = {}
    for key, (node, value) in one.made.items():
        base = node.left if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) else node
        less = isinstance(base, ast.BinOp) and isinstance(base.op, ast.Sub) and isinstance(base.left, ast.Constant)
        if value.size == 1 and less and base.left.value == 1:  # type: ignore[attr-defined]
            out[key] = node, float(value[0])
    return out


def check_corrections(one: Remembered, own: Decays, flow: GradientFlow) -> str | None:
    """Both moments are divided by one less a power of their decay, or none: "" where they are so with a rate that the
    file holds, what is wrong where it is another correction with such a rate, None where no rate tells.
    """
    (m, a), (s, b) = own
    fitted = fit_factors(one.after[m] / one.d, np.sqrt(one.after[s]), np.ones_like(one.d))
    if fitted is None:
        return None
    slope, (rates, counts) = float(fitted[0]), _list_numbers(flow)
    plain = [x for t in counts for x in (a, b, 1 - a**t, 1 - b**t)]
    rates = [rate for rate in rates if not np.any(np.isclose(rate, plain, rtol=1e-9))]
    known = [(1 - a**t) / np.sqrt(1 - b**t) for t in counts] + [1.0]
    if any(abs(slope * rate / good - 1) < 1e-5 for rate in rates for good in known):
        return ""
    corrections = [x for t in counts for x in _list_wrong(1 - a**t, 1 - b**t)]
    if any(abs(slope * rate / bad - 1) < 1e-5 for rate in rates for bad in corrections):
        return "its two moments are not corrected alike, each by one less its own decay to the number of the step"
    return None


def _list_wrong(first: float, second: float) -> list[float]:
    """What a moment over the root of squares is multiplied by where the two corrections are not each its own."""
    by = (1.0, first, second)
    crossed = [x / np.sqrt(y) for x in by for y in by if (x, y) not in ((1.0, 1.0), (first, second))]
    return [*crossed, first / second, np.sqrt(second) / first]


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


def _line_of(flow: GradientFlow, site: int) -> int:
    return int(getattr(flow.iteration.program.rewritten.sites[site].node, "lineno", 0))


def _whole(flow: GradientFlow) -> Iterator[int]:
    names = flow.iteration.snapshot.names
    for name in names:
        value = names[name]
        for held in (value, *(vars(value).values() if hasattr(value, "__dict__") else ())):
            if type(held) in (int, np.int64):
                yield int(held)
