"""A network 2-2-2-1, hidden relu, x*tanh(x), output sigmoid, cost binary-cross-entropy: forward pass, cost and gradients.

Derived for any depth, width, activation and cost, then written down for this network:

    F1   Z^l = A^(l-1) W^l + 1 (b^l)ᵀ
    F2   A^l = f_l(Z^l)
    BP1  Δ^L = 1/n ((1 - Y) ∘ A^L - sigmoid(-Z^L) ∘ Y)
    BP2  Δ^l = (Δ^(l+1) (W^(l+1))ᵀ) ∘ f'_l(Z^l)
    BP3  ∂C/∂b^l = 1ᵀ Δ^l
    BP4  ∂C/∂W^l = (A^(l-1))ᵀ Δ^l

with l = 1..3, A^0 = X, rows = samples, ∘ = entry by entry, 1 = a column of ones.
C is binary cross-entropy: -1/n Σ_s Σ_j ((1 - y_sj) log(1 - a_sj^L) + y_sj log(a_sj^L))
(mean over samples of the sum over outputs).
"""

import numpy as np

SIZES = (2, 2, 2, 1)
TARGETS = "binary"  # Y: numbers between 0 and 1
# every function that is not plain arithmetic, with the name of its derivative
TABLE = {"relu": "relu_prime", "relu_prime": None, "g1": "g1_prime", "g1_prime": None, "sigmoid": "sigmoid_prime", "sigmoid_prime": None, "softplus": "softplus_prime", "log_sigmoid": "log_sigmoid_prime"}


def relu(z):
    """relu: max(0, z)"""
    return np.maximum(z, 0)


def relu_prime(z):
    """Derivative of relu: 0 for z <= 0, 1 otherwise"""
    return np.where(z <= 0, 0, np.where(z > 0, 1, z))  # NaN stays NaN


def g1(z):
    """x*tanh(x): z*tanh(z)"""
    return z * np.tanh(z)


def g1_prime(z):
    """Derivative of x*tanh(x): z*(1 - tanh(z)**2) + tanh(z)"""
    h1 = np.tanh(z)
    return z * (1 - h1**2) + h1


def sigmoid(z):
    """sigmoid: 1/(1 + exp(-z))"""
    t = np.exp(np.where(z > 0, -z, z))  # the exponent is -|z| <= 0: nothing overflows
    return np.where(z > 0, 1, t) / (1 + t)


def sigmoid_prime(z):
    """Derivative of sigmoid: a * (1 - a) with a = sigmoid(z)"""
    a = sigmoid(z)
    return a * (1 - a)


def softplus(z):
    """softplus: log(exp(z) + 1)"""
    t = np.exp(np.where(z > 0, -z, z))  # the exponent is -|z| <= 0: nothing overflows
    return np.log1p(t) + np.maximum(z, 0)


def softplus_prime(z):
    """Derivative of softplus in terms of a = sigmoid(z)"""
    a = sigmoid(z)
    return a


def log_sigmoid(z):
    """log_sigmoid: log(1/(1 + exp(-z)))"""
    t = np.exp(np.where(z > 0, -z, z))  # the exponent is -|z| <= 0: nothing overflows
    return np.minimum(z, 0) - np.log1p(t)


def log_sigmoid_prime(z):
    """Derivative of log_sigmoid in terms of a = sigmoid(-z)"""
    a = sigmoid(-z)
    return a


def forward_pass(params, X):
    """z and a of every layer.  params: a list of (W, b), one for each layer; X: (n, 2)."""
    (W1, b1), (W2, b2), (W3, b3) = params
    z1 = X @ W1 + b1                                 # F1   (n, 2)
    a1 = relu(z1)                                    # F2   (n, 2)
    z2 = a1 @ W2 + b2                                # F1   (n, 2)
    a2 = g1(z2)                                      # F2   (n, 2)
    z3 = a2 @ W3 + b3                                # F1   (n, 1)
    a3 = sigmoid(z3)                                 # F2   (n, 1)
    return z1, a1, z2, a2, z3, a3


def forward(params, X):
    """The outputs a^L, one row for each sample."""
    return forward_pass(params, X)[-1]


def cost(params, X, Y):
    """The cost C, one number.  params: a list of (W, b), one for each layer; X: (n, 2); Y: (n, 1)."""
    *_, z3, _ = forward_pass(params, X)
    n = X.shape[0]
    return np.sum((1 - Y) * softplus(z3) - Y * log_sigmoid(z3)) / n


def gradients(params, X, Y):
    """The derivative of C by every parameter, in the structure of params."""
    (W1, b1), (W2, b2), (W3, b3) = params
    z1, a1, z2, a2, z3, a3 = forward_pass(params, X)
    n = X.shape[0]
    delta3 = ((1 - Y) * a3 - sigmoid(-z3) * Y) / n   # BP1  (n, 1)
    dW3 = a2.T @ delta3                              # BP4  (2, 1)
    db3 = np.sum(delta3, axis=0)                     # BP3  (1,)
    delta2 = (delta3 @ W3.T) * g1_prime(z2)          # BP2  (n, 2)
    dW2 = a1.T @ delta2                              # BP4  (2, 2)
    db2 = np.sum(delta2, axis=0)                     # BP3  (2,)
    delta1 = (delta2 @ W2.T) * relu_prime(z1)        # BP2  (n, 2)
    dW1 = X.T @ delta1                               # BP4  (2, 2)
    db1 = np.sum(delta1, axis=0)                     # BP3  (2,)
    return [(dW1, db1), (dW2, db2), (dW3, db3)]


def parameters(rng):
    """Random parameters: weights with variance 1/fan-in, biases small but not zero."""
    return [
        (rng.normal(size=(rows, columns)) / np.sqrt(rows), rng.normal(size=columns) / 10)
        for rows, columns in zip(SIZES, SIZES[1:])
    ]


def data(rng, n=None):
    """A random batch of n samples (8 by default)."""
    n = 8 if n is None else n
    return rng.normal(size=(n, SIZES[0])), rng.integers(2, size=(n, SIZES[-1])).astype(float)
