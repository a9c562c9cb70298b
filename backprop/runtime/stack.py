"""A network of any layers that runs: what a compiled network hands on to where there is more than dense layers.

Nothing is remembered between calls.  Dropout masks, running statistics and weights of samples come in as keywords
and go out as new dictionaries: `context` makes the masks of one training step, `statistics` and `blend` the running
means and variances that prediction uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop.arrays import Array, as_array
from backprop.codegen.elementwise import Accuracy
from backprop.codegen.emit_flat_stack import emit_flat_stack
from backprop.codegen.emit_stack import emit_stack
from backprop.codegen.load import load
from backprop.codegen.lower_stack import lower_stack
from backprop.codegen.secure import secure
from backprop.errors import UsageError
from backprop.network import Network
from backprop.runtime.parameters import Layout
from backprop.runtime.workspace import Spaces

if TYPE_CHECKING:
    from backprop.runtime.fast import FastForm

__all__ = ["Context", "StackForm"]

Context = Mapping[str, Any]
MODES = ("train", "predict")


class StackForm:
    """The functions of one network for flat vectors and keywords.

    Errors: UsageError for a keyword that is missing, unknown or of another shape.
    """

    def __init__(self, network: Network, layout: Layout, module: Callable[[], ModuleType], accuracy: Accuracy) -> None:
        program = lower_stack(network)
        if accuracy == "full":
            program = secure(program, network)
        self.network, self.program, self.layout, self.get_module = network, program, layout, module
        self.source: str = emit_stack(network, program, accuracy)
        self.masks = {mask.name.id: mask for mask in program.masks}
        self.given = {name.id: name for statistic in program.statistics for name in statistic.given}
        self.spaces = Spaces()
        self.has_modes = program.prediction is not None

    @cached_property
    def flat(self) -> ModuleType:
        """The generated functions of one flat vector."""
        flat = load("import numpy as np\n\n\n" + emit_flat_stack(self.program, self.layout), "flat_network")
        for name in self.program.calls():
            setattr(flat, name, getattr(self.get_module(), name))
        return flat

    def context(self, rng: np.random.Generator, n: int, dtype: Any = float) -> dict[str, Any]:
        """The masks of one training step."""
        if not self.has_modes:
            return {}
        made: dict[str, Any] = {"mode": "train"}
        for name, mask in self.masks.items():
            kept = rng.random((n, int(mask.name.dims[1]))) >= mask.rate
            made[name] = kept.astype(dtype) / np.asarray(1 - mask.rate, dtype)
        return made

    def statistics(self) -> dict[str, Array]:
        """Means 0 and variances 1: where running statistics begin."""
        begin: dict[str, Array] = {}
        for statistic in self.program.statistics:
            for name, make in zip(statistic.given, (np.zeros, np.ones), strict=True):
                begin[name.id] = make(int(name.dims[0]))
        return begin

    def blend(self, state: Context, seen: Context, n: int) -> dict[str, Array]:
        """(1 - momentum) of the old, momentum of the new; a variance is taken times n/(n - 1), which unbiases it."""
        self.require(state, self.given, "statistics", "net.statistics()")
        self.require(seen, self.given, "statistics of a batch", "net.learn(...)[2]")
        blended: dict[str, Array] = {}
        for statistic in self.program.statistics:
            factors = (1.0, n / (n - 1) if n > 1 else 1.0)
            for name, factor in zip(statistic.given, factors, strict=True):
                share = statistic.momentum
                blended[name.id] = (1 - share) * state[name.id] + share * factor * seen[name.id]
        return blended

    def measure(self, theta: Array, X: Array, context: Context) -> dict[str, Array]:
        """Means and variances over all rows of X, without dropout unless masks are given."""
        masks = {name: context.get(name, np.ones((1, 1))) for name in self.masks}
        return dict(self.flat.statistics(theta, X, **masks))

    def forward(self, theta: Array, X: Array, context: Context) -> Array:
        """The outputs: in prediction, or in training if the mode says so."""
        if self.read_mode(context, "predict") == "train":
            masks = self.read_training(context, len(X))
            masks.pop("weights", None)
            return np.array(self.get_module().forward(self.layout.views(theta), X, **masks))
        given = self.read_prediction(context, len(X))
        given.pop("weights", None)
        return np.array(self.flat.forward(theta, X, **given))

    def cost(self, theta: Array, X: Array, Y: Array, context: Context) -> Any:
        """The cost: in prediction, or in training if the mode says so."""
        if self.read_mode(context, "predict") == "train":
            return self.flat.cost(theta, X, Y, **self.read_training(context, len(X)))
        return self.flat.evaluate(theta, X, Y, **self.read_prediction(context, len(X)))

    def run(self, name: str, theta: Array, X: Array, Y: Array, context: Context) -> Any:
        """gradient, value_and_gradient or learn, in training, by the readable lines."""
        return getattr(self.flat, name)(theta, X, Y, **self.read_gradient(context, len(X)))

    def run_fast(
        self, name: str, form: FastForm, theta: Array, X: Array, Y: Array, out: Array | None, context: Context
    ) -> Any:
        """gradient or value_and_gradient by the fast source, in the buffers of this thread; None if it has none for
        such arrays."""
        keywords = self.read_gradient(context, len(X))
        same = theta.dtype == X.dtype == Y.dtype
        space = self.spaces.find(form, len(X), theta.dtype) if same else None
        if space is None:
            return None
        if theta is not space.theta:
            space.bind(theta)
        if out is None:
            value, out = space.fill(name, X, Y, **keywords)
        else:
            value = space.aim(name, out, X, Y)(X, Y, **keywords)
        return out if name == "gradient" else (value, out)

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
        read: dict[str, Any] = {}
        for name, mask in self.masks.items():
            read[name] = check_shape(name, context[name], (n, int(mask.name.dims[1])), "**net.context(rng, n)")
        return read | self.read_weights(context, n, {*self.masks, *self.given})

    def read_prediction(self, context: Context, n: int) -> dict[str, Any]:
        """Running statistics and weights, checked."""
        self.require(context, self.given, "running statistics", "**state with state = net.statistics() at first")
        read: dict[str, Any] = {}
        for name, known in self.given.items():
            read[name] = check_shape(name, context[name], (int(known.dims[0]),), "**state, see net.statistics()")
        return read | self.read_weights(context, n, {*self.masks, *self.given})

    def require(self, context: Context, names: Mapping[str, Any], what: str, where: str) -> None:
        """Nothing may be missing."""
        missing = [name for name in names if name not in context]
        if missing:
            raise UsageError(f"{what} are missing: {', '.join(missing)}; pass {where}")

    def read_weights(self, context: Context, n: int, known: set[str]) -> dict[str, Any]:
        """The weights of the samples (1 if not given); a keyword that means nothing here is an error."""
        unknown = set(context) - known - {"mode"} - ({"weights"} if self.network.weighted else set())
        if unknown:
            hint = "; say weighted=True in the Network" if "weights" in unknown else ""
            raise UsageError(f"this network takes no keyword {', '.join(sorted(unknown))}{hint}")
        if not self.network.weighted:
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
