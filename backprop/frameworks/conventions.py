"""Conventions that differ between frameworks, each measured by running the frameworks that are installed.

A row is one small question, put to ours and to every framework that is installed; nothing in the table is typed but the
question.  What answers is a run of the installed version, which is printed on top: `write_conventions()`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

import numpy as np

from backprop.frameworks.keras_models import read_numbers
from backprop.runtime.activation_functions import activation
from backprop.runtime.compiled import build
from backprop.specification.layers import BatchNorm, Dense
from backprop.specification.network import Network
from backprop.training.updating import optimiser as rules

__all__ = ["QUESTIONS", "Question", "measure", "write_conventions"]

FRAMEWORKS = {"torch": "torch", "keras": "keras", "jax": "jax", "sklearn": "scikit-learn"}
"""What is imported -> what it is called in the index of packages."""
SMALL = 1e-4
"""A gradient as large as epsilon: the step then tells where epsilon stands."""
ROWS, PAIR = 10, np.array([[0.0], [2.0]])
"""PAIR: mean 1, variance 1 divided by n, 2 divided by n - 1."""


@dataclass(frozen=True)
class Question:
    """What is asked, our answer, and how a framework is asked, by how it is imported."""

    what: str
    ours: Callable[[], Any]
    theirs: Mapping[str, Callable[[Any], Any]]


def at(name: str, x: float) -> Any:
    """Our activation at one point."""
    return activation(name).f(np.array([x]))[0]


def ask_torch(function: Callable[[Any, Any], Any], x: float) -> Callable[[Any], Any]:
    """A function of torch at one point."""
    return lambda torch: function(torch, torch.tensor([x], dtype=torch.float64))


def ask_keras(function: Callable[[Any, Any], Any], x: float) -> Callable[[Any], Any]:
    """A function of Keras at one point."""
    return lambda keras: function(keras, keras.ops.convert_to_tensor(np.array([[x]], "float32")))


def torch_step(name: str, start: float = 0.0, slope: float = SMALL, **settings: Any) -> Callable[[Any], Any]:
    """What one step of one of torch's optimisers subtracts."""

    def ask(torch: Any) -> Any:
        p = torch.nn.Parameter(torch.tensor([start], dtype=torch.float64))
        p.grad = torch.tensor([slope], dtype=torch.float64)
        getattr(torch.optim, name)([p], lr=1.0, **settings).step()
        return start - p.detach()

    return ask


def keras_step(name: str, start: float = 0.0, slope: float = SMALL, **settings: Any) -> Callable[[Any], Any]:
    """What one step of one of Keras' optimisers subtracts."""

    def ask(keras: Any) -> Any:
        p = keras.Variable(np.array([start], "float32"))
        rule = getattr(keras.optimizers, name)(learning_rate=1.0, **settings)
        rule.apply([keras.ops.convert_to_tensor(np.array([slope], "float32"))], [p])
        return start - read_numbers(p.value)

    return ask


def our_step(rule: rules.Optimiser, slope: float = SMALL) -> Callable[[], Any]:
    """What one step of ours subtracts from a parameter that is 1."""
    return lambda: rule.update_change(np.array([slope]), np.array([1.0]))


def run_batch_norm(which: int) -> tuple[Callable[[], Any], dict[str, Callable[[Any], Any]]]:
    """Running mean (0) or variance (1) after one batch, PAIR, at the usual momentum."""

    def ours() -> Any:
        net = build(Network(1, BatchNorm(), Dense(1)))
        seen = net.learn(net.initial(np.random.default_rng(0)), PAIR, PAIR)[2]
        return list(net.blend(net.statistics(), seen, len(PAIR)).values())[which]

    def in_torch(torch: Any) -> Any:
        layer = torch.nn.BatchNorm1d(1).double()
        layer(torch.from_numpy(PAIR))
        return (layer.running_mean, layer.running_var)[which]

    def in_keras(keras: Any) -> Any:
        layer = keras.layers.BatchNormalization()
        layer(keras.ops.convert_to_tensor(PAIR.astype("float32")), training=True)
        return read_numbers(layer.weights[2 + which].value)

    return ours, {"torch": in_torch, "keras": in_keras}


def our_penalty() -> float:
    """The cost of one weight of 1 at l2 = 1, beside an error of 0."""
    net = build(Network.parse("1-1", l2=1.0))
    return float(net.cost(RIGHT, np.ones((ROWS, 1)), np.ones((ROWS, 1))))


def sklearn_penalty(sklearn: Any) -> float:
    """The cost of Σw² = 1 at alpha = 1 in one batch of ROWS rows: with the penalty less without, over Σw²."""
    neural = import_module("sklearn.neural_network")
    X, costs, squares = np.random.default_rng(0).normal(size=(ROWS, 2)), [], 0.0
    for alpha in (1.0, 0.0):
        options = {"solver": "sgd", "learning_rate_init": 1e-12, "max_iter": 1, "random_state": 0, "batch_size": ROWS}
        model = neural.MLPRegressor(hidden_layer_sizes=(2,), alpha=alpha, **options).fit(X, X[:, 0])
        costs.append(model.loss_)
        squares = sum(float((W**2).sum()) for W in model.coefs_)
    return float((costs[0] - costs[1]) / squares)


def our_binary(p: float, outputs: int) -> Callable[[], Any]:
    """Binary cross-entropy of outputs p where all targets are 1."""

    def ours() -> Any:
        net = build((1, outputs), output="sigmoid", cost="binary-cross-entropy")
        theta = np.concatenate([np.zeros(outputs), np.full(outputs, np.log(p) - np.log1p(-p))])
        return net.cost(theta, np.ones((1, 1)), np.ones((1, outputs)))

    return ours


def their_binary(p: float, outputs: int) -> dict[str, Callable[[Any], Any]]:
    """The same in frameworks that take probabilities."""
    row, ones = np.full((1, outputs), p, "float32"), np.ones((1, outputs), "float32")
    return {
        "torch": lambda torch: torch.nn.BCELoss()(torch.from_numpy(row), torch.from_numpy(ones)),
        "keras": lambda keras: keras.losses.BinaryCrossentropy()(ones, row),
    }


DECAY = 0.5
RIGHT, ONE = np.array([1.0, 0.0]), np.ones((1, 1))
"""A weight of 1, no bias: right on every row of ones."""
KEPT = {"rho": 0.0, "epsilon": SMALL}
QUESTIONS = (
    Question(
        "penalty of one weight 1 at strength 1, 10 rows",
        our_penalty,
        {
            "keras": lambda keras: keras.regularizers.L2(1.0)(keras.ops.convert_to_tensor([1.0])),
            "sklearn": sklearn_penalty,
        },
    ),
    Question(
        "SGD, weight 1, gradient 0, decay 0.5: what a step of rate 1 subtracts (ours: l2 = 0.5)",
        lambda: build(Network.parse("1-1", l2=DECAY)).gradient(RIGHT, ONE, ONE),
        {
            "torch": torch_step("SGD", 1.0, 0.0, weight_decay=DECAY),
            "keras": keras_step("SGD", 1.0, 0.0, weight_decay=DECAY),
        },
    ),
    Question(
        "Adam, the same (ours: AdamW; a decay in the gradient would be scaled to 1)",
        our_step(rules.AdamW(1.0, weight_decay=DECAY), 0.0),
        {
            "torch": torch_step("Adam", 1.0, 0.0, weight_decay=DECAY),
            "keras": keras_step("Adam", 1.0, 0.0, weight_decay=DECAY),
        },
    ),
    Question(
        "RMSProp, gradient = epsilon: step over rate (1/2 outside the root, 0.01 inside)",
        our_step(rules.RMSProp(1.0, decay=0.0, epsilon=SMALL)),
        {"torch": torch_step("RMSprop", alpha=0.0, eps=SMALL), "keras": keras_step("RMSprop", **KEPT)},
    ),
    Question(
        "AdaGrad, the same",
        our_step(rules.AdaGrad(1.0, epsilon=SMALL)),
        {
            "torch": torch_step("Adagrad", eps=SMALL),
            "keras": keras_step("Adagrad", initial_accumulator_value=0.0, epsilon=SMALL),
        },
    ),
    Question(
        "Adam, the same (0.031: outside, but added before the correction)",
        our_step(rules.Adam(1.0, epsilon=SMALL)),
        {"torch": torch_step("Adam", eps=SMALL), "keras": keras_step("Adam", epsilon=SMALL)},
    ),
    Question(
        "gelu at 1, as it comes (0.84134 exact, 0.84119 by tanh)",
        lambda: at("gelu", 1.0),
        {
            "torch": ask_torch(lambda torch, x: torch.nn.functional.gelu(x), 1.0),
            "keras": ask_keras(lambda keras, x: keras.activations.gelu(x), 1.0),
            "jax": lambda jax: jax.nn.gelu(1.0),
        },
    ),
    Question(
        "slope of the leaky ReLU function as it comes",
        lambda: -at("leaky_relu", -1.0),
        {
            "torch": ask_torch(lambda torch, x: -torch.nn.functional.leaky_relu(x), -1.0),
            "keras": ask_keras(lambda keras, x: -keras.activations.leaky_relu(x), -1.0),
            "jax": lambda jax: -jax.nn.leaky_relu(-1.0),
        },
    ),
    Question(
        "slope of the leaky ReLU layer as it comes",
        lambda: -at("leaky_relu", -1.0),
        {
            "torch": ask_torch(lambda torch, x: -torch.nn.LeakyReLU()(x), -1.0),
            "keras": ask_keras(lambda keras, x: -keras.layers.LeakyReLU()(x), -1.0),
        },
    ),
    Question("batch norm: running mean after a batch of mean 1 (the share of the new)", *run_batch_norm(0)),
    Question("batch norm: running variance after it (1 + share: divided by n - 1; 1: by n)", *run_batch_norm(1)),
    Question("binary cross-entropy, two outputs of 1/2 (log 2 = 0.693: mean over outputs)", our_binary(0.5, 2),
             their_binary(0.5, 2)),
    Question("binary cross-entropy of p = 1e-20 where 1 is right (46.05 without clipping)", our_binary(1e-20, 1),
             their_binary(1e-20, 1)),
)  # fmt: skip


def measure(name: str) -> dict[str, float]:
    """What one framework answers, question by question; {} where it is not installed.

    Keras asks for TensorFlow if nothing else is said; where there is none it is run on torch.
    """
    if name == "keras" and find_spec("tensorflow") is None:
        os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        library = import_module(name)
    except ImportError:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {q.what: as_number(q.theirs[name](library)) for q in QUESTIONS if name in q.theirs}


def as_number(value: Any) -> float:
    """One number out of an array or a tensor."""
    return float(np.ravel(read_numbers(value))[0])


def write_conventions() -> str:
    """The table as text, versions on top."""
    found = {name: answers for name in FRAMEWORKS if (answers := measure(name))}
    versions = [f"{FRAMEWORKS[name]} {metadata.version(FRAMEWORKS[name])}" for name in found]
    lines = [f"measured with {', '.join(versions) or 'none of the frameworks'}", ""]
    lines += ["| question | ours | " + " | ".join(found) + " |", "|---" * (2 + len(found)) + "|"]
    for question in QUESTIONS:
        told = [f"{answers[question.what]:.6g}" if question.what in answers else "" for answers in found.values()]
        lines.append(" | ".join([f"| {question.what}", f"{as_number(question.ours()):.6g}", *told]) + " |")
    return "\n".join(lines)
