"""Optimisers: the book's update equations, run in place on the flat vector of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType, MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from backprop.arrays import check_vector
from backprop.codegen.printing.updates import CompiledRule, compile_rule
from backprop.errors import UsageError, unknown_name
from backprop.training.trainable import Array
from backprop.training.updating.settings import as_rate, as_setting
from theory.chapters.training.optimisers import Setting as SettingStatement

__all__ = [
    "AdaGrad",
    "AdaGradMomentum",
    "Adam",
    "AdamW",
    "GradientDescent",
    "Momentum",
    "Nesterov",
    "Optimiser",
    "RMSProp",
]

Setting = float | NDArray[np.floating[Any]]
PIECE = 32768
"""Numbers that are updated at a time: with its memory and work vectors such a piece fits into a core's own cache."""


class Optimiser:
    """An update rule theta <- theta - change, with what it remembers between steps.

    The interface is the lecture's scheduler: `update_change(gradient)` and `reset()`. The equations stand in
    `theory.chapters.training.optimisers` and the code is generated from them (`source`). `rate` may be changed between
    steps, which is how a schedule acts. Vectors have the type of the first gradient, float32 or float64.

    Args:
        rate: learning rate, > 0; None: the usual one.
        settings: the rule's own, by name, with the usual ones as defaults.

    Raises:
        UsageError: an unknown setting, or one out of its range.

    Source: lecture item 10.

    >>> print(*Momentum().equations, sep="; ")
    v_t = μ*v_(t-1) + η*g_t; θ_t = θ_(t-1) - v_t
    """

    name: ClassVar[str]

    def __init__(self, rate: float | None = None, **settings: Setting) -> None:
        rule = self.compiled.rule
        self.rate = as_rate(float(rule.rate) if rate is None else rate)
        known = {setting.name: setting for setting in rule.settings}
        for name in settings:
            if name not in known:
                raise unknown_name(f"setting of {self.name}", name, known or ["none, it has only a rate"])
        self._settings = {name: choose(statement, settings) for name, statement in known.items()}
        self.reset()

    @property
    def compiled(self) -> CompiledRule:
        """The generated program."""
        return compile_rule(self.name)

    @property
    def source(self) -> str:
        """The text of the generated program."""
        return self.compiled.source

    @property
    def equations(self) -> list[str]:
        """What is computed."""
        return self.compiled.rule.lines()

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The rule's own settings; the rate is apart, because it may change."""
        return MappingProxyType(self._settings)

    def reset(self) -> None:
        """Forget everything: the next step is a first step."""
        self._steps = 0
        self._memory: list[Array] = []
        self._buffers: list[Array] = []

    def update_change(self, gradient: Array, theta: Array | None = None) -> Array:
        """Compute what is to be subtracted from the parameters.

        The array that is returned belongs to the optimiser: use it before the next call, do not write to it.
        Gradient and theta are not changed. Only rules that read the parameters (AdamW) need theta.

        Raises:
            UsageError: theta is needed and missing, or the gradient has another shape than before.
        """
        self._begin_step(gradient, theta)
        return self._compute(gradient, theta, ...)

    def step(self, theta: Array, gradient: Array) -> None:
        """Update theta in place; long vectors piece by piece, so that a piece stays in the cache for all operations."""
        self._begin_step(gradient, theta)
        long = gradient.ndim == 1 and gradient.size > PIECE
        whole: list[slice | EllipsisType] = [...]
        pieces = [slice(k, k + PIECE) for k in range(0, gradient.size, PIECE)] if long else whole
        for piece in pieces:
            part = theta[piece]
            np.subtract(part, self._compute(gradient[piece], part, piece), out=part)

    def _begin_step(self, gradient: Array, theta: Array | None) -> None:
        """Check the gradient, make memory and buffers for the first."""
        check_vector("the gradient", gradient)
        if theta is not None:
            check_vector("theta", theta)
            if theta.shape != gradient.shape:
                raise UsageError(f"theta has shape {theta.shape}, but the gradient {gradient.shape}; they must agree")
        rule = self.compiled.rule
        if theta is None and rule.reads_parameters:
            raise UsageError(f"{self.name} reads the parameters: call update_change(gradient, theta) or step")
        if not self._buffers:
            self._memory = [np.zeros_like(gradient) for _ in rule.memory]
            self._buffers = [np.empty_like(gradient) for _ in range(1 + self.compiled.work)]
        if gradient.shape != self._buffers[0].shape:
            raise UsageError(
                f"the gradient has shape {gradient.shape}, but this optimiser has worked on "
                f"{self._buffers[0].shape}; call reset() first"
            )
        self._steps += 1

    def _compute(self, gradient: Array, theta: Array | None, piece: slice | EllipsisType) -> Array:
        """The change of one piece of the vector."""
        vectors = [vector[piece] for vector in (*self._memory, *self._buffers)]
        settings = [s[piece] if isinstance(s, np.ndarray) and s.ndim else s for s in self._settings.values()]
        change: Array = self.compiled.function(gradient, theta, *vectors, self.rate, self._steps, *settings)
        return change

    def remember(self) -> tuple[int, dict[str, Array]]:
        """What `recall` needs to go on from here: the number of steps, and copies of the memory."""
        names = self.compiled.rule.memory
        return self._steps, {name: vector.copy() for name, vector in zip(names, self._memory, strict=False)}

    def recall(self, steps: int, memory: Mapping[str, Array]) -> None:
        """Go on from what `remember` gave."""
        self.reset()
        self._steps = steps
        self._memory = [memory[name].copy() for name in self.compiled.rule.memory if name in memory]
        if self._memory:
            self._buffers = [np.empty_like(self._memory[0]) for _ in range(1 + self.compiled.work)]


def choose(statement: SettingStatement, settings: Mapping[str, Setting]) -> Setting:
    """A setting in its range: the user's or the usual one."""
    if statement.name not in settings:
        return float(statement.default)
    return as_setting(statement.name, statement.kind, settings[statement.name])


class GradientDescent(Optimiser):
    """Step against the gradient.

    >>> theta = np.array([1.0, -2.0])
    >>> GradientDescent(0.5).step(theta, gradient=np.array([1.0, 1.0]))
    >>> theta.tolist()
    [0.5, -2.5]
    """

    name = "gradient-descent"


class Momentum(Optimiser):
    """Keep a part of the previous change; setting `momentum`.

    >>> rule = Momentum(1.0, momentum=0.5)
    >>> [rule.update_change(np.array([1.0])).item() for _ in range(3)]
    [1.0, 1.5, 1.75]
    """

    name = "momentum"


class Nesterov(Optimiser):
    """Momentum that takes the gradient at the point looked ahead to; setting `momentum`."""

    name = "nesterov"


class AdaGrad(Optimiser):
    """Divide by the root of the sum of all squared gradients; setting `epsilon`."""

    name = "adagrad"


class AdaGradMomentum(Optimiser):
    """AdaGrad's changes with momentum; settings `momentum`, `epsilon`."""

    name = "adagrad-momentum"


class RMSProp(Optimiser):
    """Divide by the root of a running mean of squared gradients; settings `decay`, `epsilon`."""

    name = "rmsprop"


class Adam(Optimiser):
    """A running mean of the gradient by the root of a running mean of its square; `beta1`, `beta2`, `epsilon`.

    The first change is the rate times the sign of the gradient, whatever its size:

    >>> Adam(0.1).update_change(np.array([1e-3, -50.0])).round(6).tolist()
    [0.099999, -0.1]
    """

    name = "adam"


class AdamW(Optimiser):
    """Adam with decoupled weight decay; settings as Adam's and `weight_decay`, a number or one for each parameter.

    `backprop.training.on_weights(net, 0.01)` gives a decay of the weights only, biases excluded.
    """

    name = "adamw"
