"""The turns of a program's iteration after the first, each from the state that the one before it left."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.running.copying import copy_names
from backprop.attaching.running.leaves import NumberLeaf, read, to_array
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.states import Names, StateSnapshot, is_data, read_randomness

__all__ = ["list_turns"]


def list_turns(flow: GradientFlow, count: int) -> list[GradientFlow]:
    """The flow as it is at the beginning of each of the first turns: data are those of the first one, and a number by
    which the loop counts goes on. Fewer turns where the program cannot go on from where it stopped.
    """
    out = [flow]
    for _ in range(count - 1):
        last = out[-1].iteration
        try:
            snapshot = _take_next(last)
        except Exception:  # an iterator at its end, a file that was read
            break
        leaves, memories = (_read_again(snapshot, leaves) for leaves in (last.leaves, last.emptied))
        if leaves is None or memories is None:
            break
        iteration = Iteration(last.program, snapshot, leaves)
        iteration.held, iteration.emptied, iteration.adjust = last.held, tuple(memories), last.adjust
        out.append(replace(flow, iteration=iteration))
    return out


def _take_next(iteration: Iteration) -> StateSnapshot:
    """The state that one turn leaves, memories as they are."""
    here = Iteration(iteration.program, iteration.snapshot, iteration.leaves)
    names = here.run_names()
    local = None if names.local is None else {name: v for name, v in names.local.items() if is_data(name, v)}
    shared = {name: value for name, value in names.shared.items() if is_data(name, value)}
    mine, theirs = copy_names(local, shared)
    after = Names(mine, theirs)
    for name in _list_counters(iteration.program.rewritten.originals[iteration.snapshot.loop][0]):
        if name in after and type(after[name]) is int:
            after[name] += 1
    return StateSnapshot(iteration.snapshot.loop, mine, theirs, read_randomness())


def _list_counters(loop: ast.For | ast.While) -> list[str]:
    """Names that a loop over numbers counts by.

    >>> [_list_counters(ast.parse(text).body[0]) for text in (
    ...     "for t in range(9): pass", "for t, x in enumerate(X): pass", "for x in X: pass")]
    [['t'], ['t'], []]
    """
    if not isinstance(loop, ast.For) or not isinstance(loop.iter, ast.Call):
        return []
    kind, target = ast.unparse(loop.iter.func).split(".")[-1], loop.target
    if kind == "enumerate" and isinstance(target, ast.Tuple):
        target = target.elts[0]
    return [target.id] if kind in ("range", "trange", "enumerate", "count") and isinstance(target, ast.Name) else []


def _read_again(snapshot: StateSnapshot, leaves: Sequence[NumberLeaf]) -> list[NumberLeaf] | None:
    """The same leaves with what stands there now; None where one is gone."""
    names: Any = snapshot.names
    try:
        found = [NumberLeaf(leaf.places, read(names, leaf.places[0])) for leaf in leaves]
    except Exception:  # another name, another key
        return None
    return None if any(to_array(leaf.value) is None for leaf in found) else found
