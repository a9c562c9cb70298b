"""The examination: all evidence about a subject, case by case and tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop.examiner.measuring.cases import Array, Case
from backprop.examiner.measuring.laws import Factor
from backprop.examiner.measuring.oracles import Oracle
from backprop.examiner.pace import Pace
from backprop.examiner.subject.protocol.naming import Leaf
from backprop.examiner.tolerance import RELATIVE_SLACK, describe_escape

__all__ = ["CaseExamination", "Examination", "Reading", "TensorVerdict"]


@dataclass
class Reading:
    """One comparison: an entry (`index`), or a projection on a random direction (`index` is None)."""

    index: tuple[int, ...] | None
    yours: float
    expected: float
    uncertainty: float
    state: str = "agrees"
    """agrees · differs (at a smooth place) · kink (differs, but not at a smooth place) · guarded · undecided"""


@dataclass
class TensorVerdict:
    """What was found about one tensor at one case.

    `status`: right · wrong · kink · undecided · shape · missing · nan. The last three need no oracle; `guarded` is what
    a guard in the cost explains.
    """

    leaf: Leaf
    status: str
    readings: list[Reading] = field(default_factory=list)
    scale: float = 0.0
    uncertainty: float = 0.0
    directions: int = 0
    got_shape: tuple[int, ...] | None = None

    @property
    def faulty(self) -> bool:
        """Whether the gradient of this tensor is shown to be wrong here."""
        return self.status in ("wrong", "shape", "missing", "nan")

    @property
    def entries(self) -> list[Reading]:
        """The readings of single entries."""
        return [r for r in self.readings if r.index is not None]

    @property
    def escape(self) -> str:
        """What would escape the comparison."""
        complete = len(self.entries) == self.leaf.size
        size = self.scale or 1.0
        return describe_escape(self.uncertainty / size, 0 if complete else self.directions)

    def expected(self) -> Array:
        """The oracle's gradient, NaN where it was not measured."""
        out = np.full(self.leaf.shape, np.nan)
        for reading in self.entries:
            out[reading.index] = reading.expected
        return out


@dataclass
class CaseExamination:
    """One case with what the subject gave, what the oracle says, and the verdict on each tensor."""

    case: Case
    oracle: Oracle
    yours: list[Any]
    tensors: list[TensorVerdict]

    @property
    def scale(self) -> float:
        """The largest gradient entry or projection met."""
        return max((t.scale for t in self.tensors), default=0.0)


@dataclass
class Examination:
    """All evidence about a subject: what the judge decides from, and what a diagnosis starts from."""

    leaves: list[Leaf]
    cases: list[CaseExamination] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)
    factor: Factor | None = None
    """What the subject's gradients were divided by before they were compared."""
    limits: list[str] = field(default_factory=list)
    """What was not looked at, or not to the end, because of a limit."""
    stage: str = ""
    """What is being done."""
    hear: Callable[[Examination], None] = field(default=lambda _: None, repr=False)
    """Called before each stage: what would be said if it were ended in there."""
    cut: bool = False
    """Whether it was told to end before it was through: then nothing is decided."""

    @property
    def depth(self) -> int:
        """The number L of layers; 0 for a flat subject."""
        return max((leaf.layer or 0 for leaf in self.leaves), default=0)

    @property
    def outputs(self) -> int:
        """The number of outputs, as the biases of the topmost layer tell it; 0 if they do not."""
        top = [leaf.size for leaf in self.leaves if leaf.layer == self.depth and leaf.role == "b" and leaf.dense]
        return top[0] if len(top) == 1 else 0

    def verdicts(self, tensor: int) -> list[TensorVerdict]:
        """One tensor at every case."""
        return [case.tensors[tensor] for case in self.cases]

    def is_wrong(self, tensor: int) -> bool:
        """Whether a tensor is wrong at some case."""
        return any(v.faulty for v in self.verdicts(tensor))

    @property
    def wrong(self) -> list[int]:
        """The tensors that are wrong at some case."""
        return [i for i in range(len(self.leaves)) if self.is_wrong(i)]

    def is_right(self, tensor: int) -> bool:
        """Whether a tensor was decided right at some case and wrong at none."""
        if self.is_wrong(tensor):
            return False
        right = [(c, v) for c, v in zip(self.cases, self.verdicts(tensor), strict=True) if v.status == "right"]
        if len(right) < len(self.cases):
            # Zero on both sides, as in a saturated network, says nothing beside a point that could not be decided.
            right = [(c, v) for c, v in right if v.scale > RELATIVE_SLACK * c.scale]
        return bool(right)

    def begin(self, stage: str) -> None:
        """Enter the next stage; before the first comparison there is nothing to hear."""
        self.stage = stage
        if self.cases:
            self.hear(self)

    def cut_off(self) -> None:
        """Note where it ended before it was through."""
        self.cut = True
        self.limits.append(f"cut off while {self.stage}")

    def is_silent(self, tensor: int) -> bool:
        """Whether a tensor's gradient is negligible everywhere on both sides, so that it says nothing."""
        return all(
            v.status == "right" and v.scale <= RELATIVE_SLACK * c.scale
            for c, v in zip(self.cases, self.verdicts(tensor), strict=True)
        )
