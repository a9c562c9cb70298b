"""The lecture's own names for schedulers, activations, costs and its network class, on generated functions."""

from backprop.lecture.costs import CostCrossEntropy, CostLogReg, CostOLS
from backprop.lecture.ffnn import FFNN
from backprop.lecture.functions import LRELU as LRELU
from backprop.lecture.functions import RELU as RELU
from backprop.lecture.functions import identity as identity
from backprop.lecture.functions import sigmoid as sigmoid
from backprop.lecture.functions import softmax as softmax
from backprop.lecture.schedulers import Adagrad, AdagradMomentum, Adam, Constant, Momentum, RMS_prop, Scheduler

__all__ = [
    "FFNN", "Adagrad", "AdagradMomentum", "Adam", "Constant", "CostCrossEntropy", "CostLogReg", "CostOLS", "Momentum",
    "RMS_prop", "Scheduler",
]  # fmt: skip
