"""How boxes are gone through, and what came of it."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from backprop.approximation.checking.intervals import TooLarge, Unclear
from backprop.errors import UsageError
from backprop.shown import ShownAsText

__all__ = ["BoxCheck", "Deadline", "Verdict"]

NOT_CHECKED = ("the bound the file states itself", "errors on a grid", "least widths and least errors")
"""What a file may say beside its claim."""
UNIT = 1e-3


@dataclass(frozen=True)
class Verdict(ShownAsText):
    """What came of the check: whether the claim holds, the bound found here, and where it fails."""

    ok: bool
    epsilon: float
    bound: float
    boxes: int
    reason: str = ""
    subject: str = ""
    """What the claim is about."""
    also: Verdict | None = None
    """What came of the second claim of the file, about the derivatives, if it has one."""
    is_pointwise: bool = True
    """Whether the claim is about every point, not about a mean."""

    @property
    def holds(self) -> bool:
        """Whether all that the file claims is confirmed."""
        return self.ok and (self.also is None or self.also.holds)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        bound = self.bound if math.isfinite(self.bound) else None
        found: dict[str, Any] = {
            "ok": self.ok,
            "epsilon": self.epsilon,
            "bound": bound,
            "boxes": self.boxes,
            "reason": self.reason,
        }
        found |= {"subject": self.subject, "not_checked": list(NOT_CHECKED)}
        return found if self.also is None else found | {"derivative": self.also.to_dict()}

    def __str__(self) -> str:
        lines = [self.describe()] + ([] if self.also is None else [self.also.describe()])
        return "\n".join([*lines, f"not checked: {', '.join(NOT_CHECKED)}"] if self.holds else lines)

    def describe(self) -> str:
        """What came of one claim."""
        if not self.ok:
            return f"NOT CONFIRMED: {self.reason}"
        boxes = f"{self.boxes} box{'es' * (self.boxes != 1)}"
        where = " everywhere" if self.is_pointwise else ""
        return f"CONFIRMED: {self.subject} is at most {self.describe_bound()} < {self.epsilon!r}{where} ({boxes})"

    def describe_bound(self) -> str:
        """The bound in four digits, not less than it is and still below epsilon; else in all of its digits."""
        text = f"{self.bound:.3e}"
        text = text if float(text) >= self.bound else f"{self.bound * (1 + UNIT):.3e}"
        return text if float(text) < self.epsilon else repr(self.bound)


@dataclass(frozen=True)
class Deadline:
    """When an answer has to be there (of time.monotonic), and what is said if it is not."""

    end: float
    late: str

    def watch(self) -> None:
        """Errors: UsageError when the time is up."""
        if time.monotonic() > self.end:
            raise UsageError(f"undecided: {self.late}; give it more with --timeout")


Box = TypeVar("Box", bound=tuple[float, ...])


class BoxCheck(ABC, Generic[Box]):
    """Bounds box after box, each halved where that helps, until one fails."""

    halvings: ClassVar[int]
    """A box that is too wide for the bounds here is halved so often, not more."""
    spare: ClassVar[float] = math.inf
    """How many more boxes than the file has may be needed: giving up is an answer."""

    def __init__(self, epsilon: float, subject: str, doubt: str) -> None:
        self.epsilon, self.subject, self.doubt = epsilon, subject, doubt
        self.beyond, self.refuted = False, ""
        self.why = "it is too large for a float"

    @abstractmethod
    def bound(self, box: Box) -> float:
        """A bound of the error on a box; infinite where there is none. Errors: Unclear where no value is shown."""

    @abstractmethod
    def halve(self, box: Box) -> tuple[Box, Box] | None:
        """Its halves; None where it has none."""

    @abstractmethod
    def name(self, box: Box) -> str:
        """A box in words."""

    def find_hole(self, box: Box) -> str:
        """What is said if there surely is no value in a box; nothing if that is not seen."""
        return ""

    def run(self, boxes: Sequence[Box], progress: Callable[[int, int], None] | None) -> Verdict:
        """Every box of the certificate."""
        if self.doubt:
            return self.refuse(0, self.doubt)
        worst, count = 0.0, 0
        for place, box in enumerate(boxes):
            self.beyond = False
            bound, used = self.bound_halves(box, self.halvings, self.spare + place - count)
            count += used
            if not bound < self.epsilon:
                if self.beyond and not self.refuted:
                    raise UsageError(f"undecided: on {self.name(box)} a number is too large to be worked out")
                best = self.refuted or (f"the best is {bound:.3e}" if math.isfinite(bound) else self.why)
                return self.refuse(count, f"on {self.name(box)} no bound below {self.epsilon:g} was found ({best})")
            worst = max(worst, bound)
            if progress is not None:
                progress(place + 1, len(boxes))
        return Verdict(True, self.epsilon, worst, count, subject=self.subject)

    def refuse(self, boxes: int, reason: str) -> Verdict:
        """Not confirmed."""
        return Verdict(False, self.epsilon, math.inf, boxes, reason, self.subject)

    def bound_halves(self, box: Box, halvings: int, spare: float) -> tuple[float, int]:
        """(a bound of the error on the box, how many boxes that took)."""
        try:
            bound = self.bound(box)
        except Unclear as error:
            self.beyond = self.beyond or isinstance(error, TooLarge)
            self.why = f"there it is not shown to have a value: {error}"
            self.refuted = self.find_hole(box)
            bound = math.inf
        halves = self.halve(box)
        if bound < self.epsilon or self.refuted or not halvings or spare < 1 or halves is None:
            return bound, 1
        left, used = self.bound_halves(halves[0], halvings - 1, spare - 1)
        if not left < self.epsilon:
            return left, used
        right, more = self.bound_halves(halves[1], halvings - 1, spare - used)
        return max(left, right), used + more
