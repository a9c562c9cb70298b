"""Derive the backpropagation equations, generate the code, verify it: yours too.

Public names are loaded when they are first used, so that `import backprop` is quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from backprop.version import VERSION

if TYPE_CHECKING:
    from backprop.approximation import approximate, approximate_2d
    from backprop.attaching.glue import subject_from_file
    from backprop.attaching.keras_models import subject_from_keras
    from backprop.attaching.objects import subject_from_object, subject_from_update, subject_from_values
    from backprop.attaching.operations import subject_from_op
    from backprop.drawing.sample import draw
    from backprop.errors import UsageError
    from backprop.examiner.subject.adapters.from_functions import subject_from_functions
    from backprop.examiner.subject.adapters.jax_functions import subject_from_jax
    from backprop.examiner.subject.adapters.networks import subject_from_network
    from backprop.examiner.subject.adapters.scikit import subject_from_sklearn
    from backprop.examiner.subject.adapters.torch_modules import subject_from_torch
    from backprop.frameworks import from_keras, from_sklearn, from_torch
    from backprop.runtime.activation_functions import activation
    from backprop.runtime.compiled import CompiledNetwork, build
    from backprop.runtime.recurrent import build_recurrent
    from backprop.runtime.saving import load, save
    from backprop.runtime.tangents import build_with_derivatives
    from backprop.specification.layers import (
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
    from backprop.specification.network import Network
    from backprop.training import fit
    from backprop.verification.verify import assert_gradients, verify

__version__ = VERSION

__all__ = [
    "GEGLU", "GLU", "Activation", "BatchNorm", "Bilinear", "CompiledNetwork", "Dense", "Dropout", "Gated",
    "LayerNorm", "Network", "PReLU", "Residual", "SwiGLU", "UsageError", "activation", "approximate",
    "approximate_2d", "assert_gradients", "build", "build_recurrent", "build_with_derivatives", "draw", "fit",
    "from_keras", "from_sklearn", "from_torch", "load", "save", "subject_from_file", "subject_from_functions",
    "subject_from_jax", "subject_from_keras", "subject_from_network", "subject_from_object", "subject_from_op",
    "subject_from_sklearn", "subject_from_torch", "subject_from_update", "subject_from_values", "verify",
]  # fmt: skip
PUBLIC = {
    **dict.fromkeys(__all__, "backprop.specification.layers"),
    "CompiledNetwork": "backprop.runtime.compiled",
    "Network": "backprop.specification.network",
    "UsageError": "backprop.errors",
    "activation": "backprop.runtime.activation_functions",
    "approximate": "backprop.approximation",
    "approximate_2d": "backprop.approximation",
    "assert_gradients": "backprop.verification.verify",
    "build": "backprop.runtime.compiled",
    "build_recurrent": "backprop.runtime.recurrent",
    "build_with_derivatives": "backprop.runtime.tangents",
    "draw": "backprop.drawing.sample",
    "fit": "backprop.training",
    **dict.fromkeys(("from_keras", "from_sklearn", "from_torch"), "backprop.frameworks"),
    "subject_from_file": "backprop.attaching.glue",
    "subject_from_functions": "backprop.examiner.subject.adapters.from_functions",
    "subject_from_jax": "backprop.examiner.subject.adapters.jax_functions",
    "subject_from_keras": "backprop.attaching.keras_models",
    "subject_from_network": "backprop.examiner.subject.adapters.networks",
    **dict.fromkeys(
        ("subject_from_object", "subject_from_update", "subject_from_values"), "backprop.attaching.objects"
    ),
    "subject_from_op": "backprop.attaching.operations",
    "subject_from_sklearn": "backprop.examiner.subject.adapters.scikit",
    "subject_from_torch": "backprop.examiner.subject.adapters.torch_modules",
    **dict.fromkeys(("load", "save"), "backprop.runtime.saving"),
    "verify": "backprop.verification.verify",
}
"""Public name -> the module that holds it, that of the layers if nothing else is said; rooms load the same way."""

ROOMS = {
    "strategies": "backprop.verification.strategies",
    "data": "backprop.data",
    "layers": "backprop.specification.layers",
    "lecture": "backprop.lecture",
    "plots": "backprop.pictures",
    "training": "backprop.training",
}
MOVED = {
    "approximation.wording": "backprop.approximation.ground.wording",
    "explanation": "backprop.verification.explanation",
    "figures": "backprop.pictures",
    "plots_accuracy": "backprop.pictures.slopes",
    "reporting.progress": "backprop.progress",
}
"""Where else somebody's import may look for what lies in a room now."""
OPTIONAL_ROOMS = {"estimators": "backprop.estimators"}  # needs a library of its own
DOORS = {f"backprop.{name}": place for name, place in {**ROOMS, **OPTIONAL_ROOMS, **MOVED}.items()}


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        globals()[name] = value = getattr(import_module(PUBLIC[name]), name)
        return value
    if f"backprop.{name}" in DOORS:
        return import_module(DOORS[f"backprop.{name}"])
    raise AttributeError(f"module 'backprop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC, *ROOMS, *OPTIONAL_ROOMS})


class Porter:
    """Imports by the name of a door, as in `from backprop.plots import plot_training`, lead to the room behind it."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Asked last, where no file has the name."""
        return ModuleSpec(name, Porter) if name in DOORS else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """The module is made as usual, and is never seen."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """The room takes the place of the module that was asked for."""
        sys.modules[module.__name__] = import_module(DOORS[module.__name__])


sys.meta_path.append(Porter)
if sys.argv[:1] == ["-m"]:
    import_module("theory.signpost").stand_at("backprop")
