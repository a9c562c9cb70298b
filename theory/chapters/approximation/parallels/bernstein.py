"""Bernstein's polynomials: positive weights that add up to 1, as the bumps of a network do, and how near they come.

>>> [claim.name for part in BERNSTEIN for claim in part.claims if not claim.holds()]
[]
"""

from __future__ import annotations

from sympy import IndexedBase, Rational, S, Sum, Symbol, oo, sqrt

from theory.chapters.approximation.claims import Claim, Everywhere, Induction, Limit, at_least, means
from theory.chapters.approximation.parallels.judges import BinomialMean, k, mean_over, n, x
from theory.chapters.approximation.staircase import Passage

__all__ = ["BERNSTEIN", "FACTOR"]

HALF, QUARTER = Rational(1, 2), Rational(1, 4)
FACTOR = Rational(3, 2)
"""Times ω(1/√n): the largest error of Bernstein's polynomial of degree n, at most."""

MOMENTS = Passage(
    "Weierstrass by Bernstein",
    "Every continuous F on [0, 1] is the limit of polynomials (K. Weierstrass, 1885), and they can be written down "
    "(S. Bernstein, 1912): B(x) = Σ F(k/n) b_k(x), k from 0 to n, where b_k(x) is the chance of k hits in n throws, "
    "each with chance x. These weights are not negative and add up to 1, so B(x) is a weighted mean of values of F "
    "and never leaves their range, just like the network that is made of bumps. The weights gather around k/n = x:",
    (
        Claim("Pascal's rule", (n + 1) / (n + 1 - k), "=", 1 + k / (n + 1 - k), Everywhere(),
              "(n+1 over k) = (n over k) + (n over k-1), divided by (n over k): the last throw is a hit or not"),
        Claim("the weights add up", mean_over(S.One), "=", S.One, BinomialMean()),
        Claim("a line stays", mean_over(k / n), "=", x, BinomialMean(), "the mean of k/n is x"),
        Claim("spread", mean_over((k / n - x) ** 2), "=", x * (1 - x) / n, BinomialMean()),
        Claim("at most a quarter", QUARTER - x * (1 - x), "=", (x - HALF) ** 2, Everywhere(),
              "so the spread is at most 1/(4 n) everywhere"),
    ),
)  # fmt: skip

DISTANCE, delta = Symbol("d", nonnegative=True), Symbol("delta", positive=True)
OMEGA, MEAN, share = Symbol("omega", nonnegative=True), Symbol("D"), Symbol("q", nonnegative=True)
BOUND = Passage(
    "How near Bernstein's polynomials are",
    "F changes by at most (1 + d/δ) ω(δ) over a distance d: so many steps of length δ lead there. Let δ = 1/√n and d "
    "= |k/n - x|. The mean of d is at most δ/2, by the first line below and the spread. Together sup |F - B| <= 3/2 "
    "ω(1/√n): Weierstrass' theorem, with a rate. If |F(x) - F(y)| <= |x - y|, it is at most half of 1/√n.",
    (
        Claim("distance by its square", DISTANCE**2 / delta + delta / 4 - DISTANCE, "=",
              (DISTANCE - delta / 2) ** 2 / delta, Everywhere(), "a square is not negative"),
        Claim("mean distance", QUARTER / n / delta + delta / 4, "=", delta / 2, Everywhere(means(n, delta**-2))),
        Claim("three halves", (1 + MEAN / delta) * OMEGA, "=", FACTOR * OMEGA, Everywhere(means(MEAN, delta / 2))),
        Claim("far weight", share * delta**2, "<=", share * (delta + Symbol("r", nonnegative=True)) ** 2, Everywhere(),
              "Chebyshev: weights farther away than δ make up at most 1/(4 n δ^2), for the spread is 1/(4 n) at most"),
    ),
)  # fmt: skip

CUBE = x**3 + 3 * x**2 * (1 - x) / n + x * (1 - x) * (1 - 2 * x) / n**2
POWERS = Passage(
    "On polynomials",
    "For F = x^m the polynomial B is known exactly for every n. It tends to F like 1/n and no faster, however smooth "
    "F is: n (B - F) tends to x (1 - x) F''/2 (E. Voronovskaya, 1932), here for the cube. Fitted polynomials are far "
    "better; B pays for being positive.",
    (
        Claim("the square", mean_over((k / n) ** 2), "=", x**2 + x * (1 - x) / n, BinomialMean()),
        Claim("the cube", mean_over((k / n) ** 3), "=", CUBE, BinomialMean()),
        Claim("it tends to the cube", CUBE, "=", x**3, Limit(n, oo)),
        Claim("Voronovskaya's limit", n * (CUBE - x**3), "=", x * (1 - x) * (x**3).diff(x, 2) / 2, Limit(n, oo)),
    ),
)  # fmt: skip

m, chance, T = Symbol("m", integer=True, positive=True), Symbol("c_k"), IndexedBase("T")
NEXT_CHANCE = Symbol("c_(k+1)")
KINK = Passage(
    "At a kink",
    "For F = |x - 1/2| the rate 1/√n is met. Let n = 2 m and x = 1/2, where F is 0, and c_k = (2m over k). By the "
    "first two lines Σ (m - k) c_k over k < m is T_m = m c_m/2, so the error there is c_m/2^(2m+1). By the third m "
    "(c_m/4^m)^2 grows with m, from 1/4 on, so c_m/4^m is at least 1/(2 √m). So the largest error is between 0.35/√n "
    "and 0.5/√n.",
    (
        Claim("a difference", (m - k) * chance, "=", (k + 1) * NEXT_CHANCE / 2 - k * chance / 2,
              Everywhere(means(NEXT_CHANCE, chance * (2 * m - k) / (k + 1))),
              "(m - k) c_k = T_(k+1) - T_k for T_k = k c_k/2"),
        Claim("the differences add up", Sum(T[k + 1] - T[k], (k, S.Zero, m - 1)), "=", T[m] - T[0],
              Induction((m, S.One))),
        Claim("growing", S.One, "<", (2 * m + 1) ** 2 / (4 * m * (m + 1)), Everywhere(at_least(m, S.One)),
              "the factor from m to m + 1"),
        Claim("in numbers", Rational(35, 100), "<=", sqrt(2) / 4, Everywhere(), "1/(4 √m) for n = 2 m is √2/(4 √n)"),
    ),
)  # fmt: skip

BERNSTEIN: tuple[Passage, ...] = (MOMENTS, BOUND, POWERS, KINK)
