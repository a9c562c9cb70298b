"""What comes in beside a batch: dropout masks, running statistics and weights of samples, made and checked.

Nothing is remembered between calls.  They come in as keywords and go out as new dictionaries: `draw` makes the masks of
one training step, `begin` and `blend` the running means and variances that prediction uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop.arrays import Array, as_array
from backprop.codegen.lowering.program import Program
from backprop.errors import UsageError

__all__ = ["Context", "NeededContext"]

Context = Mapping[str, Any]
MODES = ("train", "predict")


class NeededContext:
    """What one program needs beside theta, X and Y; nothing for most.

    Errors: UsageError for a keyword that is missing, unknown or of another shape.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.masks = {mask.name.id: mask for mask in program.masks}
        self.given = {name.id: name for statistic in program.statistics for name in statistic.given}
        self.is_weighted = program.weights is not None

    @property
    def is_needed(self) -> bool:
        """Does a gradient take any keyword?"""
        return bool(self.masks) or self.is_weighted

    def draw(self, rng: np.random.Generator, n: int, dtype: Any = float) -> dict[str, Any]:
        """The masks of one training step."""
        if self.program.prediction is None:
            return {}
        made: dict[str, Any] = {"mode": "train"}
        for name, mask in self.masks.items():
            kept = rng.random((n, int(mask.name.dims[1]))) >= mask.rate
            made[name] = kept.astype(dtype) / np.asarray(1 - mask.rate, dtype)
        return made

    def begin(self) -> dict[str, Array]:
        """Means 0 and variances 1: where running statistics begin."""
        both = (zip(statistic.given, (np.zeros, np.ones), strict=True) for statistic in self.program.statistics)
        return {name.id: make(int(name.dims[0])) for pair in both for name, make in pair}

    def blend(self, state: Context, seen: Context, n: int) -> dict[str, Array]:
        """(1 - momentum) of the old, momentum of the new; a variance is taken times n/(n - 1), which unbiases it."""
        self.require(state, self.given, "statistics", "net.statistics()")
        self.require(seen, self.given, "statistics of a batch", "net.learn(...)[2]")
        blended: dict[str, Array] = {}
        for statistic in self.program.statistics:
            share, factors = statistic.momentum, (1.0, n / (n - 1) if n > 1 else 1.0)
            for name, factor in zip(statistic.given, factors, strict=True):
                blended[name.id] = (1 - share) * state[name.id] + share * factor * seen[name.id]
        return blended

    def read_gradient(self, context: Context, n: int) -> dict[str, Any]:
        """What a gradient needs beside the batch, checked."""
        if self.read_mode(context, "train") == "predict":
            raise UsageError("a gradient is taken in training mode, got mode 'predict'; pass **net.context(rng, n)")
        return self.read_training(context, n)

    def read_mode(self, context: Context, default: str) -> str:
        """The mode, which masks and statistics also tell."""
        mode = context.get("mode")
        if mode is None:
            return "train" if any(name in context for name in self.masks) else default
        if mode not in MODES:
            raise UsageError(f"mode must be 'train' or 'predict', got {mode!r:.60}")
        return str(mode)

    def read_training(self, context: Context, n: int) -> dict[str, Any]:
        """Masks and weights, checked."""
        self.require(context, self.masks, "dropout masks", "**net.context(rng, n)")
        shapes = {name: (n, int(mask.name.dims[1])) for name, mask in self.masks.items()}
        read = {name: check_shape(name, context[name], shapes[name], "**net.context(rng, n)") for name in shapes}
        return read | self.read_weights(context, n, {*self.masks, *self.given})

    def read_prediction(self, context: Context, n: int) -> dict[str, Any]:
        """Running statistics and weights, checked."""
        self.require(context, self.given, "running statistics", "**state with state = net.statistics() at first")
        sizes = {name: (int(known.dims[0]),) for name, known in self.given.items()}
        read = {name: check_shape(name, context[name], sizes[name], "**state, see net.statistics()") for name in sizes}
        return read | self.read_weights(context, n, {*self.masks, *self.given})

    def require(self, context: Context, names: Mapping[str, Any], what: str, where: str) -> None:
        """Nothing may be missing."""
        missing = [name for name in names if name not in context]
        if missing:
            raise UsageError(f"{what} are missing: {', '.join(missing)}; pass {where}")

    def read_weights(self, context: Context, n: int, known: set[str]) -> dict[str, Any]:
        """The weights of the samples (1 if not given); a keyword that means nothing here is an error."""
        unknown = set(context) - known - {"mode"} - ({"weights"} if self.is_weighted else set())
        if unknown:
            hint = "; say weighted=True in the Network" if "weights" in unknown else ""
            raise UsageError(f"this network takes no keyword {', '.join(sorted(unknown))}{hint}")
        if not self.is_weighted:
            return {}
        weights = context.get("weights")
        if weights is None:
            return {"weights": np.ones((n, 1))}
        array = as_array(weights, "weights")
        if array.shape not in ((n,), (n, 1)) or array.dtype.kind == "c":
            raise UsageError(f"weights must be {n} numbers, one for each row, got shape {array.shape}")
        if not np.isfinite(array.astype(float)).all() or (array < 0).any():
            raise UsageError("weights must be finite and not negative; leave a row out by the weight 0")
        return {"weights": array.reshape(n, 1)}


def check_shape(name: str, value: Any, shape: tuple[int, ...], where: str) -> Array:
    """An array of exactly this shape: broadcasting would hide a fault."""
    array = as_array(value, name)
    if array.shape != shape:
        raise UsageError(f"{name} must have shape {shape}, got {array.shape}; pass {where}")
    return array
