"""Gradients through thirty layers, against the derived variances; dying ReLUs; leaves gradients.png."""

import os

import numpy as np

import backprop
from backprop.data import digits, one_hot
from backprop.pictures import Signal, plot_signals
from backprop.specification.layers import Activation, BatchNorm, Dense
from backprop.training import draw_parameters, fit
from backprop.training.signals import count_dead_units, derive_sizes, measure_sizes

QUICK = bool(os.environ.get("QUICK"))
DEPTH, WIDTH, ROWS, DRAWS = (8, 40, 50, 5) if QUICK else (30, 100, 100, 20)
SCHEMES = {"habit": "heuristic", "Glorot": "glorot", "He": "he", "own moments": "forward"}

rng = np.random.default_rng(0)
X = rng.standard_normal((ROWS, WIDTH))
panels = {}
for activation in ("sigmoid", "tanh", "relu"):
    net = backprop.build([WIDTH] * (DEPTH + 1), activation=activation)
    signals = []
    for name, scheme in SCHEMES.items():
        measured = measure_sizes(net, draw_parameters(net, rng, scheme), X, rng, draws=DRAWS)
        derived = derive_sizes(net, scheme, data_square=1.0).delta
        signals.append(Signal(name, measured, derived))
        shown = ", ".join(f"{DEPTH - back} to {DEPTH}: {measured[-1 - back]:.1e}" for back in (1, 4, DEPTH - 1))
        print(f"{activation:<8}{name:<12} size of delta, layer {shown}; derived {derived[0]:.1e}")
    panels[activation] = signals

for activation in ("sigmoid", "relu"):
    hidden = [layer for _ in range(DEPTH - 1) for layer in (Dense(WIDTH), BatchNorm(), Activation(activation))]
    net = backprop.build(backprop.Network(WIDTH, *hidden, Dense(WIDTH)))
    signals = []
    for name, scheme in SCHEMES.items():
        theta = draw_parameters(net, rng, scheme)
        signals.append(Signal(name, measure_sizes(net, theta, X, rng, draws=DRAWS, **net.context(rng, ROWS))))
    print(f"{activation} with batch normalisation: {[f'{signal.measured[0]:.1e}' for signal in signals]}")
    panels[f"{activation}, batch norm"] = signals

print("Batch norm saves the sigmoid; with relu gradients grow by sqrt(pi/(pi-1)) = 1.21 a layer (arXiv:1902.08129).")

pixels, labels = digits()
net = backprop.build("64-100-100-10", activation="relu", output="softmax", cost="cross-entropy")
rates = (0.001, 0.1) if QUICK else (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
shares = []
targets = one_hot(labels)
for rate in rates:
    last = []  # the parameters after each epoch, not the best ones
    fit(
        net,
        pixels,
        targets,
        rate=rate,
        epochs=5,
        initialiser="he",
        callbacks=[lambda e, keep=last: keep.append(+e.theta)],
    )
    shares.append(count_dead_units(net, last[-1], pixels))
    print(f"rate {rate}: dead ReLUs in layers 1 and 2: " + ", ".join(f"{share:.0%}" for share in shares[-1]))
dead = {f"layer {l + 1}": (rates, [share[l] for share in shares]) for l in range(2)}
plot_signals("gradients.png", panels, dead=dead, title=f"Gradients through {DEPTH} layers")
