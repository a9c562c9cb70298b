"""The levels of assurance: what each word means, and what is not shown.  README, report and demo quote this."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LEVELS", "NOT_SHOWN", "Level"]


@dataclass(frozen=True)
class Level:
    """One word, what it means, how it is established."""

    word: str
    means: str
    how: str


LEVELS = (
    Level(
        "derived",
        "holds for every depth, width and differentiable activation",
        "steps by named rules, each re-evaluated by a witness over GF(2^61 - 1) that knows no rule; "
        "induction over the layers checked for closure",
    ),
    Level(
        "exact",
        "the wiring of the generated source, unchanged, is right at its sizes for arbitrary f and f'",
        "the source runs over GF(2^61 - 1) with every function of its table replaced by random values; "
        "⟨gradient, u⟩ = dC[u] along a random u; the bound for a false pass is stated",
    ),
    Level(
        "certified",
        "the float result at this input is within so many units in the last place of the largest entry of its tensor; "
        "or: a network is within epsilon of its target at every point of an interval or a rectangle, or in "
        "the mean square with a density; or: no network of any width is nearer",
        "ball arithmetic: a gradient against the forward-mode derivative of the cost (`verify SIZES --certify`), an "
        "approximation by Taylor models and bisection (`approximate --certify`, `--measure`), checked again in "
        "other arithmetic; lower bounds by de la Vallée-Poussin's points, forced kinks and one-sided limits",
    ),
    Level(
        "tested",
        "no counterexample in the cases that were tried",
        "complex step and Richardson-extrapolated differences with a stated uncertainty, along random "
        "directions and at single entries; random networks from Hypothesis",
    ),
)

NOT_SHOWN = (
    "kinks: where an activation has a corner, f' follows a convention (the value from the left), not a theorem",
    "rounding: floating-point results carry errors of a few units in the last place, more in the tails of f'",
    "other sizes: the exact check speaks of the sizes it ran at; that they do not matter is what the derivation says",
    "an error that is not called proved is the largest on a dense grid, not a bound between the points",
    "three and more variables: the error is measured at the points of a grid that is coarse in many dimensions",
    "data: of a table of values nothing is known between its points, so nothing is proved there",
    "how few units an approximation could do with, ReLU apart: the width found is one that suffices",
    "training: that an optimiser finds good parameters is an observation, not a result",
)
