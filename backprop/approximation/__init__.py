"""Approximation: a network of one hidden layer for a given function of one variable or two, or for data."""

from backprop.approximation.certified import certify
from backprop.approximation.result import Approximation
from backprop.approximation.search import MAX_WIDTH, approximate
from backprop.approximation.surfaces import SurfaceApproximation, approximate_2d

__all__ = ["MAX_WIDTH", "Approximation", "SurfaceApproximation", "approximate", "approximate_2d", "certify"]
