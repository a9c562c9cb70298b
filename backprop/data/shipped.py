"""The digits that are shipped: 1,797 images of 8 x 8 pixels."""

from __future__ import annotations

from importlib import resources

import numpy as np

from backprop.data.checks import Floats, Integers

__all__ = ["IMAGE_SIDE", "digits"]

IMAGE_SIDE = 8
BRIGHTEST = 16


def digits() -> tuple[Floats, Integers]:
    """Load 1,797 handwritten digits of 8 x 8 pixels.

    Returns:
        X of shape (1797, 64), float64, pixels row by row, 0 = paper, 1 = ink; labels of shape (1797,), 0..9.
        Both are new arrays at every call: nobody can spoil them for the next caller.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, CC BY 4.0; see
    backprop/datasets/NOTICE.

    >>> X, labels = digits()
    >>> X.shape, float(X.min()), float(X.max()), labels[:5].tolist()
    ((1797, 64), 0.0, 1.0, [0, 1, 2, 3, 4])
    """
    file = resources.files("backprop.datasets") / "digits.npz"
    with file.open("rb") as stream, np.load(stream) as archive:
        return archive["images"] / BRIGHTEST, archive["labels"].astype(np.int64)
