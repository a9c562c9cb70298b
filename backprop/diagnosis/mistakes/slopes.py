"""Mistakes with f': at the wrong place, of the wrong function, too often, never. In the output layer they are BP1."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from backprop.codegen.lowering.program import Add, Call, Divide, Expression, Multiply, Negate, Number, Power, Subtract
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.functions import CATALOGUE
from backprop.diagnosis.model.net import KAPPA, Net, bind, list_layers, pick_layer

__all__ = ["SLOPES", "in_terms_of_a"]

ONE = Number(1)
SIGMOIDS = ("sigmoid",)
RECTIFIERS = ("relu", "leaky_relu", "elu", "selu", "softplus", "gelu", "gelu_tanh", "silu", "mish")
PRODUCTS = ("gelu", "gelu_tanh", "silu", "mish")
LEAKS = ("leaky_relu", "elu", "selu")
CHAIN = "elementwise chain"

Make = Callable[[Net, int, object], "Expression | None"]


def slope(make: Make) -> Make:
    """delta^l = ∂C/∂a^l · (what is made instead of f')."""

    def line(net: Net, layer: int, value: object) -> Expression | None:
        error, factor = net.error(layer), make(net, layer, value)
        return None if error is None or factor is None else Multiply(error, factor)

    return line


def no_slope(net: Net, layer: int, value: object) -> Expression | None:
    """1 instead of f'; behind a cross-entropy that has a name of its own."""
    fused = layer == net.depth and net.fused
    return None if fused or net.activation(layer) == "identity" else ONE


def in_terms_of_a(net: Net, layer: int, at: Expression) -> Expression | None:
    """The formula that gives f' from a, where there is a short one: a(1 − a), 1 − a²."""
    name = net.activation(layer)
    if name == "sigmoid":
        return Multiply(at, Subtract(ONE, at))
    if name == "tanh":
        return Subtract(ONE, Power(at, 2))
    return None


def again(net: Net, layer: int) -> Expression | None:
    """f(a), where a formula in a was meant."""
    return None if net.activation(layer) in ("identity", "softmax") else net.value(layer, net.a(layer))


def slope_elsewhere(net: Net, layer: int, value: object) -> Expression | None:
    """f' of this layer at the z of another one of equal width."""
    other = pick_layer(net, layer, value)
    if other is None or other == layer or net.sizes[other] != net.sizes[layer]:
        return None
    return net.slope(layer, net.z(other))


def slope_elsewhere_from_a(net: Net, layer: int, value: object) -> Expression | None:
    """The formula in a, with the a of another layer of equal width."""
    other = pick_layer(net, layer, value)
    if other is None or other == layer or net.sizes[other] != net.sizes[layer]:
        return None
    return in_terms_of_a(net, layer, net.a(other))


def list_formulas(net: Net) -> Iterable[object]:
    """Numbers of the shortened formulas."""
    return range(9)


def slope_shortened(net: Net, layer: int, value: object) -> Expression | None:
    """What is left of a(1 − a) or 1 − a² when a part is forgotten or a sign is wrong."""
    a, z, name = net.a(layer), net.z(layer), net.activation(layer)
    square = Power(a, 2)
    kinds: dict[str, tuple[Expression, ...]] = {
        "sigmoid": (
            Subtract(ONE, a), Multiply(a, Add(ONE, a)), square, Subtract(ONE, square),
            Multiply(Power(a, 2), Subtract(ONE, a)), Multiply(a, Power(Subtract(ONE, a), 2)),
            Power(Subtract(ONE, a), 2), Subtract(a, Power(a, 3)), Subtract(a, Multiply(Number(2), square)),
        ),
        "tanh": (
            Subtract(ONE, a), Add(ONE, square), square, Multiply(a, Subtract(ONE, a)), Add(ONE, a),
            Power(Subtract(ONE, a), 2), Power(Subtract(ONE, square), 2), Subtract(ONE, Power(z, 2)),
            Subtract(ONE, Multiply(Number(2), a)),
        ),
    }  # fmt: skip
    found = kinds.get(name, ())
    number = int(str(value))
    return found[number] if number < len(found) else None


def list_others(net: Net) -> Iterable[object]:
    """The names of the catalogue."""
    return CATALOGUE


def slope_of_other(net: Net, layer: int, value: object) -> Expression | None:
    """Another activation's derivative at z."""
    if net.activation(layer) in (value, "identity"):
        return None
    return Call(f"{value}_prime", net.z(layer))


def slope_of_other_at_a(net: Net, layer: int, value: object) -> Expression | None:
    """Another activation's derivative, at a, or its formula in a."""
    formulas: dict[str, Expression] = {
        "sigmoid": Multiply(net.a(layer), Subtract(ONE, net.a(layer))),
        "tanh": Subtract(ONE, Power(net.a(layer), 2)),
    }
    if net.activation(layer) in (value, "identity"):
        return None
    return formulas.get(str(value), Call(f"{value}_prime", net.a(layer)))


def slope_of_rectifier(net: Net, layer: int, value: object) -> Expression | None:
    """ReLU's derivative where the activation has a slope on the negative side."""
    return Call("relu_prime", net.z(layer)) if net.activation(layer) in LEAKS else None


def slope_of_gelu(net: Net, layer: int, value: object) -> Expression | None:
    """The derivative of the other GELU."""
    other = {"gelu": "gelu_tanh", "gelu_tanh": "gelu"}.get(net.activation(layer))
    return None if other is None else Call(f"{other}_prime", net.z(layer))


def slope_leaking(net: Net, layer: int, value: object) -> Expression | None:
    """1 where z > 0, another number elsewhere."""
    if net.activation(layer) not in ("relu", *LEAKS):
        return None
    step = Call("relu_prime", net.z(layer))
    own = Subtract(ONE, step) if net.activation(layer) in ("relu", "leaky_relu") else Subtract(net.slope(layer), step)
    return Add(step, Multiply(KAPPA, own))


def slope_negative_part(net: Net, layer: int, value: object) -> Expression | None:
    """ELU's derivative with a instead of a + α on the negative side, or e^z without α."""
    if net.activation(layer) not in ("elu", "selu"):
        return None
    step = Call("relu_prime", net.z(layer))
    return Add(step, Multiply(Subtract(ONE, step), net.a(layer)))


def list_terms(net: Net) -> Iterable[object]:
    """Either term of a product rule."""
    return ("first", "second")


def slope_half_product(net: Net, layer: int, value: object) -> Expression | None:
    """One of the two terms of (z·g)' = g + z·g'."""
    if net.activation(layer) not in PRODUCTS:
        return None
    first = Divide(net.a(layer), net.z(layer))
    return first if value == "first" else Subtract(net.slope(layer), first)


def slope_at_error(net: Net, layer: int, value: object) -> Expression | None:
    """f' of the error that comes back: times it, or instead of it."""
    error = net.error(layer)
    if error is None:
        return None
    applied = net.slope(layer, error)
    return Multiply(error, applied) if value == "first" else applied


def value_at_error(net: Net, layer: int, value: object) -> Expression | None:
    """f of the error that comes back, with or without f'."""
    error = net.error(layer)
    if error is None or net.activation(layer) == "identity":
        return None
    applied = net.value(layer, error)
    return applied if value == "first" else Multiply(applied, net.slope(layer))


def slope_factor(net: Net, layer: int, value: object) -> Expression | None:
    """The whole error times a number."""
    return Multiply(KAPPA, net.right(f"delta{layer}"))


SLOPES: tuple[Cause, ...] = (
    Cause("output_derivative_missing", "BP1",
          "The output error leaves out f' of the output layer: the difference a − y itself is used as the error, "
          "though "
          "the cost is not the cross-entropy that would cancel f'.", "elementwise chain",
          bind(slope(no_slope), "delta", only="output")),
    Cause("activation_applied_to_error", "BP2",
          "The activation is applied to the error that comes back (such as relu(W δ)), instead of multiplying the "
          "error "
          "with f'(z).", CHAIN,
          bind(value_at_error, "delta", only="hidden"), list_terms),
    Cause("derivative_taken_at_error", "BP2",
          "f' is evaluated at the error that comes back instead of at z: the gate follows the sign of the gradient, "
          "not "
          "that of the pre-activation.", CHAIN,
          bind(slope_at_error, "delta", only="hidden"), list_terms),
    Cause("derivative_at_activation", "slope",
          "f' is evaluated at the activation a = f(z) instead of at z: the derivative function is handed a, or the "
          "stored z was overwritten by a in place.", CHAIN,
          bind(slope(lambda net, layer, _: net.slope(layer, net.a(layer))), "delta")),
    Cause("derivative_formula_for_a_used_on_z", "slope",
          "The short formula of f' in terms of the activation, a(1 − a) for sigmoid or 1 − a² for tanh, is handed the "
          "pre-activation z (the input of the activation) instead of a.", CHAIN,
          bind(slope(lambda net, layer, _: in_terms_of_a(net, layer, net.z(layer))), "delta")),
    Cause("negative_slope_dropped", "slope",
          "The activation has a slope on the negative side (leaky ReLU, ELU, SELU), but the derivative used is that of "
          "plain ReLU, 0 for z < 0.", CHAIN,
          bind(slope(slope_of_rectifier), "delta")),
    Cause("gelu_variants_mixed", "slope",
          "Forward and backward use different GELUs: the derivative of the exact (erf) form with the tanh "
          "approximation "
          "in the forward pass, or the other way round.", CHAIN,
          bind(slope(slope_of_gelu), "delta")),
    Cause("derivative_missing", "slope",
          "The factor f'(z) is missing: the error goes through the activation unchanged (a gate that is always open, "
          "such as relu' taken as a >= 0, is the same).", CHAIN,
          bind(slope(no_slope), "delta")),
    Cause("derivative_applied_twice", "slope",
          "The factor f'(z) is applied twice.", CHAIN,
          bind(slope(lambda net, layer, _: Power(net.slope(layer), 2)), "delta")),
    Cause("activation_instead_of_derivative", "slope",
          "The error is multiplied with the activation f itself instead of its derivative f'(z) (a flag such as "
          "deriv=True is forgotten, say).", CHAIN,
          bind(slope(lambda net, layer, _: net.a(layer)), "delta")),
    Cause("activation_instead_of_derivative", "slope",
          "The error is multiplied with the activation f itself instead of its derivative f'(z) (a flag such as "
          "deriv=True is forgotten, say).", CHAIN,
          bind(slope(lambda net, layer, _: again(net, layer)), "delta")),
    Cause("derivative_of_wrong_layer", "slope",
          "f' is evaluated at the z of another layer (an index off by one, or a cached value of the wrong layer).",
          "collapse",
          bind(slope(slope_elsewhere), "delta"), list_layers),
    Cause("derivative_of_wrong_layer", "slope",
          "f' is evaluated at the z of another layer (an index off by one, or a cached value of the wrong layer).",
          "collapse",
          bind(slope(slope_elsewhere_from_a), "delta"), list_layers),
    Cause("product_rule_term_missing", "slope",
          "The activation is a product z·g(z) (GELU, SiLU, Mish), and its derivative g + z·g' lacks one of the two "
          "terms.", CHAIN,
          bind(slope(slope_half_product), "delta"), list_terms),
    Cause("derivative_of_other_activation", "slope",
          "The derivative belongs to another activation than the forward pass uses.", CHAIN,
          bind(slope(slope_of_other), "delta"), list_others),
    Cause("derivative_of_other_activation", "slope",
          "The derivative belongs to another activation than the forward pass uses.", CHAIN,
          bind(slope(slope_of_other_at_a), "delta"), list_others),
    Cause("derivative_formula_incomplete", "slope",
          "A part of the formula of f' is missing or has the wrong sign or power, such as 1 − a instead of 1 − a² for "
          "tanh, or 1 − a instead of a(1 − a) for sigmoid.", CHAIN,
          bind(slope(slope_shortened), "delta"), list_formulas),
    Cause("derivative_formula_incomplete", "slope",
          "A part of the formula of f' is missing or has the wrong sign or power, such as 1 − a instead of 1 − a² for "
          "tanh, or 1 − a instead of a(1 − a) for sigmoid.", CHAIN,
          bind(slope(slope_negative_part), "delta")),
    Cause("derivative_sides_swapped", "slope",
          "f' is taken at −z: the two sides of the activation are swapped.", CHAIN,
          bind(slope(lambda net, layer, _: net.slope(layer, Negate(net.z(layer)))), "delta")),
    Cause("negative_slope_wrong", "slope",
          "The slope on the negative side in the derivative is not the one of the forward pass.", CHAIN,
          bind(slope(slope_leaking), "delta"), fitted=True),
    Cause("hidden_error_sign_flipped", "BP2",
          "The error of a hidden layer has the wrong sign.", "factor out",
          bind(slope_factor, "delta", only="hidden"), fitted=True, accepts=is_number(-1)),
    Cause("derivative_factor_wrong", "slope",
          "The derivative f' carries a wrong constant factor, such as 2·a(1 − a) for sigmoid.", CHAIN,
          bind(slope_factor, "delta"), fitted=True),
)  # fmt: skip
"""Ordered: where two mistakes give the same numbers, the first is named and the others are mentioned."""
