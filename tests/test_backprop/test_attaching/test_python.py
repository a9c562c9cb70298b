"""Objects, updates, live arrays and single operations, from Python."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from kit.house import ROOT

import backprop
from backprop.errors import UsageError

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(9, 3)), RNG.normal(size=(9, 2))


class Net:
    def __init__(self):
        self.layers = [
            {"W": RNG.normal(size=(3, 4)), "b": np.zeros(4)},
            {"W": RNG.normal(size=(4, 2)), "b": np.zeros(2)},
        ]
        self.calls = 0

    def forward(self):
        first, last = self.layers
        self.h = np.tanh(X @ first["W"] + first["b"])
        return self.h @ last["W"] + last["b"]

    def cost(self):
        return 0.5 * np.sum((self.forward() - Y) ** 2)

    def gradients(self, slope=lambda h: 1 - h**2):
        d = self.forward() - Y
        e = (d @ self.layers[1]["W"].T) * slope(self.h)
        return X.T @ e, e.sum(0), self.h.T @ d, d.sum(0)

    def update(self, rate, slope=lambda h: 1 - h**2):
        parts = [part for layer in self.layers for part in (layer["W"], layer["b"])]
        for part, gradient in zip(parts, self.gradients(slope), strict=True):
            np.subtract(part, rate * gradient, out=part)


def test_an_object_with_gradients_of_its_own():
    right = backprop.subject_from_object(Net(), Net.cost, Net.gradients)
    assert backprop.verify(right).verdict == "verified"
    wrong = backprop.subject_from_object(Net(), Net.cost, lambda net: net.gradients(lambda h: h))
    finding = backprop.verify(wrong).findings[0]
    assert (finding.equation, finding.layer) == ("BP2", 1)


def test_an_object_stays_as_it_is():
    net = Net()
    before = net.layers[0]["W"].copy()
    backprop.verify(backprop.subject_from_update(net, Net.cost, Net.update))
    assert np.array_equal(net.layers[0]["W"], before)


def test_an_update_gives_the_gradient():
    assert backprop.verify(backprop.subject_from_update(Net(), Net.cost, Net.update)).verdict == "verified"
    wrong = backprop.subject_from_update(Net(), Net.cost, lambda net, rate: net.update(rate, lambda h: h))
    assert backprop.verify(wrong).findings[0].equation == "BP2"


def test_an_update_that_moves_nothing_is_refused():
    with pytest.raises(UsageError, match="moves none"):
        backprop.subject_from_update(Net(), Net.cost, lambda net, rate: None)


def test_an_object_of_which_the_cost_depends_on_nothing_is_refused():
    with pytest.raises(UsageError, match="depends on no array"):
        backprop.subject_from_object(Net(), lambda net: 1.0, Net.gradients)


def test_live_arrays_are_put_back():
    w = np.array([1.0, -2.0, 0.5])
    subject = backprop.subject_from_values({"w": w}, lambda: np.sum(np.exp(w)), lambda: {"w": np.exp(w) + w})
    assert backprop.verify(subject).verdict == "wrong"
    assert w.tolist() == [1.0, -2.0, 0.5]


def test_an_operation_of_numpy_has_a_word_for_each_input():
    def scale(x, g):
        return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True)) * g

    def backward(x, g, d):
        r = np.sqrt(np.mean(x**2, axis=-1, keepdims=True))
        return d * g / r, (d * x / r).sum(0)

    report = backprop.verify(scale, inputs=(X, RNG.normal(size=3)), backward=backward)
    assert report.verdict == "wrong"
    finding = report.findings[0]
    assert (finding.equation, finding.layer, finding.parameters) == (None, None, ("x",))


def test_an_operation_that_keeps_a_cache():
    def square(x):
        return x**2, x

    assert backprop.verify(square, inputs=(X,), backward=lambda d, x: 2 * x * d).verdict == "verified"


def test_an_operation_of_numpy_without_a_backward_is_refused():
    with pytest.raises(UsageError):
        backprop.subject_from_op(np.tanh, (np.arange(3),), lambda x, d: d)


def test_an_operation_of_torch():
    torch = pytest.importorskip("torch")

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(x)
            ctx.factor = factor
            return factor * x**3

        @staticmethod
        def backward(ctx, d):
            (x,) = ctx.saved_tensors
            return ctx.factor * 3 * x * x * d, None

    report = backprop.verify(Cube.apply, inputs=(torch.ones(2, 3), 0.5))
    assert report.verdict == "verified", str(report)
    assert report.subject == "operation Cube"
    assert set(report.evidence["tensors"]) == {"x"}


def test_an_operation_of_jax():
    jax = pytest.importorskip("jax")

    @jax.custom_vjp
    def cube(x):
        return x**3

    cube.defvjp(lambda x: (x**3, x), lambda x, d: (2 * x**2 * d,))
    assert backprop.verify(cube, inputs=(X,)).verdict == "wrong"


KERAS = """
import keras, numpy as np, backprop
rng = np.random.default_rng(0)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(2)])
loss = keras.losses.MeanSquaredError()
subject = backprop.subject_from_keras(model, loss, rng.normal(size=(9, 3)), rng.normal(size=(9, 2)))
print(backprop.verify(subject).verdict)
"""


@pytest.mark.parametrize("backend", ["torch"])
def test_a_keras_model(backend):
    """In a process of its own: its backend is chosen when it is imported, and it sets torch's switches."""
    pytest.importorskip(backend)
    if importlib.util.find_spec("keras") is None:
        pytest.skip("keras is not installed")
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", KERAS], capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.split() == ["verified"]


def test_a_float32_module_of_torch_is_examined_in_double_precision():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    report = backprop.verify(backprop.subject_from_torch(net, torch.nn.MSELoss(), X, Y))
    assert report.verdict == "verified"
    assert max(tensor["uncertainty"] for tensor in report.evidence["tensors"].values()) < 1e-8
    assert net[0].weight.dtype == torch.float32
