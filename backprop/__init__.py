"""Derive the backpropagation equations, generate the code, verify it: yours too.

Public names are loaded when they are first used, so that `import backprop` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backprop.activation_functions import activation
    from backprop.approximation import approximate, approximate_2d
    from backprop.errors import UsageError
    from backprop.examiner.adapters.functions import subject_from_functions
    from backprop.examiner.adapters.jax_functions import subject_from_jax
    from backprop.examiner.adapters.networks import subject_from_network
    from backprop.examiner.adapters.scikit import subject_from_sklearn
    from backprop.examiner.adapters.torch_modules import subject_from_torch
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
    "approximate_2d": "backprop.approximation",
    "assert_gradients": "backprop.verification",
    "build": "backprop.runtime.compiled",
    "fit": "backprop.training",
    "subject_from_functions": "backprop.examiner.adapters.functions",
    "subject_from_jax": "backprop.examiner.adapters.jax_functions",
    "subject_from_network": "backprop.examiner.adapters.networks",
    "subject_from_sklearn": "backprop.examiner.adapters.scikit",
    "subject_from_torch": "backprop.examiner.adapters.torch_modules",
    "load": "backprop.saving",
    "save": "backprop.saving",
    "verify": "backprop.verification",
}
"""Public name -> the module that holds it; rooms such as `backprop.strategies` load the same way."""

ROOMS = ("strategies", "data", "layers", "plots", "training")
OPTIONAL_ROOMS = ("estimators",)
"""Rooms that need a library of their own."""

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
    "approximate_2d",
    "assert_gradients",
    "build",
    "fit",
    "load",
    "save",
    "subject_from_functions",
    "subject_from_jax",
    "subject_from_network",
    "subject_from_sklearn",
    "subject_from_torch",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        value = getattr(import_module(PUBLIC[name]), name)
        globals()[name] = value
        return value
    if name in (*ROOMS, *OPTIONAL_ROOMS):
        return import_module(f"backprop.{name}")
    raise AttributeError(f"module 'backprop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC, *ROOMS, *OPTIONAL_ROOMS})
