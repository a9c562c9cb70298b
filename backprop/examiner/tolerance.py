"""Every tolerance by its name, and the one comparison that all verdicts go through."""

from __future__ import annotations

import math

__all__ = [
    "DECIDED",
    "GRADIENT_NOISE_SAFETY",
    "MARGIN",
    "NOISE_SAFETY",
    "RELATIVE_SLACK",
    "SAME",
    "TRUNCATION_SAFETY",
    "agree",
    "describe_escape",
]

RELATIVE_SLACK = 1e-6
"""Of the tensor's largest entry: room for rounding and for guards such as log(a + 1e-9) in a right code."""

TRUNCATION_SAFETY = 2.0
"""Factor on the disagreement of neighbouring extrapolations, the measured part of an oracle's error."""

NOISE_SAFETY = 4.0
"""Factor on the measured noise of the cost: four standard deviations."""

GRADIENT_NOISE_SAFETY = 8.0
"""Factor on the measured noise of the subject's own gradient (float32 inside, for example)."""

MARGIN = 4.0
"""A mismatch counts from this many uncertainties on; below, an estimate of an error is not trusted so far."""

DECIDED = 1e-2
"""An oracle whose uncertainty exceeds this part of the tensor's size has shown nothing about it."""

SAME = 1e-9
"""Two calls with the same input may differ by this much of the largest entry (threads add in any order)."""


def agree(yours: float, expected: float, uncertainty: float, slack: float) -> bool:
    """|yours − expected| <= uncertainty + slack, and never for NaN or infinity.

    >>> agree(1.0, 1.0 + 1e-9, 1e-8, 0.0), agree(float("nan"), 0.0, 1.0, 1.0), agree(1.0, 2.0, 1e-3, 1e-3)
    (True, False, False)
    """
    if not all(map(math.isfinite, (yours, expected, uncertainty, slack))):
        return False
    return abs(yours - expected) <= uncertainty + slack


def describe_escape(resolution: float, directions: int) -> str:
    """Say what would escape: a fault d with ‖d‖ = ε‖g‖ along k Gaussian directions, each blind below τ.

    A Gaussian direction projects d onto a normal variable of deviation ‖d‖, so one direction misses it with
    probability at most √(2/π)·τ/‖d‖, and k independent ones with the k-th power of that.

    >>> describe_escape(1e-6, 4)
    'a fault of 0.01 of the gradient escapes 4 random directions with probability <= 4.1e-17'
    """
    if directions == 0:
        return "every entry was compared"
    chance = min(1.0, math.sqrt(2 / math.pi) * resolution / DECIDED) ** directions
    fault = f"a fault of {DECIDED:g} of the gradient"
    return f"{fault} escapes {directions} random directions with probability <= {chance:.1e}"
