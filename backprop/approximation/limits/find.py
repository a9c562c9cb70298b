"""Which limit holds for a target and an activation: the floor, the jump, or none that is known."""

from __future__ import annotations

from typing import TypeAlias

from sympy import Expr

from backprop.approximation.ground.hidden import find_degree
from backprop.approximation.ground.target import FunctionTarget
from backprop.approximation.limits.continuity import is_surely_continuous
from backprop.approximation.limits.floor import Floor, prove_floor
from backprop.approximation.limits.jump import Jump, prove_jump

__all__ = ["Limit", "find_limit"]

Limit: TypeAlias = "Floor | Jump"


def find_limit(target: FunctionTarget, activation: Expr) -> Limit | None:
    """The highest proved lower bound of the error that holds for networks of every width; None where there is none.

    A polynomial activation has a floor; a continuous one cannot follow a jump of the target. A step as activation
    can.

    >>> from backprop.approximation.ground.target import read_target
    >>> from theory.functions.elementwise import parse
    >>> step = read_target("step", (0, 1))
    >>> [found and found.lower for found in (find_limit(step, parse(text)) for text in ("tanh(x)", "x > 0"))]
    [0.5, None]
    """
    degree = find_degree(activation)
    limits: list[Limit] = [prove_floor(target, degree)] if degree is not None else []
    jump = prove_jump(target) if target.breaks and is_surely_continuous(activation) else None
    limits += [jump] if jump is not None else []
    return max((limit for limit in limits if limit.lower > 0), key=lambda limit: limit.lower, default=None)
