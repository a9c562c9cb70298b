"""The layers of a specification: which numbers they take, and which kinds of layer of the book they are.

A new kind is a file of `theory.layers` (its statement and its record) and a class here; all else reads the record.

>>> Dense(100, "relu"), BatchNorm(), Dropout(0.5), SwiGLU(64)
(Dense(100, 'relu'), BatchNorm(), Dropout(0.5), Gated(64, 'silu'))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from backprop.arrays import is_number
from backprop.errors import UsageError
from theory.functions.activation_catalogue import NAMES
from theory.layers.activation import ACTIVATION
from theory.layers.batch_norm import BATCH_NORM
from theory.layers.dropout import DROPOUT
from theory.layers.gated import GATED
from theory.layers.kind import Kind
from theory.layers.layer_norm import LAYER_NORM
from theory.layers.prelu import PRELU
from theory.layers.residual import RESIDUAL
from theory.layers.weighted_sum import WEIGHTED_SUM

__all__ = [
    "GEGLU", "GLU", "KINDS", "Activation", "BatchNorm", "Bilinear", "Dense", "Dropout", "ForwardStep", "Gated",
    "Layer", "LayerNorm", "PReLU", "Residual", "SwiGLU",
]  # fmt: skip


class ForwardStep(NamedTuple):
    """One step of the forward pass: its kind, how many units it has (0: as many as come in), its function."""

    kind: Kind
    units: int = 0
    function: str = ""


KINDS: dict[str, type[Layer]] = {}
"""Every kind of layer by the name of its class."""


class Layer:
    """One entry of a specification; a frozen value, equal to every other with the same numbers."""

    positional: ClassVar[int] = 1
    kind: ClassVar[Kind]
    named: ClassVar[str] = ""
    """The field that names its function; without any, the function is the one that the kind of layer has."""
    drawn: ClassVar[Mapping[str, tuple[float | str | None, ...]]] = MappingProxyType({})
    """Values of a field that are drawn in tests (`backprop.strategies`); without any, its default."""

    def __init_subclass__(cls) -> None:
        KINDS[cls.__name__] = cls

    def parts(self) -> tuple[ForwardStep, ...]:
        """The steps of the forward pass that this layer is."""
        function = getattr(self, self.named) if self.named else self.kind.function
        return (ForwardStep(self.kind, getattr(self, "units", 0), function),)

    @property
    def front(self) -> str | None:
        """The activation in front of what follows; None: what was in front of this layer still is."""
        last = self.parts()[-1]
        return last.function if last.kind == ACTIVATION else "identity" if last.units else None

    def arguments(self) -> dict[str, Any]:
        """The fields that are not at their defaults, in order."""
        pairs = [(field, getattr(self, field.name)) for field in fields(self)]  # type: ignore[arg-type]
        return {field.name: value for field, value in pairs if field.default is MISSING or value != field.default}

    def __repr__(self) -> str:
        names = [field.name for field in fields(self)]  # type: ignore[arg-type]
        given = self.arguments()
        shown = [
            repr(value) if name in names[: self.positional] else f"{name}={value!r}" for name, value in given.items()
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """Z = A W + 1 bᵀ, then an activation: F1 and F2 of the lecture.

    `units` is M_l, `activation` a name or an expression in x (softmax: last layer only); `l2` and `l1` penalise
    the weights W of this layer, (l2/2) Σ w² + l1 Σ |w|, instead of what the network says for all.

    >>> Dense(0)
    Traceback (most recent call last):
    backprop.errors.UsageError: Dense needs a whole number of units, at least 1, got 0; write Dense(100, 'relu')
    """

    units: int
    activation: str = "identity"
    l2: float | None = None
    l1: float | None = None
    positional: ClassVar[int] = 2
    drawn: ClassVar = {"activation": NAMES, "l2": (None, 0.5)}

    def __post_init__(self) -> None:
        check_units(self, self.units, self.activation)

    def parts(self) -> tuple[ForwardStep, ...]:
        return ForwardStep(WEIGHTED_SUM, self.units), ForwardStep(ACTIVATION, function=self.activation)


@dataclass(frozen=True, repr=False)
class Gated(Layer):
    """H = (A W + 1 bᵀ) ∘ f(A V + 1 cᵀ): GLU (sigmoid), GeGLU (gelu), SwiGLU (silu), bilinear (identity)."""

    units: int
    gate: str = "sigmoid"
    l2: float | None = None
    l1: float | None = None
    positional: ClassVar[int] = 2
    kind: ClassVar = GATED
    named: ClassVar = "gate"
    drawn: ClassVar = {"gate": NAMES}

    def __post_init__(self) -> None:
        check_units(self, self.units, self.gate)


def GLU(units: int, **penalties: float) -> Gated:
    """The gated linear unit, with a sigmoid."""
    return Gated(units, "sigmoid", **penalties)


def GEGLU(units: int, **penalties: float) -> Gated:
    """The gate with gelu."""
    return Gated(units, "gelu", **penalties)


def SwiGLU(units: int, **penalties: float) -> Gated:
    """The gate with silu."""
    return Gated(units, "silu", **penalties)


def Bilinear(units: int, **penalties: float) -> Gated:
    """The gate without a function: a product of two weighted inputs."""
    return Gated(units, "identity", **penalties)


@dataclass(frozen=True, repr=False)
class Activation(Layer):
    """An activation by itself, for example after a normalisation."""

    name: str
    kind: ClassVar = ACTIVATION
    named: ClassVar = "name"
    drawn: ClassVar = {"name": NAMES}

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise UsageError(
                f"Activation needs a name or an expression in x, got {self.name!r}; try Activation('relu')"
            )


@dataclass(frozen=True, repr=False)
class PReLU(Layer):
    """x where x > 0, slope times x elsewhere, the slope of each unit learned; `initial` is where it starts."""

    initial: float = 0.25
    kind: ClassVar = PRELU

    def __post_init__(self) -> None:
        check_number(self, "initial", self.initial, -math.inf, math.inf)

    @property
    def front(self) -> str:
        return f"max(0, x) + {self.initial!r}*min(0, x)"


@dataclass(frozen=True, repr=False)
class BatchNorm(Layer):
    """Each unit standardised over the batch, then scaled by gamma and shifted by beta.

    `momentum` is the share of the newest batch in the running statistics that prediction uses; `epsilon` is added
    to the variance.
    """

    momentum: float = 0.1
    epsilon: float = 1e-5
    positional: ClassVar[int] = 0
    kind: ClassVar = BATCH_NORM
    drawn: ClassVar = {"epsilon": (1e-5, 0.1)}

    def __post_init__(self) -> None:
        check_number(self, "momentum", self.momentum, 0, 1, "above 0 and at most 1", lowest=False, highest=True)
        check_number(self, "epsilon", self.epsilon, 0, math.inf, "a small positive number", lowest=False)


@dataclass(frozen=True, repr=False)
class LayerNorm(Layer):
    """Each sample standardised over its units, then scaled by gamma and shifted by beta."""

    epsilon: float = 1e-5
    positional: ClassVar[int] = 0
    kind: ClassVar = LAYER_NORM
    drawn: ClassVar = {"epsilon": (1e-5, 0.1)}

    def __post_init__(self) -> None:
        check_number(self, "epsilon", self.epsilon, 0, math.inf, "a small positive number", lowest=False)


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """In training every entry is 0 with probability `rate`, else divided by 1 - rate; in prediction nothing happens.

    >>> Dropout(1)
    Traceback (most recent call last):
    backprop.errors.UsageError: rate of Dropout must be at least 0 and below 1, got 1
    """

    rate: float
    kind: ClassVar = DROPOUT
    drawn: ClassVar = {"rate": (0.0, 0.3, 0.9)}

    def __post_init__(self) -> None:
        check_number(self, "rate", self.rate, 0, 1, "at least 0 and below 1")


@dataclass(frozen=True, repr=False, init=False)
class Residual(Layer):
    """What goes in is added to what these layers make of it; both must be equally wide.

    >>> Residual(Dense(8, "relu"), Dense(8))
    Residual(Dense(8, 'relu'), Dense(8))
    """

    layers: tuple[Layer, ...]
    kind: ClassVar = RESIDUAL

    def __init__(self, *layers: Layer) -> None:
        object.__setattr__(self, "layers", layers)
        if not layers:
            raise UsageError(
                "Residual needs layers to go around, got none; write Residual(Dense(64, 'relu'), Dense(64))"
            )
        check_layers(layers, "Residual")

    def __repr__(self) -> str:
        return f"Residual({', '.join(map(repr, self.layers))})"


def check_layers(layers: tuple[Any, ...], where: str) -> None:
    """Everything is a layer (and not its class)."""
    for layer in layers:
        if not isinstance(layer, Layer):
            name = getattr(layer, "__name__", None)
            hint = f"write {name}(…) with parentheses" if name in KINDS else f"choose from: {', '.join(KINDS)}"
            raise UsageError(f"{where} takes layers, got {layer!r:.60}; {hint}")


def check_units(layer: Dense | Gated, units: object, function: object) -> None:
    """A whole number of units, a name, and penalties that are not negative."""
    kind = type(layer).__name__
    if not isinstance(units, int) or isinstance(units, bool) or units < 1:
        raise UsageError(
            f"{kind} needs a whole number of units, at least 1, got {units!r:.60}; write {kind}(100, 'relu')"
        )
    if not isinstance(function, str):
        raise UsageError(f"{kind} needs the name of a function or an expression in x, got {function!r:.60}; try 'relu'")
    for name in ("l2", "l1"):
        if getattr(layer, name) is not None:
            check_number(layer, name, getattr(layer, name), 0, math.inf, "0 or positive")


def check_number(
    layer: object,
    name: str,
    value: object,
    low: float,
    high: float,
    words: str = "a finite number",
    *,
    lowest: bool = True,
    highest: bool = False,
) -> None:
    """A finite number in an interval; `lowest` and `highest` say whether its ends belong to it."""
    good = isinstance(value, int | float) and is_number(value)
    if good and isinstance(value, int | float):
        good = (low < value or (lowest and low == value)) and (value < high or (highest and high == value))
    if not good:
        raise UsageError(f"{name} of {type(layer).__name__} must be {words}, got {value!r:.60}")
