"""Approximation: a network of one hidden layer for a given function of one variable."""

from backprop.approximation.certified import certify
from backprop.approximation.options import MAX_WIDTH
from backprop.approximation.result import Approximation
from backprop.approximation.search import approximate

__all__ = ["MAX_WIDTH", "Approximation", "approximate", "certify"]
