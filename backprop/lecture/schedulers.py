"""The lecture's schedulers: the book's update equations by the lecture's names, keywords and habit of resetting.

`update_change(gradient)` gives what is subtracted; `reset()` stands at the end of every epoch. What it forgets is part
of the lecture's definition, and not the same for all:

| name | rule of the book | reset forgets |
|---|---|---|
| Constant, Momentum | gradient-descent, momentum | nothing |
| Adagrad, AdagradMomentum | adagrad, adagrad-momentum | the sum of squares (the momentum stays) |
| RMS_prop | rmsprop | the mean of squares |
| Adam | adam | both means; t counts epochs, not steps |

>>> rule = Momentum(eta=1.0, momentum=0.5)
>>> rule.update_change([1.0]), rule.reset(), rule.update_change([1.0])
(array([1.]), None, array([1.5]))
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from backprop.arrays import Array, as_floats
from backprop.errors import UsageError
from backprop.training.updating.catalogue import OPTIMISERS
from backprop.training.updating.settings import as_rate

__all__ = ["Adagrad", "AdagradMomentum", "Adam", "Constant", "Momentum", "RMS_prop", "Scheduler"]

FORGOTTEN = {"adagrad": ("G",), "adagrad-momentum": ("G",), "rmsprop": ("v",), "adam": ("m", "v")}
"""Rule -> the letters that a reset sets to 0."""
DELTA = 1e-8
"""The lecture's guard against a division by zero."""


class Scheduler:
    """One rule with its memory; the functions below make them by the lecture's names."""

    def __init__(self, name: str, eta: float, **settings: float) -> None:
        self._rule = OPTIMISERS[name](eta, **settings)
        self._epochs = 0

    def __repr__(self) -> str:
        words = [f"eta={self.eta!r}", *(f"{name}={value!r}" for name, value in self._rule.settings.items())]
        return f"{self._rule.name}({', '.join(words)})"

    @property
    def eta(self) -> float:
        """The learning rate; may be changed between steps."""
        return self._rule.rate

    @eta.setter
    def eta(self, rate: float) -> None:
        self._rule.rate = as_rate(rate)

    def update_change(self, gradient: ArrayLike) -> Array:
        """What is to be subtracted from the parameters, of the gradient's shape.

        Errors: UsageError for what is no array of finite numbers, or has another shape than before.
        """
        given = as_floats(gradient, "the gradient")
        memory = self._rule.remember()[1]
        if any(value.shape != given.shape for value in memory.values()):
            shape = next(iter(memory.values())).shape
            raise UsageError(
                f"the gradient has shape {given.shape}, but this scheduler has worked on {shape}; take one for each "
                "array of parameters"
            )
        self._rule.recall(self._epochs, memory)  # t is the number of the epoch
        return np.array(self._rule.update_change(given))

    def reset(self) -> None:
        """End of an epoch: what the table says is forgotten."""
        self._epochs += 1
        steps, memory = self._rule.remember()
        for letter in FORGOTTEN.get(self._rule.name, ()):
            if letter in memory:
                memory[letter][...] = 0
        self._rule.recall(steps, memory)


def Constant(eta: float) -> Scheduler:
    """eta times the gradient."""
    return Scheduler("gradient-descent", eta)


def Momentum(eta: float, momentum: float) -> Scheduler:
    """A part of the previous change is kept, across epochs too."""
    return Scheduler("momentum", eta, momentum=momentum)


def Adagrad(eta: float) -> Scheduler:
    """Divided by the root of the sum of squares of this epoch, entry by entry.

    A code that takes the diagonal of g gᵀ of a matrix g has one such sum for a row: equal for columns only.
    """
    return Scheduler("adagrad", eta, epsilon=DELTA)


def AdagradMomentum(eta: float, momentum: float) -> Scheduler:
    """The same with momentum of the changes."""
    return Scheduler("adagrad-momentum", eta, momentum=momentum, epsilon=DELTA)


def RMS_prop(eta: float, rho: float) -> Scheduler:
    """Divided by the root of a running mean of squares, which begins anew in every epoch."""
    return Scheduler("rmsprop", eta, decay=rho, epsilon=DELTA)


def Adam(eta: float, rho: float, rho2: float) -> Scheduler:
    """Both running means begin anew in every epoch, but the correction for their beginning counts epochs.

    In the first epoch's first step the change is eta times the sign of the gradient; in the first step of a late epoch
    it is (1 - rho)/sqrt(1 - rho2) times that, 3.2 with the usual numbers, because the correction has worn off.

    >>> rule = Adam(eta=0.1, rho=0.9, rho2=0.999)
    >>> rule.update_change([4.0]).round(4)
    array([0.1])
    >>> for _ in range(10_000):
    ...     rule.reset()
    >>> rule.update_change([4.0]).round(4)
    array([0.3162])
    """
    return Scheduler("adam", eta, beta1=rho, beta2=rho2, epsilon=DELTA)
