"""The witness: it knows no rule.  It evaluates both sides of a claim on random networks and compares numbers.

Numbers are dual numbers over the prime field GF(2^61 - 1), so that equality is exact: a derivative is
found by adding an infinitesimal to a quantity and computing forward through the definitions.  Depth
(1 to 6), widths, samples, weights, the polynomials f_l and the cost C are random; `exp` and `log` are
random tables with exp' = exp and log'(u) = 1/u.  This module imports the nodes (what a formula *is*)
and the statements (what is *given*), never `theory.rules.calculus`, `theory.rules.backward` or any other rule.

A false equation of degree d in the random values survives one trial with probability at most
d / (2^61 - 1) (Schwartz 1980, Zippel 1979).

>>> from theory.layers.dense import dense
>>> from theory.language.notation import Function, Partial, l, unit, var
>>> z, a = var("z", l, unit("j", l)), var("a", l, unit("j", l))
>>> agree(dense(), Partial(a, z), Function(l, 1, z))
True
>>> agree(dense(), Partial(a, z), Function(l, 0, z))
False
"""

from __future__ import annotations

import random
from functools import lru_cache

import mpmath
from sympy import Expr

from theory.language.derivation import Derivation, Step
from theory.language.notation import free_indices
from theory.language.statement import System
from theory.witnesses.numbers import DIGITS, Field, Reals
from theory.witnesses.world import World

__all__ = ["agree", "agree_in", "agree_real", "check", "worlds"]

MAX_DEPTH, MAX_WIDTH, MAX_ROWS = 6, 4, 3
TRIALS, SAMPLES = 3, 3


@lru_cache(maxsize=32)
def worlds(system: System, trials: int = TRIALS, seed: int = 0, real: bool = False) -> tuple[World, ...]:
    """Random worlds; from the second on, neighbouring layers are equally wide (≥ 2), n > 1 and the depth is ≥ 3.

    Equal widths let swapped indices be evaluated at all, so that they are caught by their value.
    """
    made = []
    for trial in range(trials):
        rng = random.Random(f"{seed}/{trial}")
        if trial == 0:
            depth = rng.randint(2, MAX_DEPTH)
            widths = tuple(rng.randint(1, MAX_WIDTH) for _ in range(depth + 1))
            rows = rng.randint(1, MAX_ROWS)
        else:
            depth = rng.randint(3, MAX_DEPTH)
            widths = (rng.randint(2, MAX_WIDTH - 1),) * (depth + 1)
            rows = rng.randint(2, MAX_ROWS)
        layer = rng.randint(1, depth - 1)
        made.append(World(system, depth, widths, rows, layer, rng.randrange(2**32), Reals() if real else Field()))
    return tuple(made)


def agree(system: System, left: Expr, right: Expr, trials: int = TRIALS, seed: int = 0, real: bool = False) -> bool:
    """Do both sides have the same value on every random network, at random values of their free indices?

    Both sides must be open in the same indices, up to indices that the value does not depend on.
    With `real` the numbers are reals of DIGITS digits, compared to DIGITS - 10.
    """
    return all(agree_in(world, left, right) for world in worlds(system, trials, seed, real))


def agree_in(world: World, left: Expr, right: Expr) -> bool:
    """Do both sides have the same value in this world, at SAMPLES random choices of their free indices?"""
    indices = sorted(free_indices(left) | free_indices(right), key=str)
    rng = random.Random(world.seed)
    with mpmath.workdps(DIGITS):
        for _ in range(SAMPLES):
            bound = {index: rng.randint(1, world.whole(index.size)) for index in indices}
            if not world.arithmetic.same(*(world.evaluate(side, bound)[0] for side in (left, right))):
                return False
    return True


def agree_real(system: System, left: Expr, right: Expr) -> bool:
    """`agree` with reals of many digits, for steps that use a law of the logarithm."""
    return agree(system, left, right, real=True)


def check(derivation: Derivation) -> list[Step]:
    """The steps of a derivation that are not equalities, and the chain from subject to result if that is not one.

    >>> from theory.chapters.networks.four_equations import derive
    >>> [check(derivation) for derivation in derive().values()]
    [[], [], [], []]
    """
    judge = agree_real if derivation.real else agree
    wrong = derivation.check(judge)
    whole = Step("the whole derivation", derivation.subject, derivation.result)
    return wrong if judge(derivation.system, whole.before, whole.after) else [*wrong, whole]
