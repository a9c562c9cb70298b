"""A reading that survived, as words and as the functions of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.attaching.batches import list_constants
from backprop.attaching.costing.fitting import Chosen, gradient_reader
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.looking.documents import Document
from backprop.attaching.looking.surveying import some
from backprop.attaching.nesting import fill, nest, tidy
from backprop.attaching.running.replaying import IterationRecorder

__all__ = ["Attached", "HandedOver"]


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
    apart: tuple[str, ...] = ()
    """What the iteration changes by a rule of its own, and the cost depends on: running means, schedules."""
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
        shares = sorted({f"{share:.4g}" for share in flow.decays if share})
        if shares:
            said += f" (the step takes {', '.join(shares)} of some parameters beside: a decay)"
        if flow.adaptive:
            beside = "an optimiser, a clipping, a rate for each entry"
            return f"{said}; the step is not one number times that ({beside})"
        # Where only the step shows the gradient, the gradient is the step over the rate that was found.
        rate = abs(flow.rates[0][0]) / (1.0 if texts else self.chosen.scale)
        said += f"; the step is {rate:.4g} times {'that' if texts else 'the gradient'}"
        memories = sorted({tidy(leaf).partition("[")[0] for leaf in flow.iteration.emptied})
        return said + (f", and what {some(memories, 3)} keeps of earlier ones" if memories else "")

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
        out["batches"] = lambda: list_constants(self.iteration)
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
        made = recorder.made()
        out = candidate.evaluate(made, names) * chosen.factor
        if chosen.penalty:
            out = out + sum(chosen.penalty / 2 * np.sum(values[k] ** 2) for k in chosen.penalised)
        return out

    def step(self, params: Any, rate: float) -> Any:
        """The iteration's own update, with this rate."""
        flow = self.attached.flow
        factor = rate / abs(flow.rates[0][0]) * self.attached.chosen.scale
        recorder = IterationRecorder(held=self.iteration.held, factor=factor)
        values = self.unpack(params)
        after = self.iteration.run(values, recorder)
        taken = [recorder.factor * share for share in flow.decays or [0.0] * len(after)]
        return self.pack([a + t * v if t else a for a, t, v in zip(after, taken, values, strict=True)])
