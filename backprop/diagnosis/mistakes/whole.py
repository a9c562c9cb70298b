"""Mistakes of the whole backward pass: its scale, a sample instead of the batch, a layer by itself."""

from __future__ import annotations

from collections.abc import Callable

from backprop.codegen.lowering.nodes import Expression, Name, SumRows
from backprop.codegen.lowering.program import Program
from backprop.diagnosis.mistakes.mistake import ENDS, PRODUCT, Mistakes, in_line, in_program, is_output
from backprop.diagnosis.mistakes.slopes import has_slope
from backprop.diagnosis.mistakes.weights import weight_gradient_before_activation_derivative
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.net import KAPPA, Net, set_line

__all__ = ["FACTORS", "WHOLE"]

FACTORS: list[Cause] = []
WHOLE: list[Cause] = []
Accepts = Callable[[float, int, Net], bool]


def has_penalty(net: Net, layer: int) -> bool:
    return bool(net.penalised_W or net.penalised_b)


def scale_error(net: Net, layer: int) -> Expression:
    """delta^L times a number, from where it reaches every gradient."""
    return KAPPA * net.right(f"delta{layer}")


def scale_everything(net: Net, program: Program, layer: int) -> Program:
    """Every gradient times a number, penalties too."""
    for line in net.program.backward:
        if line.target.id.startswith("d") and not line.target.id.startswith("delta"):
            program = set_line(program, line.target.id, KAPPA * line.value)
    return program


def factor(accepts: Accepts) -> Accepts:
    """Enter a factor on everything: a function that says which numbers c·n^p it is."""
    common = {"fitted": True, "accepts": accepts, "spreads": False, "chapter": "scale"}
    error = Mistakes(FACTORS, "cost", in_line("delta", is_output), common)
    everything = Mistakes(FACTORS, "cost", in_program(is_output), common)
    error.name(accepts)
    error.also(accepts)(scale_error)
    everything.also(accepts, where=has_penalty)(scale_everything)
    return accepts


@factor
def gradient_not_averaged(number: float, power: int, net: Net) -> bool:
    """The cost averages over the n samples, the gradient does not: the factor 1/n is missing."""
    return is_number(1, power=1)(number, power, net)


@factor
def gradient_averaged_twice(number: float, power: int, net: Net) -> bool:
    """The gradient is divided by the number of samples though the cost is not, or twice where the cost is once."""
    return is_number(1, power=-1)(number, power, net)


@factor
def cost_factor_two(number: float, power: int, net: Net) -> bool:
    """Cost and gradient differ by the factor 2 (or ½); in a squared error that is the convention with ½, which one of
    them follows and the other does not."""
    return is_number(2, 0.5)(number, power, net)


@factor
def outputs_not_averaged(number: float, power: int, net: Net) -> bool:
    """Cost and gradient differ by the number of outputs: one is a mean over the outputs, the other a sum."""
    width = net.sizes[-1]
    powers = (0, 1, -1) if width > 2 else (0,)
    return width > 1 and any(is_number(width, 1 / width, power=p)(number, power, net) for p in powers)


@factor
def cost_factor_wrong(number: float, power: int, net: Net) -> bool:
    """Every gradient carries one wrong factor: the scales of cost and gradient differ."""
    named = (is_number(0, -1, 1, 2, 0.5), gradient_not_averaged, gradient_averaged_twice, outputs_not_averaged)
    return not any(test(number, power, net) for test in named)


sample = Mistakes(WHOLE, "cost", in_line("delta", is_output), {"spreads": False, "chapter": "BP3"})
layer_itself = Mistakes(WHOLE, "update", in_program())
layer_scale = Mistakes(WHOLE, "BP4", in_program())


@sample(PRODUCT, ENDS)
def gradient_of_one_sample_only(net: Net, layer: int, way: str) -> Expression:
    """The gradient belongs to one sample of the batch (the last or the first): the sum over the samples is overwritten
    instead of added up."""
    return net.right(f"delta{layer}") * Name(f"{way}_column", ("n", 1))


@sample(PRODUCT, ENDS)
def sample_left_out(net: Net, layer: int, way: str) -> Expression:
    """One sample of the batch (the last or the first) does not enter the gradient: the loop over the samples begins one
    too late or ends one too early."""
    return net.right(f"delta{layer}") * (1 - Name(f"{way}_column", ("n", 1)))


def scale_layer(net: Net, program: Program, layer: int) -> Program:
    """dW^l and db^l times a number."""
    program = set_line(program, f"dW{layer}", KAPPA * net.right(f"dW{layer}"))
    return set_line(program, f"db{layer}", KAPPA * net.right(f"db{layer}"))


@layer_itself(where=lambda net, layer: layer > 1 or net.depth > 1, fitted=True, accepts=is_number(0))
def layer_never_updated(net: Net, program: Program, layer: int) -> Program:
    """The gradient of this layer is zero though the error passes it: the loop leaves it out, or what it computes is
    never stored or applied."""
    return scale_layer(net, program, layer)


@layer_scale(where=lambda net, layer: layer > 1, fitted=True, accepts=lambda *law: not is_number(0)(*law))
def layer_scaled_differently(net: Net, program: Program, layer: int) -> Program:
    """Both gradients of this layer carry a constant factor, though the error that goes on below is right."""
    return scale_layer(net, program, layer)


@layer_scale.also(weight_gradient_before_activation_derivative, where=has_slope)
def gradients_before_activation_derivative(net: Net, program: Program, layer: int) -> Program | None:
    """Both gradients of a layer from the error before f', which goes on rightly."""
    error = net.error(layer)
    if error is None or layer == 1:
        return None
    program = set_line(program, f"dW{layer}", net.with_penalty_W(layer, net.a(layer - 1).T @ error))
    return set_line(program, f"db{layer}", net.with_penalty_b(layer, SumRows(error)))
