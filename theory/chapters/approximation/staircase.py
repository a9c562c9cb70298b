"""The constructive proof in one dimension: a staircase, its steps replaced by sigmoids, the error counted.

[0, 1] is cut into n cells of length h = 1/n. x_i = i h are their ends, m_i their middles, y_i = F(m_i), and
p_i = sigma(s (x - x_i)) is the unit at x_i. ω(d) is the largest |F(x) - F(y)| for |x - y| <= d.

>>> [claim.name for part in PROOF for claim in part.claims if not claim.holds()]
[]
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, IndexedBase, Rational, S, Sum, Symbol, oo

from theory.chapters.approximation.claims import (
    SIGMA,
    SLOPE,
    Claim,
    Everywhere,
    Induction,
    Limit,
    any_exponent,
    at_least,
    between,
    exponent,
    means,
)

__all__ = [
    "BOUND",
    "LENGTH",
    "OSCILLATION",
    "PROOF",
    "SHARE",
    "STEEPNESS",
    "STEEPNESS_FOR",
    "VARIATION",
    "Passage",
    "tail_bound",
]

HALF = Rational(1, 2)
i, j, k, n = (Symbol(name, integer=True, positive=True) for name in "ijkn")
r = Symbol("r", nonnegative=True)
x, t, tau, theta, delta = (Symbol(name, real=True) for name in ("x", "t", "tau", "theta", "delta"))
y, p = IndexedBase("y"), IndexedBase("p")
LENGTH, STEEPNESS = Symbol("h", positive=True), Symbol("s", positive=True)
h, s = LENGTH, STEEPNESS
OMEGA = sympy.Function("omega")
OSCILLATION = {1: OMEGA(h / 2), 2: OMEGA(h)}
"""ω at so many half cells."""
VARIATION = Symbol("V", positive=True)
"""V: the sum of |y_(i+1) - y_i|."""


def tail_bound(length: Expr, steepness: Expr) -> Expr:
    """By how much a unit differs from its step at half a cell and more from it: σ(-s h/2)."""
    return SIGMA(-steepness * length / 2)


BOUND: Expr = (OSCILLATION[1] + OSCILLATION[2]) / 2 + VARIATION * tail_bound(h, s)
"""sup |F - f|, at most."""


@dataclass(frozen=True)
class Passage:
    """Some claims and what they are good for."""

    title: str
    text: str
    claims: tuple[Claim, ...]


REAL = any_exponent(t)
FAR = exponent(r)
SIGMOID = Passage(
    "The sigmoid",
    "All that the proof needs to know of σ. The derivative is the one derived in the chapter on activations.",
    (
        Claim("left limit", SIGMA(t), "=", S.Zero, Limit(t, -oo)),
        Claim("right limit", SIGMA(t), "=", S.One, Limit(t, oo)),
        Claim("slope", SLOPE(t), "=", SIGMA(t) * (1 - SIGMA(t)), Everywhere(REAL)),
        Claim("increasing", S.Zero, "<", SLOPE(t), Everywhere(REAL)),
        Claim("mirror", SIGMA(-t), "=", 1 - SIGMA(t), Everywhere(REAL),
              "so a unit differs from the step at its centre, 0 left and 1 right of it, by σ(-|t|) on both sides"),
        Claim("tail", SIGMA(-t), "<=", sympy.exp(-t), Everywhere(REAL), "it falls exponentially with the steepness"),
        Claim("falling tail", SIGMA(-t - r), "<=", SIGMA(-t), Everywhere(REAL, FAR), "farther away it differs less"),
        Claim("half", SIGMA(-t), "<=", HALF, Everywhere(exponent(t)), "nowhere by more than half a step"),
        Claim("tanh", sympy.tanh(t), "=", 2 * SIGMA(2 * t) - 1, Everywhere(REAL),
              "so networks of tanh units are networks of as many sigmoids"),
    ),
)  # fmt: skip


SHARE = Symbol("eta", positive=True)
STEEPNESS_FOR: Expr = 2 * sympy.log(VARIATION / SHARE) / h
"""The steepness with which all tails together are at most eta."""


def middle(index: Expr) -> Expr:
    """m_i = x_i - h/2."""
    return (index - HALF) * h


def jumps(low: Expr, high: Expr, weight: Expr) -> Sum:
    """Σ (y_(i+1) - y_i) weight_i."""
    return Sum((y[i + 1] - y[i]) * weight, (i, low, high))


M_K, M_J, M_NEXT = Symbol("m_k"), Symbol("m_j"), Symbol("m_(j+1)")
IN_CELL = (means(x, (k - 1) * h + theta * h), means(M_K, middle(k)), between(theta, S.Zero, S.One))
STAIRCASE = Passage(
    "The staircase",
    "G(x) = y_1 + Σ (y_(i+1) - y_i) H(x - x_i) with the step H: 0 left of 0, 1 right of it. On the k-th cell the steps "
    "at x_1 … x_(k-1) are 1 and the others 0. Every x of the cell is within h/2 of its middle, so |F - G| <= ω(h/2).",
    (
        Claim("telescope", y[1] + jumps(S.One, k - 1, S.One), "=", y[k], Induction((k, S.One)), "the value of G there"),
        Claim("half a cell", (x - M_K) ** 2, "<=", (h / 2) ** 2, Everywhere(*IN_CELL)),
    ),
)

NETWORK = y[1] + jumps(S.One, n - 1, p[i])
NEAR = (1 - p[j]) * y[j] + p[j] * y[j + 1]
RIGHT = (means(x, j * h + tau * h), between(tau, S.Zero, HALF))
LEFT = (means(x, j * h - tau * h), between(tau, S.Zero, HALF))
EITHER = (means(x, j * h + tau * h), between(tau, -HALF, HALF))
MIDDLES = (means(M_J, middle(j)), means(M_NEXT, middle(j + 1)))
NEXT_KNOT, LAST_KNOT = Symbol("x_(j+1+r)"), Symbol("x_(j-1-r)")
TO_THE_RIGHT = (means(NEXT_KNOT, (j + 1 + r) * h), at_least(r, S.Zero))
TO_THE_LEFT = (means(LAST_KNOT, (j - 1 - r) * h), at_least(r, S.Zero))
SMOOTH = Passage(
    "Sigmoids for steps",
    "f is G with p_i in place of H(x - x_i). Let x_j be the knot nearest to x, first at most h/2 away. The other knots "
    "are at least h/2 away: in the last two sums below p_i - 1 (left) and p_i (right) are at most σ(-s h/2) in "
    "size, so that both sums together are at most V σ(-s h/2), V = Σ |y_(i+1) - y_i|.",
    (
        Claim("one step kept", NETWORK, "=",
              NEAR + jumps(S.One, j - 1, p[i] - 1) + jumps(j + 1, n - 1, p[i]),
              Induction((n, j + 1), (j, S.One))),
        Claim("knots to the right are far", h / 2, "<=", NEXT_KNOT - x, Everywhere(*EITHER, *TO_THE_RIGHT)),
        Claim("knots to the left are far", h / 2, "<=", x - LAST_KNOT, Everywhere(*EITHER, *TO_THE_LEFT)),
    ),
)  # fmt: skip

q, F_X = Symbol("q", nonnegative=True), Symbol("F(x)", real=True)
SMALL, WHOLE, GROWTH = Symbol("A", nonnegative=True), Symbol("B", nonnegative=True), Symbol("c", nonnegative=True)
LARGER = (means(WHOLE, SMALL + GROWTH), at_least(GROWTH, S.Zero))
FIRST_KNOTS = Symbol("x_(1+r)")
AT_END = (
    means(x, theta * h / 2), between(theta, S.Zero, S.One), means(FIRST_KNOTS, (1 + r) * h), at_least(r, S.Zero),
)  # fmt: skip
VALUES = Passage(
    "Between two values",
    "What is left is a mean of y_j and y_(j+1). Right of x_j the middle m_(j+1) is within h/2 of x and m_j within h, "
    "left of it the other way round; the farther value has the weight q = σ(-s |x - x_j|) <= 1/2. With A = ω(h/2) "
    "and B = ω(h), which is not smaller, the error is at most half of both. If no knot is within h/2 (x in the "
    "first or last half cell), all units are in their tails, f is within V σ(-s h/2) of the value of its own cell, "
    "and the error is at most ω(h/2) + V σ(-s h/2): no more.",
    (
        Claim("near middle, right", (x - M_NEXT) ** 2, "<=", (h / 2) ** 2, Everywhere(*RIGHT, *MIDDLES)),
        Claim("far middle, right", (x - M_J) ** 2, "<=", h**2, Everywhere(*RIGHT, *MIDDLES)),
        Claim("near middle, left", (x - M_J) ** 2, "<=", (h / 2) ** 2, Everywhere(*LEFT, *MIDDLES)),
        Claim("far middle, left", (x - M_NEXT) ** 2, "<=", h**2, Everywhere(*LEFT, *MIDDLES)),
        Claim("two errors", F_X - NEAR, "=", (1 - p[j]) * (F_X - y[j]) + p[j] * (F_X - y[j + 1]), Everywhere()),
        Claim("no knot near an end", h / 2, "<=", FIRST_KNOTS - x, Everywhere(*AT_END)),
        Claim("less there", SMALL, "<=", SMALL / 2 + WHOLE / 2, Everywhere(*LARGER)),
        Claim("half of both", (1 - q) * SMALL + q * WHOLE, "<=", SMALL / 2 + WHOLE / 2,
              Everywhere(between(q, S.Zero, HALF), *LARGER)),
    ),
)  # fmt: skip

EPSILON = Passage(
    "The width for an epsilon",
    "A steepness makes the tails as small as one likes, η say. Neighbouring middles are h apart, so every "
    "|y_(i+1) - y_i| <= ω(h) and V <= (n - 1) ω(h). Take s = 2 log(n)/h = 2 n log n: the tails add up to ω(h) at most, "
    "and the whole error is at most 2 ω(1/n), again with A = ω(h/2) and B = ω(h). F is uniformly continuous on [0, 1] "
    "(Heine and Cantor), so ω(1/n) tends to 0: every n with ω(1/n) <= ε/2 will do. That is the theorem in one "
    "dimension, with a network written down.",
    (
        Claim("neighbours", M_NEXT - M_J, "=", h, Everywhere(*MIDDLES)),
        Claim("steep enough", VARIATION * tail_bound(h, STEEPNESS_FOR), "<=", SHARE, Everywhere(),
              "with s = 2 log(V/η)/h"),
        Claim("tails together", (n - 1) * tail_bound(h, 2 * sympy.log(n) / h), "<=", S.One,
              Everywhere(at_least(n, S.One))),
        Claim("twice ω(1/n)", SMALL / 2 + WHOLE / 2 + WHOLE, "<=", 2 * WHOLE, Everywhere(*LARGER)),
    ),
)  # fmt: skip

PAIRS = Passage(
    "Bumps: pairs of sigmoids",
    "The same network by its values in place of its jumps: every inner value is multiplied by the difference of two "
    "neighbouring units, a bump over its own cell. The bumps are positive and add up to 1, so f(x) is a weighted mean "
    "of values of F: it never leaves the range from the least to the largest of them.",
    (
        Claim("summation by parts", NETWORK, "=",
              y[1] * (1 - p[1]) + Sum(y[i] * (p[i - 1] - p[i]), (i, 2, n - 1)) + y[n] * p[n - 1],
              Induction((n, S(2)))),
        Claim("bumps are positive", SIGMA(t), "<=", SIGMA(t + r), Everywhere(REAL, FAR), "x_(i-1) lies left of x_i"),
        Claim("bumps add up", (1 - p[1]) + Sum(p[i - 1] - p[i], (i, 2, n - 1)) + p[n - 1], "=", S.One,
              Induction((n, S(2)))),
    ),
)  # fmt: skip

JUMP, MISS = Symbol("J", positive=True), Symbol("e", real=True)
LIMITS = Passage(
    "At the border",
    "A target with a jump: f is continuous, so at the jump it misses the value from the left or the one from the right "
    "by at least half the jump, however wide it is. And a best network need not exist: two sigmoids with output "
    "weights 1/δ and -1/δ come as near to σ' as one likes, but they are σ' for no δ; on the way to the best "
    "the weights grow without end.",
    (
        Claim("half the jump", JUMP / 2, "<=", JUMP - MISS, Everywhere(means(MISS, JUMP / 2 - r), at_least(r, S.Zero)),
              "let f exceed the left value by e: if e is at most J/2, the right value is missed by J - e; if not, the "
              "left one by e"),
        Claim("weights run away", (SIGMA(t + delta) - SIGMA(t)) / delta, "=", SLOPE(t), Limit(delta, S.Zero)),
    ),
)  # fmt: skip

PROOF = (SIGMOID, STAIRCASE, SMOOTH, VALUES, EPSILON, PAIRS, LIMITS)
"""The proof, part by part."""
