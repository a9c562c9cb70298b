"""What comes of an attempt to prove a bound, in one variable or two."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from backprop.shown import ShownAsText

__all__ = ["Proof"]


@dataclass(frozen=True)
class Proof(ShownAsText, ABC):
    """What came of an attempt to prove a bound.

    `verdict`: "proved" (the error is at most `bound` < epsilon at every point of the domain) · "refuted" (at a point
    the error is at least `at_least` >= epsilon) · "undecided" (time or boxes ran out; the reason says so).
    """

    verdict: str
    epsilon: float
    bound: float = math.inf
    at_least: float | None = None
    reason: str = ""

    @abstractmethod
    def describe_places(self) -> tuple[int, str]:
        """The number of boxes on which the bound was shown, and the point that refutes, in words."""

    def __str__(self) -> str:
        boxes, place = self.describe_places()
        if self.verdict == "proved":
            return f"proved: at most {self.bound:.4g} < {self.epsilon:g} at every point of the domain ({boxes} boxes)"
        if self.verdict == "refuted":
            return f"refuted: at {place} the error is at least {self.at_least:.4g} >= {self.epsilon:g}"
        return f"{self.verdict}: {self.reason}"

    @abstractmethod
    def list_places(self) -> dict[str, Any]:
        """The same for JSON: the order of the Taylor models, the boxes, the witness."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the floats read back exactly."""
        return {
            "verdict": self.verdict,
            "epsilon": self.epsilon,
            "bound": self.bound if math.isfinite(self.bound) else None,
            **self.list_places(),
            "error_at_witness_at_least": self.at_least,
            "reason": self.reason,
        }
