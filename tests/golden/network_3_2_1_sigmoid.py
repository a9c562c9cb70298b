"""A network 3-2-1, hidden sigmoid, output identity, cost half-sse: forward pass, cost and gradients.

Derived for any depth, width, activation and cost, then written down for this network:

    F1   Z^l = A^(l-1) W^l + 1 (b^l)ᵀ
    F2   A^l = f_l(Z^l)
    BP1  Δ^L = A^L - Y
    BP2  Δ^l = (Δ^(l+1) (W^(l+1))ᵀ) ∘ f'_l(Z^l)
    BP3  ∂C/∂b^l = 1ᵀ Δ^l
    BP4  ∂C/∂W^l = (A^(l-1))ᵀ Δ^l

with l = 1..2, A^0 = X, rows = samples, ∘ = entry by entry, 1 = a column of ones.
C is half the sum of squared errors: 1/2 Σ_s Σ_j (a_sj^L - y_sj)^2
(half the sum over samples and outputs, not divided by n).
"""

import numpy as np

SIZES = (3, 2, 1)
TARGETS = "real"  # Y: any real numbers
# every function that is not plain arithmetic, with the name of its derivative
TABLE = {"f": "f_prime", "f_prime": None}


def f(z):
    """sigmoid: 1/(1 + exp(-z))"""
    t = np.exp(np.where(z > 0, -z, z))  # the exponent is -|z| <= 0: nothing overflows
    return np.where(z > 0, 1, t) / (1 + t)


def f_prime(z):
    """Derivative of sigmoid: a * (1 - a) with a = f(z)"""
    a = f(z)
    return a * (1 - a)


def forward_pass(params, X):
    """z and a of every layer.  params: a list of (W, b), one for each layer; X: (n, 3)."""
    (W1, b1), (W2, b2) = params
    z1 = X @ W1 + b1                                 # F1   (n, 2)
    a1 = f(z1)                                       # F2   (n, 2)
    z2 = a1 @ W2 + b2                                # F1   (n, 1)
    a2 = z2                                          # F2   (n, 1)
    return z1, a1, z2, a2


def forward(params, X):
    """The outputs a^L, one row for each sample."""
    return forward_pass(params, X)[-1]


def cost(params, X, Y):
    """The cost C, one number.  params: a list of (W, b), one for each layer; X: (n, 3); Y: (n, 1)."""
    *_, _, a2 = forward_pass(params, X)
    return np.sum((a2 - Y) ** 2) / 2


def gradients(params, X, Y):
    """The derivative of C by every parameter, in the structure of params."""
    (W1, b1), (W2, b2) = params
    z1, a1, z2, a2 = forward_pass(params, X)
    delta2 = a2 - Y                                  # BP1  (n, 1)
    dW2 = a1.T @ delta2                              # BP4  (2, 1)
    db2 = np.sum(delta2, axis=0)                     # BP3  (1,)
    delta1 = (delta2 @ W2.T) * f_prime(z1)           # BP2  (n, 2)
    dW1 = X.T @ delta1                               # BP4  (3, 2)
    db1 = np.sum(delta1, axis=0)                     # BP3  (2,)
    return [(dW1, db1), (dW2, db2)]


def parameters(rng):
    """Random parameters: weights with variance 1/fan-in, biases small but not zero."""
    return [
        (rng.normal(size=(rows, columns)) / np.sqrt(rows), rng.normal(size=columns) / 10)
        for rows, columns in zip(SIZES, SIZES[1:])
    ]


def data(rng, n=None):
    """A random batch of n samples (8 by default)."""
    n = 8 if n is None else n
    return rng.normal(size=(n, SIZES[0])), rng.normal(size=(n, SIZES[-1]))
