"""The optimisers by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backprop.errors import UsageError, unknown_name
from backprop.training.updating import optimiser as room
from backprop.training.updating.optimiser import Optimiser
from backprop.training.updating.settings import as_rate
from theory.chapters.training.optimisers import RULES

__all__ = ["OPTIMISERS", "find_optimiser"]

CLASSES = (
    room.GradientDescent, room.Momentum, room.Nesterov, room.AdaGrad, room.AdaGradMomentum, room.RMSProp, room.Adam,
    room.AdamW,
)  # fmt: skip
OPTIMISERS: Mapping[str, type[Optimiser]] = MappingProxyType({one.name: one for one in CLASSES if one.name in RULES})


def find_optimiser(optimiser: object, rate: float | None = None) -> Optimiser:
    """Return an optimiser that remembers nothing yet, from its name or from itself.

    Args:
        optimiser: a name of the catalogue, or an object, which is reset.
        rate: learning rate; None: the optimiser's own.

    Raises:
        UsageError: an unknown name (the nearest spelling is suggested) or an impossible rate.

    >>> find_optimiser("adam").rate
    0.001
    """
    if isinstance(optimiser, str):
        if optimiser not in OPTIMISERS:
            raise unknown_name("optimiser", optimiser, OPTIMISERS)
        return OPTIMISERS[optimiser](rate)
    if not isinstance(optimiser, Optimiser):
        hint = "; make one: write Adam() with parentheses" if isinstance(optimiser, type) else ""
        raise UsageError(
            f"optimiser must be a name or an Optimiser, got {optimiser!r:.60}{hint}; "
            f"choose from: {', '.join(OPTIMISERS)}"
        )
    if rate is not None:
        optimiser.rate = as_rate(rate)
    optimiser.reset()
    return optimiser
