"""Functions of two variables and networks of one hidden layer near them."""

from backprop.approximation.surfaces.result import NO_CERTIFICATE, SurfaceApproximation
from backprop.approximation.surfaces.search import MAX_WIDTH, approximate_2d
from backprop.approximation.surfaces.target import is_surface

__all__ = ["MAX_WIDTH", "NO_CERTIFICATE", "SurfaceApproximation", "approximate_2d", "is_surface"]
