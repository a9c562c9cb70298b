"""Which cost a recognised forward pass has, at one case: hundreds of candidates against values that are asked once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from backprop.diagnosis.model.evaluate import Array, Values
from backprop.diagnosis.model.functions import NetFunctions
from backprop.diagnosis.model.layout import NetLayout
from backprop.diagnosis.recognition.answers import Answers
from backprop.diagnosis.recognition.costs import GUARDED, NOISES, CostFit, base_costs, fit_cost, program_for
from backprop.diagnosis.recognition.hidden import Stack, pile
from backprop.diagnosis.recognition.right_program import own_functions, placeholder
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["CostSearch"]

SPARE_DRAWS = 6
NEAR = 10.0
"""How much further off than a fit may be a candidate is still looked at."""


@dataclass
class CostSearch:
    """The subject's costs near one case, and what of them no penalty explains."""

    answers: Answers
    layout: NetLayout

    @property
    def count(self) -> int:
        """How many points there are: a few more than numbers to fit."""
        return 3 * self.layout.depth + SPARE_DRAWS

    @cached_property
    def batch(self) -> tuple[Array, Array] | None:
        """X and Y as rows."""
        return self.layout.read_batch(self.answers.case)

    @cached_property
    def values(self) -> list[Values]:
        """The parameters of each point in the network's letters."""
        return [self.layout.read_parameters(point) for point in self.answers.points(self.count)]

    @cached_property
    def piled(self) -> Values:
        """All points in one."""
        return pile(self.values)

    @cached_property
    def costs(self) -> Array | None:
        """The subject's cost at each point; None where it has none."""
        try:
            return np.asarray(self.answers.costs(self.count))
        except Unusable:
            return None

    @cached_property
    def remainder(self) -> Array:
        """The projection that removes constants and penalties."""
        layers = range(1, self.layout.depth + 1)
        columns = [[np.sum(v[f"{letter}{l}"] ** 2) for v in self.values] for letter in "Wb" for l in layers]
        columns += [[np.sum(np.abs(v[f"W{l}"])) for v in self.values] for l in layers]
        basis = np.linalg.svd(np.array([np.ones(self.count), *columns]).T, full_matrices=False)
        kept = basis[0][:, basis[1] > 1e-12 * basis[1][0]]
        return np.asarray(np.eye(self.count) - kept @ kept.T)

    def count_run(self) -> None:
        """Count one run; `OutOfWork` as from there."""
        self.answers.work.spend(2, self.count)

    def run(self, stack: Stack) -> list[Array] | None:
        """z^L of the batch at each point; None where the stack's masks belong to another batch."""
        if self.batch is None or self.costs is None:
            return None
        X = self.batch[0]
        if any(len(mask) not in (1, len(X)) for mask in stack.masks.values()):
            return None
        return list(stack.run(self.piled, X))

    def fit(self, tops: list[Array], output: str, cost: str) -> CostFit | None:
        """Factor and penalties with which a cost of the catalogue is the subject's."""
        self.answers.work.spend()
        assert self.batch is not None
        assert self.costs is not None
        program = program_for(self.layout.sizes, placeholder(output), cost)
        functions = output_functions(output, cost, self.layout.depth)
        bases = base_costs(program, functions[output], tops, self.batch[1], functions)
        if not np.isfinite(bases).all() or not self._is_near(bases):
            return None
        return fit_cost(bases, self.costs, self.values, self.layout.depth, self.answers.noise)

    def _is_near(self, bases: Array) -> bool:
        """A quick look: what penalties leave of the base must be parallel to what they leave of the cost."""
        assert self.costs is not None
        base, cost = self.remainder @ bases, self.remainder @ self.costs
        square = float(base @ base)
        gap = cost - base * (float(base @ cost) / square) if square else cost
        room = GUARDED * float(np.max(np.abs(self.costs))) + NOISES * self.answers.noise
        return float(np.max(np.abs(gap))) <= NEAR * room


@lru_cache(maxsize=256)
def output_functions(output: str, cost: str, depth: int) -> NetFunctions:
    """The functions that a cost of an output needs, under the names of a network of that depth."""
    return own_functions(Stack(("",) * (depth - 1), ()), output, cost)
