"""The least width of ReLU networks within epsilon: which kinks are forced, and whether one unit a kink is enough."""

from __future__ import annotations

from sympy import IndexedBase, S, Sum, Symbol

from theory.chapters.approximation.claims import Claim, Everywhere, Induction, between, means
from theory.chapters.approximation.staircase import Passage

__all__ = ["LEAST_WIDTH"]

j, k = Symbol("j", integer=True), Symbol("k", integer=True)
s = IndexedBase("s")
eps = Symbol("epsilon", nonnegative=True)
U, V = Symbol("u", nonnegative=True), Symbol("v", nonnegative=True)
ERRORS = tuple(Symbol(f"e_{name}", real=True) for name in "abc")
GAP = Symbol("Gap", real=True)
E_A, E_B, E_C = ERRORS
FORCED = Passage(
    "Forced kinks",
    "A network of n ReLU units is affine between at most n kinks. Let a < b < c and let F leave its chord there"
    " by more than 2ε: with u = b - a and v = c - b, Gap = v F(a) + u F(c) - (u + v) F(b) > 2ε (u + v). An f "
    "within ε of F is F + e with |e| <= ε, so its own gap is positive: f is not concave between a and c, and "
    "its slope rises at a kink there. With the signs turned it falls. Intervals of one kind that do not meet "
    "force different kinks.",
    (
        Claim("the gap of f", GAP - 2 * eps * (U + V), "<=", GAP + V * E_A + U * E_C - (U + V) * E_B,
              Everywhere(*(between(error, -eps, eps) for error in ERRORS))),
    ),
)  # fmt: skip

l, r, d, lam = Symbol("l", real=True), Symbol("r", real=True), Symbol("d", nonnegative=True), Symbol("lambda")
tau, p_0, slope, x = Symbol("tau", real=True), Symbol("p_0", real=True), Symbol("m", real=True), Symbol("x", real=True)
PLACE = means(x, l + lam * (r - l))
CHORD = (1 - lam) * (p_0 + slope * l) + lam * (p_0 + slope * r + d * (r - tau))
LEFT_PIECE, RIGHT_PIECE = p_0 + slope * x, p_0 + slope * x + d * (x - tau)
EQUATION = Passage(
    "One unit a kink",
    "Let K kinks be forced, and let K units be within ε. Then every unit has a kink of its own and none to "
    "spare: it is flat on one side of it. Let S be the kinks whose units look left, relu(t - x): to the left of"
    " t the slope of such a unit is minus the jump of the slope at its kink, and the other units are flat "
    "there. So with s_0, ..., s_K the slopes of the pieces, s_0 + Σ_(k in S) (s_k - s_(k-1)) = 0. Conversely K "
    "kinks inside the tube F ± ε and a set S with this equation are a network of K units, one for each kink "
    "with the jump for output weight. Hence the least width is K if there are such lines, and K + 1 if not, "
    "provided that lines with K kinks are in the tube at all: a unit more that bends nowhere inside makes any "
    "first slope. If S is the first j kinks the equation says that the piece after them is flat:",
    (Claim("a flat piece", s[0] + Sum(s[k] - s[k - 1], (k, S.One, j)), "=", s[j], Induction((j, S.One))),),
)  # fmt: skip
EXCLUDED = Passage(
    "No such lines",
    "That there are none is a finite computation. Let kink k be somewhere in [l, r] and rise by d >= 0 there, "
    "from the line p to the line q. Outside of [l, r] f is one of the two; inside it is the larger, so both are"
    " at most F + ε, and the chord of f from l to r, which is at least F - ε, is a combination of p(l) and "
    "q(r). All of that is linear in the lines, and so is the equation: if some combination of these "
    "inequalities with weights >= 0 says 0 < 0, there are no such lines. Otherwise [l, r] is halved.",
    (
        Claim("the chord is above the first line", CHORD - LEFT_PIECE, "=", lam * d * (r - tau), Everywhere(PLACE)),
        Claim("and above the second", CHORD - RIGHT_PIECE, "=", (1 - lam) * d * (tau - l), Everywhere(PLACE)),
    ),
)  # fmt: skip

chi = Symbol("chi", real=True)
OPEN = Passage(
    "Units that may look either way",
    "K kinks have 2^K sets S, but hundreds of kinks need not be gone through one by one. Let chi be 1 if the unit of a "
    "kink looks left and 0 if it looks right, so that the equation is s_0 + Σ chi_k (s_k - s_(k-1)) = 0. As long as it "
    "is not asked which way a unit looks, chi is only between 0 and 1: a kink at which the slope rises by d adds "
    "between 0 and d, one at which it falls by d between -d and 0. So the sum with all open units counted that fall "
    "must not be above 0, and the sum with all counted that rise not below. Both are linear in the lines. Where no "
    "lines in the tube obey the two, no set S does; if the first slope and all falls after it add up to more than 0, "
    "one unit a kink is never enough. Otherwise one unit more is asked which way it looks.",
    (
        Claim("a rise adds d at most", chi * d, "<=", d, Everywhere(between(chi, S.Zero, S.One))),
        Claim("a rise takes nothing away", S.Zero, "<=", chi * d, Everywhere(between(chi, S.Zero, S.One))),
        Claim("a fall takes d away at most", -d, "<=", -chi * d, Everywhere(between(chi, S.Zero, S.One))),
        Claim("a fall adds nothing", -chi * d, "<=", S.Zero, Everywhere(between(chi, S.Zero, S.One))),
    ),
)  # fmt: skip

LEAST_WIDTH: tuple[Passage, ...] = (FORCED, EQUATION, OPEN, EXCLUDED)
