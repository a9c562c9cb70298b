"""One cost of many candidates: names rank, runs decide; a name that fits nothing is judged as it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backprop.attaching.costing.choices import Choice, is_made_large, list_choices
from backprop.attaching.costing.costs import HELD, TABLE
from backprop.attaching.costing.fitting import SAME, CandidateFit, Chosen, Measured
from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.costing.rows import uses_other_rows
from backprop.attaching.looking.losses import STRONG
from backprop.attaching.looking.refusals import Refused

__all__ = ["choose", "choose_fitting", "make_choice"]

NEAR = 0.02
"""How far a measured penalty may be from a number of the program."""


def make_choice(
    flow: GradientFlow,
    measured: Measured,
    scales: Sequence[float],
    sizes: Iterable[int] = (),
    constants: Iterable[float] = (),
    order: Sequence[int] = (),
) -> Choice:
    """What is chosen from, with the sizes of arrays and the numbers of the program that a factor may be made of."""
    choice = Choice(flow, measured, [*_list_hidden_rates(flow, measured), *scales])
    choice.sizes = frozenset(sizes)
    choice.order = tuple(order)
    choice.numbers = frozenset(
        c * f / n for c in constants if 0 < c < 1e3 for f in (0.5, 1.0, 2.0, 4.0) for n in {1, *choice.sizes}
    )
    return choice


def choose(choice: Choice) -> Chosen | None:
    """The cost where nobody named one; None where nothing shows it. Errors: `Refused` where only a cost of other rows
    is there."""
    strong = [fit for fit in choice.fits if fit.candidate.strength >= 2]
    if any(fit.candidate.strength == HELD for fit in strong):
        strong = [fit for fit in strong if fit.candidate.strength == HELD or fit.candidate.key is not None]
    if strong:
        return _choose_strong(choice, _drop_parts(choice.flow, strong))
    return choose_fitting(choice)


def _list_hidden_rates(flow: GradientFlow, measured: Measured) -> list[float]:
    """Where only the step shows the gradient and its rate stands nowhere (in compiled code), a rate is what a cost's
    derivative is divided by in most parameters."""
    if not flow.rates or any(flow.rates[0][1]) or flow.numbers:
        return []
    found = [fit.factor for fit in measured.fits if fit.candidate.strength >= 2 and fit.factor is not None]
    return list(dict.fromkeys(factor for factor in found if factor > 0))


def _drop_parts(flow: GradientFlow, fits: list[CandidateFit]) -> list[CandidateFit]:
    """Without those of which another one is made: a sum of the data's loss and a penalty is the loss."""
    made = [fit for fit in fits if fit.candidate.key is not None]
    parts: set[int] = set()
    slopes = {id(fit): fit for fit in made}
    for fit in made[:12]:
        key: Any = fit.candidate.key
        recorder = flow.iteration.freeze(wanted=None, changes={key: lambda v: v + 0.37})
        plain = flow.iteration.freeze(wanted=None)
        flow.iteration.run(None, recorder)
        flow.iteration.run(None, plain)
        before = plain.made()
        after = recorder.made()
        for other in made:
            place: Any = other.candidate.key
            if place == key or place not in before or place not in after or other.candidate.order < fit.candidate.order:
                continue
            if not np.array_equal(before[place], after[place]) and not _proportional(fit, other):
                parts.add(id(slopes[id(fit)]))
    return [fit for fit in fits if id(fit) not in parts] or fits


def _proportional(a: CandidateFit, b: CandidateFit) -> bool:
    if a.ratios.keys() != b.ratios.keys():
        return False
    pairs = [(a.ratios[k], b.ratios[k]) for k in a.ratios]
    if any((x is None) != (y is None) for x, y in pairs):
        return False
    each = [x / y for x, y in pairs if x and y]
    return bool(each) and all(abs(e / each[0] - 1) < SAME for e in each)


def _choose_strong(choice: Choice, fits: list[CandidateFit]) -> Chosen | None:
    for fit in sorted(fits, key=lambda one: -one.candidate.strength):
        if choice.whole(fit):
            return _own(choice, fit)
    for fit in fits:
        nice = choice.nice(fit, fit.factor) if is_made_large(fit.candidate) and fit.factor else None
        if nice is not None and fit.factor and nice[0] < 0 and fit.whole(fit.factor):
            return Chosen(fit.candidate, *nice, "the file's own, which its training makes large")
    kept = _drop_other_rows(choice, fits) or _drop_other_rows(choice, _list_beside(choice, fits))
    if not kept:
        return _choose_without(choice, ", ".join(dict.fromkeys(fit.candidate.name for fit in fits)))
    return _choose_partial(choice, kept)


def _drop_other_rows(choice: Choice, fits: list[CandidateFit]) -> list[CandidateFit]:
    other = uses_other_rows(choice.flow, [fit.candidate for fit in fits])
    return [fit for i, fit in enumerate(fits) if i not in other]


def _list_beside(choice: Choice, fits: list[CandidateFit]) -> list[CandidateFit]:
    """Functions of which the file has numbers of other rows only, of what the gradient is computed of."""
    sites, beside = choice.flow.iteration.program.rewritten.sites, choice.flow.iteration.program.rewritten.beside
    return [
        fit for fit in choice.fits
        if fit not in fits and fit.candidate.key is not None and fit.candidate.key[0] in beside
        and (STRONG.search(sites[fit.candidate.key[0]].text.partition("(")[0]) or choice.whole(fit))
    ]  # fmt: skip


def _choose_partial(choice: Choice, fits: list[CandidateFit]) -> Chosen | None:
    """Of those that are called the loss and that not all of the gradient fits."""
    ranked = sorted(
        fits, key=lambda one: (len(choice.support(one)), one.candidate.strength, one.candidate.order), reverse=True
    )
    fit = ranked[0]
    if choice.support(fit):
        return _own(choice, fit)
    multiple = next((one for one in ranked if one.factor and one.whole(one.factor)), None)
    if multiple is not None and multiple.candidate.strength == 2:
        nice = choice.nice(multiple, multiple.factor)
        if nice is not None:
            return Chosen(multiple.candidate, *nice, "a multiple of what the file prints", note=_tell_multiple(nice[0]))
    true = choose_fitting(choice, only_whole=True)
    # A multiple of the gradient's cost is no other function.
    others = true is not None and (true.candidate.strength < 0 or all(true.candidate is not f.candidate for f in fits))
    if true is not None and others and multiple is None:
        fit = max(fits, key=lambda one: (one.candidate.strength, one.candidate.order))
        return replace(_own(choice, fit), scale=true.scale, true_cost=true.candidate)
    inner = next((one for one in ranked if one.factor and len(one.support(one.factor)) > 1), None)
    if inner is not None and inner.candidate.strength == 2:
        nice = choice.nice(inner, inner.factor)
        if nice is not None:
            return Chosen(inner.candidate, *nice, "a multiple of what the file prints", note=_tell_multiple(nice[0]))
    return _own(choice, fit)


def _choose_without(choice: Choice, names: str) -> Chosen:
    """The known cost that the gradient itself fits, where the file's own is of other rows; Errors: `Refused`."""
    found = choose_fitting(choice, known=True)
    if found is None:
        own = names.split(", ")
        more = ", ".join(name for name in list_choices(choice) if name not in own)
        asked = f"give --cost NAME, of {more}" if more else "compute it for the gradient's own in the iteration, too"
        raise Refused(f"{choice.flow.iteration.program.document.path}: {names} is over other rows of the data than the "
                      f"gradient, whose last layer is that of no one known cost; {asked}", "ambiguous")  # fmt: skip
    return replace(found, note=f"{names} is over other rows of the data than the gradient and was not asked")


def _find_earliest(choice: Choice, fit: CandidateFit) -> CandidateFit:
    """Where the same number is first made: behind it nothing need be run."""
    found, fits = choice.measured.found, choice.measured.fits
    mine = found[next(i for i, one in enumerate(fits) if one is fit)]
    if fit.candidate.key is None:
        return fit
    same = [
        one
        for i, one in enumerate(fits)
        if one.candidate.key is not None and one.candidate.strength >= 2 and all(
            np.allclose(found[i][k], mine[k], rtol=1e-9, atol=0.0) for k in mine)
    ]  # fmt: skip
    return min(same, key=lambda one: one.candidate.order, default=fit)


def _find_place(choice: Choice, fit: CandidateFit) -> CandidateFit:
    """Where the very same number is first made, under any name or none."""
    found, fits = choice.measured.found, choice.measured.fits
    mine = found[next(i for i, one in enumerate(fits) if one is fit)]
    same = [one for i, one in enumerate(fits) if one.candidate.key is not None and found[i] == mine]
    return min(same, key=lambda one: one.candidate.order, default=fit)


def _own(choice: Choice, fit: CandidateFit) -> Chosen:
    fit = _find_earliest(choice, fit)
    known = fit.candidate
    if known.key is not None:
        place = _find_place(choice, fit).candidate
        known = replace(known, key=place.key, order=place.order)
    return Chosen(known, 1.0, choice.best_scale(fit), "the file's own")


def _tell_multiple(factor: float) -> str:
    return f"the gradient is that of {factor:.6g} times what the file prints, which is no fault"


def choose_fitting(choice: Choice, *, only_whole: bool = False, known: bool = False) -> Chosen | None:
    """The cost that the gradient itself names: all of it, or its last layer; `known`: one of the table."""
    fits = [fit for fit in choice.fits if fit.candidate.table or not known]
    options = [found for fit in fits for found in _options(choice, fit)]
    whole = [one for one in options if one.left == 0]
    if whole:
        return min(whole, key=lambda one: one.rank).chosen
    if only_whole or not options:
        return None
    last = _find_last(choice)
    ending = [one for one in options if last & one.tensors and not one.chosen.penalty]
    most = max((one.size for one in ending), default=0)
    best = [one for one in ending if one.size == most]
    # Two costs whose last layers have one gradient, and whose other layers have not: it is not for us to choose.
    if not best or len({one.tensors for one in best}) > 1:
        return None
    return min(best, key=lambda one: one.rank).chosen


def _find_last(choice: Choice) -> frozenset[int]:
    """The last layer: what is used last, with what stands before it if that is its bias."""
    sizes = choice.flow.iteration.start
    if not choice.order:
        return frozenset()
    *before, last = choice.order
    if before and _may_be_bias(sizes[last].shape, sizes[before[-1]].shape):
        return frozenset((before[-1], last))
    return frozenset((last,))


def _may_be_bias(shape: tuple[int, ...], weight: tuple[int, ...]) -> bool:
    """Whether an array of one shape may be the bias of weights of another, and not the weights of one unit behind them:
    a row goes with what the columns stand for, a column with what the rows do; where both are as many it is not seen.

    >>> _may_be_bias((3,), (2, 3)), _may_be_bias((1, 3), (2, 3)), _may_be_bias((2, 1), (2, 3))
    (True, True, True)
    >>> _may_be_bias((3, 1), (2, 3)), _may_be_bias((1, 2), (2, 3)), _may_be_bias((2, 1), (2, 2))
    (False, False, False)
    """
    if len(weight) < 2 or (len(shape) >= 2 and 1 not in shape):
        return False
    if len(shape) < 2 or max(shape) == 1:
        return math.prod(shape) in weight
    axis = 1 if shape[0] == 1 else 0
    return weight[axis] == max(shape) != weight[1 - axis]


@dataclass(frozen=True)
class Option:
    """A cost that fits some tensors: how many, whether one of several entries is among them, how many it leaves."""

    chosen: Chosen
    tensors: frozenset[int]
    size: int
    sized: bool
    left: int
    rank: tuple[Any, ...]


def _options(choice: Choice, fit: CandidateFit) -> list[Option]:
    out = []
    values = {r for r in fit.ratios.values() if r}
    for value in values:
        nice = choice.nice(fit, value)
        if nice is None:
            continue
        tensors = frozenset(fit.support(value))
        out.append(_option(choice, fit, Chosen(fit.candidate, *nice, _how(fit, nice[0], tensors)), tensors))
        penalised = _fit_penalty(choice, fit, nice[1] / nice[0], tensors)
        if penalised is not None:
            penalty, more = penalised
            factor, scale = nice
            how = _how(fit, factor, tensors | more) + " with a penalty on the weights"
            chosen = Chosen(fit.candidate, factor, scale, how, penalty * scale, tuple(sorted(more)))  # fmt: skip
            out.append(_option(choice, fit, chosen, tensors | more))
    return out


def _option(choice: Choice, fit: CandidateFit, chosen: Chosen, tensors: frozenset[int]) -> Option:
    sized = any(choice.flow.iteration.start[k].size > 1 for k in tensors)
    own = fit.candidate.strength
    table_order = list(TABLE).index(fit.candidate.table) if fit.candidate.table else 0
    # A known cost says more than a number without a name, which may be one by chance.
    # Of a number and minus that number, the one that the training makes small is the cost.
    turned = chosen.factor < 0
    rank = (bool(chosen.penalty), 2 if own == 0 else own < 0, abs(math.log(abs(chosen.factor))), turned, table_order)
    size = sum(choice.flow.iteration.start[k].size for k in tensors)
    return Option(chosen, tensors, size, sized, len(set(fit.ratios) - tensors), rank)


def _how(fit: CandidateFit, factor: float, tensors: frozenset[int]) -> str:
    """What was inferred from these tensors: from all, or else it is the last layer for which a cost is chosen."""
    times = "" if abs(factor - 1) < SAME else f"{factor:.6g} times "
    gradient = "the gradient of the last layer" if set(fit.ratios) - tensors else "the gradient"
    if fit.candidate.strength < 0:
        return f"inferred: {gradient} is that of {times}{fit.candidate.name}"
    return f"the file's own, which {gradient} fits" if not times else f"{gradient} is that of {times}this number"


def _fit_penalty(
    choice: Choice, fit: CandidateFit, value: float, tensors: frozenset[int]
) -> tuple[float, frozenset[int]] | None:
    """λ with which gradient = derivative / value + λ·W for tensors that do not fit, where one λ does for several."""
    measured = choice.measured
    index = next(i for i, one in enumerate(measured.fits) if one is fit)
    rows = {
        k: [(mine - slope / value, weight, mine) for slope, mine, weight in zip(
            measured.found[index][k], measured.slopes[k], measured.weights[k], strict=True)]
        for k in set(fit.ratios) - tensors
    }  # fmt: skip
    guesses = [left / weight for each in rows.values() for left, weight, _ in each[:1] if weight and left / weight > 0]
    known = sorted(choice.numbers)
    for guess in guesses:
        near = min(known, key=lambda number: abs(number / guess - 1), default=0.0)
        if not near or abs(near / guess - 1) > NEAR:
            continue
        same = frozenset(
            k for k, each in rows.items()
            if len(each) > 1 and all(abs(left - near * weight) <= SAME / 10 * abs(mine) for left, weight, mine in each)
        )  # fmt: skip
        if same:
            return near, same
    return None
