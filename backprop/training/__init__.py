"""Training: mini-batches, optimisers, schedules, and a history that keeps the best parameters."""

from backprop.training.adam import Adam
from backprop.training.catalogue import OPTIMISERS, find_optimiser
from backprop.training.gradient_descent import GradientDescent
from backprop.training.history import History
from backprop.training.loop import fit
from backprop.training.momentum import Momentum
from backprop.training.optimiser import Optimiser
from backprop.training.prediction import accuracy, classify, find_labels
from backprop.training.schedules import Schedule, constant, cosine
from backprop.training.trainable import Trainable
from backprop.training.watch import TrainingDiverged

__all__ = [
    "OPTIMISERS",
    "Adam",
    "GradientDescent",
    "History",
    "Momentum",
    "Optimiser",
    "Schedule",
    "Trainable",
    "TrainingDiverged",
    "accuracy",
    "classify",
    "constant",
    "cosine",
    "find_labels",
    "find_optimiser",
    "fit",
]
