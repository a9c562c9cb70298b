"""Regression on Franke's surface with noise, against the linear model of the first cost; leaves franke.png."""

import os

import numpy as np

import backprop
from backprop.data import measure_scaling, split
from backprop.pictures import plot_surfaces
from backprop.training import cosine

ROWS, NOISE, DEGREE = 800, 0.1, 5
EPOCHS = 40 if os.environ.get("QUICK") else 400


def franke(X):
    """R. Franke, A critical comparison of some methods for interpolation of scattered data (1979)."""
    x, y = 9 * X[:, 0], 9 * X[:, 1]
    return (
        0.75 * np.exp(-((x - 2) ** 2 + (y - 2) ** 2) / 4)
        + 0.75 * np.exp(-((x + 1) ** 2) / 49 - (y + 1) / 10)
        + 0.5 * np.exp(-((x - 7) ** 2 + (y - 3) ** 2) / 4)
        - 0.2 * np.exp(-((x - 4) ** 2) - (y - 7) ** 2)
    )


def monomials(X, degree=DEGREE):
    """The columns x^i y^k, i + k <= degree, of the linear model."""
    return np.column_stack([X[:, 0] ** i * X[:, 1] ** k for i in range(degree + 1) for k in range(degree + 1 - i)])


rng = np.random.default_rng(0)
X = rng.uniform(size=(ROWS, 2))
y = franke(X) + NOISE * rng.normal(size=ROWS)
parts = split(X, y, (0.6, 0.2, 0.2))

models = {"truth, with data": franke}
for degree in (1, DEGREE):
    theta, *_ = np.linalg.lstsq(monomials(parts.train.X, degree), parts.train.Y, rcond=None)
    models[f"linear model, degree {degree}"] = lambda x, d=degree, t=theta: monomials(x, d) @ t

scaling = measure_scaling(parts.train.X)
net = backprop.build("2-32-32-1", activation="tanh", output="identity", cost="mse")
history = backprop.fit(
    net,
    scaling.apply(parts.train.X),
    parts.train.Y[:, None],
    rate=cosine(0.01),
    epochs=EPOCHS,
    validation=(scaling.apply(parts.validation.X), parts.validation.Y[:, None]),
)
models["network 2-32-32-1"] = lambda x: net.forward(history.theta, scaling.apply(x))[:, 0]

named = {}
for name, model in models.items():
    error = np.mean((model(parts.test.X) - parts.test.Y) ** 2)
    truth = np.mean((model(parts.test.X) - franke(parts.test.X)) ** 2)
    print(f"{name:<24} mean squared error {error:.4f} on test data, {truth:.4f} from the truth")
    named[f"{name}\ntest error {error:.4f}"] = model
print(f"the noise alone gives {NOISE**2:.4f}")
plot_surfaces("franke.png", named, X, y, title=f"Franke's surface, {len(parts.train.X)} training points, noise {NOISE}")
