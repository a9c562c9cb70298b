"""Names in a network of any layers: functions, penalties, statistics, groups; and the equations of each element."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from sympy import Expr

from backprop.codegen.program import Group, Name
from backprop.codegen.support import RESERVED
from backprop.layers import Dense, Gated
from backprop.network import Network
from backprop.plan import Element
from theory import matrices as mf
from theory.activations import NAMES
from theory.layer_equations import Equation, LayerEquations, Statement, layer_equations
from theory.layers.activation import activation
from theory.layers.batch_norm import batch_norm, batch_norm_given
from theory.layers.dropout import dropout
from theory.layers.gated import gated
from theory.layers.layer_norm import layer_norm
from theory.layers.prelu import prelu
from theory.layers.residual import residual
from theory.layers.weighted_sum import weighted_sum

__all__ = [
    "STATEMENTS", "count_uses", "equations_of", "list_groups", "name_functions", "name_penalties", "name_statistics",
    "penalised", "rates_of",
]  # fmt: skip

STATEMENTS: dict[str, Statement] = {
    "weights": weighted_sum, "gated": gated, "activation": activation, "prelu": prelu, "batch_norm": batch_norm,
    "layer_norm": layer_norm, "dropout": dropout, "join": residual,
}  # fmt: skip
"""Which file of the book states an element of the plan."""

GROUPS = {"weights": "Dense", "gated": "Gate", "prelu": "Slope", "batch_norm": "Scale", "layer_norm": "Scale"}
"""What the parameters of an element are called together in a module."""


@cache
def equations_of(element: Element, given: bool) -> LayerEquations:
    """The equations of the kind of layer that an element is."""
    return layer_equations(batch_norm_given if given and element.kind == "batch_norm" else STATEMENTS[element.kind])


def count_uses(equations: Iterable[Equation], letter: str) -> int:
    """How often the derivative of C by this letter is read."""
    read = [node for e in equations for node in walk_matrix(e.matrix) if isinstance(node, mf.CostGradient)]
    return sum(node.template.name == letter for node in read)


def walk_matrix(expr: Expr) -> Iterable[Expr]:
    """Every node of a matrix expression."""
    yield expr
    for arg in expr.args:
        yield from walk_matrix(arg)


def name_functions(network: Network) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Activation -> its name in the module, and name -> what it states; the identity is not called."""
    names: dict[str, str] = {}
    wanted = [element.function for element in network.elements if element.function]
    for function in dict.fromkeys((*wanted, network.output)):
        if function != "identity":
            usable = function == "softmax" or (function in NAMES and function not in RESERVED)
            names[function] = function if usable else f"phi{len(names) + 1}"
    return names, tuple((name, function) for function, name in names.items() if function != "softmax")


def rates_of(network: Network, element: Element) -> tuple[float, float]:
    """(l2, l1) of an element's weights: its own, else the network's."""
    layer = element.layer
    if not isinstance(layer, Dense | Gated) or element.kind == "activation":
        return 0.0, 0.0
    return (
        float(network.l2 if layer.l2 is None else layer.l2),
        float(network.l1 if layer.l1 is None else layer.l1),
    )


def penalised(element: Element) -> tuple[str, ...]:
    """The names of an element's weights."""
    return tuple(parameter.name for parameter in element.parameters if parameter.field in ("W", "V"))


def name_penalties(
    network: Network, elements: Iterable[Element]
) -> tuple[dict[tuple[float, float], str], tuple[tuple[str, str], ...]]:
    """(l2, l1) -> the function of the module that is summed over the weights, and what it states."""
    rates = [r for r in dict.fromkeys(rates_of(network, element) for element in elements) if any(r)]
    names = {pair: "penalty" + ("" if k == 0 else f"_{k + 1}") for k, pair in enumerate(rates)}
    statements = []
    for (l2, l1), name in names.items():
        terms = [f"{l2!r}/2*x**2"] * bool(l2) + [f"{l1!r}*abs(x)"] * bool(l1)
        statements.append((name, " + ".join(terms)))
    return names, tuple(statements)


def name_statistics(element: Element) -> tuple[Name, Name]:
    """mean1 and variance1: the running statistics of a batch normalisation."""
    return Name(f"mean{element.tag}", (element.width,)), Name(f"variance{element.tag}", (element.width,))


def list_groups(network: Network) -> tuple[Group, ...]:
    """The parameters, one group for each element that owns any."""
    return tuple(
        Group(GROUPS[e.kind], tuple(p.field for p in e.parameters), tuple(Name(p.name, p.shape) for p in e.parameters))
        for e in network.elements
        if e.parameters
    )
