"""A network drawn with what one sample does in it: values forward, errors back, and one step as an animation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from backprop.arrays import Array, as_array
from backprop.drawing.layout import INCHES, Column, Shades, draw_columns, list_columns, measure_columns, plot_layout
from backprop.errors import UsageError
from backprop.pictures.style import open_figure, save_animation, take_picture
from backprop.runtime.compiled import CompiledNetwork
from backprop.specification.network import Network

__all__ = ["draw"]

LAST = 2000
"""Milliseconds that the last picture of a step stays."""
RATE = 0.5


def draw(
    net: Network | CompiledNetwork,
    path: str | os.PathLike[str],
    *,
    theta: Array | None = None,
    X: Array | None = None,
    Y: Array | None = None,
    rate: float = RATE,
    seed: int = 0,
    values: bool = False,
) -> Path:
    """Draw a network: its layers, units and shapes; with a sample also what happens in it.

    With `X` (one row of M_0 numbers) each unit shows its value, from left to right. With `Y` as well (one row of M_L
    numbers) a second picture below shows δ = ∂C/∂z (BP1, BP2), from right to left. A path that ends in .gif is an
    animation of one step of gradient descent: values, errors, the change of the weights, the cost before and after.

    Parameters: `theta`, random from `seed` if not given; `rate` of the step; with `values`, and in an animation, a
    sample is drawn from `seed` where none is given. Returns the path.
    Errors: UsageError for another shape, for an ending that is no picture, and where a sample by itself has no values
    (a normalisation over the batch). Source: the lecture's algorithm in three parts.

    >>> import tempfile, backprop
    >>> folder = Path(tempfile.mkdtemp())
    >>> draw(backprop.build("2-3-1"), folder / "layout.svg").name
    'layout.svg'
    """
    moves = Path(path).suffix.lower() == ".gif"
    if X is None and not (values or moves):
        return plot_layout(path, net.network if isinstance(net, CompiledNetwork) else net)
    compiled = CompiledNetwork(net) if isinstance(net, Network) else net
    if compiled.statistics():
        raise UsageError("one sample has no values where a layer standardises over the batch; leave X and Y out")
    rng = np.random.default_rng(seed)
    theta = compiled.initial(rng) if theta is None else as_array(theta, "theta")
    if X is None:
        X, Y = compiled.module.data(rng, 1)
    sample = _Sample(compiled, theta, X, Y, rng)
    return _animate(path, sample, rate) if moves else plot_layout(path, compiled.network, sample.shades())


class _Sample:
    """One sample in a network: the numbers of every column."""

    def __init__(
        self, net: CompiledNetwork, theta: Array, X: Array | None, Y: Array | None, rng: np.random.Generator
    ) -> None:
        self.net, self.theta, self.columns = net, theta, list_columns(net.network)
        self.X = _one_row(X, net.network.inputs, "X")
        self.Y: Any = None if Y is None else _one_row(Y, net.network.outputs, "Y")
        self.context: Mapping[str, Any] = net.context(rng, 1)
        if net.network.weighted:
            self.context = {**self.context, "weights": np.ones(1)}

    def values(self, theta: Array) -> dict[str, Array]:
        """What each line of the forward pass makes of the sample, by its name."""
        made = self.net.module.forward_pass(self.net.views(theta), self.X, **self._masks())
        names = [line.target.id for line in self.net.program.forward]
        return {"X": self.X[0], **{name: np.ravel(value) for name, value in zip(names, made, strict=True)}}

    def gradient(self) -> dict[str, Array]:
        """The derivative of the cost by every parameter, by its name."""
        flat = self.net.gradient(self.theta, self.X, self.Y, **self.context)
        return {block.name: flat[block.start : block.stop].reshape(block.shape) for block in self.net.layout.blocks}

    def cost(self, theta: Array) -> float:
        """The cost of the sample."""
        return float(self.net.cost(theta, self.X, self.Y, **self.context))

    def shades(self) -> list[Shades]:
        """Values, and errors where there is a target."""
        values = self.values(self.theta)
        forward = Shades("values, from left to right", [values[column.value] for column in self.columns])
        if self.Y is None:
            return [forward]
        gradient = self.gradient()
        title = f"errors δ = ∂C/∂z, from right to left; the cost is {self.cost(self.theta):.4g}"
        return [forward, Shades(title, [_error(column, gradient) for column in self.columns])]

    def _masks(self) -> dict[str, Any]:
        return {name: value for name, value in self.context.items() if name not in ("mode", "weights")}


def _error(column: Column, gradient: Mapping[str, Array]) -> Array | None:
    """δ of one sample is the gradient of b (BP3 sums over samples, of which there is one)."""
    return gradient.get(column.error)


def _one_row(numbers: Any, width: int, name: str) -> Array:
    array = as_array(numbers, name).astype(float)
    if array.shape not in ((width,), (1, width)):
        raise UsageError(f"{name} needs one row of {width} numbers, got shape {array.shape}; pass {name}[:1]")
    return array.reshape(1, width)


def _animate(path: str | os.PathLike[str], sample: _Sample, rate: float) -> Path:
    """Frames: values column by column, errors back, the change of the weights, the values after it."""
    if sample.Y is None:
        raise UsageError(f"{os.fspath(path)!r} would show a whole step, which needs a target; give Y as well")
    pictures = [_draw_frame(sample.columns, frame) for frame in _list_frames(sample, rate)]
    return save_animation(path, pictures, LAST)


def _list_frames(sample: _Sample, rate: float) -> list[Shades]:
    columns, gradient = sample.columns, sample.gradient()
    after = sample.theta - rate * sample.net.gradient(sample.theta, sample.X, sample.Y, **sample.context)
    before, now = (f"{sample.cost(theta):.4g}" for theta in (sample.theta, after))
    shown, late = ([sample.values(theta)[column.value] for column in columns] for theta in (sample.theta, after))
    errors = [_error(column, gradient) for column in columns]
    weights = {k: f"W{column.error[1:]}" for k, column in enumerate(columns) if column.error[:1] == "b"}
    changes = {k: -rate * gradient[name] for k, name in weights.items() if name in gradient}
    frames = [
        Shades("forward: values from left to right", [*shown[:k], *[None] * (len(columns) - k)])
        for k in range(1, len(columns) + 1)
    ]
    back = f"backward: errors δ from right to left; C = {before}"
    backward = [k for k in range(len(columns) - 1, 0, -1) if errors[k] is not None]
    frames += [Shades(back, [*[None] * k, *errors[k:]]) for k in backward]
    frames.append(Shades(f"update: the weights change by −{rate:g} ∂C/∂W", errors, changes))
    return [*frames, Shades(f"forward again: C = {before} before, {now} after", late)]


def _draw_frame(columns: list[Column], frame: Shades) -> Image.Image:
    wide, tall = measure_columns(columns)
    with open_figure(tall * INCHES) as figure:
        figure.set_size_inches(wide * INCHES, tall * INCHES)
        draw_columns(figure.add_axes((0, 0, 1, 1)), columns, frame)
        return take_picture(figure)
