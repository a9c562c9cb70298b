"""What an exact check showed: plain data, for those that only tell it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PRIME", "ExactResult"]

PRIME = 2**61 - 1
"""The Mersenne prime whose field the exact check computes in; it fits one machine word."""


@dataclass(frozen=True)
class ExactResult:
    """What the exact check showed: one identity ⟨gradients, u⟩ = dC[u] over GF(p) for one random u."""

    ok: bool
    rows: int = 0
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    reason: str = ""
    degree: int = 0
    collisions: int = 0
    seed: int = 0
    p: int = PRIME

    @property
    def parameters(self) -> int:
        """How many parameters the identity covers."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def false_pass(self) -> float:
        """Upper bound of the probability that a wrong wiring passes: (degree + collisions) / p."""
        return (self.degree + self.collisions) / self.p

    def to_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON types."""
        out: dict[str, Any] = {"level": "exact", "ok": self.ok, "field": f"GF({self.p})", "rows": self.rows}
        out |= {"parameters": self.parameters, "shapes": {k: list(v) for k, v in self.shapes.items()}}
        out |= {"degree": self.degree, "collisions": self.collisions, "false_pass_bound": self.false_pass}
        return out | {"failed": list(self.failed), "reason": self.reason, "seed": self.seed}

    def __str__(self) -> str:
        if not self.ok:
            return f"exact: FAILED in {', '.join(self.failed) or 'the source'}: {self.reason}"
        return (
            f"exact: all {self.parameters} parameters, batch of {self.rows}, for arbitrary functions in the "
            f"table; a wrong wiring passes with probability <= {self.false_pass:.1e} (degree {self.degree} + "
            f"collisions {self.collisions}, over p = 2^61-1)"
        )
