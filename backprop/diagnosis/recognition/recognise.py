"""recognise: which network a subject computes, from the values of its forward pass and its cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

import numpy as np

from backprop.diagnosis.model.evaluate import Values, run_lines
from backprop.diagnosis.model.layout import NetLayout, list_layouts
from backprop.diagnosis.model.net import MEASURED, Net
from backprop.diagnosis.model.work import Work
from backprop.diagnosis.recognition.answers import Answers
from backprop.diagnosis.recognition.cost_search import CostSearch
from backprop.diagnosis.recognition.costs import CostFit, list_pairs
from backprop.diagnosis.recognition.forward import CLOSE, NOISES, list_hidden, list_masks
from backprop.diagnosis.recognition.held_batches import show_batches
from backprop.diagnosis.recognition.hidden import Stack
from backprop.diagnosis.recognition.measured import fit_errors, list_measurements
from backprop.diagnosis.recognition.right_program import make_net
from backprop.examiner.measuring.cases import Case
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.measuring.laws import Factor

__all__ = ["NetScene", "Recognised", "recognise"]

MOST_CASES = 3
MOST_PARAMETERS = 2_000_000


@dataclass
class NetScene:
    """One case in the network's own letters: values (X, Y, W1 …), the subject's gradients, the right program's."""

    rows: int
    values: Values
    yours: Values
    right: Values
    room: float = 0.0
    """What the subject's own rounding (float32, say) makes of its gradient, relative to its size."""
    size: float = 0.0

    @property
    def finite(self) -> bool:
        """Whether the subject gives numbers here: a division by n − 1 has none for one sample."""
        return all(np.isfinite(array).all() for array in self.yours.values())


@dataclass
class Recognised:
    """A network with the cases to compare on."""

    net: Net
    scenes: list[NetScene]
    layout: NetLayout
    cases: list[Case]


def recognise(examination: Examination, work: Work | None = None) -> Iterator[Recognised]:
    """Every reading of the subject that fits its values, then those whose output error is measured, whatever the cost;
    none if its network is not of the catalogue.

    Raises `OutOfWork` after so many trials as `work` allows, if it is given.
    """
    work = work or Work()
    for shown in show_batches(examination):
        yield from _recognise(shown, work, measures=shown is examination)


def _recognise(examination: Examination, work: Work, *, measures: bool) -> Iterator[Recognised]:
    """The readings with the batch that the cases have; where it was guessed, no error is measured with it."""
    factor = examination.factor
    asked = [
        Answers(case, work, 1.0 if factor is None else factor.at(case.rows), find_earlier(examination))
        for case in choose_cases(examination)
    ]
    if not asked or sum(leaf.size for leaf in examination.leaves) > MOST_PARAMETERS:
        return
    layouts = list(list_layouts(examination.leaves, asked[0].case))
    for layout in layouts:
        searches = [CostSearch(answers, layout) for answers in asked]
        first = layout.biases[0]
        silent = first is not None and all(
            abs(r.expected) <= 4 * r.uncertainty + CLOSE * c.scale
            for c in examination.cases
            for r in c.tensors[first].entries
        )
        for stack, outputs in list_hidden(asked[0], layout, silent):
            found = match_cost(examination, searches, stack, outputs)
            if found is not None:
                yield found
                break
    for layout in layouts if measures else ():
        yield from measure_instead(asked, layout, work, factor)


def measure_instead(
    asked: Sequence[Answers], layout: NetLayout, work: Work, factor: Factor | None
) -> Iterator[Recognised]:
    """The reading of a subject whose cost is not of the table, with the output error as it is measured."""
    measurements = list_measurements([answers.case for answers in asked], layout, work)
    for measurement in measurements:
        measurement.answers.share = 1.0 if factor is None else factor.at(measurement.case.rows)
    stacks = [stack for stack, _ in list_hidden(asked[0], layout) if not stack.masks] if measurements else []
    for absolute, stack in product((False, True), stacks):
        work.spend(1, len(measurements))
        fits = fit_errors(measurements, stack, absolute=absolute)
        if not fits:
            continue
        net = make_net(layout, stack, "identity", MEASURED, [fit.cost for fit in fits])
        scenes = [
            make_scene(net, layout, stack, fit.measurement.answers, fit.cost, {MEASURED: fit.error}) for fit in fits
        ]
        sound = [scene for scene in scenes if scene is not None]
        if len(sound) == len(fits) and all(f.measurement.agrees(s.right) for f, s in zip(fits, sound, strict=True)):
            yield Recognised(net, sound, layout, [fit.measurement.case for fit in fits])
            return


def choose_cases(examination: Examination) -> list[Case]:
    """The cases to compare on: with moved parameters, larger batches first."""
    cases = [c.case for c in examination.cases]
    order = sorted(cases, key=lambda case: (not case.jittered, -(case.rows or 0)))
    return order[:MOST_CASES]


def find_earlier(examination: Examination) -> dict[str, Case]:
    """The cases whose batch a cache may have kept: of the first cost, and of the first gradient."""
    cases = [c.case for c in examination.cases]
    return {"first": cases[0], "last": cases[min(1, len(cases) - 1)]}


def match_cost(
    examination: Examination, searches: Sequence[CostSearch], stack: Stack, outputs: Sequence[str]
) -> Recognised | None:
    """The cost that fits the values at every case, and with it the right program; None if there is none."""
    layout = searches[0].layout
    stacks = [remask(stack, search.answers.case, layout) for search in searches]
    for search in searches:
        search.count_run()  # all of them, though most stacks are at an end after the first
    top = None if stacks[0] is None else searches[0].run(stacks[0])
    if top is None:
        return None
    pairs = dict.fromkeys(pair for output in outputs for pair in list_pairs(output, layout.sizes[-1]))
    for output, cost in pairs:
        if searches[0].fit(top, output, cost) is None:
            continue
        kept = list(fit_everywhere(searches, stacks, output, cost))
        net = make_net(layout, stack, output, cost, [fit for *_, fit in kept])
        made = [(answers.case, make_scene(net, layout, masked, answers, fit)) for answers, masked, fit in kept]
        sound = [pair for pair in made if pair[1] is not None and pair[1].finite] or made
        scenes = [scene for _, scene in sound if scene is not None]
        usable = [case for case, scene in sound if scene is not None]
        if scenes and agrees(examination, layout, usable, scenes):
            return Recognised(net, scenes, layout, usable)
    return None


def fit_everywhere(
    searches: Sequence[CostSearch], stacks: Sequence[Stack | None], output: str, cost: str
) -> Iterator[tuple[Answers, Stack, CostFit]]:
    """How a cost fits at each case that it fits."""
    for search, masked in zip(searches, stacks, strict=True):
        top = None if masked is None else search.run(masked)
        fit = None if top is None else search.fit(top, output, cost)
        if masked is not None and fit is not None:
            yield search.answers, masked, fit


def remask(stack: Stack, case: Case, layout: NetLayout) -> Stack | None:
    """The stack with the masks that another case has in their place."""
    if not stack.plan:
        return stack
    masks = next(islice(list_masks(case, layout), stack.plan, None), None)
    return None if masks is None else replace(stack, masks=masks)


def make_scene(
    net: Net, layout: NetLayout, stack: Stack, answers: Answers, fit: CostFit, further: Values | None = None
) -> NetScene | None:
    """One case in the network's letters, with `further` values that the program reads."""
    batch, given, case = layout.read_batch(answers.case), answers.gradients, answers.case
    if batch is None or given is None:
        return None
    X, rows = batch[0], len(batch[0])
    X = X * stack.masks[0] if 0 in stack.masks else X
    values: Values = layout.read_parameters(case.values) | {"X": X, "Y": batch[1]} | (further or {})
    unit = fit.scale / rows if net.fused else fit.scale
    numbers = {"n": rows, "scale": fit.scale, "unit": unit}
    for layer in range(1, net.depth + 1):
        numbers |= {f"penalty_W{layer}": fit.penalty_W[layer - 1], f"penalty_b{layer}": fit.penalty_b[layer - 1]}
    values |= {name: np.float64(number) for name, number in numbers.items()}  # type: ignore[misc]
    first, last = np.eye(rows)[0], np.eye(rows)[-1]
    values |= {"first": first, "last": last, "first_column": first[:, None], "last_column": last[:, None]}
    values |= {"ones_row": np.ones((1, rows))} | layout.read_shifted(case.values)
    for name, before in answers.earlier.items():
        kept = layout.read_batch(before)
        values |= {f"X_earlier_{name}": X if kept is None or len(kept[0]) != rows else kept[0]}
        values |= {
            f"W_earlier_{name}{key[1:]}": W for key, W in layout.read_parameters(before.values).items() if key[0] == "W"
        }
    for layer, norm in stack.norms.items():
        values |= {f"gamma{layer}": norm.scale(values, layer), f"beta{layer}": norm.shift(values, layer)}
    values |= {f"mask{layer}": mask for layer, mask in stack.masks.items() if layer}
    yours = layout.read_gradients(given)
    program = net.program
    right = run_lines((*program.forward, *program.backward), values, net.functions)
    return NetScene(rows, values, yours, right, NOISES * answers.relative_noise)


def agrees(examination: Examination, layout: NetLayout, cases: Sequence[Case], scenes: Sequence[NetScene]) -> bool:
    """Whether the right program gives what the oracle says, at every entry that was compared."""
    for found in examination.cases:
        scene = next((s for c, s in zip(cases, scenes, strict=False) if c is found.case), None)
        if scene is None:
            continue
        expected = layout.read_gradients([verdict.expected() for verdict in found.tensors])
        room = 20 * max((v.uncertainty for v in found.tensors if np.isfinite(v.uncertainty)), default=0.0)
        for name, wanted in expected.items():
            gap = np.nan_to_num(np.abs(wanted - scene.right[name]))
            if float(np.max(gap, initial=0.0)) > room + 1e-5 * max(1e-3, float(np.max(np.abs(scene.right[name])))):
                return False
    return True
