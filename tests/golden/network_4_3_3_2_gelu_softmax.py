"""A network 4-3-3-2, hidden gelu, output softmax, cost cross-entropy: forward pass, cost and gradients.

Derived for any depth, width, activation and cost, then written down for this network:

    F1   Z^l = A^(l-1) W^l + 1 (b^l)ᵀ
    F2   A^l = f_l(Z^l)
    BP1  Δ^L = 1/n (A^L - Y)
    BP2  Δ^l = (Δ^(l+1) (W^(l+1))ᵀ) ∘ f'_l(Z^l)
    BP3  ∂C/∂b^l = 1ᵀ Δ^l
    BP4  ∂C/∂W^l = (A^(l-1))ᵀ Δ^l

with l = 1..3, A^0 = X, rows = samples, ∘ = entry by entry, 1 = a column of ones.
C is categorical cross-entropy: -1/n Σ_s Σ_j y_sj log(a_sj^L)
(mean over samples of the sum over outputs).
"""

import numpy as np

SIZES = (4, 3, 3, 2)
TARGETS = "distribution"  # Y: rows sum to one (one-hot labels)
# every function that is not plain arithmetic, with the name of its derivative
TABLE = {"f": "f_prime", "f_prime": None, "exp": "exp", "row_max": "free", "log": "reciprocal"}


ERF_INNER = (
    1.1283791670955126,
    -0.37612638903183754,
    0.1128379167095512,
    -0.02686617064512984,
    0.0052239776254232985,
    -0.000854832702193483,
    0.00012055332902888736,
    -1.4925647567519332e-05,
    1.6462045441468418e-06,
    -1.6364642158167616e-07,
    1.4792401209404813e-08,
    -1.216456005728345e-09,
    8.709045129053106e-11,
    -4.230945824295338e-12,
)


ERF_OUTER = (
    1.2530080582697296,
    -0.13562110612458117,
    -0.047562294353451134,
    0.12964515870276075,
    -0.11927366341527797,
    0.06830802734403243,
    -0.023770514919586986,
    0.002529391813770149,
    0.0018886903744054359,
    -0.0007798322326896611,
    -0.00010515995771135305,
    0.00012509900076787303,
    4.950646878540173e-06,
    -2.0098901110080972e-05,
    -7.374822048218984e-07,
    3.4691344216923052e-06,
    3.763348596445118e-07,
    -6.205604122459621e-07,
    -1.7565119568032626e-07,
    1.304391201093368e-07,
    5.96668106414579e-08,
    -4.905257210195972e-08,
    7.534545174863604e-09,
    4.842037074476279e-10,
)


def evaluate_polynomial(coefficients, y):
    """Sum of coefficients[k] * y**k, by Horner's scheme."""
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * y + c
    return total


def erf(z):
    """Error function, 2/sqrt(pi) times the integral of exp(-s**2) from 0 to z."""
    s = np.where(z > 0, z, -z)  # |z|
    inner = z * evaluate_polynomial(ERF_INNER, np.minimum(s, 1) ** 2)
    tail = np.exp(-s * s) * evaluate_polynomial(ERF_OUTER, 1 - 6 / (s + 3)) / (1 + 2 * s)
    return np.where(s < 1, inner, np.where(z > 0, 1 - tail, tail - 1))


def f(z):
    """gelu: z*(erf(sqrt(2)*z/2) + 1)/2"""
    c1 = 0.7071067811865476  # sqrt(2)/2
    return z * (1 + erf(c1 * z)) / 2


def f_prime(z):
    """Derivative of gelu: sqrt(2)*z*exp(-z**2/2)/(2*sqrt(pi)) + erf(sqrt(2)*z/2)/2 + 1/2"""
    c1 = 0.7071067811865476  # sqrt(2)/2
    c2 = 0.3989422804014327  # sqrt(2)/(2*sqrt(pi))
    return 0.5 + erf(c1 * z) / 2 + c2 * z * np.exp(-z**2 / 2)


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
    (W1, b1), (W2, b2), (W3, b3) = params
    z1 = X @ W1 + b1                                 # F1   (n, 3)
    a1 = f(z1)                                       # F2   (n, 3)
    z2 = a1 @ W2 + b2                                # F1   (n, 3)
    a2 = f(z2)                                       # F2   (n, 3)
    z3 = a2 @ W3 + b3                                # F1   (n, 2)
    a3 = softmax(z3)                                 # F2   (n, 2)
    return z1, a1, z2, a2, z3, a3


def forward(params, X):
    """The outputs a^L, one row for each sample."""
    return forward_pass(params, X)[-1]


def cost(params, X, Y):
    """The cost C, one number.  params: a list of (W, b), one for each layer; X: (n, 4); Y: (n, 2)."""
    *_, z3, _ = forward_pass(params, X)
    n = X.shape[0]
    return -np.sum(log_softmax(z3) * Y) / n


def gradients(params, X, Y):
    """The derivative of C by every parameter, in the structure of params."""
    (W1, b1), (W2, b2), (W3, b3) = params
    z1, a1, z2, a2, z3, a3 = forward_pass(params, X)
    n = X.shape[0]
    delta3 = (a3 - Y) / n                            # BP1  (n, 2)
    dW3 = a2.T @ delta3                              # BP4  (3, 2)
    db3 = np.sum(delta3, axis=0)                     # BP3  (2,)
    delta2 = (delta3 @ W3.T) * f_prime(z2)           # BP2  (n, 3)
    dW2 = a1.T @ delta2                              # BP4  (3, 3)
    db2 = np.sum(delta2, axis=0)                     # BP3  (3,)
    delta1 = (delta2 @ W2.T) * f_prime(z1)           # BP2  (n, 3)
    dW1 = X.T @ delta1                               # BP4  (4, 3)
    db1 = np.sum(delta1, axis=0)                     # BP3  (3,)
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
    return rng.normal(size=(n, SIZES[0])), np.eye(SIZES[-1])[rng.integers(SIZES[-1], size=n)]
