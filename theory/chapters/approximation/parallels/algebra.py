"""Stone and Weierstrass: which networks are closed under products, what follows from it, and where the likeness ends.

>>> [claim.name for part in ALGEBRA for claim in part.claims if not claim.holds()]
[]
"""

from __future__ import annotations

from sympy import S, Symbol, cos, exp, sin

from theory.chapters.approximation.claims import (
    SIGMA,
    SLOPE,
    Claim,
    Everywhere,
    Limit,
    any_exponent,
    means,
)
from theory.chapters.approximation.parallels.judges import OnTheCircle
from theory.chapters.approximation.staircase import Passage

__all__ = ["ALGEBRA", "WHERE_IT_ENDS"]

u, v, x, t = (Symbol(name, real=True) for name in "uvxt")
w = Symbol("w", positive=True)
CLOSED = Passage(
    "Stone and Weierstrass",
    "Let functions on a compact set be closed under sums, multiples and products, contain the constants, and for any "
    "two points one that differs there. Then they are dense, measured by the largest error (M. Stone, 1937). Sums of "
    "units are closed under sums and multiples by themselves. For units cos(w.x + b) and exp(w.x + b) products are "
    "sums of two units, or one, so these networks are dense, in any dimension, by three lines. Different points are "
    "told apart by a unit along an axis, cos u for u from 0 to 1: neither sine below is 0 for 0 <= u < v <= 1.",
    (
        Claim("a product of cosines", cos(u) * cos(v), "=", (cos(u - v) + cos(u + v)) / 2,
              OnTheCircle(Everywhere(), u, v)),
        Claim("a product of exponentials", exp(u) * exp(v), "=", exp(u + v),
              Everywhere(any_exponent(u), any_exponent(v))),
        Claim("points are told apart", cos(u) - cos(v), "=", 2 * sin((u + v) / 2) * sin((v - u) / 2),
              OnTheCircle(Everywhere(), u, v)),
    ),
)  # fmt: skip

NO_ALGEBRA = Passage(
    "Sigmoids are no algebra",
    "The square of a sigmoid is no network of sigmoids, of any width. Continued to complex x, σ(x) = 1/(1 + exp(-x)) "
    "has a pole at x = iπ; there, with x = iπ + t, it is 1/(1 - exp(-t)). t^2 times a unit tends to 0 at every pole "
    "it has, so t^2 times a network does; t^2 times the square of σ does not. Nor would it help to add the slopes: "
    "σ^2 = σ - σ', and σ' is a limit of networks, but none.",
    (
        Claim("the square has a double pole", t**2 / (1 - exp(-t)) ** 2, "=", S.One, Limit(t, S.Zero)),
        Claim("a unit has none", t**2 / (1 - exp(-w * t)), "=", S.Zero, Limit(t, S.Zero)),
        Claim("the square is a limit of networks", SIGMA(x) ** 2, "=", SIGMA(x) - SLOPE(x),
              Everywhere(any_exponent(x))),
    ),
)  # fmt: skip

TOTAL, eps, share = Symbol("A", positive=True), Symbol("epsilon", positive=True), Symbol("eta", positive=True)
MANY = Passage(
    "From one dimension to many",
    "This is how K. Hornik, M. Stinchcombe and H. White (Neural Networks 2 (1989) 359) use the theorem, and with the "
    "staircase it proves universality on [0, 1]^d. F is within ε/2 of a sum Σ a_k cos(w_k.x + b_k). Every cosine is a "
    "function of one variable u = w_k.x + b_k on an interval, and the staircase is within η of it, with units σ(s (u "
    "- u_i)): these are units of x. With A = Σ |a_k| and η = ε/(2 A):",
    (
        Claim("errors add up", TOTAL * share + eps / 2, "=", eps, Everywhere(means(share, eps / (2 * TOTAL)))),
    ),
)  # fmt: skip

WHERE_IT_ENDS = """Where the likeness ends.
- The terms: polynomials and waves have fixed terms, the same for every F, and F only sets their coefficients (B and \
Fejér's mean are linear in F). A network chooses its terms with F: w_k and b_k stand inside of σ.
- The coefficients: Bernstein's are values of F, Fourier's are integrals, one at a time, by orthogonality. Units are \
not orthogonal; their weights come from least squares and descent, and nobody promises the best ones.
- Numbers: n + 1 for degree n, n for n waves, 3 n + 1 for n units in one dimension. In d dimensions there are about \
n^d products of n waves, but a unit has d + 1 numbers; for F with a Fourier transform of finite first moment the \
mean square error of n units falls like 1/n in every dimension (A. Barron, IEEE Trans. Inf. Theory 39 (1993) 930).
- The rate: Bernstein's polynomials never gain from smoothness, the sums of waves do where F is smooth and periodic, \
fitted networks do on any interval. At a kink all pay but those that may put a term on it.
- The measure of error: coefficients of waves are the best ones in the mean square, Bernstein's polynomials are near \
in the largest error; networks are dense in both senses (Hornik's two theorems), and the mean may have any density \
p(x)."""

ALGEBRA: tuple[Passage, ...] = (CLOSED, NO_ALGEBRA, MANY)
