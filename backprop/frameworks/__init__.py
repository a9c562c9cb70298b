"""Models of torch, Keras and scikit-learn as a specification and a vector of parameters."""

from backprop.frameworks.keras_models import from_keras
from backprop.frameworks.scikit import from_sklearn
from backprop.frameworks.torch_modules import from_torch

__all__ = ["from_keras", "from_sklearn", "from_torch"]
