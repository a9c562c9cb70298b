"""Approximation: a network of one hidden layer for a given function of one variable or more, or for data."""

from backprop.approximation.ground.arguments import MAX_WIDTH
from backprop.approximation.measures import MeanApproximation, approximate_in_mean
from backprop.approximation.searching.certified import certify
from backprop.approximation.searching.constructive import construct
from backprop.approximation.searching.methods import approximate_by
from backprop.approximation.searching.result import Approximation
from backprop.approximation.searching.search import approximate
from backprop.approximation.searching.trained import train_with_adam
from backprop.approximation.spaces import SpaceApproximation, approximate_nd
from backprop.approximation.surfaces import SurfaceApproximation, approximate_2d

__all__ = [
    "MAX_WIDTH",
    "Approximation",
    "MeanApproximation",
    "SpaceApproximation",
    "SurfaceApproximation",
    "approximate",
    "approximate_2d",
    "approximate_by",
    "approximate_in_mean",
    "approximate_nd",
    "certify",
    "construct",
    "train_with_adam",
]
