"""A training script as people write them; nothing in it knows of backprop.

    backprop verify examples/16_a_script.py

The slope of the hidden layer is missing on the way back, so BP2 of layer 1 is wrong.
"""

import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 2))
y = (X[:, :1] * X[:, 1:] > 0).astype(float)

W1, b1 = rng.normal(size=(2, 8)), np.zeros(8)
W2, b2 = rng.normal(size=(8, 1)), np.zeros(1)
lr = 0.5

for epoch in range(2000):
    h = np.tanh(X @ W1 + b1)
    p = 1 / (1 + np.exp(-(h @ W2 + b2)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    dz = (p - y) / len(X)
    dh = dz @ W2.T
    W2 -= lr * h.T @ dz
    b2 -= lr * dz.sum(axis=0)
    W1 -= lr * X.T @ dh
    b1 -= lr * dh.sum(axis=0)

    if epoch % 500 == 0:
        print(epoch, round(float(loss), 4))
