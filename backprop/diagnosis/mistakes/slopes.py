"""Mistakes with f': at the wrong place, of the wrong function, too often, never. In the output layer they are BP1."""

from __future__ import annotations

from backprop.codegen.lowering.nodes import Call, Expression, Number
from backprop.diagnosis.mistakes.mistake import (
    CHAIN,
    TWO,
    Mistakes,
    in_line,
    is_hidden,
    is_output,
    list_layers,
    pick_twin,
)
from backprop.diagnosis.model.activations import CATALOGUE, below_zero, is_product, is_straight
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.net import KAPPA, Net

__all__ = ["SLOPES", "in_terms_of_a"]

SLOPES: list[Cause] = []
"""Ordered: where two mistakes give the same numbers, the first is named and the others are mentioned."""


def times_error(net: Net, layer: int, made: Expression) -> Expression | None:
    """delta^l = ∂C/∂a^l · (what is made instead of f')."""
    error = net.error(layer)
    return None if error is None else error * made


slope = Mistakes(SLOPES, "slope", in_line("delta", finish=times_error))
output = Mistakes(SLOPES, "BP1", in_line("delta", is_output, times_error))
whole = Mistakes(SLOPES, "slope", in_line("delta"))
hidden = Mistakes(SLOPES, "BP2", in_line("delta", is_hidden))


def has_slope(net: Net, layer: int) -> bool:
    """Whether f' is another function than 1."""
    return net.activation(layer) != "identity"


def has_one_by_one(net: Net, layer: int) -> bool:
    """Whether f acts on each entry by itself."""
    return net.activation(layer) != "softmax"


def has_factor(net: Net, layer: int) -> bool:
    """Whether f' can be forgotten; behind a cross-entropy that has a name of its own."""
    return has_slope(net, layer) and not (is_output(net, layer) and net.fused)


def is_cut(net: Net, layer: int) -> bool:
    """Whether the activation is a line for z > 0 and something else for z < 0."""
    return below_zero(net.activation(layer)) is not None


def leaks(net: Net, layer: int) -> bool:
    """Whether such an activation has a slope on the negative side."""
    return below_zero(net.activation(layer)) not in (None, 0)


def curves(net: Net, layer: int) -> bool:
    """Whether such an activation is no line on the negative side."""
    below = below_zero(net.activation(layer))
    return below is not None and not is_straight(below)


def in_terms_of_a(name: str, at: Expression) -> Expression | None:
    """The formula that gives f' from a, where there is a short one: a(1 − a), 1 − a²."""
    return {"sigmoid": at * (1 - at), "tanh": 1 - at**2}.get(name)


@output(CHAIN, where=has_factor)
def output_derivative_missing(net: Net, layer: int) -> Expression:
    """The output error leaves out f' of the output layer: the difference a − y itself is used as the error, though the
    cost is not the cross-entropy that would cancel f'."""
    return Number(1)


@hidden(CHAIN, TWO, lambda net, layer: has_slope(net, layer) and has_one_by_one(net, layer))
def activation_applied_to_error(net: Net, layer: int, way: str) -> Expression:
    """The activation is applied to the error that comes back (such as relu(W δ)), instead of multiplying the error with
    f'(z)."""
    applied = net.value(layer, net.returned(layer))
    return applied if way == "first" else applied * net.slope(layer)


@hidden(CHAIN, TWO, has_one_by_one)
def derivative_taken_at_error(net: Net, layer: int, way: str) -> Expression:
    """f' is evaluated at the error that comes back instead of at z: the gate follows the sign of the gradient, not that
    of the pre-activation."""
    error = net.returned(layer)
    applied = net.slope(layer, error)
    return error * applied if way == "first" else applied


@slope(CHAIN)
def derivative_at_activation(net: Net, layer: int) -> Expression:
    """f' is evaluated at the activation a = f(z) instead of at z: the derivative function is handed a, or the stored z
    was overwritten by a in place."""
    return net.slope(layer, net.a(layer))


@slope(CHAIN)
def derivative_formula_for_a_used_on_z(net: Net, layer: int) -> Expression | None:
    """The short formula of f' in terms of the activation, a(1 − a) for sigmoid or 1 − a² for tanh, is handed the
    pre-activation z (the input of the activation) instead of a."""
    return in_terms_of_a(net.activation(layer), net.z(layer))


@slope(CHAIN, where=leaks)
def negative_slope_dropped(net: Net, layer: int) -> Expression:
    """The activation has a slope on the negative side (leaky ReLU, ELU, SELU), but the derivative used is that of plain
    ReLU, 0 for z < 0."""
    return Call("relu_prime", net.z(layer))


@slope(CHAIN)
def gelu_variants_mixed(net: Net, layer: int) -> Expression | None:
    """Forward and backward use different GELUs: the derivative of the exact (erf) form with the tanh approximation in
    the forward pass, or the other way round."""
    other = {"gelu": "gelu_tanh", "gelu_tanh": "gelu"}.get(net.activation(layer))
    return None if other is None else Call(f"{other}_prime", net.z(layer))


@slope(CHAIN, where=has_factor)
def derivative_missing(net: Net, layer: int) -> Expression:
    """The factor f'(z) is missing: the error goes through the activation unchanged (a gate that is always open, such as
    relu' taken as a >= 0, is the same)."""
    return Number(1)


@slope(CHAIN)
def derivative_applied_twice(net: Net, layer: int) -> Expression:
    """The factor f'(z) is applied twice."""
    return net.slope(layer) ** 2


@slope(CHAIN)
def activation_instead_of_derivative(net: Net, layer: int) -> Expression:
    """The error is multiplied with the activation f itself instead of its derivative f'(z) (a flag such as deriv=True
    is forgotten, say)."""
    return net.a(layer)


@slope.also(activation_instead_of_derivative)
def activation_of_activation(net: Net, layer: int) -> Expression | None:
    """f(a), where a formula in a was meant."""
    return None if net.activation(layer) in ("identity", "softmax") else net.value(layer, net.a(layer))


@slope("collapse", list_layers)
def derivative_of_wrong_layer(net: Net, layer: int, way: object) -> Expression | None:
    """f' is evaluated at the z of another layer (an index off by one, or a cached value of the wrong layer)."""
    other = pick_twin(net, layer, way, layer, lowest=0)
    return None if other is None else net.slope(layer, net.z(other))


@slope.also(derivative_of_wrong_layer, list_layers)
def formula_of_wrong_layer(net: Net, layer: int, way: object) -> Expression | None:
    """The formula in a, with the a of another layer of equal width."""
    other = pick_twin(net, layer, way, layer, lowest=0)
    return None if other is None else in_terms_of_a(net.activation(layer), net.a(other))


@slope(CHAIN, TWO, lambda net, layer: is_product(net.activation(layer)))
def product_rule_term_missing(net: Net, layer: int, way: str) -> Expression:
    """The activation is a product z·g(z) (GELU, SiLU, Mish), and its derivative g + z·g' lacks one of the two terms."""
    first = net.a(layer) / net.z(layer)
    return first if way == "first" else net.slope(layer) - first


@slope(CHAIN, CATALOGUE, has_slope)
def derivative_of_other_activation(net: Net, layer: int, way: str) -> Expression | None:
    """The derivative belongs to another activation than the forward pass uses."""
    return None if way == net.activation(layer) else Call(f"{way}_prime", net.z(layer))


@slope.also(derivative_of_other_activation, CATALOGUE, has_slope)
def derivative_of_other_activation_at_a(net: Net, layer: int, way: str) -> Expression | None:
    """Another activation's derivative, at a, or its formula in a."""
    if way == net.activation(layer):
        return None
    return in_terms_of_a(way, net.a(layer)) or Call(f"{way}_prime", net.a(layer))


@slope(CHAIN, range(9))
def derivative_formula_incomplete(net: Net, layer: int, way: int) -> Expression | None:
    """A part of the formula of f' is missing or has the wrong sign or power, such as 1 − a instead of 1 − a² for tanh,
    or 1 − a instead of a(1 − a) for sigmoid."""
    a, z = net.a(layer), net.z(layer)
    parts: dict[str, tuple[Expression, ...]] = {
        "sigmoid": (
            1 - a, a * (1 + a), a**2, 1 - a**2, a**2 * (1 - a), a * (1 - a) ** 2, (1 - a) ** 2, a - a**3, a - 2 * a**2,
        ),
        "tanh": (
            1 - a, 1 + a**2, a**2, a * (1 - a), 1 + a, (1 - a) ** 2, (1 - a**2) ** 2, 1 - z**2, 1 - 2 * a,
        ),
    }  # fmt: skip
    return dict(enumerate(parts.get(net.activation(layer), ()))).get(way)


@slope.also(derivative_formula_incomplete, where=curves)
def negative_part_incomplete(net: Net, layer: int) -> Expression:
    """ELU's derivative with a instead of a + α on the negative side, or e^z without α."""
    step = Call("relu_prime", net.z(layer))
    return step + (1 - step) * net.a(layer)


@slope(CHAIN)
def derivative_sides_swapped(net: Net, layer: int) -> Expression:
    """f' is taken at −z: the two sides of the activation are swapped."""
    return net.slope(layer, -net.z(layer))


@slope(CHAIN, where=is_cut, fitted=True)
def negative_slope_wrong(net: Net, layer: int) -> Expression:
    """The slope on the negative side in the derivative is not the one of the forward pass."""
    step = Call("relu_prime", net.z(layer))
    return step + KAPPA * (net.slope(layer) - step if curves(net, layer) else 1 - step)


@hidden("factor out", fitted=True, accepts=is_number(-1))
def hidden_error_sign_flipped(net: Net, layer: int) -> Expression:
    """The error of a hidden layer has the wrong sign."""
    return KAPPA * net.right(f"delta{layer}")


@whole(CHAIN, fitted=True)
def derivative_factor_wrong(net: Net, layer: int) -> Expression:
    """The error carries a wrong constant factor: of f', such as 2·a(1 − a) for sigmoid, or the scale of a mask."""
    return KAPPA * net.right(f"delta{layer}")
