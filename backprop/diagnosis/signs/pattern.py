"""What a pattern tells: a cause, where it stands, and the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backprop.examiner.saying.grounds import Predicate

__all__ = ["SHARE", "PatternMatch"]

SHARE = 1e-3
"""Of their size: how far numbers may differ that count as the same."""
PLAIN = {"gradient_never_computed", "gradient_not_finite", "layer_never_updated"}


@dataclass(frozen=True)
class PatternMatch:
    """A cause known by its pattern, in which layer (None: everywhere), with a detail for the reader."""

    identifier: str
    layer: int | None
    predicate: Predicate
    numbers: Mapping[str, Any]
    detail: str = ""

    @property
    def plain(self) -> bool:
        """Whether the pattern leaves nothing to a comparison with mutants."""
        return self.identifier in PLAIN
