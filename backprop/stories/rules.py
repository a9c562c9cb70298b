"""Every rule that a step can name: a paragraph for somebody who asks why, and an example small enough to check by hand.

A line of an example that is arithmetic on both sides of = is checked by the tests.

>>> print(find_rule("collapse").example)
Σ_k g_k [k=2] with g = (5, 7):
5*0 + 7*1 = 7
only the term with k = 2 is left: g_2
"""

from __future__ import annotations

from dataclasses import dataclass

from theory.rules.calculus import RULES

__all__ = ["RULE_STORIES", "RuleStory", "find_rule"]


@dataclass(frozen=True)
class RuleStory:
    """Why a step is allowed, and what it does to small numbers."""

    name: str
    why: str
    example: str

    @property
    def law(self) -> str:
        """The statement as the book enters it; "" for what is no law of the book's own table."""
        return " ".join(RULES[self.name].statement.split()) if self.name in RULES else ""


RULE_STORIES: dict[str, RuleStory] = {
    story.name: story
    for story in (
        RuleStory("definition of δ", "Nothing is computed: how the cost changes with the weighted input z of a unit is "
                  "asked for so often that it gets a letter of its own. In a later step the letter stands for what has "
                  "been derived already, one layer further up; that is why the equations go backwards.",
                  "C changes by 0.03 while z_1^2 grows by 0.01:\n0.03/0.01 = 3\nδ_1^2 = 3"),
        RuleStory("chain over the cut", "A cut is a row of quantities that every path from x to C has to go through, "
                  "like the bridges over a river. What x does to C is what it does to each bridge, times what that "
                  "bridge does to C, added up. Nothing may be counted twice: the bridges lie side by side, not one "
                  "after the other.",
                  "      ┌─ 2 → y_1 ─ 5 ─┐\n  x ──┤               ├─→ C\n      └─ 3 → y_2 ─ 1 ─┘\n5*2 + 1*3 = 13"),
        RuleStory("chain rule over what it reads", "A quantity moves only because what its definition reads moves. So "
                  "its change is the sum, over all that is read, of how much it feels of that, times how that changes.",
                  "y = 3 u + 2 v; u changes by 0.1 and v by 0.2 for each step of x:\n3*0.1 + 2*0.2 = 0.7"),
        RuleStory("linearity", "The derivative of a sum is the sum of the derivatives, and a constant factor stays in "
                  "front. So the derivative may walk into a sum, also into one written with Σ.",
                  "u grows by 0.2, v by 0.1, the whole is 3 u + v:\n3*0.2 + 0.1 = 0.7"),
        RuleStory("product rule", "Both factors may change: first the one moves and the other waits, then the other "
                  "way round. The product of both small changes is too small to count.",
                  "u = 3 grows by 0.01, v = 5 by 0.02:\n3*0.02 + 5*0.01 = 0.11\n3.01*5.02 - 3*5 = 0.1102"),
        RuleStory("independence", "What is not computed from x does not move when x does: a parameter, a target, an "
                  "earlier layer. Its derivative is 0, and the term goes. Most terms of a long line go in this way.",
                  "C = w a, and w is a parameter; a grows by 1, w stays:\n0*4 + 2*1 = 2"),
        RuleStory("Kronecker delta", "The derivative of one entry by another one of the same array is 1 if they are "
                  "the same entry and 0 if not. The sign [i=j] says just that; as a table it is the unit "
                  "matrix. Many books write δ_ij for it; here δ is the error and nothing else.",
                  "        j = 1   j = 2\ni = 1     1       0\ni = 2     0       1"),
        RuleStory("definition", "Inside a derivative a computed quantity may be replaced by what computes it. F1 says "
                  "how z comes from the layer below, F2 how a comes from z; there is nothing else to be known of the "
                  "network.",
                  "z_1 is w_11 a_1 + w_21 a_2 + b_1 with w = (2, 3), a = (1, 4), b = 5:\n2*1 + 3*4 + 5 = 19"),
        RuleStory("elementwise chain", "f acts on each number by itself. If its argument moves a little, f moves by "
                  "its slope times that, and the slope is taken at the argument: f' at z, not at a.",
                  "f(z) = z^2 at z = 3, where f' is 6; z grows by 0.01:\n6*0.01 = 0.06\n3.01*3.01 - 3*3 = 0.0601"),
        RuleStory("linearity of the sum", "A sum of sums is sorted: first all terms of the one kind, then all of the "
                  "other. It is done only where it frees a sign with two indices.",
                  "(1 + 10) + (2 + 20) = (1 + 2) + (10 + 20)"),
        RuleStory("collapse", "Of a sum over k with the sign [k=j] under it only the term with k = j is left: all "
                  "others are multiplied by 0. The index k disappears and j takes its place. It is allowed because k "
                  "and j run over the same units.",
                  "Σ_k g_k [k=2] with g = (5, 7):\n5*0 + 7*1 = 7\nonly the term with k = 2 is left: g_2"),
        RuleStory("targets sum to one", "One-hot targets, like every probability distribution, sum to one over the "
                  "outputs of a sample. That is given, not computed, and with it softmax and cross-entropy collapse.",
                  "y = (0, 1, 0):\n0 + 1 + 0 = 1"),
        RuleStory("factor out", "A factor that does not depend on the summed index may stand in front of the sum: "
                  "multiply once instead of once a term.",
                  "3*5 + 3*7 = 3*(5 + 7)"),
        RuleStory("a sum is a matrix product", "Row times column: a sum over one shared index is an entry of a product "
                  "of two arrays. The shared index has to be the last of the left array and the first of the right "
                  "one; where it is not, the array is written transposed. That, and nothing else, is where the "
                  "transpose in the backward pass comes from. A sum over the samples alone adds up the rows.",
                  "(2 3) times the column (4, 5):\n2*4 + 3*5 = 23"),
        RuleStory("entry by entry", "What holds for every index is said once, for the whole array. A product of two "
                  "entries with the same indices becomes ∘, the product entry by entry.",
                  "(2 3) ∘ (4 5) = (8 15):\n2*4 = 8\n3*5 = 15"),
        RuleStory("algebra", "School algebra on the entries: multiply out, collect, cancel. No derivative is left "
                  "here.",
                  "(6*2 - 6*1)/6 = 2 - 1"),
        RuleStory("∂C/∂a", "What the chapter on costs has derived is put in for this cost.",
                  "half the squared error at a = 0.8, y = 1:\n0.8 - 1 = -0.2"),
        RuleStory("∂a/∂z", "How the outputs follow their inputs is put in: a slope for each unit alone, or for softmax "
                  "the whole table, because every output depends on every input.",
                  "softmax with a = (0.25, 0.75), the change of a_1 by z_1 and by z_2:\n"
                  "0.25*(1 - 0.25) = 0.1875\n0.25*(0 - 0.75) = -0.1875"),
        RuleStory("softmax read backwards", "a_j is e^z_j over the sum of all e^z_k. Read from right to left, every "
                  "e^z_j may be written as a_j times that sum, and the sum cancels.",
                  "e^z = (1, 3), so a = (1/4, 3/4):\n3 = 3/4*(1 + 3)"),
        RuleStory("sigmoid read backwards", "a = 1/(1 + e^-z). Read from right to left, e^-z is (1 - a)/a, and 1 - a "
                  "is the sigmoid of -z.",
                  "e^-z = 1/3, so a = 3/4:\n(1 - 3/4)/(3/4) = 1/3"),
        RuleStory("laws of the logarithm", "The logarithm of a quotient is a difference, that of a power a product. So "
                  "the cost is computed from z without a number that has run over or vanished.",
                  "log 8 - log 2 = log 4, in powers of two:\n3 - 1 = 2"),
        RuleStory("deviations from the mean", "What lies above the mean and what lies below cancel: the deviations sum "
                  "to 0.",
                  "x = (1, 3, 8), mean 4:\n(1 - 4) + (3 - 4) + (8 - 4) = 0"),
        RuleStory("root read backwards", "ρ stands for one over the root of the variance plus ε; where such a power "
                  "turns up, the letter is put back.",
                  "variance 4, ρ = 1/2:\n(1/2)*(1/2)*(1/2) = 1/8\n1/(4*2) = 1/8"),
        RuleStory("deviation read backwards", "u stands for the standardised input, deviation times ρ; so a deviation "
                  "is u over ρ.",
                  "x = 7, mean 4, ρ = 1/2:\n(7 - 4)*(1/2) = 3/2\n(3/2)/(1/2) = 7 - 4"),
        RuleStory("F1, with b = 0", "At the start the biases are 0, so z is the weighted sum alone.",
                  "w = (2, 3), a = (1, 4):\n2*1 + 3*4 + 0 = 14"),
        RuleStory("BP2", "The error of a layer as BP2 gives it.", "f' = 1/2, w = (2, 3), δ = (1, 4):\n"
                  "1/2*(2*1 + 3*4) = 7"),
        RuleStory("square as a double sum", "A sum times itself: every term meets every term, so a second index is "
                  "needed.",
                  "(2 + 3)*(2 + 3) = 2*2 + 2*3 + 3*2 + 3*3"),
        RuleStory("the mean of a sum", "The mean of a sum is the sum of the means, whether its terms depend on one "
                  "another or not.",
                  "terms 1 or 3, and 10 or 30:\n((1 + 10) + (3 + 30))/2 = (1 + 3)/2 + (10 + 30)/2"),
        RuleStory("weights independent of the rest", "The weights of a layer are drawn without a look at anything "
                  "below. Means of products of independent quantities are products of means.",
                  "w is -1 or 1, a is 2 or 4, all four equally often:\n(-1*2 + -1*4 + 1*2 + 1*4)/4 = 0*3"),
        RuleStory("weights independent, mean 0", "Two different weights have a product of mean 0; only a weight with "
                  "itself is left, and the mean of its square is the variance.",
                  "w and v are -1 or 1:\n((-1*-1) + (-1*1) + (1*-1) + (1*1))/4 = 0\n((-1*-1) + (1*1))/2 = 1"),
        RuleStory("equal units", "All units of a layer are drawn alike, so each of the equal terms of the sum is the "
                  "same: their number times one of them.",
                  "5 + 5 + 5 = 3*5"),
        RuleStory("f'(z) independent of the sum", "An assumption, not a law: the slope of a unit and the errors above "
                  "it are taken as independent. For networks that are wide and at their start it is nearly so.",
                  "slopes 1/2 or 1, sums 2 or 4, all four equally often:\n(1/2*2 + 1/2*4 + 1*2 + 1*4)/4 = 3/4*3"),
    )
}  # fmt: skip


def find_rule(name: str) -> RuleStory:
    """The story of a rule.  Errors: KeyError for a rule that no step names."""
    return RULE_STORIES[name]
