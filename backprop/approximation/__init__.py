"""Approximation: a network of one hidden layer for a given function of one variable or two, or for data."""

from backprop.approximation.ground.arguments import MAX_WIDTH
from backprop.approximation.searching.certified import certify
from backprop.approximation.searching.constructive import construct
from backprop.approximation.searching.methods import approximate_by
from backprop.approximation.searching.result import Approximation
from backprop.approximation.searching.search import approximate
from backprop.approximation.searching.trained import train_with_adam
from backprop.approximation.surfaces import SurfaceApproximation, approximate_2d

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
