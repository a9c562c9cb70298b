"""A normalisation between F1 and the activation: its names, and its lines of the program."""

from __future__ import annotations

from dataclasses import replace

from backprop.codegen.lowering.nodes import Call, Expression, Name, SumColumns, SumRows
from backprop.codegen.lowering.program import Assignment
from backprop.diagnosis.model.net import ROWS, Net

__all__ = [
    "at_z", "d_x_hat", "make_error", "mean_path", "shrink", "u", "variance_path", "write_backward", "write_forward",
    "x_hat",
]  # fmt: skip


def u(net: Net, layer: int) -> Name:
    """The result of F1."""
    return Name(f"u{layer}", ("n", net.sizes[layer]))


def x_hat(net: Net, layer: int) -> Name:
    """The normalised values."""
    return Name(f"xhat{layer}", ("n", net.sizes[layer]))


def d_x_hat(net: Net, layer: int) -> Name:
    """The error of the normalised values."""
    return Name(f"dxhat{layer}", ("n", net.sizes[layer]))


def at_z(net: Net, layer: int) -> Name:
    """∂C/∂z, after the normalisation."""
    return Name(f"delta{layer}", ("n", net.sizes[layer]))


def gamma(net: Net, layer: int) -> Name:
    """The scale of a normalisation."""
    return Name(f"gamma{layer}", (net.sizes[layer],))


def shrink(net: Net, layer: int) -> Expression:
    """1 / √(variance + ε)"""
    return Call(f"shrink{layer}", u(net, layer))


def mean(net: Net, layer: int, of: Expression, spare: int = 0) -> Expression:
    """The mean over what is normalised together, or the sum over `spare` less than their number."""
    if net.by_sample:
        return SumColumns(of) / (net.sizes[layer] - spare)
    return SumRows(of) / (ROWS - spare if spare else ROWS)


def mean_path(net: Net, layer: int) -> Expression:
    """mean(dx̂): what comes back by the mean."""
    return mean(net, layer, d_x_hat(net, layer))


def variance_path(net: Net, layer: int, spare: int = 0) -> Expression:
    """x̂ mean(dx̂ x̂): what comes back by the variance."""
    x = x_hat(net, layer)
    return x * mean(net, layer, d_x_hat(net, layer) * x, spare)


def make_error(net: Net, layer: int, *, by_mean: bool = True, by_variance: bool = True) -> Expression:
    """du = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂)) / √(variance + ε), or without a path."""
    inner: Expression = d_x_hat(net, layer)
    if by_mean:
        inner = inner - mean_path(net, layer)
    if by_variance:
        inner = inner - variance_path(net, layer, net.spare)
    return shrink(net, layer) * inner


def write_forward(net: Net, line: Assignment) -> list[Assignment]:
    """u = F1, x̂, z = γ x̂ + β in the place of z = F1, for a normalised layer."""
    layer = int("".join(filter(str.isdigit, line.target.id)))
    if line.target.id[0] != "z" or layer not in net.normalised:
        return [line]
    beta = Name(f"beta{layer}", (net.sizes[layer],))
    return [
        replace(line, target=u(net, layer)),
        Assignment(x_hat(net, layer), Call(f"normalise{layer}", u(net, layer)), "F1"),
        Assignment(line.target, x_hat(net, layer) * gamma(net, layer) + beta, "F1"),
    ]


def write_backward(net: Net, layer: int) -> list[Assignment]:
    """The error of x̂ and of u, and the gradients of γ and β."""
    delta, width = at_z(net, layer), net.sizes[layer]
    return [
        Assignment(d_x_hat(net, layer), delta * gamma(net, layer), "BP2"),
        Assignment(net.delta(layer), make_error(net, layer), "BP2"),
        Assignment(Name(f"dgamma{layer}", (width,)), SumRows(delta * x_hat(net, layer)), "BP4"),
        Assignment(Name(f"dbeta{layer}", (width,)), SumRows(delta), "BP3"),
    ]
