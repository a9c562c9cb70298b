"""The least ReLU width, known: from both sides where one unit a kink is or is not enough."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from backprop.approximation import approximate
from backprop.approximation.ground.target import read_target
from backprop.approximation.proving.kinks import force_kinks_both_ways
from backprop.approximation.proving.stabbing import lay_lines, list_points
from backprop.approximation.searching.pruning import prune
from backprop.approximation.searching.tilted import make_network, tilt_lines
from backprop.approximation.survey.relu_widths import bound_width
from backprop.approximation.widths.decide import Bent, decide
from backprop.approximation.widths.ends import LEFT, OPEN, RIGHT, list_end_rows, list_looks, list_signs
from backprop.approximation.widths.exclusion import is_excluded
from backprop.approximation.widths.orders import list_orders
from backprop.approximation.widths.relaxation import Kink, Relaxation, solve
from theory.functions.elementwise import transcribe

KNOWN = [
    ("sine", (0, 1), 0.1, 4), ("square", (0, 1), 0.05, 2), ("root", (0, 1), 0.05, 2), ("runge", (0, 1), 0.04, 4),
    ("oscillator", (0, 1), 0.1, 4), ("x**3", (-1, 1), 0.1, 2), ("1/(1 + 25*x**2)", (-1, 1), 0.04, 4),
    ("planck", (0, 1), 0.05, 3), ("kink", (0, 1), 0.01, 2), ("x**3", (-1, 1), 0.05, 4),
    ("3.995*x**3 - 1.584*x**2 + x", (0, 1), 5e-3, 10), ("log(1 + 3.083*x) + cos(1.155*x)", (0, 1), 1e-3, 13),
]  # fmt: skip


@pytest.mark.parametrize(("target", "domain", "epsilon", "width"), KNOWN)
def test_the_least_width_is_known_from_both_sides(target, domain, epsilon, width):
    found = bound_width(read_target(target, domain), epsilon)
    assert (found.lower, found.upper) == (width, width)
    assert found.bound < epsilon


def test_where_the_width_jumps_at_epsilon_both_are_said():
    """The best error of one unit for sqrt(x) is exactly 1/10."""
    found = bound_width(read_target("root", (0, 1)), 0.1)
    assert (found.lower, found.upper, found.jumps) == (1, 2, True)


@pytest.mark.parametrize("kinks", [1, 2, 3])
def test_the_equation_is_that_of_the_ends_of_networks(kinks):
    """For every set of units that look left: Σ α_k s_k = 0 of the slopes that a network really has."""
    rng = np.random.default_rng(kinks)
    knots = np.array([0.0, *np.sort(rng.uniform(0.1, 0.9, kinks)), 1.0])
    for size in range(kinks + 1):
        for look_left in combinations(range(kinks), size):
            signs = np.where(np.isin(np.arange(kinks), look_left), -1.0, 1.0)
            jumps = rng.normal(size=kinks)
            f = lambda x, s=signs, j=jumps: np.maximum(s * (x[:, None] - knots[1:-1]), 0) @ j  # noqa: E731
            heights = f(knots)
            slopes = np.diff(heights) / np.diff(knots)
            assert abs(np.dot(list_signs(kinks, look_left), slopes)) < 1e-12
            network = make_network(*Bent(knots, heights, look_left))
            x = np.linspace(0, 1, 101)
            ours = np.maximum(np.outer(x, network.w) + network.b, 0) @ network.c + network.constant
            assert np.max(np.abs(ours - f(x))) < 1e-12


@pytest.mark.parametrize("seed", range(20))
def test_units_left_open_exclude_no_network(seed):
    """Slopes of real networks obey the constraints of the ends, however many of their units are left open."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 7))
    jumps, looks = rng.normal(size=count), rng.choice([LEFT, RIGHT], size=count)
    start = -jumps[looks == LEFT].sum()
    slopes = start + np.append(0.0, np.cumsum(jumps))
    kinks = [Kink(k + 1.0, k + 1.5, bool(jump > 0)) for k, jump in enumerate(jumps)]
    said = np.where(rng.random(count) < 0.5, looks, OPEN)
    for known in (said.tolist(), looks.tolist(), [OPEN] * count):
        for row in list_end_rows(0.0, 2.0, kinks, known):
            assert sum(float(weight) * slopes[piece] * x for piece, x, weight in row.terms) < 1e-12
    wrong = slopes + (abs(jumps).sum() + 1)
    assert max(sum(float(weight) * wrong[piece] * x for piece, x, weight in row.terms)
               for row in list_end_rows(0.0, 2.0, kinks, [OPEN] * count)) > 0  # fmt: skip
    assert list_looks(count, np.flatnonzero(looks == LEFT).tolist()) == tuple(looks.tolist())


def find_orders(text, domain, epsilon):
    target = read_target(text, domain)
    x = list_points(target, target.grid, epsilon)
    proofs = force_kinks_both_ways(target.as_written, x, target(x), epsilon)
    most = max(proof.count for proof in proofs)
    return target, x, list_orders([proof for proof in proofs if proof.count == most])


def test_an_exclusion_that_is_proved_holds_for_lines_drawn_at_random():
    """sqrt(x) and 0.09: no line and then a flat one, wherever they meet."""
    target, x, orders = find_orders("sqrt(x)", (0, 1), 0.09)
    assert decide(target.as_written, target, x, 0.09, orders).is_excluded
    rng = np.random.default_rng(0)
    for place, level, slope in zip(
        rng.uniform(0, 1, 500), rng.uniform(0.7, 1.1, 500), rng.uniform(0, 4, 500), strict=True
    ):
        lines = np.minimum(level, level + slope * (x - place))
        assert np.max(np.abs(lines - target(x))) > 0.09


def test_weights_that_do_not_cancel_exclude_nothing():
    x = np.linspace(0, 1, 201)
    kinks = [Kink(0.2, 0.8, True)]
    found = solve(Relaxation(x, x**2, 0.01, tuple(list_end_rows(0.0, 1.0, kinks, [LEFT]))), kinks)
    assert found.excess > 0
    square = transcribe("x**2")
    assert is_excluded(square, 0.01, 2, found.rows)
    assert not is_excluded(square, 0.01 + 1.01 * found.excess, 2, found.rows)
    assert not is_excluded(square, 0.01, 2, found.rows[:-1])
    assert not is_excluded(transcribe("0*x"), 0.01, 2, found.rows)


@pytest.mark.parametrize(("target", "epsilon", "width"), [("oscillator", 1e-3, 58), ("sine", 1e-4, 120)])
def test_with_many_kinks_lines_are_tilted_into_a_network(target, epsilon, width):
    what = read_target(target)
    x = list_points(what, what.grid, epsilon)
    network = tilt_lines(what, x, epsilon, len(lay_lines(x, what(x) - epsilon, what(x) + epsilon)[0]))
    assert len(network.w) == width
    values = np.maximum(np.outer(x, network.w) + network.b, 0) @ network.c + network.constant
    assert np.max(np.abs(values - what(x))) < epsilon


def test_units_that_do_nothing_are_left_out_and_the_rest_is_proved_again():
    found = approximate("sin(60*x)", epsilon=1e-3, activation="sin(x)", certify=True)
    assert found.certified
    network = found.network
    more = ([3.0, 5.0], [0.0, 1.0], [2e-15, -1e-15])
    w, b, c = (np.append(old, new) for old, new in zip(network[:3], more, strict=True))
    idle = replace(found, network=network._replace(w=w, b=b, c=c))
    pruned = prune(idle)
    assert pruned.width == found.width
    assert pruned.certificate is None
    assert pruned.sup_error < 1e-3
