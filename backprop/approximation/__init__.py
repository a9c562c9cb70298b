"""Approximation: a network of one hidden layer for a given function of one variable."""

from backprop.approximation.arguments import MAX_WIDTH
from backprop.approximation.certified import certify
from backprop.approximation.constructive import construct
from backprop.approximation.methods import approximate_by
from backprop.approximation.result import Approximation
from backprop.approximation.search import approximate
from backprop.approximation.trained import train_with_adam

__all__ = ["MAX_WIDTH", "Approximation", "approximate", "approximate_by", "certify", "construct", "train_with_adam"]
