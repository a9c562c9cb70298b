"""What was taken for what, as a subject that the examiner can ask."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backprop.attaching.checking import (
    is_computed,
    is_repeatable,
    list_idle,
    list_lost,
    list_siblings,
    order_by_use,
    tell_order,
    widen_flow,
)
from backprop.attaching.costing.choosing import choose
from backprop.attaching.costing.costs import find_unvisited
from backprop.attaching.costing.fitting import Chosen, gradient_reader, measure
from backprop.attaching.costing.flowing import GradientFlow, find_flow
from backprop.attaching.looking.documents import Document
from backprop.attaching.looking.refusals import Refused
from backprop.attaching.nesting import fill, nest, tidy
from backprop.attaching.running.joined import find_finer
from backprop.attaching.running.program import HookedProgram
from backprop.attaching.running.replaying import Iteration, IterationRecorder
from backprop.attaching.running.tracing import find_updates
from backprop.attaching.running.training import Training, find_training

__all__ = ["Attached", "attach"]


@dataclass(frozen=True)
class Attached:
    """A piece of a program with everything that a subject needs."""

    document: Document
    flow: GradientFlow
    chosen: Chosen
    order: tuple[int, ...]
    """The parameters in the order in which the iteration uses them first."""
    driven: str = ""
    """What was made to train a class that nobody trains."""
    left_out: tuple[str, ...] = ()
    """Parameters whose gradient is computed and which the step does not move."""
    idle: tuple[str, ...] = ()
    """Arrays beside the parameters on which the cost does not depend: they are not examined."""
    others: tuple[int, ...] = ()
    """Further trainings in the program, by their numbers: they are read and judged apart."""

    def describe(self) -> list[str]:
        """What was taken for what, in three lines."""
        iteration = self.flow.iteration
        rewritten = iteration.program.rewritten
        loop, around = rewritten.originals[iteration.snapshot.loop]
        where = f"the loop at {self.document.place(loop.lineno)}" + (f" in {around}" if around else "")
        if loop.lineno > len(self.document.text.splitlines()):
            where = "one call"
        names = [tidy(iteration.leaves[k]) for k in self.order]
        where += f", with {self.driven}" if self.driven else ""
        return [
            f"{where}: parameters {', '.join(names)}",
            f"gradients from {self._tell_gradients()}",
            f"cost: {self._tell_cost()}",
        ]

    def say_choice(self) -> str:
        """The options of the command line that choose this loop."""
        rewritten, number = self.flow.iteration.program.rewritten, self.flow.iteration.snapshot.loop
        loop, around = rewritten.originals[number]
        alone = sum(name == around for _, name in rewritten.originals) == 1
        if around and alone:
            return f"--function {around}"
        return f"--begin {loop.body[0].lineno} --end {loop.body[-1].end_lineno}"

    def _tell_gradients(self) -> str:
        flow = self.flow
        if flow.library:
            return "the .grad of each tensor after backward()"
        sites = flow.iteration.program.rewritten.sites
        levels: Sequence[Any] = flow.adaptive or flow.rates[0][1]
        texts = dict.fromkeys(sites[level.key[0]].text for level in levels if level is not None)
        said = ", ".join(texts) or "the step itself"
        if flow.adaptive:
            return f"{said}; the step is not one number times that (an optimiser, a clipping, a rate for each entry)"
        return f"{said}; the step is {abs(flow.rates[0][0]):.4g} times that"

    def _tell_cost(self) -> str:
        chosen = self.chosen
        said = f"{chosen.candidate.name} ({chosen.how})"
        return said + (f"; {chosen.note}" if chosen.note else "")

    def functions(self) -> dict[str, Any]:
        """parameters, data, cost, gradients, and step where its rate can be set."""
        return HandedOver(self).table()


class HandedOver:
    """The functions of the protocol, on values in the structure that `nest` gives them."""

    def __init__(self, attached: Attached) -> None:
        self.attached = attached
        self.iteration = attached.flow.iteration
        self.read_gradients = gradient_reader(attached.flow, attached.chosen.scale)
        self.template, self.paths = nest([self.iteration.leaves[k] for k in attached.order])

    def table(self) -> dict[str, Any]:
        """By name."""
        out = {
            "parameters": self.parameters,
            "data": lambda rng: (np.zeros((0, 1)), np.zeros((0, 1))),
            "cost": lambda params, X, Y: self.cost(params),
            "gradients": lambda params, X, Y: self.pack(self.read_gradients(self.unpack(params))),
        }
        if self.attached.flow.rates:
            out["step"] = lambda params, X, Y, rate: self.step(params, rate)
        return out

    def parameters(self, rng: np.random.Generator) -> Any:
        """Those of the program at the beginning of the iteration."""
        return self.pack([np.array(value) for value in self.iteration.start])

    def pack(self, values: Sequence[Any]) -> Any:
        """In the program's own order of leaves → the nest."""
        ordered = dict(zip(self.paths, (values[k] for k in self.attached.order), strict=True))
        return fill(self.template, ordered)

    def unpack(self, params: Any) -> list[Any]:
        """Back."""
        values: list[Any] = [None] * len(self.attached.order)
        for k, path in zip(self.attached.order, self.paths, strict=True):
            value = params
            for key in path:
                value = value[key]
            values[k] = np.asarray(value)
        return values

    def cost(self, params: Any) -> Any:
        """The chosen cost at these parameters, with the update held back."""
        chosen, values = self.attached.chosen, self.unpack(params)
        candidate = chosen.candidate
        # Nothing behind a number that is there need be run.
        recorder = self.iteration.freeze(wanted=candidate.sites, last=candidate.key)
        names = self.iteration.run_names(values, recorder)
        made = {event.key: event.value for event in recorder.events}
        out = candidate.evaluate(made, names) * chosen.factor
        if chosen.penalty:
            out = out + sum(chosen.penalty / 2 * np.sum(values[k] ** 2) for k in chosen.penalised)
        return out

    def step(self, params: Any, rate: float) -> Any:
        """The iteration's own update, with this rate."""
        flow = self.attached.flow
        factor = rate / abs(flow.rates[0][0]) * self.attached.chosen.scale
        recorder = IterationRecorder(held=self.iteration.held, factor=factor)
        return self.pack(self.iteration.run(self.unpack(params), recorder))


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
                attached = _read(program, way, cost, seen)
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


NOTHING = "no loop in it changes arrays by something that depends on them; give --begin LINE --end LINE"


def _read(program: HookedProgram, training: Training, cost: str | None, seen: list[str]) -> Attached | None:
    loop, around = program.rewritten.originals[training.snapshot.loop]
    where = f"the loop at {program.document.place(loop.lineno)}" + (f" in {around}" if around else "")
    iteration = Iteration(program, training.snapshot, training.moved)
    if not is_repeatable(iteration):
        seen.append(f"{where} gives other numbers when it is run again from the same state{tell_order(iteration)}")
        return None
    iteration.held = find_updates(iteration)
    program.compute_more(training.snapshot.loop, find_unvisited(iteration))
    flow = find_flow(iteration)
    if flow is None:
        seen.append(f"{where} changes {', '.join(tidy(leaf) for leaf in training.moved[:4])}, but no gradient of these "
                    "was seen in it")  # fmt: skip
        return None
    iteration, flow = find_finer(iteration, flow, find_flow)
    return _read_cost(program, iteration, flow, cost, seen, where)


def _read_cost(
    program: HookedProgram, iteration: Iteration, flow: GradientFlow, cost: str | None, seen: list[str], where: str
) -> Attached | None:
    attached = _choose(program, flow, cost)
    if attached is None:
        seen.append(f"{where} trains {', '.join(tidy(leaf) for leaf in flow.leaves[:4])}, but no cost was seen of "
                    "which its last layer has the gradient; give --cost NAME or --cost half-sse")  # fmt: skip
        return None
    candidate = attached.chosen.candidate
    lost = list_lost(iteration, flow, candidate)
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


def _choose(program: HookedProgram, flow: GradientFlow, cost: str | None) -> Attached | None:
    measured = measure(flow)
    sizes = {n for fit in measured.fits for n in _sizes(fit)}
    more, constants = _numbers(flow)
    order = order_by_use(flow)
    chosen = choose(flow, measured, list_scales(flow), cost, more | sizes, constants, order)
    return None if chosen is None else Attached(program.document, flow, chosen, tuple(order))


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
