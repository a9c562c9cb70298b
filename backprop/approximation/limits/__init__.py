"""What no network can do, proved: the floor of polynomial activations, and the jump no continuous network makes."""

from backprop.approximation.limits.find import Limit, find_limit
from backprop.approximation.limits.floor import Floor, prove_floor
from backprop.approximation.limits.jump import Jump, prove_jump

__all__ = ["Floor", "Jump", "Limit", "find_limit", "prove_floor", "prove_jump"]
