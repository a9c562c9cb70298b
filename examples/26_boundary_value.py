"""Differential equations solved by a network whose cost contains y' and y''; leaves boundary_value.png."""

import os

import numpy as np
from scipy.optimize import minimize

import backprop
from backprop.pictures.style import Palette, open_figure, save_figure

QUICK = bool(os.environ.get("QUICK"))
STEPS = 300 if QUICK else 3000
DAMPING, FREQUENCY = 0.4, 2.0
SWING = np.sqrt(FREQUENCY**2 - DAMPING**2)


def solve_boundary(x):
    return np.sin(np.pi * x)


def solve_oscillator(x):
    return np.exp(-DAMPING * x) * (np.cos(SWING * x) + DAMPING / SWING * np.sin(SWING * x))


# In rows with t = 1 the condition at the end counts, in all others the equation.
PROBLEMS = {
    "u'' = -π² sin πx, u(0) = u(1) = 0": (
        "(1 - t)*(y2 + pi^2*sin(pi*x))^2 + 100*t*y^2",
        [0.0, 1.0],
        solve_boundary,
    ),
    "u'' + 0.8 u' + 4 u = 0, u(0) = 1, u'(0) = 0": (
        "(1 - t)*(y2 + 0.8*y1 + 4*y)^2 + 100*t*((y - 1)^2 + y1^2)",
        [0.0],
        solve_oscillator,
    ),
}


def train(net, X, t):
    """BFGS from SciPy, fed with the generated gradient."""
    start = net.parameters(np.random.default_rng(0))
    shapes = [part.shape for pair in start for part in pair]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def pack(pairs):
        return np.concatenate([part.ravel() for pair in pairs for part in pair])

    def unpack(theta):
        parts = [part.reshape(shape) for part, shape in zip(np.split(theta, ends), shapes, strict=True)]
        return list(zip(parts[::2], parts[1::2], strict=True))

    def measure(theta):
        params = unpack(theta)
        return net.cost(params, X, t), pack(net.gradients(params, X, t))

    return unpack(minimize(measure, pack(start), jac=True, method="BFGS", options={"maxiter": STEPS}).x)


with open_figure(3.9) as figure:
    for axes, (name, (cost, ends, exact)) in zip(figure.subplots(1, 2), PROBLEMS.items(), strict=True):
        net = backprop.build_with_derivatives("1-12-1", cost)
        last = 1.0 if len(ends) == 2 else 4.0
        X = np.concatenate([ends, np.linspace(0, last, 40)])[:, None]
        t = (np.arange(len(X)) < len(ends)).astype(float)[:, None]
        params, fine = train(net, X, t), np.linspace(0, last, 201)[:, None]
        found = net.derivatives(params, fine)[0]
        verdict = "verified" if backprop.verify(net).ok else "wrong"
        print(f"{name}: largest error {np.abs(found - exact(fine)).max():.1e}, gradient {verdict}")
        axes.plot(fine, exact(fine), color=Palette.orange, lw=4, alpha=0.5, label="exact")
        axes.plot(fine, found, color=Palette.blue, label="network")
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("x")
        axes.legend(fontsize=8)
    print("picture:", save_figure(figure, "boundary_value.png"))
