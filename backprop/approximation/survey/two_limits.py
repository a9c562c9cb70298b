"""Where the theorem stops: Leshno's floor and the jump, with networks that sit on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backprop.approximation.ground.target import Target, read_target
from backprop.approximation.limits.floor import Floor, prove_floor
from backprop.approximation.limits.jump import Jump, prove_jump
from backprop.approximation.limits.steep import SteepRow, list_steep_sigmoids
from backprop.approximation.survey.on_the_floor import FloorRow, list_networks_on_floor
from theory.functions.half_line import X

__all__ = ["TwoLimits", "survey_limits"]

STEP = "step"


@dataclass(frozen=True, eq=False)
class TwoLimits:
    """The numbers of both.

    Attributes:
        smooth, floors: a smooth target, and the floor of each degree: proved.
        on_floor: for each degree, networks of growing width with σ = z^degree: measured.
        step, jump: the step, and its jump: proved.
        steep: one sigmoid, steeper and steeper: both errors enclosed.
    """

    smooth: Target
    floors: tuple[Floor, ...]
    on_floor: tuple[tuple[FloorRow, ...], ...]
    step: Target
    jump: Jump
    steep: tuple[SteepRow, ...]


def survey_limits(
    target: str, degrees: Sequence[int], widths: Sequence[int], steepnesses: Sequence[float]
) -> TwoLimits:
    """Both limits on [0, 1].

    Errors: `UsageError` for a target that cannot be read, or is a polynomial of such a degree.

    >>> limits = survey_limits("sine", (3,), (4,), (10.0,))
    >>> round(limits.floors[0].lower, 4), limits.jump.lower
    (0.1047, 0.5)
    """
    smooth, step = read_target(target, (0, 1)), read_target(STEP, (0, 1))
    jump = prove_jump(step)
    assert jump is not None
    return TwoLimits(
        smooth=smooth,
        floors=tuple(prove_floor(smooth, degree) for degree in degrees),
        on_floor=tuple(tuple(list_networks_on_floor(target, str(X**degree), widths)) for degree in degrees),
        step=step,
        jump=jump,
        steep=tuple(list_steep_sigmoids(steepnesses)),
    )
