"""Names in the program of a network: functions, penalties, statistics, groups; and the equations of each element."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from sympy import Expr

from backprop.codegen.lowering.nodes import Name
from backprop.codegen.lowering.program import Group
from backprop.codegen.lowering.support import RESERVED
from backprop.specification.network import Network
from backprop.specification.plan import Element
from theory.functions.activation_catalogue import NAMES
from theory.language import matrices as mf
from theory.layers.kind import Kind
from theory.rules.layer_equations import Equation, LayerEquations, layer_equations

__all__ = [
    "count_uses", "equations_of", "find_names", "list_groups", "name_functions", "name_penalties",
    "name_statistics", "penalised", "rates_of",
]  # fmt: skip


@cache
def equations_of(kind: Kind, given: bool = False) -> LayerEquations:
    """The equations of a kind of layer; `given` for prediction."""
    return layer_equations(kind.prediction if given and kind.prediction else kind.forward)


def count_uses(equations: Iterable[Equation], letter: str) -> int:
    """How often the derivative of C by this letter is read."""
    read = [node for e in equations for node in walk_matrix(e.matrix) if isinstance(node, mf.CostGradient)]
    return sum(node.template.name == letter for node in read)


def walk_matrix(expr: Expr) -> Iterable[Expr]:
    """Every node of a matrix expression."""
    yield expr
    for arg in expr.args:
        yield from walk_matrix(arg)


def name_functions(network: Network) -> tuple[str, ...]:
    """How the activations of a network are called in the module.

    One activation in all hidden layers of a plain network is f, as in the equations; otherwise each has its own name.

    >>> name_functions(Network.parse("4-3-3-2", activation="relu", output="softmax", cost="cross-entropy"))
    ('f', 'f', 'softmax')
    """
    names = find_names(network)
    return tuple(names[name] for name in network.functions)


def find_names(network: Network) -> dict[str, str]:
    """Activation or gate -> its name in the module, in order of first use."""
    hidden = list(dict.fromkeys(network.activations))
    names = {hidden[0]: "f"} if network.is_plain and len(hidden) == 1 else {}
    own = "g{}" if network.is_plain else "phi{}"
    wanted = [element.function for element in network.elements if element.function]
    for function in dict.fromkeys((*wanted, network.output)):
        if function not in names and (network.is_plain or function != "identity"):
            usable = function in ("softmax", *NAMES) and function not in RESERVED - {"softmax"}
            names[function] = function if usable else own.format(len(names) + (not network.is_plain))
    return names


def rates_of(network: Network, element: Element) -> tuple[float, float]:
    """(l2, l1) of an element's weights: its own, else the network's."""
    if not penalised(element):
        return 0.0, 0.0
    own = {name: getattr(element.layer, name, None) for name in ("l2", "l1")}
    l2, l1 = (float(getattr(network, name) if rate is None else rate) for name, rate in own.items())
    return l2, l1


def penalised(element: Element) -> tuple[str, ...]:
    """The names of an element's weights."""
    return tuple(parameter.name for parameter in element.parameters if len(parameter.shape) == 2)


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


def name_statistics(element: Element) -> tuple[Name, ...]:
    """mean1 and variance1: the running statistics of a normalisation over the batch."""
    words = element.kind.statistics.values() if element.kind else ()
    return tuple(Name(f"{word}{element.tag}", (element.width,)) for word in words)


def list_groups(network: Network) -> tuple[Group, ...]:
    """The parameters, one group for each element that owns any."""
    return tuple(
        Group(e.kind.owner, tuple(p.field for p in e.parameters), tuple(Name(p.name, p.shape) for p in e.parameters))
        for e in network.elements
        if e.kind and e.parameters
    )
