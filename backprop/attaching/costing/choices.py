"""What a cost is chosen from: fits, and the factors and scales that may stand before them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backprop.attaching.costing.costs import TABLE, CostCandidate
from backprop.attaching.costing.fitting import SAME, CandidateFit, Chosen, Measured
from backprop.attaching.costing.rates import GradientFlow

__all__ = ["Choice", "choose_known", "list_choices", "simple_factors"]

ALIASES = {"mse": "half-sse", "bce": "binary-cross-entropy", "sse": "half-sse"}
MOST_NAMES = 6


@dataclass
class Choice:
    """What is chosen from: fits, and the scales in which the update has the gradient, the usual one first."""

    flow: GradientFlow
    measured: Measured
    scales: Sequence[float]

    @property
    def fits(self) -> list[CandidateFit]:
        """All candidates that depend on the parameters."""
        return [fit for fit in self.measured.fits if fit.ratios]

    def best_scale(self, fit: CandidateFit) -> float:
        """The scale in which most tensors fit."""
        return max(self.scales, key=lambda m: (len(fit.support(m)), -self.scales.index(m)))

    def support(self, fit: CandidateFit) -> set[int]:
        """The tensors that fit, with a factor of one."""
        return fit.support(self.best_scale(fit))

    def whole(self, fit: CandidateFit) -> bool:
        """Whether all do."""
        return fit.whole(self.best_scale(fit))

    def nice(self, fit: CandidateFit, value: float | None) -> tuple[float, float] | None:
        """(factor, scale) where a simple multiple of the candidate has this ratio to the gradient."""
        sign = -1.0 if value and value < 0 and is_made_large(fit.candidate) else 1.0
        found = [
            (sign * simple, scale)
            for scale in self.scales
            for simple in simple_factors(self._shapes(fit))
            if value and abs(sign * scale / value / simple - 1) < SAME
        ]
        rates = self.flow.rates
        if rates and not any(rates[0][1]):
            # A step alone does not say which of the update's numbers is its rate.
            found.sort(key=lambda one: abs(math.log(abs(one[0]))))
        return found[0] if found else None

    def _shapes(self, fit: CandidateFit) -> list[int]:
        sizes = {n for value in self.flow.iteration.start for n in value.shape}
        return sorted({*sizes, *self.sizes})

    sizes: frozenset[int] = frozenset()
    order: tuple[int, ...] = ()
    numbers: frozenset[float] = frozenset()
    """What a penalty may be: numbers of the program, doubled, halved, over a size."""


LARGE = re.compile(r"(likelihood|log|reward|score|elbo|utility)", re.IGNORECASE)


def is_made_large(candidate: CostCandidate) -> bool:
    """Whether a number is one that training makes large, by its name: its negative is a cost then."""
    return candidate.strength >= 0 and bool(LARGE.search(candidate.name)) and "loss" not in candidate.name.lower()


def simple_factors(sizes: Iterable[int]) -> list[float]:
    """1, 2 and ½, over nothing, a size, or a product of two."""
    below = {1, *sizes}
    return [top / (a * b) for top in (1.0, 2.0, 0.5, 4.0, 0.25) for a, b in itertools.combinations_with_replacement(
        sorted(below), 2) if a * b]  # fmt: skip


def list_choices(choice: Choice) -> list[str]:
    """What `--cost` may be here: names of the file's numbers, and of the table those that an output and a target of
    the iteration make."""
    own = dict.fromkeys(
        fit.candidate.name.partition("(")[0].removeprefix("what ").removesuffix(" returns")
        for fit in choice.fits if fit.candidate.strength > 0
    )  # fmt: skip
    table = [name for name in TABLE if choose_known(choice, name) is not None]
    return [*list(own)[:MOST_NAMES], *table]


def choose_known(choice: Choice, wanted: str) -> Chosen | None:
    """One of the table, by its name or another one; None where no output and target make it."""
    table = ALIASES.get(wanted, wanted)
    fits = [fit for fit in choice.fits if fit.candidate.table == table]
    if not fits:
        return None
    fit = max(fits, key=lambda one: len(one.support(one.factor or 1.0)))
    factor, scale = choice.nice(fit, fit.factor) or (1.0, choice.scales[0])
    return Chosen(fit.candidate, factor, scale, f"--cost {wanted}")
