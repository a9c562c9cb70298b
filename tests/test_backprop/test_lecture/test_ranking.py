"""The ranking of activations: paired, corrected for several comparisons, and silent where nothing is shown."""

from __future__ import annotations

import numpy as np
import pytest

import backprop
from backprop.lecture.ranking import CLAIMED, Task, rank_activations

NAMES = [name for group in CLAIMED for name in group]


def make_task(score) -> Task:
    """A task whose scores are given by place in the claimed order and repetition, whatever was learned."""
    built: dict[int, str] = {}

    def build(name: str):
        net = backprop.build("1-2-1", activation=name)
        built[id(net)] = name
        return net

    def draw(seed: int):
        x = np.random.default_rng(seed).normal(size=(4, 1))
        return x, x

    return Task("made", "score", build, draw, lambda net, theta, seed: score(NAMES.index(built[id(net)]), seed))


@pytest.mark.parametrize(
    ("score", "says"),
    [
        (lambda place, seed: -place + 0.01 * seed, {"as claimed"}),
        (lambda place, seed: place - 0.01 * seed, {"the other way round"}),
        (lambda place, seed: 1.0, {"not told apart"}),
        (lambda place, seed: float((place * 7 + seed * 13) % 5), {"not told apart"}),
    ],
)
def test_what_came_out_is_said(score, says: set[str]) -> None:
    ranking = rank_activations(make_task(score), repeats=8, epochs=1)
    assert {one.says for one in ranking.comparisons} == says
    assert all(one.p >= 2**-7 for one in ranking.comparisons)
    assert f"{ranking.comparisons[0].better} against {ranking.comparisons[0].worse}" in str(ranking)


def test_too_few_repetitions_can_show_nothing() -> None:
    with pytest.raises(ValueError, match="at least 6"):
        rank_activations(make_task(lambda place, seed: 0.0), repeats=5, epochs=1)
