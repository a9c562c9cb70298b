"""Mistakes in the backward pass through a normalisation between F1 and the activation."""

from __future__ import annotations

from dataclasses import replace

from backprop.codegen.lowering.nodes import Expression, SumRows
from backprop.diagnosis.mistakes.mistake import Mistakes, in_line
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.net import KAPPA, ROWS, Net
from backprop.diagnosis.model.normalising import (
    at_z,
    d_x_hat,
    make_error,
    mean_path,
    shrink,
    u,
    variance_path,
    x_hat,
)

__all__ = ["NORMALISATION"]

NORMALISATION: list[Cause] = []


def is_normalised(net: Net, layer: int) -> bool:
    return layer in net.normalised


usual = {"chapter": "batch_norm"}
scaled = Mistakes(NORMALISATION, "BP2", in_line("dxhat", is_normalised), usual)
error = Mistakes(NORMALISATION, "BP2", in_line("du", is_normalised), usual)
gamma = Mistakes(NORMALISATION, "BP4", in_line("dgamma", is_normalised), usual)
beta = Mistakes(NORMALISATION, "BP3", in_line("dbeta", is_normalised), usual)
CUT = "chain over the cut"


@scaled("product rule")
def normalisation_scale_missing(net: Net, layer: int) -> Expression:
    """The backward pass through a normalisation forgets its scale: the error has to be multiplied with γ on its way to
    the normalised values."""
    return at_z(net, layer)


@error(CUT)
def normalisation_mean_path_missing(net: Net, layer: int) -> Expression:
    """The backward pass through a normalisation forgets that the mean depends on every value it is taken over (every
    sample of the batch, say)."""
    return make_error(net, layer, by_mean=False)


@error(CUT)
def normalisation_variance_path_missing(net: Net, layer: int) -> Expression:
    """The backward pass through a normalisation forgets that the variance depends on every value it is taken over
    (every sample of the batch, say)."""
    return make_error(net, layer, by_variance=False)


@error(CUT)
def normalisation_statistics_as_constants(net: Net, layer: int) -> Expression:
    """The backward pass through a normalisation treats mean and variance as constants; both depend on every sample."""
    return make_error(net, layer, by_mean=False, by_variance=False)


@error(CUT)
def normalisation_over_wrong_axis(net: Net, layer: int) -> Expression:
    """The backward pass through a normalisation takes its means over the other axis: over the batch for a layer
    normalisation, or over the units for a batch normalisation."""
    return make_error(replace(net, by_sample=not net.by_sample), layer)


@error(CUT, ("missing", "twice", "square root", "n - 1"))
def normalisation_deviation_wrong(net: Net, layer: int, way: str) -> Expression:
    """The backward pass through a normalisation divides by the standard deviation not at all, too often, or with n − 1
    for n."""
    right, scale = make_error(net, layer), shrink(net, layer)
    if way == "n - 1":
        return make_error(replace(net, spare=1 - net.spare), layer)
    return {"missing": right / scale, "twice": right * scale, "square root": right * scale**2}[way]


@error(CUT, fitted=True)
def normalisation_path_factor_wrong(net: Net, layer: int) -> Expression:
    """In the backward pass through a normalisation the term of the mean or of the variance has a wrong sign or
    factor."""
    d = d_x_hat(net, layer)
    return shrink(net, layer) * (d - mean_path(net, layer) - KAPPA * variance_path(net, layer, net.spare))


@error.also(normalisation_path_factor_wrong)
def normalisation_mean_path_factor_wrong(net: Net, layer: int) -> Expression:
    """The term of the mean."""
    d = d_x_hat(net, layer)
    return shrink(net, layer) * (d - KAPPA * mean_path(net, layer) - variance_path(net, layer))


@gamma(
    "product rule",
    ("u", "z", "a", "mean", "d", "delta", "centred", "divided twice", "unsummed", "returned"),
)
def normalisation_scale_gradient_wrong(net: Net, layer: int, way: str) -> Expression:
    """The gradient of γ is not Σ δ x̂ over the batch: it uses values that are not the normalised ones, another error,
    or a mean."""
    delta, x, scale = at_z(net, layer), x_hat(net, layer), shrink(net, layer)
    kinds = {
        "u": SumRows(delta * u(net, layer)),
        "z": SumRows(delta * net.z(layer)),
        "a": SumRows(delta * net.a(layer)),
        "mean": SumRows(delta * x) / ROWS,
        "d": SumRows(d_x_hat(net, layer) * x),
        "delta": SumRows(delta),
        "centred": SumRows(delta * (x / scale)),
        "divided twice": SumRows(delta * (x * scale)),
        "unsummed": delta * x,
        "returned": SumRows(net.returned(layer) * x),
    }
    return kinds[way]


@gamma.also(normalisation_scale_gradient_wrong, fitted=True)
def normalisation_scale_gradient_scaled(net: Net, layer: int) -> Expression:
    """A constant factor."""
    return KAPPA * net.right(f"dgamma{layer}")


@beta("collapse", ("mean", "unsummed", "d", "returned"))
def normalisation_shift_gradient_wrong(net: Net, layer: int, way: str) -> Expression:
    """The gradient of β is not Σ δ over the batch: it is a mean, not summed, or made from another error."""
    delta = at_z(net, layer)
    kinds = {
        "mean": SumRows(delta) / ROWS,
        "unsummed": delta,
        "d": SumRows(d_x_hat(net, layer)),
        "returned": SumRows(net.returned(layer)),
    }
    return kinds[way]


@beta.also(normalisation_shift_gradient_wrong, fitted=True, accepts=lambda *law: not is_number(1)(*law))
def normalisation_shift_gradient_scaled(net: Net, layer: int) -> Expression:
    """A constant factor."""
    return KAPPA * net.right(f"dbeta{layer}")
