"""The network of the constructive proof: one sigmoid at each end of a cell, as high as F changes from cell to cell.

    f(x) = y_1 + Σ_i (y_(i+1) - y_i) sigma(s (x - x_i)),    y_i = F(m_i),    sup |F - f| <= bound

Nothing is fitted. How many cells and how steep: from the modulus of continuity.
`theory.chapters.approximation.staircase` has the proof.
"""

from __future__ import annotations

import math

import numpy as np
from flint import arb

from backprop.approximation.ground.hidden import read_sigma
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.ground.target import Floats, FunctionTarget
from backprop.approximation.proving.precision import computing, float_above
from backprop.approximation.proving.values import enclose_values
from backprop.approximation.searching.apriori import AprioriBound, compute_bound, compute_steepness
from backprop.approximation.searching.modulus import Modulus, enclose_modulus, find_jump
from backprop.approximation.searching.result import Approximation, measure
from backprop.errors import UsageError

__all__ = ["ACTIVATION", "MOST_UNITS", "construct"]

ACTIVATION = "sigmoid"
MOST_UNITS = 4095
PIECES_PER_CELL = 32
FEWEST_PIECES, MOST_PIECES = 2**12, 2**15
"""On which F is enclosed: the more, the nearer the bound of ω is to ω."""
TAIL_SHARE = 0.01
"""What all tails together may add, relative to the rest of the bound."""


def construct(target: FunctionTarget, *, width: int | None = None, epsilon: float | None = None) -> Approximation:
    """Write down a network for F, with a bound of its error that is proved before any error is measured.

    Args:
        target: F on its domain.
        width: number of hidden units, n - 1 for n cells; None: the smallest for which the bound is below `epsilon`.
        epsilon: the error wanted, in the unit of F; with a width it is only compared.

    Returns:
        Approximation with `method` "constructive" and its `bound`. At a jump of F the bound does not tend to 0; its
        remark says so.

    Raises:
        UsageError: neither width nor epsilon; an epsilon that no width up to MOST_UNITS is shown to reach (it says
            why); F that cannot be enclosed.

    Source: the staircase argument, for instance K. Hornik, M. Stinchcombe, H. White, Neural Networks 2 (1989) 359,
    lemma A.2; the constant is our own (`theory.chapters.approximation.staircase`).

    >>> from backprop.approximation.ground.target import read_target
    >>> found = construct(read_target("sin(2*pi*x)", (0, 1)), width=31)
    >>> found.sup_error <= found.bound.total < 0.2
    True
    """
    if width is not None:
        cells = width + 1
        return _build(target, cells, enclose_modulus(target, _count_pieces(cells)), epsilon)
    if epsilon is None:
        raise UsageError("construct needs a width (number of hidden units) or an epsilon (largest error)")
    return _grow(target, epsilon)


def _count_pieces(cells: int) -> int:
    wanted = max(FEWEST_PIECES, PIECES_PER_CELL * cells)
    return min(wanted, MOST_PIECES)


def _grow(target: FunctionTarget, epsilon: float) -> Approximation:
    """The fewest cells whose bound is below epsilon; F is enclosed more finely where many are needed."""
    pieces, cells = FEWEST_PIECES, 0
    while True:
        modulus = enclose_modulus(target, pieces)
        cells = _find_cells(target, modulus, epsilon)
        if _count_pieces(cells) <= pieces or (cells > MOST_UNITS + 1 and find_jump(target)):
            break
        pieces = _count_pieces(cells)
    while cells <= MOST_UNITS + 1:
        found = _build(target, cells, modulus, epsilon)
        assert found.bound is not None
        if found.bound.total < epsilon:
            return found
        cells += 1 + cells // 100
    raise _refuse(target, modulus, epsilon)


def _find_cells(target: FunctionTarget, modulus: Modulus, epsilon: float) -> int:
    """The fewest cells for which (ω(h/2) + ω(h))/2 with the share of the tails is below epsilon; too many if none."""
    few, many = 1, MOST_UNITS + 2
    while many - few > 1:
        middle = (few + many) // 2
        if (1 + TAIL_SHARE) * _add_changes(target, modulus, middle) < epsilon:
            many = middle
        else:
            few = middle
    return many


def _add_changes(target: FunctionTarget, modulus: Modulus, cells: int) -> float:
    low, high = target.domain
    half = (high - low) / cells / 2
    return (modulus.bound(half) + modulus.bound(2 * half)) / 2


def _refuse(target: FunctionTarget, modulus: Modulus, epsilon: float) -> UsageError:
    jump = find_jump(target)
    if jump is not None:
        return UsageError(f"no width is shown to reach {epsilon:g}: {jump}; give --width, or --method fit")
    reached = _add_changes(target, modulus, MOST_UNITS + 1)
    return UsageError(
        f"the construction needs more than {MOST_UNITS} units for {epsilon:g}: with so many its bound is about "
        f"{reached:.2g}; ask for a larger epsilon, or use --method fit"
    )


def _build(target: FunctionTarget, cells: int, modulus: Modulus, epsilon: float | None) -> Approximation:
    """The network on so many cells, its bound, and its error where it is measured."""
    edges = np.linspace(*target.domain, cells + 1)
    middles = edges[:-1] / 2 + edges[1:] / 2
    values = target(middles)
    half = float(np.nextafter(max(np.max(middles - edges[:-1]), np.max(edges[1:] - middles)), math.inf))
    changes = modulus.bound(half), modulus.bound(2 * half)
    steepness = _choose_steepness(values, changes, 2 * half)
    c = np.diff(values)
    network = ShallowNetwork(np.full(cells - 1, steepness), -steepness * edges[1:-1], c, float(values[0]))
    bound = _bound_error(target, edges, middles, network, changes)
    return measure(target, read_sigma(ACTIVATION), network, "constructive", epsilon, bound)


def _choose_steepness(values: Floats, changes: tuple[float, float], length: float) -> float:
    """As the proof has it, rounded up to a power of two, so that s x_i is exact in floats."""
    variation = float(np.sum(np.abs(np.diff(values))))
    share = TAIL_SHARE * sum(changes) / 2
    wanted = compute_steepness(variation, share, length) if variation > share else 2 / length
    return 2.0 ** math.ceil(math.log2(max(wanted, 2 / length)))


def _bound_error(
    target: FunctionTarget, edges: Floats, middles: Floats, network: ShallowNetwork, changes: tuple[float, float]
) -> AprioriBound:
    """The bound of the proof for the network as it is, in floats: its values on the cells are not quite F(m_i).

    On cell k the staircase of these weights has the value constant + c_1 + … + c_(k-1), exactly; its distance from
    F(m_k) is added to the bound.
    """
    shortest = float(np.nextafter(np.min(np.diff(edges)), 0))
    steepness = float(network.w[0])
    with computing():
        level, variation, rounding = arb(network.constant), arb(0), arb(0)
        for middle, jump in zip(middles.tolist(), [*network.c.tolist(), 0.0], strict=True):
            rounding = rounding.max(abs(level - enclose_values(target.as_written, middle, middle)))
            level, variation = level + arb(jump), variation + abs(arb(jump))
        total = compute_bound(*changes, variation, shortest, steepness)
        tail = total - compute_bound(*changes, arb(0), shortest, steepness)
        upper = [float_above(ball) for ball in (variation, tail, rounding, total + rounding)]
    return AprioriBound(
        cells=len(middles),
        half_change=changes[0],
        change=changes[1],
        variation=upper[0],
        steepness=steepness,
        tail=upper[1],
        rounding=upper[2],
        total=upper[3],
        remark=str(find_jump(target) or ""),
    )
