"""What follows from the forward definitions of one layer: the equations of its backward pass, as matrices.

A network is a chain of layers, and what a layer hands on is a cut: every path from what is below to the cost goes
through it.  So each layer is derived by itself, for an arbitrary cost of its output, and the chain rule over the
cuts joins them; where a quantity has several readers, its derivative is the sum over them (`theory.layers.residual`).

>>> from theory.layers.prelu import prelu
>>> for label, derivation in derive_layer(prelu).items():
...     print(label, derivation.equation())
x ∂C/∂x_sj^l = (f'_l(x_sj^l) + α_j^l - f'_l(x_sj^l) α_j^l) ∂C/∂h_sj^l
alpha ∂C/∂α_j^l = Σ_s (x_sj^l - f_l(x_sj^l)) ∂C/∂h_sj^l
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sympy import Expr

from theory.language.derivation import Derivation
from theory.language.notation import Variable
from theory.language.statement import System
from theory.layers.kind import Statement
from theory.rules.backward import derive_adjoint
from theory.rules.folding import tidy
from theory.rules.matrix_form import lift, lift_derivation

__all__ = ["Equation", "LayerEquations", "derive_layer", "layer_equations"]

ADDITIVE = frozenset({"b", "c", "beta"})
"""The parameters that are added to something: their gradients are BP3, those of all others BP4."""


@dataclass(frozen=True)
class Equation:
    """target = matrix, with its label."""

    label: str
    target: Variable
    matrix: Expr


@dataclass(frozen=True)
class LayerEquations:
    """One kind of layer for a batch: forward, and the derivative of C by every cut, parameter and input, in the order
    in which they are computed."""

    system: System
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]


def list_quantities(system: System) -> tuple[Variable, ...]:
    """Cuts inside the layer, from the output down; then parameters, then inputs."""
    cuts = [d.target for d in system.definitions if d.target.name in system.cuts and d.target.name != system.output]
    return (*cuts, *system.parameters, *system.inputs)


@cache
def derive_layer(statement: Statement) -> dict[str, Derivation]:
    """∂C/∂q for every quantity q of a layer, in its own letters, each a derivation in steps."""
    system = statement()
    found = {}
    for quantity in (*system.inputs, *list_quantities(system)):
        title = f"{statement.__name__.replace('_', ' ')}: the derivative of C by {quantity.name}"
        found[quantity.name] = tidy(derive_adjoint(system, quantity, label_of(quantity, system), title))
    return found


def label_of(quantity: Variable, system: System) -> str:
    """BP3 for what is added, BP4 for other parameters, BP2 for what is passed on."""
    if quantity not in system.parameters:
        return "BP2"
    return "BP3" if quantity.name.partition("_")[0] in ADDITIVE else "BP4"


@cache
def layer_equations(statement: Statement) -> LayerEquations:
    """The same as matrices, ready to be written down for a network.

    >>> from theory.layers.batch_norm import batch_norm
    >>> from theory.language.printing import show
    >>> for equation in layer_equations(batch_norm).backward:
    ...     print(equation.label, equation.target.name, "=", show(equation.matrix))
    BP4 gamma = 1ᵀ (∂C/∂H^l ∘ U^l)
    BP3 beta = 1ᵀ ∂C/∂H^l
    BP2 x = (∂C/∂H^l - 1/n 1 1ᵀ ∂C/∂H^l - 1/n 1 1ᵀ (∂C/∂H^l ∘ U^l) ∘ U^l) ∘ 1 (γ^l)ᵀ ∘ 1 (ρ^l)ᵀ
    """
    system = statement()
    derived = derive_layer(statement)
    forward = tuple(Equation(d.label, d.target, lift(d.expr, d.target.indices)) for d in system.definitions)
    backward = []
    for quantity in list_quantities(system):
        matrix = lift_derivation(derived[quantity.name], quantity.indices).result.matrix
        backward.append(Equation(label_of(quantity, system), quantity, matrix))
    return LayerEquations(system, forward, tuple(backward))
