"""What came of a check."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from backprop.shown import ShownAsText

__all__ = ["Verdict"]

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
