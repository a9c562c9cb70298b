"""Derive the backpropagation equations, generate the code, verify it: yours too.

Public names are loaded when they are first used, so that `import backprop` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backprop.activation_functions import activation
    from backprop.approximation import approximate
    from backprop.errors import UsageError
    from backprop.layers import (
        GEGLU,
        GLU,
        Activation,
        BatchNorm,
        Bilinear,
        Dense,
        Dropout,
        Gated,
        LayerNorm,
        PReLU,
        Residual,
        SwiGLU,
    )
    from backprop.network import Network
    from backprop.runtime.compiled import CompiledNetwork, build
    from backprop.saving import load, save
    from backprop.training import fit
    from backprop.verification import assert_gradients, verify

__version__ = "0.1.0"

LAYERS = (
    "Activation", "BatchNorm", "Bilinear", "Dense", "Dropout", "GEGLU", "GLU", "Gated", "LayerNorm", "PReLU",
    "Residual", "SwiGLU",
)  # fmt: skip
PUBLIC = {
    **dict.fromkeys(LAYERS, "backprop.layers"),
    "CompiledNetwork": "backprop.runtime.compiled",
    "Network": "backprop.network",
    "UsageError": "backprop.errors",
    "activation": "backprop.activation_functions",
    "approximate": "backprop.approximation",
    "assert_gradients": "backprop.verification",
    "build": "backprop.runtime.compiled",
    "fit": "backprop.training",
    "load": "backprop.saving",
    "save": "backprop.saving",
    "verify": "backprop.verification",
}
"""Public name -> the module that holds it; rooms such as `backprop.strategies` load the same way."""

ROOMS = ("strategies", "data", "layers", "plots")

__all__ = [
    "GEGLU",
    "GLU",
    "Activation",
    "BatchNorm",
    "Bilinear",
    "CompiledNetwork",
    "Dense",
    "Dropout",
    "Gated",
    "LayerNorm",
    "Network",
    "PReLU",
    "Residual",
    "SwiGLU",
    "UsageError",
    "activation",
    "approximate",
    "assert_gradients",
    "build",
    "fit",
    "load",
    "save",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        value = getattr(import_module(PUBLIC[name]), name)
        globals()[name] = value
        return value
    if name in ROOMS:
        return import_module(f"backprop.{name}")
    raise AttributeError(f"module 'backprop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC, *ROOMS})
