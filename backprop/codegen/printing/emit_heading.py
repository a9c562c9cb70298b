"""emit_heading: the docstring of a generated module: what it is, and the equations that it follows."""

from __future__ import annotations

from backprop.codegen.lowering.lower import output_error_of
from backprop.codegen.lowering.names import equations_of
from backprop.codegen.lowering.program import Program
from backprop.specification.network import Network
from theory.chapters.networks.costs import find_cost
from theory.chapters.networks.four_equations import derive_matrix_form, forward_matrix_form
from theory.language.matrices import Array, MatrixEntry
from theory.language.printing import show

__all__ = ["write_heading"]


def write_heading(network: Network, program: Program) -> str:
    """The four equations of a plain network, the layers and their equations of any other; then the cost."""
    cost = find_cost(network.cost, network.weighted)
    penalties = [f"Added for the weights of a layer, entry by entry: {stated}." for _, stated in program.penalties]
    lines = [
        *(describe_plain(network) if network.is_plain else describe_layers(network)),
        f"C is {cost.title}: {show(cost.expression)}",
        f"({cost.scale}).",
        *penalties,
    ]
    return '"""' + "\n".join(line.replace("\\", "\\\\") for line in lines) + '\n"""\n'


def describe_plain(network: Network) -> list[str]:
    """The four equations, for every layer the same."""
    equations = [f"F1   Z^l = {show(forward_matrix_form()['F1'])}", "F2   A^l = f_l(Z^l)"]
    equations.append(f"BP1  Δ^L = {show(output_error_of(network.output, network.cost))}")
    for label, symbol in {"BP2": "Δ^l", "BP3": "∂C/∂b^l", "BP4": "∂C/∂W^l"}.items():
        entry = derive_matrix_form(label).result
        assert isinstance(entry, MatrixEntry)
        equations.append(f"{label}  {symbol} = {show(entry.matrix)}")
    return [
        f"A network {network}: forward pass, cost and gradients.",
        "",
        "Derived for any depth, width, activation and cost, then written down for this network:",
        "",
        *(f"    {equation}" for equation in equations),
        "",
        f"with l = 1..{network.depth}, A^0 = X, rows = samples, ∘ = entry by entry, 1 = a column of ones.",
    ]


def describe_layers(network: Network) -> list[str]:
    """The layers, and the equations of every kind of layer."""
    equations: list[str] = []
    for kind in dict.fromkeys(element.kind for element in network.elements if element.kind):
        derived = equations_of(kind)
        given = [(e.label, show(Array(e.target)), e.matrix) for e in derived.forward]
        given += [(e.label, f"∂C/∂{show(Array(e.target))}", e.matrix) for e in derived.backward]
        equations.append(f"    {kind.title}")
        equations += [f"        {label:<4} {name} = {show(matrix)}" for label, name, matrix in given]
    error = show(output_error_of(network.output, network.cost, network.weighted))
    return [
        "Forward pass, cost and gradients of a network.",
        "",
        *(f"    {line}".rstrip() for line in network.table().splitlines()),
        "",
        "Derived layer by layer, for any width, activation and cost, then written down for this network:",
        "",
        *equations,
        f"    BP1: the derivative of C by what enters the output function is {error}",
        "",
        "Rows are samples, ∘ = entry by entry, 1 = a column of ones; Δ is the derivative of C by Z.",
        "What a layer hands on is read by the next; where two read it, its derivative is the sum of both.",
    ]
