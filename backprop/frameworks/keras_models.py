"""A Keras model that is a chain of dense-like layers, as a network of ours with its weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.frameworks.assembly import Assembly, find_function, misfit
from backprop.runtime.saving import Saved
from backprop.specification.layers import BatchNorm, Dropout, LayerNorm, PReLU

__all__ = ["from_keras"]

KERAS_SLOPE = 0.2
"""Of the function `keras.activations.leaky_relu`; the layer LeakyReLU says its own."""


def from_keras(model: Any, *, cost: str | None = None, output: str | None = None) -> Saved:
    """Bring a Keras model along: `.net` (specification, generated functions), `.theta`, `.state`.

    Fits: a chain (Sequential, or functional without branches) of Dense, BatchNormalization, LayerNormalization, PReLU,
    Dropout and activations. What means something else there is translated: Keras' l2 adds l2 Σw², ours (l2/2) Σw², so
    ours is twice as large; Keras' momentum of a running mean is the share of the old, ours that of the new.

    Parameters: `output` and `cost` as in `from_torch`.

    Errors: UsageError naming the first layer that does not fit.
    """
    what = f"the Keras model {getattr(model, 'name', type(model).__name__)!r}"
    if not hasattr(model, "layers") or not hasattr(model, "get_weights"):
        raise UsageError(f"a Keras model is needed, got a {type(model).__name__}")
    if not getattr(model, "inputs", None):
        raise UsageError(f"{what} does not know its inputs yet; begin it with keras.Input((units,))")
    found, given = Assembly(), model.inputs[0]
    for number, layer in enumerate(model.layers, start=1):
        kind = type(layer).__name__
        where = f"layer {number} of {what}, {kind} {layer.name!r},"
        if kind == "InputLayer":
            continue
        try:
            taken = layer.input
        except (AttributeError, ValueError):
            taken = None  # used in several places, or in none
        if taken is not given:
            raise misfit(where, "it does not take what the layer before it gives; only chains can be read")
        given = layer.output
        read_layer(found, where, layer, [read_numbers(weight.value) for weight in layer.weights])
    if given is not model.outputs[0]:
        raise misfit(what, "it does not end where its last layer does; only chains can be read")
    return found.finish(what, cost, output)


def read_numbers(value: Any) -> Any:
    """A tensor of Keras' backend as an array; one of torch has to leave its graph first."""
    return value.detach().cpu().numpy().copy() if hasattr(value, "detach") else np.array(value)


def read_layer(found: Assembly, where: str, layer: Any, arrays: list[Any]) -> None:
    """One of Keras' own layers, with its numbers."""
    match type(layer).__name__:
        case "Dense":
            refuse_extras(where, layer, ("bias_regularizer", "activity_regularizer"), ("use_bias",))
            name = read_function(where, layer.activation)
            found.dense(where, arrays[0], arrays[1], name, *read_penalty(where, layer))
        case "BatchNormalization" | "LayerNormalization":
            extras = "gamma_regularizer", "beta_regularizer", "renorm", "rms_scaling"
            refuse_extras(where, layer, extras, ("center", "scale"))
            seen = arrays[2:]
            norm = BatchNorm(1 - layer.momentum, layer.epsilon) if seen else LayerNorm(layer.epsilon)
            found.put(where, norm, arrays[0].size, arrays[:2], seen)
        case "PReLU":
            refuse_extras(where, layer, ("alpha_regularizer", "shared_axes"), ())
            found.put(where, PReLU(), arrays[0].size, arrays)
        case "Dropout":
            found.put(where, Dropout(float(layer.rate)))
        case "Activation":
            found.act(where, read_function(where, layer.activation))
        case name if arrays or not type(layer).__module__.startswith("keras.src.layers.activations"):
            if name != "Flatten" or found.layers:
                raise misfit(where, f"there is no layer {name} here; dense layers, normalisations and activations fit")
        case name:
            read_activation(found, where, name, layer)


def read_activation(found: Assembly, where: str, name: str, layer: Any) -> None:
    """A layer that is an activation, with its numbers."""
    says = {field: getattr(layer, field) for field in ("negative_slope", "alpha") if hasattr(layer, field)}
    if name == "ReLU":
        refuse_extras(where, layer, ("max_value", "threshold"), ())
        name = "leaky_relu" if layer.negative_slope else "relu"
    found.act(where, find_function(where, name, says | {"dim": getattr(layer, "axis", -1)}))


def read_function(where: str, function: Any) -> str:
    """One of Keras' own activation functions, with the settings that it has by default."""
    name = getattr(function, "__name__", type(function).__name__)
    if not getattr(function, "__module__", "").startswith("keras."):
        raise misfit(where, f"its activation {name!r} is code of its own; name one of Keras'")
    return find_function(where, name, {"negative_slope": KERAS_SLOPE})


def read_penalty(where: str, layer: Any) -> tuple[float | None, float | None]:
    """l2 and l1 of a dense layer, in our meaning."""
    regularizer = layer.kernel_regularizer
    if regularizer is None:
        return None, None
    said = regularizer.get_config()
    if not set(said) <= {"l1", "l2"}:
        raise misfit(where, f"its penalty {type(regularizer).__name__} is none of L1, L2 and L1L2")
    return 2 * float(said.get("l2", 0.0)) or None, float(said.get("l1", 0.0)) or None


def refuse_extras(where: str, layer: Any, without: tuple[str, ...], needed: tuple[str, ...]) -> None:
    """What must be off and what must be on."""
    for name in (*without, *needed):
        value = getattr(layer, name, name in needed)
        if bool(value) is (name in without):
            raise misfit(where, f"it has {name}={value!r:.60}")
