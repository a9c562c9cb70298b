"""Which of the arrays that an iteration moves it trains: each shaken a little, and what becomes of that."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from backprop.attaching.running.leaves import NumberLeaf, put, read, size_of, to_array
from backprop.attaching.running.program import HookedProgram
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.states import Hooks, Names, StateSnapshot
from backprop.attaching.running.tracing import find_updates

__all__ = ["MOST_MOVED", "adds", "find_dependent", "is_level"]

MOST_MOVED, MOST_GROUPED = 60, 2_000
SMALL = 1e-4
TINY = 1e-9
LEVEL = 1.01
KEPT = 0.5
"""Of a small change of a parameter, the part that may be lost in one iteration."""


def find_dependent(program: HookedProgram, snapshot: StateSnapshot, moved: list[NumberLeaf]) -> list[NumberLeaf]:
    """The leaves that an iteration moves and on which something depends; none where it does not train.

    It trains where a small change of a leaf is still there afterwards, nearly as it was, and changes what is added to
    such leaves. Counters, sums, buffers that are filled and states that are replaced do not do both.
    """
    leaves = moved[:MOST_GROUPED]
    before: list[Any] = [to_array(read(snapshot.names, leaf.places[0])) for leaf in leaves]
    plain = _run(program, snapshot, leaves, {})
    if any(a is None or b is None or a.shape != b.shape for a, b in zip(plain, before, strict=True)):
        return []
    really = {i for i, (a, b) in enumerate(zip(plain, before, strict=True)) if not np.array_equal(a, b)}
    stays: set[int] = set()
    states: set[int] = set()
    touched: dict[int, set[int]] = {}
    for together in _list_groups(leaves, sorted(really)):
        kept, forgets, others = _shake(program, snapshot, leaves, together, before, plain)
        touched |= dict.fromkeys(together, others)
        stays |= kept
        states |= forgets
    if not any(touched[i] & stays for i in stays):
        # Large steps keep little of a change; what is written as a sum with itself is one.
        stays |= {i for i in really if touched[i] and _is_added_to(program, snapshot, leaves[i])}
    trains = any(touched[i] & stays for i in stays)
    steps = [a - b for a, b in zip(plain, before, strict=True)]
    own = [i for i in touched if i not in states and (touched[i] & really or (i in stays and is_level(steps[i])))]
    return [leaf for i, leaf in enumerate(leaves) if i in own] if trains else []


def is_level(step: Any) -> bool:
    """Whether a step is as long in every entry, as the first of Adam's is: such a step follows nothing."""
    sizes = np.abs(step)
    return step.size > 1 and bool(sizes.any()) and bool(np.max(sizes) <= LEVEL * np.median(sizes))


def _list_groups(leaves: list[NumberLeaf], numbers: list[int]) -> list[list[int]]:
    """Leaves that are shaken together: each alone, or of very many those that are called alike."""
    if len(numbers) <= MOST_MOVED:
        return [[i] for i in numbers]
    kinds: dict[Any, list[int]] = {}
    for i in numbers:
        kinds.setdefault(leaves[i].places[0][-1], []).append(i)
    if len(kinds) > MOST_MOVED:
        kinds = {0: numbers}
    return [own[i : i + -(-len(own) // 4)] for own in kinds.values() for i in range(0, len(own), -(-len(own) // 4))]


def _draw_change(i: int, before: Any, plain: Any) -> Any:
    """What is not moved is kept anyway, and a buffer that is filled entry by entry would look like what is trained."""
    noise = np.random.default_rng(i).standard_normal(before.shape)
    return np.where(plain != before, noise, 0.0) * SMALL * size_of(before)


def _shake(
    program: HookedProgram,
    snapshot: StateSnapshot,
    leaves: list[NumberLeaf],
    together: list[int],
    before: list[Any],
    plain: list[Any],
) -> tuple[set[int], set[int], set[int]]:
    """After a small change of some leaves: of which most of it is still there, which of them forget it where they are
    moved, and which leaves move otherwise."""
    changes = {i: _draw_change(i, before[i], plain[i]) for i in together}
    after = _run(program, snapshot, leaves, {i: before[i] + change for i, change in changes.items()})
    gaps = [_gap(a, b) for a, b in zip(after, plain, strict=True)]
    kept, forgetting = set(), set()
    for i, change in changes.items():
        # What is overwritten keeps nothing of a change, and depends on nothing for that.
        gone = (np.abs(gaps[i]) <= TINY * np.abs(change)) & (change != 0.0)
        forgets = bool(np.all(gone[change != 0.0]))
        gaps[i] = np.where(gone, 0.0, gaps[i] - change)
        forgetting |= {i} if forgets else set()
        near = float(np.linalg.norm(gaps[i])) <= KEPT * float(np.linalg.norm(change))
        kept |= {i} if near and not forgets else set()
    floor = [1e-11 * (float(np.max(np.abs(p), initial=0.0)) + 1e-3) for p in plain]
    return kept, forgetting, {j for j, g in enumerate(gaps) if float(np.max(np.abs(g), initial=0.0)) > floor[j]}


def _is_added_to(program: HookedProgram, snapshot: StateSnapshot, leaf: NumberLeaf) -> bool:
    """Whether every statement that changes a leaf adds to it, or takes from it."""
    numbers = find_updates(Iteration(program, snapshot, [leaf]))
    return bool(numbers) and all(adds(program.rewritten.statements[number]) for number in numbers)


def adds(statement: ast.stmt) -> bool:
    """Whether a statement stores the sum, or the difference, of what stood there and something."""
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, ast.Add | ast.Sub)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.BinOp):
        return False
    value, target = statement.value, ast.unparse(statement.targets[0])
    sides = [value.left] if isinstance(value.op, ast.Sub) else [value.left, value.right]
    return isinstance(value.op, ast.Add | ast.Sub) and target in map(ast.unparse, sides)


def _gap(a: Any, b: Any) -> Any:
    return np.full(b.shape, np.inf) if a is None or a.shape != b.shape else a - b


def _run(
    program: HookedProgram, snapshot: StateSnapshot, leaves: list[NumberLeaf], values: dict[int, Any]
) -> list[Any]:
    def prepare(names: Names) -> None:
        for i, value in values.items():
            put(names, leaves[i], value)

    names = program.replay(snapshot, Hooks(), prepare)
    return [to_array(read(names, one.places[0])) for one in leaves]
