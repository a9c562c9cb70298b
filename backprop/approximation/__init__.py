"""Approximation: a network of one hidden layer for a given function of one variable or two, or for data."""

from backprop.approximation.arguments import MAX_WIDTH
from backprop.approximation.certified import certify
from backprop.approximation.constructive import construct
from backprop.approximation.methods import approximate_by
from backprop.approximation.result import Approximation
from backprop.approximation.search import approximate
from backprop.approximation.surfaces import SurfaceApproximation, approximate_2d
from backprop.approximation.trained import train_with_adam

__all__ = [
    "MAX_WIDTH",
    "Approximation",
    "SurfaceApproximation",
    "approximate",
    "approximate_2d",
    "approximate_by",
    "certify",
    "construct",
    "train_with_adam",
]
