"""Recurrent layers: backpropagation through time is BP1 to BP4 once more, with one W for all steps.

One engine for any list of definitions over time; Elman's layer, LSTM and GRU are lists.

>>> for derivation in derive_through_time().values():
...     print(derivation.label, derivation.equation())
BP1 δ_sj^L = f'_L(z_sj^L) ∂C/∂h_sj^L
BP2 δ_sj^l = f'_l(z_sj^l) Σ_k w_jk δ_sk^(l+1)
BP4 ∂C/∂e_ij = Σ_l Σ_s x_si^l δ_sj^l
BP4 ∂C/∂w_ij = Σ_l Σ_s h_si^(l-1) δ_sj^l
BP3 ∂C/∂b_j = Σ_l Σ_s δ_sj^l
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from theory.chapters.chapter import Chapter, Section
from theory.chapters.networks.layer_chapters import state
from theory.language.derivation import Derivation
from theory.language.glossary import GLOSSARY
from theory.language.notation import L, Variable, nodes, var
from theory.language.statement import System
from theory.layers.gru import gru, gru_before
from theory.layers.kind import Statement
from theory.layers.lstm import lstm
from theory.layers.recurrent import recurrent
from theory.rules.backward import derive_adjoint
from theory.rules.folding import tidy
from theory.rules.layer_equations import label_of
from theory.rules.matrix_form import lift_derivation

__all__ = ["CHAPTERS", "STATEMENTS", "derive_through_time", "is_last", "lift_through_time", "quantity_of"]

STATEMENTS: dict[str, Statement] = {"recurrent": recurrent, "lstm": lstm, "gru": gru, "gru_before": gru_before}
"""The layers over time by their names."""


def list_cuts(system: System) -> list[Variable]:
    """The named quantities of a step, in the order in which the backward pass comes to them."""
    return [d.target for d in reversed(system.definitions) if d.target.name in system.cuts]


def title_of(x: Variable, system: System) -> str:
    """What is derived, in words."""
    name = GLOSSARY[x.name].text
    if x in system.parameters:
        return f"the gradient of {name}, which all steps share"
    return f"the derivative of C by {name} of {'the last step' if x.layer == L else 'any other step'}"


@cache
def derive_through_time(statement: Statement = recurrent) -> dict[str, Derivation]:
    """The equations of any layer over time in index form: of the last step (their names end in ^L), of any step, and of
    what all steps share.

    Errors: ValueError if a derivative is left that no rule can evaluate.
    """
    system = statement()
    cuts = list_cuts(system)
    last = [var(x.name, L, *x.indices) for x in cuts if x.name != system.output]
    pairs = [*((x, "BP1") for x in last), *((x, label_of(x, system)) for x in (*cuts, *system.parameters))]
    return {
        x.name + ("^L" if x.layer == L else ""): tidy(derive_adjoint(system, x, label, title_of(x, system)))
        for x, label in pairs
    }


@cache
def lift_through_time(statement: Statement = recurrent) -> dict[str, Derivation]:
    """The same as matrices.

    >>> print(lift_through_time()["w"].equation())
    ∂C/∂w_ij = (Σ_l (H^(l-1))ᵀ Δ^l)_ij
    """
    derived = derive_through_time(statement)
    return {name: lift_derivation(one, quantity_of(one).indices) for name, one in derived.items()}


def quantity_of(derivation: Derivation) -> Variable:
    """What C is differentiated by: z where the subject is δ."""
    (found,) = [x for x in nodes(derivation.subject) if isinstance(x, Variable) and x.name != "C"]
    back = {adjoint: name for name, adjoint in derivation.system.adjoints}
    return var(back.get(found.name, found.name), found.layer, *found.indices)


def is_last(name: str) -> bool:
    """Is this the equation of the last step?"""
    return name.endswith("^L")


def tell(statement: Statement, first: str, back: str, shared: str) -> list[Section]:
    """Words, definitions, and the derivations in three parts."""
    derived = lift_through_time(statement)
    owned = {p.name for p in statement().parameters}
    ends = [d for name, d in derived.items() if is_last(name)]
    steps = [d for name, d in derived.items() if not is_last(name) and name not in owned]
    return [
        first,
        *state(statement()),
        back,
        *ends,
        *steps,
        shared,
        *(derived[name] for name in derived if name in owned),
    ]


def write_recurrent() -> Sequence[Section]:
    """Elman's layer, and why gradients explode."""
    return [
        *tell(
            recurrent,
            "A recurrent layer reads a sequence, one step after the other, and remembers h of the step before. "
            "Unrolled "
            "in time it is a network of L layers, one for each step, so l is the step here. Its parameters carry no l: "
            "every step reads the same ones. The cost is an arbitrary C of the last step.",
            "Backwards through time: the error of the last step, then of every step from the error of the next. "
            "Nothing "
            "is new but that W has no layer.",
            "A parameter reaches the cost through z of every step. The chain rule over all these cuts holds each of "
            "them fixed while the others are looked at, so its gradient is a sum over the steps: what one step would "
            "get in BP3 and BP4, added up. To leave that sum out, or to take the last step alone, is the common "
            "mistake.",
        ),
        "Why gradients explode here: BP2 multiplies by the same W at every step. From step L to step l the size of the "
        "error grows at most by the product over the steps of max |f'| |W|, where |W| is the largest singular value, "
        "since a factor by f' is at most max |f'| and a product with W at most |W|. Where f' is 1 "
        "and W is c times an orthogonal matrix the bound is reached: c to the power L - l, which vanishes for c < 1 "
        "and explodes for c > 1. In a network of layers the matrices differ and may balance each other; in time they "
        "do not. Clipping bounds the step that is taken with such a gradient, not the gradient.",
    ]


def write_lstm() -> Sequence[Section]:
    """Long short-term memory."""
    return tell(
        lstm,
        "Long short-term memory keeps a state q beside what it shows, h. Three gates, each with weights and a bias of "
        "its own, decide entry by entry how much of the state is kept (f), how much of what is new is written (i) and "
        "how much is shown (o). The function of the gates is the same for all of them, σ, and arbitrary in what "
        "follows; so is f, usually tanh. Frameworks keep the gates of one matrix in an order of their own.",
        "A step is left by two ways, h and q, so every path to the cost goes over all the named quantities of the next "
        "step: the chain rule sums over them. At the last step only h reaches the cost. Between two steps the "
        "derivative by q is multiplied by σ of the forget gate alone, no matrix and no f': where that gate is open, 1, "
        "the error of a step comes to the one before it unweakened.",
        "Every parameter is read by every step, through the one weighted input that it belongs to.",
    )


def write_gru() -> Sequence[Section]:
    """Gated recurrent units, both forms."""
    return [
        *tell(
            gru,
            "A gated recurrent unit has no state beside h. Its update gate (u) mixes what is remembered with what is "
            "new; its reset gate (r) decides how much of what is remembered enters what is new. Here the reset gate "
            "stands behind the product with w, so that this product needs a bias c of its own: without the gate b "
            "and c "
            "would be one.",
            "h of a step is read by every weighted input of the next step and by h itself.",
            "Every parameter is read by every step.",
        ),
        *tell(
            gru_before,
            "In the first published form the reset gate stands before the product: what is remembered is reset, then "
            "weighted. That is another function, with other gradients, and has no c: parameters of the one are none of "
            "the other. Where the update gate is called z, some texts keep h^(l-1) by 1 - z and others by z.",
            "Now the reset gate is reached through a matrix product.",
            "The gradient of w sees what was reset.",
        ),
    ]


CHAPTERS = (
    Chapter("recurrent", "Recurrent layers: backpropagation through time", write_recurrent),
    Chapter("lstm", "Long short-term memory through time", write_lstm),
    Chapter("gru", "Gated recurrent units through time", write_gru),
)
