"""A chapter for every kind of layer: its definitions, and the derivative of the cost by everything it has.

>>> [chapter.name for chapter in CHAPTERS]
['layer_norm', 'gates', 'prelu', 'dropout', 'residual', 'penalties']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from theory.chapters.chapter import Chapter, Formula, Section
from theory.language.derivation import Derivation
from theory.language.notation import l, sample, unit, var
from theory.language.printing import show
from theory.language.statement import System
from theory.layers.dropout import dropout
from theory.layers.gated import gated
from theory.layers.kind import Statement
from theory.layers.layer_norm import layer_norm
from theory.layers.penalty import penalty
from theory.layers.prelu import prelu
from theory.layers.residual import residual, residual_stack
from theory.rules.backward import derive_adjoint
from theory.rules.layer_equations import derive_layer, list_quantities
from theory.rules.matrix_form import lift_derivation

__all__ = ["CHAPTERS", "derive_residual", "state"]


def state(system: System) -> Iterator[Formula]:
    """The forward definitions."""
    for definition in system.definitions:
        text, latex = (f"{show(definition.target, s)} := {show(definition.expr, s)}" for s in ("text", "latex"))
        yield Formula(definition.label, text, latex)


def derive_all(statement: Statement) -> Iterator[Derivation]:
    """∂C by every cut, parameter and input, lifted to matrix form."""
    derived = derive_layer(statement)
    for quantity in list_quantities(statement()):
        yield lift_derivation(derived[quantity.name], quantity.indices)


def derive_residual() -> dict[str, Derivation]:
    """BP2 where every layer has its connection: two cuts, z^(l+1) and h^(l+1).

    >>> print(derive_residual()["h"].equation())
    ∂C/∂h_sj^l = Σ_k w_jk^(l+1) δ_sk^(l+1) + ∂C/∂h_sj^(l+1)
    """
    system, s, j = residual_stack(), sample(), unit("j", 0)
    return {
        name: derive_adjoint(system, var(name, l, s, j), "BP2", f"residual layers: the derivative by {name}")
        for name in ("z", "h")
    }


def write(statement: Statement, *words: str) -> Sequence[Section]:
    """Words, definitions, derivations."""
    return [*words, *state(statement()), *derive_all(statement)]


def write_residual() -> Sequence[Section]:
    """First the connection by itself, then a network of such layers."""
    return [
        "What went into some layers is added to what comes out of them. By itself that is a sum, whose derivative "
        "goes to both.",
        *state(residual()),
        *derive_all(residual),
        "In a network of such layers the cut of BP2 is no longer one layer: from h of layer l the cost is reached "
        "through z of layer l+1 and, past it, through h of layer l+1. The chain rule sums over both cuts, each with "
        "the other held fixed. So the error passes every layer unweakened, beside what W sends back.",
        *state(residual_stack()),
        *derive_residual().values(),
    ]


def write_penalty() -> Sequence[Section]:
    """The penalty by itself; BP4 gets its derivative added."""
    return [
        "A penalty is added to the cost: for L2 half of lambda times the square of every weight, for L1 lambda times "
        "its size; biases, scales, shifts and slopes are left out. A weight is then read twice, by its layer and by "
        "the penalty, and the derivative is the sum of both. At 0 the slope of the size is taken as 0.",
        *state(penalty()),
        derive_layer(penalty)["w"],
    ]


CHAPTERS = (
    Chapter(
        "layer_norm",
        "Layer normalisation",
        partial(
            write,
            layer_norm,
            "Every sample is standardised over its units. The derivation is that of batch normalisation with the "
            "roles of samples and units exchanged, except that gamma now stands inside the sums.",
        ),
    ),
    Chapter(
        "gates",
        "Gated linear units: GLU, GeGLU, SwiGLU, bilinear",
        partial(
            write,
            gated,
            "One weighted input is multiplied by a function of another: the sigmoid (GLU), gelu (GeGLU), silu "
            "(SwiGLU) or the identity (bilinear). What is below reaches the cost through two cuts, z and g.",
        ),
    ),
    Chapter(
        "prelu",
        "PReLU: a learned slope",
        partial(
            write,
            prelu,
            "With f = max(0, x) the layer is x for positive x and alpha x otherwise; at 0 the slope is alpha. The "
            "derivation holds for any f.",
        ),
    ),
    Chapter(
        "dropout",
        "Dropout",
        partial(
            write,
            dropout,
            "The mask m comes in like the data: 0 with probability p, else 1/(1 - p). Its mean is "
            "p 0 + (1 - p)/(1 - p) = 1, so the mean of what is handed on is x, and prediction leaves the mask out.",
        ),
    ),
    Chapter("residual", "Residual connections", write_residual),
    Chapter("penalties", "Penalties on weights: L2 and L1", write_penalty),
)
