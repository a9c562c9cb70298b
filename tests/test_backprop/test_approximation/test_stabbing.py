"""The fewest lines in a tube: they stay inside, they meet in order, and each turn is shown to be needed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation.ground.hidden import read_sigma
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.target import read_target
from backprop.approximation.proving.kinks import ForcedKinks, force_kinks
from backprop.approximation.proving.stabbing import Start, lay_lines, list_crossings, list_points
from backprop.approximation.searching.certified import narrow_relu
from backprop.approximation.searching.result import measure
from backprop.approximation.searching.tube import fit_tube
from backprop.codegen.functions.elementwise import evaluate
from theory.functions.elementwise import parse

ROUNDING = 1e-9
"""Heights are of size 1, slopes of size 50."""
units = st.tuples(st.sampled_from([-3, -1, 1, 2]), st.integers(-3, 3), st.sampled_from([-2, -1, 1, 3]))
heights = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=30)


def draw_chain(x, lines):
    """The heights of lines, end to end, at points."""
    crossings = list_crossings(lines)
    which = np.searchsorted(np.array(crossings), x)
    return np.array([lines[k].y + lines[k].slope * (at - lines[k].x) for k, at in zip(which, x, strict=True)])


@settings(max_examples=60)
@given(heights, st.floats(0.01, 0.5))
def test_the_lines_stay_in_the_tube_and_meet_in_order(values, epsilon):
    x, y = np.linspace(0, 1, len(values)), np.array(values)
    lines, turns = lay_lines(x, y - epsilon, y + epsilon)
    assert len(turns) == len(lines) - 1
    assert np.all(np.diff([0, *list_crossings(lines), 1]) >= -ROUNDING)
    assert np.max(np.abs(draw_chain(x, lines) - y)) <= epsilon + ROUNDING


@settings(max_examples=60)
@given(heights, st.floats(0.01, 0.5))
def test_every_turn_is_needed(values, epsilon):
    """Each triple leaves its chord by 2 epsilon; triples of one kind are disjoint: so no chain has fewer kinks."""
    x, y = np.linspace(0, 1, len(values)), np.array(values)
    _, turns = lay_lines(x, y - epsilon, y + epsilon)
    for rises in (True, False):
        kind = [turn.places for turn in turns if turn.rises == rises]
        assert all(one[2] <= other[0] for one, other in pairwise(kind))
        for a, b, c in kind:
            gap = y[a] + (y[c] - y[a]) * (x[b] - x[a]) / (x[c] - x[a]) - y[b]
            assert (gap if rises else -gap) >= 2 * epsilon - ROUNDING


def test_a_side_counts_only_from_where_it_starts():
    x = np.linspace(0, 1, 11)
    low, high = np.where(x < 0.5, 5.0, -1.0), np.ones(11)
    assert len(lay_lines(x, low, high, Start(low=5, high=0))[0]) == 1


def test_points_are_added_where_the_target_bends_and_not_without_end():
    bent = list_points(lambda x: np.where(x < 0.5, 0.0, (x - 0.5) ** 2), np.linspace(0, 1, 101), 1e-3)
    added = np.setdiff1d(bent, np.linspace(0, 1, 101))
    assert added.size > 100
    assert np.min(added) >= 0.49
    assert len(list_points(lambda x: (x > 0.3).astype(float), np.linspace(0, 1, 11), 1e-3)) < 100


def test_triples_of_one_kind_that_overlap_are_refused():
    with pytest.raises(ArithmeticError, match="overlap"):
        ForcedKinks(0.1, rising=((0.0, 0.1, 0.2), (0.15, 0.3, 0.4)), falling=())
    assert ForcedKinks(0.1, rising=((0.0, 0.1, 0.2),), falling=((0.15, 0.3, 0.4),)).least_width == 2


def test_a_triple_that_is_not_there_in_truth_is_not_counted():
    x = np.linspace(0, 1, 101)
    kinks = force_kinks(parse("x"), x, np.sin(9 * x), 1e-2)
    assert (kinks.rising, kinks.falling) == ((), ())


@settings(max_examples=40)
@given(st.lists(units, min_size=1, max_size=4), st.floats(0.001, 0.1))
def test_no_network_is_said_to_need_more_units_than_it_has(network, epsilon):
    text = " + ".join(f"({c})*max({w}*x + ({b}), 0)" for w, b, c in network)
    x = np.linspace(0, 1, 301)
    y = sum(c * np.maximum(w * x + b, 0) for w, b, c in network)
    assert force_kinks(parse(text), x, y, epsilon).least_width <= len(network)


@pytest.mark.parametrize(
    ("text", "epsilon", "least"),
    [("abs(x - 1/2)", 1e-3, 2), ("max(x - 1/2, 0)", 1e-3, 1), ("x", 1e-3, 1), ("3", 1e-3, 0), ("sqrt(x)", 1e-2, 5)],
)
def test_a_slope_that_kinks_cannot_make_takes_a_unit(text, epsilon, least):
    x = np.linspace(0, 1, 2001)
    target = parse(text)
    assert force_kinks(target, x, evaluate(target)(x) + 0 * x, epsilon).least_width == least


@pytest.mark.parametrize(("name", "width"), [("square", 11), ("sine", 38), ("planck", 28), ("kink", 2), ("root", 16)])
def test_both_bounds_of_the_width_meet(name, width):
    target, sigma, epsilon = read_target(name, (0, 1)), read_sigma("relu"), 1e-3
    idle = measure(target, sigma, ShallowNetwork(np.zeros(1), np.zeros(1), np.zeros(1), 0.0), "fit", epsilon)
    found = narrow_relu(idle, epsilon)
    assert found.certified
    assert (found.width_lower_bound, found.width) == (width, width)


def test_a_convex_target_has_a_flat_piece_where_it_is_lowest():
    x = np.linspace(0, 1, 2001)
    network = fit_tube(lambda x: (x - 0.3) ** 2, x, 1e-3)
    assert network is not None
    values = network.constant + np.maximum(np.outer(x, network.w) + network.b, 0) @ network.c
    assert np.max(np.abs(values - (x - 0.3) ** 2)) < 1e-3
    assert len(network.w) == len(lay_lines(x, (x - 0.3) ** 2 - 1e-3, (x - 0.3) ** 2 + 1e-3)[0]) - 1
