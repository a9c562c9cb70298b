"""Functions of two variables and networks of one hidden layer near them."""

from backprop.approximation.surfaces.result import SurfaceApproximation
from backprop.approximation.surfaces.search import MAX_WIDTH, approximate_2d
from backprop.approximation.surfaces.target import is_surface

__all__ = ["MAX_WIDTH", "SurfaceApproximation", "approximate_2d", "is_surface"]
