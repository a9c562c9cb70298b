"""Gradients through time: their size against the derived bound, and clipping at work; leaves recurrent.png."""

import os

import numpy as np

import backprop
from backprop.pictures.style import Palette, open_figure, save_figure
from backprop.training import clip_by_norm

QUICK = bool(os.environ.get("QUICK"))
STEPS, UNITS, EPOCHS = (12, 10, 60) if QUICK else (40, 30, 300)
RADII = {0.7: Palette.blue, 1.0: Palette.green, 1.3: Palette.orange}
rng = np.random.default_rng(0)


def rotate(radius):
    """All singular values and eigenvalues are of one size."""
    return radius * np.linalg.qr(rng.normal(size=(UNITS, UNITS)))[0]


def measure_errors(net, params, X, Y):
    """|delta| of every step, the last one 1.  Some inputs are a clock: 1 at their own step.  BP4 sums x^T delta over
    the steps, so the gradient of a clock's weights is delta of its step alone."""
    dE = net.gradients(params, np.concatenate([np.eye(STEPS)[None], X], axis=2), Y)[0].E
    sizes = np.linalg.norm(dE[:STEPS], axis=1)
    return sizes / sizes[-1]


steps = np.arange(1, STEPS + 1)
with open_figure(3.9) as figure:
    left, middle, right = figure.subplots(1, 3, gridspec_kw={"wspace": 0.5})
    for axes, activation in ((left, "identity"), (middle, "tanh")):
        net = backprop.build_recurrent([STEPS + 2, UNITS, 1], activation=activation)
        steepest = np.max(backprop.activation(activation).f_prime(np.linspace(-5, 5, 1001)))
        for radius, colour in RADII.items():
            (E, _, b), above = net.parameters(rng)
            E[:STEPS] = 0  # the clock changes nothing
            W, X, Y = rotate(radius), rng.normal(size=(1, STEPS, 2)) / 9, rng.normal(size=(1, 1))
            sizes = measure_errors(net, [(E, W, b), above], X, Y)
            bound = (steepest * np.linalg.norm(W, 2)) ** (STEPS - steps.astype(float))
            axes.semilogy(steps, sizes, color=colour, label=f"radius {radius}")
            axes.semilogy(steps[::2], bound[::2], "o", color=colour, ms=3)
            print(f"{activation:<9}radius {radius}: |delta| of step 1 is {sizes[0]:.1e} of that of "
                  f"step {STEPS}, bound {bound[0]:.1e}, holds: {(sizes <= bound * (1 + 1e-9)).all()}")  # fmt: skip
        axes.set_title(f"{activation}, W orthogonal", fontsize=11)
        axes.set_xlabel("step")
        axes.legend(fontsize=8)
    left.set_ylabel("size of δ (last step: 1), bound: dots", fontsize=10)

    # Remember the first number of a sequence.  W starts with radius 1.8; ReLU keeps half of it.
    net = backprop.build_recurrent([1, UNITS, 1], activation="relu", cost="mse")
    start, X = net.parameters(rng), rng.normal(size=(64, STEPS, 1))
    start[0] = start[0]._replace(W=rotate(1.8))
    for name, limit, colour in (("as it is", 1e300, Palette.orange), ("clipped to length 1", 1.0, Palette.blue)):
        params, costs, lengths = [tuple(map(np.copy, group)) for group in start], [], []
        while len(costs) < EPOCHS and max(costs, default=0) < 1e9:
            costs.append(net.cost(params, X, X[:, 0]))
            gradient = net.gradients(params, X, X[:, 0])
            flat = np.concatenate([part.ravel() for group in gradient for part in group])
            lengths.append(clip_by_norm(flat, limit))
            shrink = min(1, limit / lengths[-1])
            params = [tuple(p - 0.05 * shrink * g for p, g in zip(*pair, strict=True))
                      for pair in zip(params, gradient, strict=True)]  # fmt: skip
        right.semilogy(costs, color=colour, label=name)
        print(f"{name}: cost {costs[0]:.2f}, worst {max(costs):.2g}, last {costs[-1]:.2g}; "
              f"longest gradient {max(lengths):.1e}")  # fmt: skip
    right.set_title("cost: recall the first number", fontsize=11)
    right.set(xlabel="epoch", ylim=(0.01, 1000))
    right.legend(fontsize=8)
    print("picture:", save_figure(figure, "recurrent.png"))
