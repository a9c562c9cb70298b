"""What is claimed of a network for two variables, exactly, and what came of an attempt to prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr

from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.proving.proof import Proof
from backprop.approximation.surfaces.target import Rectangle

__all__ = ["ORDER", "SurfaceCertificate", "SurfaceClaim"]

ORDER = 12
"""Of the Taylor models: all terms of degree 0 … 11, and a remainder of degree 12."""


@dataclass(frozen=True)
class SurfaceClaim:
    """f(x, y) = constant + Σ c_k σ(w_k · (x, y) + b_k) is near F on the rectangle; all weights are exact doubles."""

    target: Expr
    activation: Expr
    network: ShallowNetwork
    domain: Rectangle


@dataclass(frozen=True)
class SurfaceCertificate(Proof):
    """What came of it: how the rectangle was cut, or the point that refutes.

    `cuts`: one letter a box, a box before its halves: x or y is the variable whose range is halved, a dot a box that
    is not cut. Where F and the network vary along one direction only, `along` is that direction, in whole numbers, and
    `edges` are the ends of the intervals of p x + q y on which the bound was shown.
    """

    cuts: str = ""
    witness: tuple[float, float] | None = None
    along: tuple[int, int] | None = None
    edges: tuple[float, ...] = ()

    @property
    def boxes(self) -> int:
        """How many boxes, or intervals, there are."""
        return self.cuts.count(".") if self.along is None else max(len(self.edges) - 1, 0)

    def describe_places(self) -> tuple[int, str]:
        return self.boxes, "" if self.witness is None else "x = {!r}, y = {!r}".format(*self.witness)

    def list_places(self) -> dict[str, Any]:
        witness = None if self.witness is None else list(self.witness)
        found: dict[str, Any] = {"boxes": self.boxes, "witness": witness}
        if self.along is not None:
            return {**found, "along": list(self.along), "edges": list(self.edges)}
        return {"order": ORDER, **found, "cuts": self.cuts}
