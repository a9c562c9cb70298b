"""Networks that are near in the mean square, with a density: what Hornik's theorem speaks of."""

from backprop.approximation.measures.result import MeanApproximation
from backprop.approximation.measures.search import approximate_in_mean

__all__ = ["MeanApproximation", "approximate_in_mean"]
