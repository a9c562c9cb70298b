"""Training: mini-batches, optimisers, schedules, and a history that keeps the best parameters."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from backprop.training.initialisers import draw_parameters
from backprop.training.prediction import accuracy, classify, find_labels
from backprop.training.running.history import Epoch, History
from backprop.training.running.loop import fit
from backprop.training.running.watch import TrainingDiverged
from backprop.training.trainable import Trainable
from backprop.training.updating.catalogue import OPTIMISERS, find_optimiser
from backprop.training.updating.clipping import clip_by_norm, clip_by_value
from backprop.training.updating.optimiser import (
    AdaGrad,
    AdaGradMomentum,
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimiser,
    RMSProp,
)
from backprop.training.updating.schedules import Schedule, constant, cosine, exponential, one_cycle, step, time_decay
from backprop.training.updating.settings import on_weights

if TYPE_CHECKING:
    from backprop.training.running.lbfgs import fit_whole

__all__ = [
    "OPTIMISERS",
    "AdaGrad",
    "AdaGradMomentum",
    "Adam",
    "AdamW",
    "Epoch",
    "GradientDescent",
    "History",
    "Momentum",
    "Nesterov",
    "Optimiser",
    "RMSProp",
    "Schedule",
    "Trainable",
    "TrainingDiverged",
    "accuracy",
    "classify",
    "clip_by_norm",
    "clip_by_value",
    "constant",
    "cosine",
    "draw_parameters",
    "exponential",
    "find_labels",
    "find_optimiser",
    "fit",
    "fit_whole",
    "on_weights",
    "one_cycle",
    "step",
    "time_decay",
]


def __getattr__(name: str) -> Any:
    """`fit_whole` is loaded when it is first used: SciPy's optimisers take half a second."""
    if name == "fit_whole":
        return import_module("backprop.training.running.lbfgs").fit_whole
    raise AttributeError(f"module 'backprop.training' has no attribute {name!r}")
