"""Waves: orthogonality gives the coefficients one by one; Fejér's means are weighted means again.

>>> [claim.name for part in FOURIER for claim in part.claims if not claim.holds()]
[]
"""

from __future__ import annotations

from sympy import Integral, Rational, S, Sum, Symbol, cos, pi, sin

from theory.chapters.approximation.claims import Claim, Everywhere, Induction, Limit, at_least, between
from theory.chapters.approximation.parallels.judges import Area, OnTheCircle
from theory.chapters.approximation.staircase import Passage

__all__ = ["FOURIER"]

HALF = Rational(1, 2)
t = Symbol("t", real=True)
k, l, d, n = (Symbol(name, integer=True, positive=True) for name in "kldn")
j = Symbol("j", integer=True, nonnegative=True)
SQUARE, COEFFICIENT, c = Symbol("S", real=True), Symbol("a", real=True), Symbol("c", real=True)


def area(values: object) -> Integral:
    """From 0 to π."""
    return Integral(values, (t, 0, pi))


WAVES = Passage(
    "Fourier: orthogonal waves",
    "An even function of period 2π is to be a sum a_0/2 + Σ a_k cos(k t); on [0, 1] take t = π x, and any continuous "
    "F becomes one. Different waves are orthogonal, so each coefficient is an integral of its own, whatever the "
    "others are, and the sum up to n is the nearest one in the mean square. With a wave of area one, S = ∫ F^2 and a "
    "= ∫ F e:",
    (
        Claim("different waves", area(cos(l * t) * cos((l + d) * t)), "=", S.Zero,
              Area((sin(d * t) / d + sin((2 * l + d) * t) / (2 * l + d)) / 2), "l and l + d with d > 0"),
        Claim("a wave with itself", area(cos(k * t) ** 2), "=", pi / 2, Area(t / 2 + sin(2 * k * t) / (4 * k))),
        Claim("a wave has no mean", area(cos(k * t)), "=", S.Zero, Area(sin(k * t) / k)),
        Claim("best in the mean", SQUARE - 2 * c * COEFFICIENT + c**2, "=",
              SQUARE - COEFFICIENT**2 + (c - COEFFICIENT) ** 2, Everywhere(),
              "∫ (F - c e)^2 is smallest for c = a; it leaves S - a^2 (Bessel)"),
    ),
)  # fmt: skip

KINK = 2 * ((-1) ** k - 1) / (pi * k**2)
EXAMPLE = Passage(
    "Fourier: the kink and the step",
    "F = |t| on [-π, π] has the coefficients below: 0 for even k, -4/(π k^2) for odd ones. They fall like 1/k^2, the "
    "rest from k = n on is at most 4/(π (n - 1/2)): an error of order 1/n at a kink. A step, sign(t), has sines with "
    "coefficients that fall like 1/k: no uniform convergence, as no continuous f comes nearer than half the jump.",
    (
        Claim("mean of the kink", 2 / pi * area(t), "=", pi, Area(t**2 / 2), "a_0"),
        Claim("coefficients of the kink", 2 / pi * area(t * cos(k * t)), "=", KINK,
              Area(t * sin(k * t) / k + cos(k * t) / k**2), "a_k"),
        Claim("the rest adds up", 1 / k**2, "<=", 1 / (k - HALF) - 1 / (k + HALF), Everywhere(at_least(k, S.One)),
              "summed over k = n, n + 1, … the right side is 1/(n - 1/2)"),
        Claim("coefficients of the step", 2 / pi * area(sin(k * t)), "=", 2 * (1 - (-1) ** k) / (pi * k),
              Area(-cos(k * t) / k)),
    ),
)  # fmt: skip

HIT, OUTSIDE, LEAST = Symbol("H", real=True), Symbol("u", real=True), Symbol("s", positive=True)
FEJER = Passage(
    "Fejér's means",
    "For a continuous F the sums need not converge at every point (P. du Bois-Reymond, 1873), but their means do, "
    "uniformly (L. Fejér, 1904): (1/n) of the sums up to 0, 1, …, n - 1, in which wave k has the weight 1 - k/n. A "
    "sum is a mean of F with the weights D_j = 1 + 2 Σ cos(k t), Dirichlet's, which have both signs; Fejér's are "
    "their mean, K_n = (1/n) (sin(n t/2)/sin(t/2))^2, never negative, with the mean 1, for waves have none, and large "
    "near t = 0 only: once more a weighted mean of values of F. Outside of |t| <= δ, with s = sin(δ/2)^2, u = "
    "sin(t/2)^2 and H = sin(n t/2)^2:",
    (
        Claim("Dirichlet's kernel", 2 * sin(t / 2) * (HALF + Sum(cos(k * t), (k, S.One, j))), "=", sin((j + HALF) * t),
              OnTheCircle(Induction((j, S.Zero)), t), "D_j = sin((j + 1/2) t)/sin(t/2)"),
        Claim("Fejér's kernel", 2 * sin(t / 2) * Sum(sin((j + HALF) * t), (j, S.Zero, n - 1)), "=",
              2 * sin(n * t / 2) ** 2, OnTheCircle(Induction((n, S.One)), t)),
        Claim("height at 0", (sin(n * t / 2) / sin(t / 2)) ** 2 / n, "=", n, Limit(t, S.Zero)),
        Claim("far away", HIT / (n * OUTSIDE), "<=", 1 / (n * LEAST),
              Everywhere(between(HIT, S.Zero, S.One), at_least(OUTSIDE, LEAST)), "it tends to 0 with n"),
    ),
)  # fmt: skip

FAR, OMEGA, M = Symbol("q", real=True), Symbol("omega", nonnegative=True), Symbol("M", nonnegative=True)
ONE_PROOF = Passage(
    "One proof three times",
    "Bernstein's polynomial, Fejér's mean and the network of bumps are weighted means of values of F, with weights "
    "that gather where F is wanted: at most the share q lies farther away than δ. Near by F changes by at most ω(δ), "
    "farther away by at most 2 M, where |F| <= M. What differs is q: at most 1/(4 n δ^2) for Bernstein, 1/(n "
    "sin(δ/2)^2) for Fejér; for n steep sigmoids it falls exponentially with the steepness, which can be chosen apart "
    "from n.",
    (
        Claim("near and far", (1 - FAR) * OMEGA + FAR * 2 * M, "<=", OMEGA + 2 * M * FAR,
              Everywhere(between(FAR, S.Zero, S.One))),
    ),
)  # fmt: skip

FOURIER: tuple[Passage, ...] = (WAVES, EXAMPLE, FEJER, ONE_PROOF)
