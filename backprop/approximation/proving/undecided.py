"""What a ball is called, and what is raised where a box does not decide."""

from __future__ import annotations

from typing import TypeAlias

from flint import arb

__all__ = ["Ball", "Undecided"]

Ball: TypeAlias = "arb"


class Undecided(ArithmeticError):
    """On this box it is not decided which formula holds."""
