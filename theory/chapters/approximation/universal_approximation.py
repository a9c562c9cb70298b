"""Universal approximation: what the theorems suppose and say, a proof in one dimension, and what they do not say.

>>> check()
[]
"""

from __future__ import annotations

from collections.abc import Sequence

from theory.chapters.approximation.claim_printing import write_expression
from theory.chapters.approximation.claims import Claim
from theory.chapters.approximation.least_width import LEAST_WIDTH
from theory.chapters.approximation.parallels.algebra import ALGEBRA, WHERE_IT_ENDS
from theory.chapters.approximation.parallels.bernstein import BERNSTEIN
from theory.chapters.approximation.parallels.fourier import FOURIER
from theory.chapters.approximation.staircase import BOUND, PROOF, Passage
from theory.chapters.approximation.universality import THEOREMS, Theorem, degree_of_power_network, list_coverage
from theory.chapters.chapter import Chapter, Formula, Section

__all__ = ["CHAPTER", "check"]

POWERS, UNITS = (1, 2, 3, 4), 3
PARALLELS = (*BERNSTEIN, *FOURIER, *ALGEBRA)
"""Polynomials and waves beside the networks."""


def check(parts: Sequence[Passage] = PROOF) -> list[Claim]:
    """The claims of the proof that their judges refuse (none, if it is right)."""
    return [claim for part in (*parts, *LEAST_WIDTH, *PARALLELS) for claim in part.claims if not claim.holds()]


def state(theorem: Theorem) -> str:
    """A theorem in words."""
    then = f"Then the networks of one hidden layer are {theorem.conclusion}"
    return f"{theorem.name}. Suppose {theorem.hypotheses}. {then}. {theorem.source}."


def show(claim: Claim) -> Formula:
    """A claim with its letters, its reason, and how it was checked."""
    verdict = "holds" if claim.holds() else "DOES NOT HOLD"
    letters = claim.describe_letters()
    checked = f"checked by {claim.judge.describe(claim.relation)}: {verdict}"
    remarks = [*([f"where {letters}"] if letters else []), *([claim.note] if claim.note else []), checked]
    return Formula(claim.name, claim.write(), claim.write(latex=True), tuple(remarks))


def sections() -> Sequence[Section]:
    """The theorems, whom they cover, the proof, the bound, least widths, parallels, and the limits."""
    table = "\n".join([COVERAGE, *(f"- {line}" for line in list_coverage())])
    out: list[Section] = [INTRODUCTION, *map(state, THEOREMS), table]
    degrees = ", ".join(f"{degree_of_power_network(power, UNITS)} for z^{power}" for power in POWERS)
    out += [f"{POLYNOMIALS} {degrees}.", SETTING]
    for part in PROOF:
        out += [f"{part.title}. {part.text}", *map(show, part.claims)]
        if part.title == BOUND_AFTER:
            out += [BOUND_TEXT, Formula("the bound", f"sup |F - f| <= {write_expression(BOUND)}",
                                        rf"\sup |F - f| \le {write_expression(BOUND, latex=True)}")]  # fmt: skip
    for introduction, parts in ((WIDTHS, LEAST_WIDTH), (ALIKE, PARALLELS)):
        out.append(introduction)
        for part in parts:
            out += [f"{part.title}. {part.text}", *map(show, part.claims)]
    return [*out, WHERE_IT_ENDS, SILENCE]


INTRODUCTION = """A network of one hidden layer is f(x) = c_0 + Σ c_k σ(w_k.x + b_k). A set of functions is dense \
if some member of it is as near as one likes to every function that is asked for. Which σ make the networks of \
all widths dense? The answers, from the oldest to the sharpest."""

COVERAGE = """Whom they cover, from the limits, the continuity and the form of each activation of the catalogue."""

POLYNOMIALS = f"""Why polynomials are out: with σ = z^k a network of any width is a polynomial of degree k in x, \
and those are not dense. The degree of {UNITS} units with letters for weights is"""

SETTING = """The theorems prove that a network exists. In one dimension one can be written down for a continuous F on \
[0, 1]. Cut [0, 1] into n cells of length h = 1/n with ends x_i = i h and middles m_i; let y_i = F(m_i) and \
p_i = σ(s (x - x_i)), a sigmoid of steepness s at x_i. How much F can change over a distance d is its modulus of \
continuity ω(d), the largest |F(x) - F(y)| for |x - y| <= d; it grows with d. Any other interval [a, b] is \
x = a + (b - a) u with u in [0, 1]. Every line below is checked by a judge that shows it for all values of its \
letters, or refuses it. For an inequality that is algebra: with the range of each letter written by letters that \
are not negative (θ from 0 to 1 as v/(1 + v), t >= 0 as log(1 + v)), right - left is a fraction without a negative \
coefficient."""

BOUND_AFTER = "Between two values"
BOUND_TEXT = """Everything together, for f(x) = y_1 + Σ (y_(i+1) - y_i) σ(s (x - x_i)), n - 1 hidden units:"""

WIDTHS = """For ReLU units the least width for a given ε can be known: from below by kinks that every network near F \
has, from above by a network."""

ALIKE = """Parallels from real analysis. Polynomials and waves approximate every continuous function too, and the \
proofs are alike: some are weighted means of values of F, as above, and one is about products of terms."""

SILENCE = """What the theorems do not say.
- No width: density is about all widths together. The proof above gives one that suffices, for each ε and F; \
usually far fewer units do.
- No rate for continuous F in general: ω may tend to 0 as slowly as one likes. For F with bounded slope this network \
has an error of order 1/n; fitted networks are far better for smooth F.
- No algorithm: that good weights exist does not say that gradient descent finds them. What training reaches is a \
matter of the optimiser; a large training error disproves nothing here.
- Nothing outside the compact set: beyond [0, 1] the network above is constant, whatever F does there.
- Nothing of data: a network that is near F at finitely many points may be anywhere between them.
- No best network: it need not exist, and the weights may run away on the way to it.
- Nothing of targets with jumps in the largest error: half the jump remains. In the mean (L^p) Hornik's first \
theorem covers them.
- Nothing of floats: all this is about real numbers."""

CHAPTER = Chapter("universal_approximation", "Universal approximation: the theorems and a proof", sections)
