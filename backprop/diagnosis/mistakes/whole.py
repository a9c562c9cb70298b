"""Mistakes of the whole backward pass: its scale, a sample instead of the batch, another forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from backprop.codegen.lowering.program import (
    Call,
    Expression,
    MatMul,
    Multiply,
    Name,
    Negate,
    Number,
    Program,
    Subtract,
    SumRows,
)
from backprop.diagnosis.model.cause import Cause, is_number
from backprop.diagnosis.model.functions import CATALOGUE
from backprop.diagnosis.model.net import KAPPA, Net, set_line

__all__ = ["FACTORS", "WHOLE"]


def scale_error(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """delta^L times a number, from where it reaches every gradient."""
    if layer != net.depth:
        return None
    return set_line(program, f"delta{layer}", Multiply(KAPPA, net.right(f"delta{layer}")))


def scale_everything(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """Every gradient times a number, penalties too."""
    if layer != net.depth or not (net.penalised_W or net.penalised_b):
        return None
    for line in net.program.backward:
        if line.target.id.startswith("d") and not line.target.id.startswith("delta"):
            program = set_line(program, line.target.id, Multiply(KAPPA, line.value))
    return program


def take_sample(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """Only one sample's error counts."""
    if layer != net.depth:
        return None
    picked = Multiply(net.right(f"delta{layer}"), Name(f"{value}_column", ("n", 1)))
    return set_line(program, f"delta{layer}", picked)


def leave_out_sample(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """One sample's error does not count."""
    if layer != net.depth:
        return None
    others = Subtract(Number(1), Name(f"{value}_column", ("n", 1)))
    return set_line(program, f"delta{layer}", Multiply(net.right(f"delta{layer}"), others))


def list_ends(net: Net) -> Iterable[object]:
    return ("last", "first")


def flip_everything(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """Every gradient with the other sign, penalties too."""
    if layer != net.depth or not (net.penalised_W or net.penalised_b):
        return None
    lines = tuple(
        replace(line, value=Negate(line.value)) if line.target.id[:2] in ("dW", "db") else line
        for line in program.backward
    )
    return replace(program, backward=lines)


def silence_layer(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """dW^l and db^l times a number; in the first layer nothing below tells that from a wrong error."""
    if layer == 1 and (value == "scaled" or net.depth == 1):
        return None
    program = set_line(program, f"dW{layer}", Multiply(KAPPA, net.right(f"dW{layer}")))
    return set_line(program, f"db{layer}", Multiply(KAPPA, net.right(f"db{layer}")))


def own_error_raw(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """Both gradients of a layer from the error before f', which goes on rightly."""
    error = None if net.activation(layer) == "identity" else net.error(layer)
    if error is None or layer == 1:
        return None
    core: Expression = MatMul(net.weight_core(layer).children[0], error)
    program = set_line(program, f"dW{layer}", net.with_penalty_W(layer, core))
    return set_line(program, f"db{layer}", net.with_penalty_b(layer, SumRows(error)))


def forget_bias(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """z^l without b^l in the backward's own forward pass."""
    return set_line(program, f"z{layer}", MatMul(net.a(layer - 1), net.W(layer)))


def exchange_activation(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """Another activation in the backward's own forward pass, with its own derivative."""
    if layer == net.depth or value == net.activation(layer):
        return None
    other = Call(str(value), net.z(layer))
    program = set_line(program, f"a{layer}", Multiply(other, net.mask(layer)) if layer in net.masked else other)
    return set_line(program, f"delta{layer}", Multiply(net.returned(layer), Call(f"{value}_prime", net.z(layer))))


def list_activations(net: Net) -> Iterable[object]:
    return CATALOGUE


def exchange_value(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """Another activation in the backward's own forward pass, f' stays."""
    if layer == net.depth or value == net.activation(layer):
        return None
    return set_line(program, f"a{layer}", Call(str(value), net.z(layer)))


def exchange_output(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """Another output function in the backward's own forward pass."""
    if layer != net.depth or value == net.activation(layer) or (value == "softmax" and net.sizes[-1] == 1):
        return None
    z = net.z(layer)
    return set_line(program, f"a{layer}", z if value == "identity" else Call(str(value), z))


def list_outputs(net: Net) -> Iterable[object]:
    return ("identity", "sigmoid", "softmax", "tanh", "relu")


def forget_mask(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """No dropout in the backward's own forward pass, or none on the way forward only."""
    if layer not in net.masked:
        return None
    program = set_line(program, f"a{layer}", net.value(layer, net.z(layer)))
    if value == "both":
        bare = replace(net, masked=frozenset())
        program = set_line(program, f"delta{layer}", Multiply(bare.returned(layer), net.slope(layer)))
    return program


def list_mask_ways(net: Net) -> Iterable[object]:
    return ("both", "forward")


def repeat_activation(net: Net, program: Program, layer: int, value: object) -> Program | None:
    """f applied twice in the backward's own forward pass."""
    if layer == net.depth:
        return None
    return set_line(program, f"a{layer}", net.value(layer, net.value(layer, net.z(layer))))


SCALES = "cost"


def is_outputs(number: float, power: int, net: Net) -> bool:
    """The number of outputs, or one over it, or the same with n."""
    width = net.sizes[-1]
    powers = (0, 1, -1) if width > 2 else (0,)
    return width > 1 and any(is_number(width, 1 / width, power=p)(number, power, net) for p in powers)


def is_other(number: float, power: int, net: Net) -> bool:
    """A factor that has no name of its own."""
    named = (is_number(0, -1, 1, 2, 0.5), is_number(1, power=1), is_number(1, power=-1), is_outputs)
    return not any(test(number, power, net) for test in named)


def is_not_zero(number: float, power: int, net: Net) -> bool:
    """Any factor but 0."""
    return not is_number(0)(number, power, net)


def both(identifier: str, sentence: str, accepts: Callable[[float, int, Net], bool]) -> tuple[Cause, Cause]:
    """A factor on the error, or on everything with the penalties."""
    first, second = (
        Cause(identifier, SCALES, sentence, "", rewrite, fitted=True, accepts=accepts, spreads=False, chapter="scale")
        for rewrite in (scale_error, scale_everything)
    )
    return first, second


FACTORS: tuple[Cause, ...] = (
    *both("gradient_not_averaged",
          "The cost averages over the n samples, the gradient does not: the factor 1/n is "
          "missing.", is_number(1, power=1)),
    *both("gradient_averaged_twice",
          "The gradient is divided by the number of samples though the cost is not, or twice where the cost is once.",
          is_number(1, power=-1)),
    *both("cost_factor_two",
          "Cost and gradient differ by the factor 2 (or ½); in a squared error that is the convention with ½, which "
          "one of them follows and the other does not.", is_number(2, 0.5)),
    *both("outputs_not_averaged",
          "Cost and gradient differ by the number of outputs: one is a mean over the outputs, the other a sum.",
          is_outputs),
    *both("cost_factor_wrong",
          "Every gradient carries one wrong factor: the scales of cost and gradient differ.", is_other),
)  # fmt: skip
WHOLE: tuple[Cause, ...] = (
    Cause("gradient_of_one_sample_only", SCALES,
          "The gradient belongs to one sample of the batch (the last or the first): the sum over the samples is "
          "overwritten instead of added up.", "a sum is a matrix product", take_sample, list_ends, spreads=False,
          chapter="BP3"),
    Cause("sample_left_out", SCALES,
          "One sample of the batch (the last or the first) does not enter the gradient: the loop over the samples "
          "begins one too late or ends one too early.", "a sum is a matrix product", leave_out_sample, list_ends,
          spreads=False, chapter="BP3"),
    Cause("layer_never_updated", "update",
          "The gradient of this layer is zero though the error passes it: the loop leaves it out, or what it "
          "computes is "
          "never stored or applied.", "", silence_layer, fitted=True, accepts=is_number(0)),
    Cause("layer_scaled_differently", "BP4",
          "Both gradients of this layer carry a constant factor, though the error that goes on below is right.", "",
          silence_layer, lambda net: ("scaled",), fitted=True, accepts=is_not_zero),
    Cause("weight_gradient_before_activation_derivative", "BP4",
          "The weight gradient is made from the error before f' is applied, ∂C/∂a, instead of δ = ∂C/∂z.",
          "definition of δ", own_error_raw),
    Cause("bias_missing_in_forward", "forward",
          "The backward pass computes its own forward pass without the bias.", "", forget_bias, chapter="F1"),
    Cause("other_activation_in_forward", "forward",
          "The backward pass computes its own forward pass with another activation than the cost's.", "",
          exchange_activation, list_activations),
    Cause("other_activation_in_forward", "forward",
          "The backward pass computes its own forward pass with another activation than the cost's.", "",
          exchange_value, list_activations),
    Cause("other_output_in_forward", "forward",
          "The backward pass computes its own forward pass with another output function than the cost's.", "",
          exchange_output, list_outputs, spreads=False),
    Cause("dropout_missing_in_forward", "forward",
          "The backward pass computes its own forward pass without the dropout mask of the cost's.", "",
          forget_mask, list_mask_ways, chapter="mask"),
    Cause("activation_applied_twice_in_forward", "forward",
          "The backward pass applies the activation twice in its own forward pass.", "", repeat_activation),
)  # fmt: skip
