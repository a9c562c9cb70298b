"""Functions of three and more variables and networks of one hidden layer near them, measured on a grid."""

from backprop.approximation.spaces.result import SpaceApproximation
from backprop.approximation.spaces.search import approximate_nd
from backprop.approximation.spaces.target import is_space

__all__ = ["SpaceApproximation", "approximate_nd", "is_space"]
