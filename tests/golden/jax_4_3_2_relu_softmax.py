"""A network 4-3-2, hidden relu, output softmax, cost cross-entropy: forward pass, cost and gradients.

Derived for any depth, width, activation and cost, then written down for this network:

    F1   Z^l = A^(l-1) W^l + 1 (b^l)ᵀ
    F2   A^l = f_l(Z^l)
    BP1  Δ^L = 1/n (A^L - Y)
    BP2  Δ^l = (Δ^(l+1) (W^(l+1))ᵀ) ∘ f'_l(Z^l)
    BP3  ∂C/∂b^l = 1ᵀ Δ^l
    BP4  ∂C/∂W^l = (A^(l-1))ᵀ Δ^l

with l = 1..2, A^0 = X, rows = samples, ∘ = entry by entry, 1 = a column of ones.
C is categorical cross-entropy: -1/n Σ_s Σ_j y_sj log(a_sj^L)
(mean over samples of the sum over outputs).

The parameters are a list of (W, b), which JAX maps over as it is. For more devices than one put X and Y on them by
rows (jax.sharding.NamedSharding over a mesh) and the parameters on all of them: the sums over the batch become sums
over the devices, nothing here has to change. JAX computes in single precision unless jax_enable_x64 is set.
"""

import jax
import jax.numpy as np

SIZES = (4, 3, 2)
TARGETS = "distribution"  # Y: rows sum to one (one-hot labels)


def f(z):
    """relu: max(0, z)"""
    return np.maximum(z, 0)


def f_prime(z):
    """Derivative of relu: 0 for z <= 0, 1 otherwise"""
    return np.where(z <= 0, 0, np.where(z > 0, 1, z))  # NaN stays NaN


def softmax(z):
    """softmax by rows: e^z_j / Σ_k e^z_k; the row's largest entry is subtracted first, which changes nothing."""
    e = exp(z - row_max(z))
    return e / np.sum(e, axis=1, keepdims=True)


def log_softmax(z):
    """log softmax by rows: z_j - log Σ_k e^z_k."""
    s = z - row_max(z)
    return s - log(np.sum(exp(s), axis=1, keepdims=True))


def exp(z):
    """e^z, its own derivative"""
    return np.exp(z)


def row_max(z):
    """the largest entry of each row, as a column"""
    return np.max(z, axis=1, keepdims=True)


def log(z):
    """natural logarithm; its derivative is `reciprocal`"""
    return np.log(z)


def reciprocal(z):
    """1 / z"""
    return 1 / z


def forward_pass(params, X):
    """z and a of every layer.  params: a list of (W, b), one for each layer; X: (n, 4)."""
    (W1, b1), (W2, b2) = params
    z1 = X @ W1 + b1                                 # F1   (n, 3)
    a1 = f(z1)                                       # F2   (n, 3)
    z2 = a1 @ W2 + b2                                # F1   (n, 2)
    a2 = softmax(z2)                                 # F2   (n, 2)
    return z1, a1, z2, a2


def forward(params, X):
    """The outputs a^L, one row for each sample."""
    return forward_pass(params, X)[-1]


def cost(params, X, Y):
    """The cost C, one number.  params: a list of (W, b), one for each layer; X: (n, 4); Y: (n, 2)."""
    *_, z2, _ = forward_pass(params, X)
    n = X.shape[0]
    return -np.sum(log_softmax(z2) * Y) / n


def gradients(params, X, Y):
    """The derivative of C by every parameter, in the structure of params."""
    (W1, b1), (W2, b2) = params
    z1, a1, z2, a2 = forward_pass(params, X)
    n = X.shape[0]
    delta2 = (a2 - Y) / n                            # BP1  (n, 2)
    dW2 = a1.T @ delta2                              # BP4  (3, 2)
    db2 = np.sum(delta2, axis=0)                     # BP3  (2,)
    delta1 = (delta2 @ W2.T) * f_prime(z1)           # BP2  (n, 3)
    dW1 = X.T @ delta1                               # BP4  (4, 3)
    db1 = np.sum(delta1, axis=0)                     # BP3  (3,)
    return [(dW1, db1), (dW2, db2)]


@jax.jit
def value_and_gradient(params, X, Y):
    """C and its derivative by every parameter, compiled."""
    return cost(params, X, Y), gradients(params, X, Y)


@jax.jit
def step(params, X, Y, rate):
    """The parameters after one step of gradient descent, compiled."""
    return jax.tree.map(lambda theta, slope: theta - rate * slope, params, gradients(params, X, Y))


def parameters(rng):
    """Random parameters: weights with variance 1/fan-in, biases small but not zero."""
    return [
        (rng.normal(size=(rows, columns)) / np.sqrt(rows), rng.normal(size=columns) / 10)
        for rows, columns in zip(SIZES, SIZES[1:])
    ]


def data(rng, n=None):
    """A random batch of n samples (8 by default)."""
    n = 8 if n is None else n
    return rng.normal(size=(n, SIZES[0])), np.eye(SIZES[-1])[rng.integers(SIZES[-1], size=n)]
