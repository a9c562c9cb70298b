"""A normalisation between F1 and the activation: its lines of the program, and the mistakes in its backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from backprop.codegen.lowering.program import (
    Add,
    Assignment,
    Call,
    Divide,
    Expression,
    Multiply,
    Name,
    Number,
    Power,
    Program,
    Subtract,
    SumColumns,
    SumRows,
)
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.net import KAPPA, LETTERS, Net, set_line

__all__ = ["NORMALISATION", "write_backward", "write_forward"]

ROWS = LETTERS["rows"]


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
        return Divide(SumColumns(of), Number(net.sizes[layer] - spare))
    return Divide(SumRows(of), Subtract(ROWS, Number(spare)) if spare else ROWS)


def write_forward(net: Net, line: Assignment) -> list[Assignment]:
    """u = F1, x̂, z = γ x̂ + β in the place of z = F1, for a normalised layer."""
    layer = int("".join(filter(str.isdigit, line.target.id)))
    if line.target.id[0] != "z" or layer not in net.normalised:
        return [line]
    scaled = Multiply(x_hat(net, layer), gamma(net, layer))
    beta = Name(f"beta{layer}", (net.sizes[layer],))
    return [
        replace(line, target=u(net, layer)),
        Assignment(x_hat(net, layer), Call(f"normalise{layer}", u(net, layer)), "F1"),
        Assignment(line.target, Add(scaled, beta), "F1"),
    ]


def write_backward(net: Net, layer: int) -> list[Assignment]:
    """The error of x̂ and of u, and the gradients of γ and β."""
    delta, width = at_z(net, layer), net.sizes[layer]
    return [
        Assignment(d_x_hat(net, layer), Multiply(delta, gamma(net, layer)), "BP2"),
        Assignment(net.delta(layer), make_error(net, layer), "BP2"),
        Assignment(Name(f"dgamma{layer}", (width,)), SumRows(Multiply(delta, x_hat(net, layer))), "BP4"),
        Assignment(Name(f"dbeta{layer}", (width,)), SumRows(delta), "BP3"),
    ]


def make_error(net: Net, layer: int, *, by_mean: bool = True, by_variance: bool = True) -> Expression:
    """du = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂)) / √(variance + ε), or without a path."""
    d, x = d_x_hat(net, layer), x_hat(net, layer)
    inner: Expression = d
    if by_mean:
        inner = Subtract(inner, mean(net, layer, d))
    if by_variance:
        inner = Subtract(inner, Multiply(x, mean(net, layer, Multiply(d, x), net.spare)))
    return Multiply(shrink(net, layer), inner)


Make = Callable[[Net, int, object], Expression]


def exchange(target: str, make: Make) -> Callable[[Net, Program, int, object], Program | None]:
    """A rewrite of one line of a normalised layer."""

    def rewrite(net: Net, program: Program, layer: int, value: object) -> Program | None:
        if layer not in net.normalised:
            return None
        return set_line(program, f"{target}{layer}", make(net, layer, value))

    return rewrite


def change_deviation(net: Net, layer: int, value: object) -> Expression:
    """Without the division by the deviation, with its square, or with n − 1."""
    d, x = d_x_hat(net, layer), x_hat(net, layer)
    right = make_error(net, layer)
    if value == "missing":
        return Divide(right, shrink(net, layer))
    if value == "twice":
        return Multiply(right, shrink(net, layer))
    if value == "square root":
        return Multiply(right, Power(shrink(net, layer), 2))
    other = mean(net, layer, Multiply(d, x), 1 - net.spare)
    return Multiply(shrink(net, layer), Subtract(Subtract(d, mean(net, layer, d)), Multiply(x, other)))


def list_deviations(net: Net) -> Iterable[object]:
    """Ways to get the deviation wrong."""
    return ("missing", "twice", "square root", "n - 1")


def change_variance_path(net: Net, layer: int, value: object) -> Expression:
    """The term of the variance with a wrong sign or factor."""
    d, x = d_x_hat(net, layer), x_hat(net, layer)
    term = Multiply(KAPPA, Multiply(x, mean(net, layer, Multiply(d, x), net.spare)))
    return Multiply(shrink(net, layer), Subtract(Subtract(d, mean(net, layer, d)), term))


def change_mean_path(net: Net, layer: int, value: object) -> Expression:
    """The term of the mean with a wrong sign or factor."""
    d, x = d_x_hat(net, layer), x_hat(net, layer)
    term = Multiply(KAPPA, mean(net, layer, d))
    return Multiply(shrink(net, layer), Subtract(Subtract(d, term), Multiply(x, mean(net, layer, Multiply(d, x)))))


def change_scale_gradient(net: Net, layer: int, value: object) -> Expression:
    """dγ from what is not x̂, or from another error."""
    delta, x = at_z(net, layer), x_hat(net, layer)
    kinds: dict[object, Expression] = {
        "u": SumRows(Multiply(delta, u(net, layer))),
        "z": SumRows(Multiply(delta, net.z(layer))),
        "a": SumRows(Multiply(delta, net.a(layer))),
        "mean": Divide(SumRows(Multiply(delta, x)), ROWS),
        "d": SumRows(Multiply(d_x_hat(net, layer), x)),
        "delta": SumRows(delta),
        "centred": SumRows(Multiply(delta, Divide(x, shrink(net, layer)))),
        "divided twice": SumRows(Multiply(delta, Multiply(x, shrink(net, layer)))),
        "unsummed": Multiply(delta, x),
        "returned": SumRows(Multiply(net.returned(layer), x)),
    }
    return kinds[value]


def list_scale_gradients(net: Net) -> Iterable[object]:
    """What is used instead."""
    return ("u", "z", "a", "mean", "d", "delta", "centred", "divided twice", "unsummed", "returned")


def change_shift_gradient(net: Net, layer: int, value: object) -> Expression:
    """dβ averaged, not summed, or from another error."""
    delta = at_z(net, layer)
    kinds: dict[object, Expression] = {
        "mean": Divide(SumRows(delta), ROWS),
        "unsummed": delta,
        "d": SumRows(d_x_hat(net, layer)),
        "returned": SumRows(net.returned(layer)),
    }
    return kinds[value]


def list_shift_gradients(net: Net) -> Iterable[object]:
    """What is used instead."""
    return ("mean", "unsummed", "d", "returned")


def scale_of(target: str) -> Callable[[Net, Program, int, object], Program | None]:
    """A gradient times a free number."""
    return exchange(target, lambda net, layer, _: Multiply(KAPPA, net.right(f"{target}{layer}")))


def entry(identifier: str, sentence: str, make: Make, **more: object) -> Cause:
    """An entry for the error before a normalisation."""
    more = {"chapter": "batch_norm"} | more
    return Cause(identifier, "BP2", sentence, "chain over the cut", exchange("du", make), **more)  # type: ignore[arg-type]


NORMALISATION: tuple[Cause, ...] = (
    Cause("normalisation_scale_missing", "BP2",
          "The backward pass through a normalisation forgets its scale: the error has to be multiplied with γ on its "
          "way "
          "to the normalised values.", "product rule", exchange("dxhat", lambda net, layer, _: at_z(net, layer)),
          chapter="batch_norm"),
    entry("normalisation_mean_path_missing",
          "The backward pass through a normalisation forgets that the mean depends on every value it is taken over "
          "(every sample of the batch, say).",
          lambda net, layer, _: make_error(net, layer, by_mean=False)),
    entry("normalisation_variance_path_missing",
          "The backward pass through a normalisation forgets that the variance depends on every value it is taken over "
          "(every sample of the batch, say).",
          lambda net, layer, _: make_error(net, layer, by_variance=False)),
    entry("normalisation_statistics_as_constants",
          "The backward pass through a normalisation treats mean and variance as constants; both depend on every "
          "sample.",
          lambda net, layer, _: make_error(net, layer, by_mean=False, by_variance=False)),
    entry("normalisation_over_wrong_axis",
          "The backward pass through a normalisation takes its means over the other axis: over the batch for a layer "
          "normalisation, or over the units for a batch normalisation.",
          lambda net, layer, _: make_error(replace(net, by_sample=not net.by_sample), layer)),
    entry("normalisation_deviation_wrong",
          "The backward pass through a normalisation divides by the standard deviation not at all, too often, or with "
          "n − 1 for n.", change_deviation, values=list_deviations),
    entry("normalisation_path_factor_wrong",
          "In the backward pass through a normalisation the term of the mean or of the variance has a wrong sign or "
          "factor.", change_variance_path, fitted=True),
    entry("normalisation_path_factor_wrong",
          "In the backward pass through a normalisation the term of the mean or of the variance has a wrong sign or "
          "factor.", change_mean_path, fitted=True),
    Cause("normalisation_scale_gradient_wrong", "BP4",
          "The gradient of γ is not Σ δ x̂ over the batch: it uses values that are not the normalised ones, another "
          "error, "
          "or a mean.", "product rule", exchange("dgamma", change_scale_gradient), list_scale_gradients,
          chapter="batch_norm"),
    Cause("normalisation_scale_gradient_wrong", "BP4",
          "The gradient of γ is not Σ δ x̂ over the batch: it uses values that are not the normalised ones, another "
          "error, "
          "or a mean.", "product rule", scale_of("dgamma"), fitted=True, chapter="batch_norm"),
    Cause("normalisation_shift_gradient_wrong", "BP3",
          "The gradient of β is not Σ δ over the batch: it is a mean, not summed, or made from another "
          "error.", "collapse",
          exchange("dbeta", change_shift_gradient), list_shift_gradients, chapter="batch_norm"),
    Cause("normalisation_shift_gradient_wrong", "BP3",
          "The gradient of β is not Σ δ over the batch: it is a mean, not summed, or made from another "
          "error.", "collapse",
          scale_of("dbeta"), fitted=True, chapter="batch_norm",
          accepts=lambda number, power, net: not is_number(1)(number, power, net)),
)  # fmt: skip
