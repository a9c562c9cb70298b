"""What was taken for what, as a subject that the examiner can ask."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backprop.attaching.checking import (
    is_computed,
    is_normalised,
    is_of_more_data,
    is_repeatable,
    list_idle,
    list_siblings,
    order_by_use,
    takes_several_steps,
    tell_order,
    widen_flow,
)
from backprop.attaching.costing.choices import list_choices
from backprop.attaching.costing.choosing import choose, make_choice
from backprop.attaching.costing.costs import find_unvisited
from backprop.attaching.costing.fitting import measure
from backprop.attaching.costing.flowing import find_flow
from backprop.attaching.costing.levels import find_memories
from backprop.attaching.costing.rates import GradientFlow, by_step
from backprop.attaching.costing.wanted import choose_wanted
from backprop.attaching.costing.widening import widen_by_steps
from backprop.attaching.handing import Attached
from backprop.attaching.leftovers import list_lost
from backprop.attaching.looking.refusals import Refused
from backprop.attaching.looking.surveying import name_losses, some
from backprop.attaching.nesting import tidy
from backprop.attaching.running.joined import find_finer
from backprop.attaching.running.program import HookedProgram
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.tracing import find_updates
from backprop.attaching.running.training import Training, find_training

__all__ = ["attach"]


def attach(
    program: HookedProgram, *, cost: str | None = None, only: frozenset[int] | None = None, reading: int = 0
) -> Attached:
    """The first way to read a program that survives; `reading`: of the how-manieth training in it.

    Errors: `Refused` where there is none, with what was seen.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _attach(program, cost, only, reading)


def _attach(program: HookedProgram, cost: str | None, only: frozenset[int] | None, reading: int) -> Attached:
    found = find_training(program, only)
    program.trained = bool(found)
    torch = sys.modules.get("torch")
    if torch is not None:
        # Small tensors: threads would wait for each other.
        torch.set_num_threads(1)
    seen: list[str] = []
    attached, k = _read_first(program, found, cost, seen, reading)
    if attached is None:
        raise Refused(f"{program.document.path}: {'; '.join(dict.fromkeys(seen)) or NOTHING}", "nothing")
    idle = tuple(list_idle(attached.flow, attached.chosen.candidate))
    return replace(attached, others=tuple(n for n in range(1, len(found)) if n != k), idle=idle)


def _read_first(
    program: HookedProgram, found: Sequence[Sequence[Training]], cost: str | None, seen: list[str], reading: int
) -> tuple[Attached | None, int]:
    """The first training that can be read, with its number; Errors: Refused where none has the cost asked for."""
    unknown: list[Refused] = []
    for k, training in enumerate(found):
        for way in training if reading in (0, k) else ():
            try:
                inside = any(way.snapshot.loop in other.around for other in training)
                attached = _read(program, way, cost, seen, inside=inside)
            except Refused as refusal:
                # A loop inside another may not have the cost that was asked for; the other may.
                if cost is None or refusal.reason != "nothing":
                    raise
                unknown.append(refusal)
            else:
                if attached is not None:
                    return attached, k
    if unknown:
        raise max(unknown, key=lambda refusal: len(str(refusal)))
    return None, 0


NOTHING = "no loop in it was seen to change arrays by something that depends on them"


def _read(
    program: HookedProgram, training: Training, cost: str | None, seen: list[str], *, inside: bool
) -> Attached | None:
    """One way to read a training; `inside`: of a loop in which another one trains, too."""
    loop, around = program.rewritten.originals[training.snapshot.loop]
    where = f"the loop at {program.document.place(loop.lineno)}" + (f" in {around}" if around else "")
    iteration = Iteration(program, training.snapshot, training.moved)
    if not is_repeatable(iteration):
        seen.append(f"{where} gives other numbers when it is run again from the same state{tell_order(iteration)}")
        return None
    iteration.held = find_updates(iteration)
    iteration.emptied = find_memories(iteration)
    program.compute_more(training.snapshot.loop, find_unvisited(iteration))
    flow = find_flow(iteration)
    if flow is None:
        seen.append(f"{where} changes {some([tidy(leaf) for leaf in training.moved])}, but no gradient of these "
                    "was seen in it")  # fmt: skip
        return None
    iteration, flow = find_finer(iteration, flow, find_flow)
    if inside and takes_several_steps(flow):
        seen.append(f"{where} takes several steps in each pass, none of which it shows the gradient of")
        return None
    return _read_cost(program, iteration, flow, cost, seen, where)


def _read_cost(
    program: HookedProgram, iteration: Iteration, flow: GradientFlow, cost: str | None, seen: list[str], where: str
) -> Attached | None:
    attached, fitting = _choose(program, flow, cost)
    if attached is None:
        seen.append(f"{where} trains {some([tidy(leaf) for leaf in flow.leaves])}, but no cost was seen of "
                    f"which its last layer has the gradient; {_say_choices(flow)}")  # fmt: skip
        return None
    candidate = attached.chosen.candidate
    if is_normalised(attached.flow, fitting):
        seen.append(f"{where} steps {some([tidy(leaf) for leaf in flow.leaves])} by one size whatever the gradient "
                    "(an adaptive or normalised step), and the gradient before it was not seen; name it")  # fmt: skip
        return None
    if fitting < len(flow.leaves) and is_of_more_data(attached.flow, candidate):
        seen.append(f"{where} steps {some([tidy(leaf) for leaf in flow.leaves])} for some samples, and "
                    f"{candidate.name} is over others as well; compute the cost of that step in the iteration, "
                    f"or {_say_choices(flow)}")  # fmt: skip
        return None
    lost, apart = list_lost(iteration, flow, candidate)
    attached = replace(attached, apart=tuple(apart))
    stepped = widen_by_steps(attached.flow, lost) if lost else None
    again = None if stepped is None else _choose(program, stepped, cost)[0]
    if again is not None:
        attached, flow, lost = replace(again, apart=tuple(apart)), again.flow, []
    return _read_beside(iteration, flow, attached, lost, (seen, where))


def _say_choices(flow: GradientFlow) -> str:
    """What `--cost` may be, each of which was looked for in the iteration."""
    names = list_choices(make_choice(flow, measure(flow), list_scales(flow)))
    document = flow.iteration.program.document
    losses = [name for name in name_losses(document.tree) if name not in names]
    asked = f"give --cost NAME, of {', '.join(names)}" if names else "compute the cost in the iteration"
    return asked + (f"; the file's {some(losses, 3)} is not called in it" if losses else "")


def _read_beside(
    iteration: Iteration, flow: GradientFlow, attached: Attached, lost: list[str], told: tuple[list[str], str]
) -> Attached | None:
    """The reading with what stands beside its parameters; None where something of that should be one."""
    candidate, (seen, where) = attached.chosen.candidate, told
    factor = attached.chosen.factor
    beside = list_siblings(iteration, flow, candidate)
    left = [name for name in beside if name not in lost and is_computed(iteration, flow, candidate, name, factor)]
    lost += [name for name in beside if name not in left]
    if beside and lost == beside and not left:
        # What is added to it is nothing: that is a gradient too.
        wider = widen_flow(flow, beside)
        if wider is not None:
            return replace(attached, flow=wider, order=tuple(order_by_use(wider)))
    if left and not lost:
        return replace(attached, left_out=tuple(left))
    if lost:
        seen.append(f"{where}: the cost depends on {', '.join(lost)}, beside its parameters, but no gradient of it was "
                    f"seen; write its update like that of the others ({lost[0]} -= rate * its gradient), or give "
                    "--begin LINE --end LINE of an iteration that moves it")  # fmt: skip
        return None
    return attached


def _choose(program: HookedProgram, flow: GradientFlow, cost: str | None) -> tuple[Attached | None, int]:
    """A reading, and how many of its parameters have the gradient of its cost."""
    found = _choose_of(program, flow, cost)
    if any(flow.decays) and (found is None or found[1] < len(flow.leaves)):
        other = _choose_of(program, by_step(flow), cost)
        found = max((one for one in (found, other) if one is not None), key=lambda one: one[1], default=None)
    return found or (None, 0)


def _choose_of(program: HookedProgram, flow: GradientFlow, cost: str | None) -> tuple[Attached, int] | None:
    """One of them."""
    measured = measure(flow)
    sizes = {n for fit in measured.fits for n in _sizes(fit)}
    more, constants = _numbers(flow)
    order = order_by_use(flow)
    choice = make_choice(flow, measured, list_scales(flow), more | sizes, constants, order)
    chosen = choose(choice) if cost is None else choose_wanted(choice, cost)
    if chosen is None:
        return None
    fit = next(fit for fit in measured.fits if fit.candidate is chosen.candidate or (
        fit.candidate.key is not None and fit.candidate.key == chosen.candidate.key))  # fmt: skip
    return Attached(program.document, flow, chosen, tuple(order)), len(fit.support(chosen.scale / chosen.factor))


def _sizes(fit: Any) -> set[int]:
    pair = fit.candidate.pair
    return {pair.occurrences} if pair is not None else set()


def _numbers(flow: GradientFlow) -> tuple[set[int], set[float]]:
    """Sizes of the arrays of the iteration, since a mean is over one of them; and its single numbers."""
    recorder = flow.iteration.freeze(wanted=None)
    flow.iteration.run(None, recorder)
    sizes = {n for event in recorder.events[:4000] for n in event.value.shape}
    single = {float(event.value.real.reshape(())) for event in recorder.events if event.value.size == 1}
    return sizes, single


def list_scales(flow: GradientFlow) -> list[float]:
    """What the gradient as read is multiplied by, the usual one first: what the rate multiplies last."""
    if not flow.rates:
        return [1.0]
    first = flow.rates[0][0]
    rates = [(rate, levels) for rate, levels in flow.rates if abs(abs(rate) - 1) > 1e-9]
    # What has a name is the gradient that the file means; what is only on its way to it is not.
    held = [rate for rate, levels in rates if all(level is None or level.used for level in levels)]
    named = [first / rate for rate in held or [rate for rate, _ in rates]]
    more = [first / number for number in flow.numbers]
    if named:
        return list(dict.fromkeys(abs(scale) for scale in [*reversed(named), *more]))
    return list(dict.fromkeys(abs(scale) for scale in [*reversed(named), *more, 1.0]))
