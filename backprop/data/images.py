"""New handwriting from old: images moved and made noisy, for training only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.arrays import as_array, as_generator, is_number
from backprop.data.checks import Floats
from backprop.errors import UsageError

__all__ = ["disturb", "shift_images"]


def disturb(
    rng: np.random.Generator, X: NDArray[np.floating[Any]], *, shift: float = 0.5, noise: float = 0.2
) -> Floats:
    """Move each image by a random part of a pixel and add noise: new handwriting from old, for training only.

    Each row of X is a square image. It is shifted by (dx, dy), both uniform in [-shift, shift] pixels
    (bilinear interpolation, paper flows in from outside), then gets independent normal noise.

    Args:
        X: images, shape (n, s*s), pixels in [0, 1]; not changed.
        shift: largest shift in pixels, 0..1.
        noise: standard deviation of the noise, in units of the brightest pixel.

    Source: C. M. Bishop, Training with noise is equivalent to Tikhonov regularization, Neural Computation 7
    (1995); P. Simard et al., Best practices for convolutional neural networks (2003), on shifted images.

    >>> from backprop.data import digits
    >>> X, _ = digits()
    >>> disturb(np.random.default_rng(0), X[:3]).shape
    (3, 64)
    """
    X = as_array(X, "X")
    n, pixels = _count_pixels(X)
    side = math.isqrt(pixels)
    fits = is_number(shift) and is_number(noise) and 0 <= shift <= 1 and noise >= 0
    if side * side != pixels or not fits:
        raise UsageError(
            f"disturb wants square images, shift in 0..1 and noise >= 0; got {pixels} pixels a row, "
            f"shift {shift!r:.40} and noise {noise!r:.40}"
        )
    rng = as_generator(rng, "uniform")
    framed = np.pad(X.reshape(n, side, side), ((0, 0), (1, 1), (1, 1)))
    for axis in (1, 2):
        framed = _slide(framed, rng.uniform(-shift, shift, (n, 1, 1)), axis)
    moved = framed[:, 1:-1, 1:-1].reshape(n, pixels)
    return moved + noise * rng.standard_normal(moved.shape)


def shift_images(rng: np.random.Generator, X: NDArray[np.floating[Any]], pixels: int = 1) -> NDArray[np.floating[Any]]:
    """Move each image by a whole number of pixels, -pixels..pixels in both directions, for training only.

    Each row of X is a square image; paper (0) flows in. Much cheaper than `disturb`: nothing is computed, numbers are
    only put elsewhere.

    Args:
        X: images, shape (n, s*s), not changed; float32 stays float32.
        pixels: the largest shift.

    Raises:
        UsageError: images that are not square, or a shift that is not a whole number >= 0 below s.

    Source: P. Simard, D. Steinkraus, J. Platt, Best practices for convolutional neural networks (2003).

    >>> image = np.zeros((1, 9)); image[0, 4] = 1.0
    >>> float(shift_images(np.random.default_rng(0), image).sum())
    1.0
    """
    X = as_array(X, "X")
    n, size = _count_pixels(X)
    side = math.isqrt(size)
    if side * side != size or not isinstance(pixels, int) or isinstance(pixels, bool) or not 0 <= pixels < side:
        raise UsageError(
            f"shift_images wants square images and a whole shift below their side; got {size} pixels a row and "
            f"shift {pixels!r}"
        )
    wide = side + 2 * pixels
    framed = np.zeros((n, wide, wide), X.dtype)
    framed[:, pixels : pixels + side, pixels : pixels + side] = X.reshape(n, side, side)
    down, right = as_generator(rng, "integers").integers(0, 2 * pixels + 1, size=(2, n))
    line = np.arange(side)
    window = (line[:, None] * wide + line).ravel()
    start = np.arange(n) * wide * wide + down * wide + right
    moved: NDArray[np.floating[Any]] = np.take(framed.reshape(-1), start[:, None] + window)
    return moved


def _count_pixels(X: NDArray[Any]) -> tuple[int, int]:
    """Images and pixels of each."""
    if X.ndim != 2:
        raise UsageError(f"X must hold one image in each row; got shape {X.shape}")
    return X.shape[0], X.shape[1]


def _slide(images: NDArray[np.floating[Any]], distance: Floats, axis: int) -> Floats:
    """Shift along one axis by |distance| <= 1 pixels; what leaves the frame on one side is paper anyway."""
    forward, backward = np.roll(images, 1, axis), np.roll(images, -1, axis)
    neighbour = np.where(distance > 0, forward, backward)
    moved: Floats = images + np.abs(distance) * (neighbour - images)
    return moved
