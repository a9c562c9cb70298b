"""A notation introduced: its shapes, its equations, who is transposed and why; and all notations side by side.

>>> from theory.notations.choices import NOTATIONS
>>> for name in ("lecture", "nielsen"):
...     print(explain_side("BP2", False, NOTATIONS[name]))
BP2: the sum runs over k, the second index of w_jk. W stands left, where a product sums over the second: W as it is.
BP2: the sum runs over k, the first index of w_kj. W stands left, where a product sums over the second: Wᵀ.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sympy import Expr

from theory.chapters.chapter import Chapter, Formula, Section
from theory.chapters.networks.four_equations import TITLES, derive, derive_matrix_form, forward_matrix_form, system
from theory.language import matrices as mf
from theory.language.alphabets import ALPHABETS
from theory.language.notation import Total, Variable, nodes
from theory.language.printing import show
from theory.notations.choices import NOTATIONS, NotationChoice
from theory.notations.rewriting import exchanged, printed_in, rewritten

__all__ = ["explain_side", "introduce", "side_by_side"]

FORWARD = {"F1": "z", "F2": "a"}
PLACES = ("first", "second")
PRODUCTS = (("F1", False), ("BP2", False), ("BP2", True), ("BP4", True))
KRONECKER = "δ is the error and nothing else; Kronecker's sign, 1 where two indices are the same and else 0, is [i=j]."


def introduce(choice: NotationChoice) -> Chapter:
    """The chapter that stands before all others where a notation is asked for."""
    return Chapter("notation", f"Notation: {choice.name}", partial(sections, choice))


def sections(choice: NotationChoice) -> Sequence[Section]:
    """Choices, equations, reasons."""
    weight = (
        "(M_l, M_{l-1}): its own unit first"
        if choice.own_first
        else "(M_{l-1}, M_l): the unit of the previous layer first"
    )
    vector = "a row" if choice.row_vectors else "a column"
    batch = "a column: A^l has the shape (M_l, n)" if choice.sample_columns else "a row: A^l has the shape (n, M_l)"
    reasons = [explain_side(label, batch, choice) for label, batch in PRODUCTS]
    return [
        f"The notation of {choice.source}. W^l has the shape {weight}. One sample is {vector}; in a batch of n samples "
        f"each is {batch}. {KRONECKER}",
        *(state(label, False, choice) for label in (*FORWARD, *TITLES)),
        "Who is transposed, and why. One sample first, then a batch; a product sums over the second index of what "
        "stands left and over the first index of what stands right.\n" + "\n".join(f"- {reason}" for reason in reasons),
    ]


def state(label: str, batch: bool, choice: NotationChoice) -> Formula:
    """One equation in matrix form."""
    text, latex = (" = ".join(show(side, style) for side in sides(label, batch)) for style in ("text", "latex"))
    return Formula(label, text, latex)


def sides(label: str, batch: bool) -> tuple[Expr, Expr]:
    """Both sides of an equation of the book as matrices."""
    if label in FORWARD:
        target = next(d.target for d in system(batch).definitions if d.target.name == FORWARD[label])
        return mf.Array(target), forward_matrix_form(batch)[label]
    derivation = derive_matrix_form(label, batch)
    subject = derivation.subject
    left = mf.Array(subject) if isinstance(subject, Variable) else mf.CostGradient(subject.args[1])
    return left, derivation.result.matrix


def explain_side(label: str, batch: bool, choice: NotationChoice) -> str:
    """Why an array is transposed in a product, or is not."""
    total, letter = summed(label, batch)
    factor = exchanged(next(x for x in nodes(total) if isinstance(x, Variable) and x.name == letter), choice)
    place = factor.indices.index(total.index)
    left = next(m for m in nodes(rewritten(sides(label, batch)[1], choice)) if isinstance(m, mf.Product)).args[0]
    stands = any(isinstance(x, Variable) and x.name == letter for x in nodes(left))
    wanted = 1 if stands else 0
    name = ALPHABETS["text"].matrix(letter).upper()
    printed = f"{letter}_{''.join(index.name for index in factor.indices)}"
    so = f"{name} as it is" if place == wanted else f"{name}ᵀ"
    side = "left" if stands else "right"
    where = f"{label}, batch" if batch else label
    return (
        f"{where}: the sum runs over {total.index.name}, the {PLACES[place]} index of {printed}. "
        f"{name} stands {side}, where a product sums over the {PLACES[wanted]}: {so}."
    )


def summed(label: str, batch: bool) -> tuple[Total, str]:
    """The sum of an equation that becomes a product, and the array in it that may be transposed."""
    if label in FORWARD:
        body = next(d.expr for d in system(batch).definitions if d.target.name == FORWARD[label])
    else:
        body = derive(batch)[label].result
    return next(x for x in nodes(body) if isinstance(x, Total)), "a" if label == "BP4" else "w"


def side_by_side(batch: bool) -> str:
    """A Markdown table: every equation in every notation, for one sample or for a batch."""
    choices = NOTATIONS.values()
    rows = [["", *NOTATIONS], ["---"] * (len(NOTATIONS) + 1)]
    rows.append(["a sample is", *(lies(choice, batch) for choice in choices)])
    rows.append(["W^l has the shape", *(shape_of(choice) for choice in choices)])
    rows += [[label, *(cell(label, batch, choice) for choice in choices)] for label in (*FORWARD, *TITLES)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def lies(choice: NotationChoice, batch: bool) -> str:
    """How a sample lies."""
    return "a row" if (not choice.sample_columns if batch else choice.row_vectors) else "a column"


def shape_of(choice: NotationChoice) -> str:
    """The shape of a weight matrix."""
    return "(M_l, M_(l-1))" if choice.own_first else "(M_(l-1), M_l)"


def cell(label: str, batch: bool, choice: NotationChoice) -> str:
    """The right side of an equation, and what it is where that is not said by its label."""
    with printed_in(choice):
        return " = ".join(show(side) for side in sides(label, batch))
