"""A network that runs: generated source, loaded, behind a few functions of one flat parameter vector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from html import escape
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop.arrays import Array, as_array, as_generator, as_whole
from backprop.codegen.functions.elementwise import Accuracy, check_accuracy
from backprop.codegen.functions.promises import require_full
from backprop.codegen.lowering.load import load
from backprop.codegen.lowering.lower import lower
from backprop.codegen.lowering.program import Program
from backprop.codegen.lowering.secure import secure
from backprop.codegen.printing.emit_flat import emit_flat
from backprop.codegen.printing.emit_module import emit
from backprop.errors import UsageError
from backprop.runtime.context import Context, NeededContext
from backprop.runtime.workspace import Memory, Spaces
from backprop.specification.network import DEFAULT_ACTIVATION, DEFAULT_COST, DEFAULT_OUTPUT, Network
from backprop.specification.parameters import ParameterLayout

if TYPE_CHECKING:
    from backprop.runtime.fast import FastForm

__all__ = ["DEFAULT_ACCURACY", "CompiledNetwork", "build"]

DEFAULT_ACCURACY: Accuracy = "fast"


class CompiledNetwork:
    """The generated functions of one network.

    Shapes: theta (size,), X (n, M_0), Y (n, M_L).  Every function is pure to its caller: inputs are not changed,
    results are new arrays or the given `out`.  Gradients of float64, float32 and object arrays run the fast source in
    buffers of the calling thread; mixed types run the readable one.  Several threads may use one network.

    Errors: UsageError where a shape does not fit.

    >>> net = build("3-4-2", activation="tanh")
    >>> theta = net.initial(np.random.default_rng(0))
    >>> X, Y = np.ones((5, 3)), np.ones((5, 2))
    >>> net.gradient(theta, X, Y).shape == theta.shape
    True
    >>> [W.shape for W, b in net.views(theta)]
    [(3, 4), (4, 2)]
    """

    def __init__(self, network: Network, accuracy: Accuracy = DEFAULT_ACCURACY) -> None:
        if check_accuracy(accuracy) == "full":
            for name in {*(element.function for element in network.elements), network.output} - {"", "softmax"}:
                require_full(name)
        self.network, self.accuracy = network, accuracy
        self.layout = ParameterLayout.of_network(network)
        self.widths = network.inputs, network.outputs
        program = lower(network)
        self.program: Program = secure(program, network) if accuracy == "full" else program
        self.source: str = emit(network, self.program, accuracy)
        self.beside = NeededContext(self.program)
        self.spaces = Spaces(is_quick=not self.beside.is_needed)

    def __reduce__(self) -> tuple[type[CompiledNetwork], tuple[Network, Accuracy]]:
        return CompiledNetwork, (self.network, self.accuracy)

    def __repr__(self) -> str:
        return f"CompiledNetwork({self.network}, {self.size} parameters)"

    def _repr_markdown_(self) -> str:
        return f"{self!r}\n\n```python\n{self.source}```"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p><pre><code>{escape(self.source)}</code></pre>"

    def _repr_latex_(self) -> str:
        return self.network._repr_latex_()

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.layout.size

    @cached_property
    def module(self) -> ModuleType:
        """The generated module itself: a subject with parameters, data, forward, cost, gradients."""
        return load(self.source, "network")

    @cached_property
    def fast(self) -> FastForm:
        """The fast source of the same program."""
        given = self.network, self.program, self.layout, self.source, lambda: self.module, self.accuracy
        return import_module("backprop.runtime.fast").FastForm(*given)

    @cached_property
    def flat(self) -> ModuleType:
        """The lines of the readable module for flat vectors: what runs where the fast source does not."""
        flat = load("import numpy as np\n\n\n" + emit_flat(self.program, self.layout), "flat_network")
        for name in self.program.calls():
            setattr(flat, name, getattr(self.module, name))
        return flat

    def memory(self, n: int, dtype: Any = float) -> Memory | None:
        """Bytes of a gradient of n rows beside theta, X and Y: the buffers of a thread, and the result.

        Where f' is taken from a without work arrays (tanh, relu, identity): buffers <= activations with their column
        of ones + deltas of the two widest neighbouring layers; others need more.  None where nothing is kept.

        >>> build("784-100-100-10", "tanh", "softmax", "cross-entropy").memory(64)
        Memory(buffers=164432, gradient=716880)
        """
        return self.fast.measure(as_whole("n", n), np.dtype(dtype))

    def initial(self, rng: np.random.Generator) -> Array:
        """Random parameters as one vector: weights with variance 1/fan-in, small biases."""
        return self.layout.flatten(self.module.parameters(as_generator(rng)))

    def views(self, theta: Array) -> list[Any]:
        """[(W1, b1), …], views without copies; named tuples for layers that are not dense."""
        return self.layout.views(theta)

    def draw(self, path: Any = "network.svg", **sample: Any) -> Any:
        """Draw it (`backprop.drawing.sample.draw`); pictures are a higher floor, hence the way by the front door."""
        return import_module("backprop").draw(self, path, **sample)

    def context(self, rng: np.random.Generator, n: int, dtype: Any = float) -> dict[str, Any]:
        """What one training step of n rows needs beside the batch, to hand on as keywords: {"mode": "train"} and
        dropout masks; {} for networks whose training and prediction are the same.

        >>> from backprop.specification.layers import Dense, Dropout
        >>> net = build(Network(3, Dense(4, "relu"), Dropout(0.5), Dense(2)))
        >>> sorted(net.context(np.random.default_rng(0), 5))
        ['mask1', 'mode']
        """
        rows = as_whole("n", n)
        return self.beside.draw(as_generator(rng, "random"), rows, dtype)

    def statistics(self) -> dict[str, Array]:
        """Where the running statistics of batch normalisations begin: means 0, variances 1; {} without any."""
        return self.beside.begin()

    def blend(self, state: Context, seen: Context, n: int) -> dict[str, Array]:
        """Running statistics after one more batch of n rows, a new dictionary: (1 - momentum) state + momentum seen."""
        return self.beside.blend(state, seen, as_whole("n", n))

    def measure_statistics(self, theta: Array, X: Array) -> dict[str, Array]:
        """Means and variances over all rows of X without dropout, instead of running ones."""
        theta, X = self.admit_rows(theta, X)
        return dict(self.flat.statistics(theta, X, **{name: np.ones((1, 1)) for name in self.beside.masks}))

    def forward(self, theta: Array, X: Array, **context: Any) -> Array:
        """The outputs, (n, M_L).  Prediction: no dropout, batch normalisation by the running statistics given as
        keywords; `mode="train"` (as `context` says it) gives what training sees."""
        theta, X = self.admit_rows(theta, X)
        if self.beside.read_mode(context, "predict") == "train":
            masks = self.beside.read_training(context, len(X))
            masks.pop("weights", None)
            return np.asarray(self.module.forward(self.views(theta), X, **masks))
        given = self.beside.read_prediction(context, len(X))
        given.pop("weights", None)
        return np.asarray(self.flat.forward(theta, X, **given))

    def cost(self, theta: Array, X: Array, Y: Array, **context: Any) -> Any:
        """The cost, one number, penalties included; keywords as in `forward`."""
        theta, X, Y = self.admit(theta, X, Y)
        if self.beside.read_mode(context, "predict") == "train":
            return self.flat.cost(theta, X, Y, **self.beside.read_training(context, len(X)))
        return self.flat.evaluate(theta, X, Y, **self.beside.read_prediction(context, len(X)))

    def gradient(self, theta: Array, X: Array, Y: Array, *, out: Array | None = None, **context: Any) -> Array:
        """dC by theta, a new vector, or `out` filled; in training mode, with the keywords that `context` makes."""
        space = self.spaces.last
        if context or space is None or not space.fits(theta, X, Y):
            return self.run("gradient", theta, X, Y, out, context)[1]
        if out is not None:
            space.aim("gradient", out, X, Y)(X, Y)
            return out
        if space.run is not None:
            space.run(X, Y)
            return space.scratch.copy()
        return space.fill("gradient", X, Y)[1]

    def value_and_gradient(
        self, theta: Array, X: Array, Y: Array, *, out: Array | None = None, **context: Any
    ) -> tuple[Any, Array]:
        """Cost and gradient from one forward pass; the gradient is a new vector, or `out` filled."""
        space = self.spaces.last
        if context or space is None or not space.fits(theta, X, Y):
            return self.run("value_and_gradient", theta, X, Y, out, context)
        if out is not None:
            return space.aim("value_and_gradient", out, X, Y)(X, Y), out
        if space.value is not None:
            return space.value(X, Y), space.scratch.copy()
        return space.fill("value_and_gradient", X, Y)

    def run(
        self, name: str, theta: Array, X: Array, Y: Array, out: Array | None, context: Context
    ) -> tuple[Any, Array]:
        """The same without a shortcut: checked, in a workspace of this thread that looks at theta from now on, or by
        the readable lines where there is no fast form for such arrays.  Cost (None for a gradient) and gradient."""
        theta, X, Y = self.admit(theta, X, Y)
        keywords = self.beside.read_gradient(context, len(X))
        same = theta.dtype == X.dtype == Y.dtype
        space = self.spaces.find(self.fast, len(X), theta.dtype) if same else None
        if space is not None:
            if theta is not space.theta:
                space.bind(theta)
            if out is None:
                return space.fill(name, X, Y, **keywords)
            return space.aim(name, out, X, Y)(X, Y, **keywords), out
        result = getattr(self.flat, name)(theta, X, Y, **keywords)
        value, gradient = (None, result) if name == "gradient" else result
        if out is None:
            return value, gradient
        if type(out) is not np.ndarray or out.shape != theta.shape or out.dtype != gradient.dtype:
            got = f"{type(out).__name__} {getattr(out, 'shape', '')} {getattr(out, 'dtype', '')}".strip()
            raise UsageError(f"out must be an array of shape {theta.shape} and type {gradient.dtype}, got {got}")
        out[...] = gradient
        return value, out

    def learn(self, theta: Array, X: Array, Y: Array, **context: Any) -> tuple[Any, Array, dict[str, Array]]:
        """Cost, gradient, and the means and variances that this batch had, for `blend`."""
        if not self.beside.given:
            return *self.value_and_gradient(theta, X, Y, **context), {}
        theta, X, Y = self.admit(theta, X, Y)
        value, gradient, seen = self.flat.learn(theta, X, Y, **self.beside.read_gradient(context, len(X)))
        return value, gradient, seen

    def weigh(self, Y: Array, weights: Any) -> Array:
        """The weight of every sample from the weights of the classes: that of its own class.

        >>> net = build(Network.parse("2-3", output="softmax", cost="cross-entropy", weighted=True))
        >>> net.weigh(np.eye(3)[[0, 2]], [1, 1, 5])
        array([1., 5.])
        """
        of_class = as_array(weights, "class weights")
        if of_class.shape != (self.network.outputs,) or not np.isfinite(of_class).all() or (of_class < 0).any():
            raise UsageError(
                f"{self.network.outputs} class weights are needed, finite and not negative, got {weights!r:.80}"
            )
        weighted: Array = as_rows("Y", Y, self.network.outputs) @ of_class
        return weighted

    def admit(self, theta: Array, X: Array, Y: Array) -> tuple[Array, Array, Array]:
        """theta, X and Y as plain arrays of numbers that fit.  Errors: UsageError with what, got and where."""
        theta, X = self.admit_rows(theta, X)
        Y = as_rows("Y", Y, self.widths[1])
        if len(X) != len(Y):
            raise UsageError(f"X and Y must have as many rows, got {len(X)} and {len(Y)}; one row is one sample")
        return theta, X, Y

    def admit_rows(self, theta: Array, X: Array) -> tuple[Array, Array]:
        """The same where no targets are asked for."""
        X, theta = as_rows("X", X, self.widths[0]), as_array(theta, "theta")
        self.layout.check(theta)
        return theta, X


def as_rows(name: str, array: Array, columns: int) -> Array:
    """The array, if it has the right number of columns and at least one row."""
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.shape[1] != columns or not array.shape[0]:
        got = getattr(array, "shape", type(array).__name__)
        raise UsageError(
            f"{name} must be an array of shape (n, {columns}) with n >= 1, got {got}; one row is one sample"
        )
    return as_array(array, name)


def build(
    sizes: str | Sequence[int] | Network,
    activation: str | Iterable[str] = DEFAULT_ACTIVATION,
    output: str = DEFAULT_OUTPUT,
    cost: str = DEFAULT_COST,
    accuracy: Accuracy = DEFAULT_ACCURACY,
) -> CompiledNetwork:
    """Derive, lower, emit and load a network.

    Parameters: sizes as "784-100-100-10", a sequence or a `Network`; one activation for all hidden layers
    (a name or an expression in x) or one for each; output activation; cost; accuracy of the activations:

    - "fast" (default): f' from the stored a = f(z) where an identity allows, such as a (1 - a).  Errors are a few
      units of rounding of the largest |f'|, not of f'(z) itself: far out every digit of a small slope is lost.
    - "full": f within 4 and f' within 8 units in the last place for every float; several times slower.  Of an
      expression in x both are measured, and the word is refused where they are off by more than 16.

    "fast" is the default because an entry of a gradient is a sum over samples and units, and the matrix products
    around f' round by as much as the fast form loses: the entries that matter come out the same.  Choose "full"
    where single small slopes count: one sample, saturated units, float32, vanishing gradients under study.
    Errors: UsageError with what, got, where and what to do.

    >>> net = build("4-3-2", activation="x*tanh(x)", output="softmax", cost="cross-entropy")
    >>> net.size
    23
    """
    network = sizes if isinstance(sizes, Network) else Network.parse(sizes, activation, output, cost)
    return CompiledNetwork(network, accuracy)
