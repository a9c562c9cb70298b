"""The exact check passes right wirings and catches every planted fault, naming the tensors."""

from __future__ import annotations

import pytest

from backprop.errors import UsageError
from backprop.examiner.wiring.exact import check_exact
from backprop.examiner.wiring.field import Degree, Divisors
from backprop.examiner.wiring.result import PRIME

CLASSIFIER = '''
"""Two equal hidden layers, softmax and cross-entropy."""
import numpy as np
SIZES = (3, 4, 4, 3)
TARGETS = "distribution"
TABLE = {"f": "f_prime", "f_prime": None, "exp": "exp", "log": "reciprocal", "row_max": "free"}
def f(z): return np.tanh(z)
def f_prime(z): return 1 - np.tanh(z) ** 2
def exp(x): return np.exp(x)
def log(x): return np.log(x)
def reciprocal(x): return 1 / x
def row_max(z): return np.max(z, axis=1, keepdims=True)
def softmax(z):
    e = exp(z - row_max(z))
    return e / np.sum(e, axis=1, keepdims=True)
def parameters(rng):
    return [(rng.normal(size=(i, o)), rng.normal(size=o)) for i, o in zip(SIZES[:-1], SIZES[1:])]
def data(rng, n=None):
    n = n or 8
    return rng.normal(size=(n, SIZES[0])), np.eye(SIZES[-1])[rng.integers(SIZES[-1], size=n)]
def forward_pass(params, X):
    (W1, b1), (W2, b2), (W3, b3) = params
    z1 = X @ W1 + b1
    a1 = f(z1)
    z2 = a1 @ W2 + b2
    a2 = f(z2)
    z3 = a2 @ W3 + b3
    return z1, a1, z2, a2, z3, softmax(z3)
def forward(params, X): return forward_pass(params, X)[-1]
def cost(params, X, Y): return -np.sum(Y * log(forward(params, X))) / X.shape[0]
def gradients(params, X, Y):
    (W1, b1), (W2, b2), (W3, b3) = params
    z1, a1, z2, a2, z3, a3 = forward_pass(params, X)
    n = X.shape[0]
    delta3 = (a3 - Y) / n
    dW3 = a2.T @ delta3
    db3 = np.sum(delta3, axis=0)
    delta2 = (delta3 @ W3.T) * f_prime(z2)
    dW2 = a1.T @ delta2
    db2 = np.sum(delta2, axis=0)
    delta1 = (delta2 @ W2.T) * f_prime(z1)
    dW1 = X.T @ delta1
    db1 = np.sum(delta1, axis=0)
    return [(dW1, db1), (dW2, db2), (dW3, db3)]
'''

REGRESSION = """
import numpy as np
TARGETS = "real"
TABLE = {"g": "g_prime", "g_prime": None}
def g(z): return z ** 3
def g_prime(z): return 3 * z ** 2
def parameters(rng): return [(rng.normal(size=(2, 2)), rng.normal(size=2))]
def data(rng, n=None): return rng.normal(size=(n or 4, 2)), rng.normal(size=(n or 4, 2))
def cost(params, X, Y):
    W, b = params[0]
    return np.sum((g(X @ W + b) - Y) ** 2) / 2
def gradients(params, X, Y):
    W, b = params[0]
    z = X @ W + b
    delta1 = (g(z) - Y) * g_prime(z)
    return [(X.T @ delta1, np.sum(delta1, axis=0))]
"""

BINARY = """
import numpy as np
TARGETS = "binary"
TABLE = {"softplus": "sigmoid", "sigmoid": None}
def sigmoid(z): return 1 / (1 + np.exp(-z))
def softplus(z): return np.logaddexp(0, z)
def parameters(rng): return [(rng.normal(size=(3, 2)), rng.normal(size=2))]
def data(rng, n=None): return rng.normal(size=(n or 4, 3)), (rng.uniform(size=(n or 4, 2)) < 0.5) * 1.0
def cost(params, X, Y):
    z = X @ params[0][0] + params[0][1]
    return np.sum(softplus(z) - Y * z) / X.shape[0]
def gradients(params, X, Y):
    z = X @ params[0][0] + params[0][1]
    delta1 = (sigmoid(z) - Y) / X.shape[0]
    return [(X.T @ delta1, np.sum(delta1, axis=0))]
"""

FAULTS = [
    ("W2.T", "W2", {"W1", "b1"}),
    ("delta3 @ W3.T", "delta3 @ W3", None),
    ("f_prime(z1)", "f_prime(a1)", {"W1", "b1"}),
    ("f_prime(z1)", "f_prime(z2)", {"W1", "b1"}),
    (" * f_prime(z2)", "", {"W1", "b1", "W2", "b2"}),
    ("f_prime(z2)", "f_prime(z2) ** 2", {"W1", "b1", "W2", "b2"}),
    ("(a3 - Y) / n", "(Y - a3) / n", {"W1", "b1", "W2", "b2", "W3", "b3"}),
    ("(a3 - Y) / n", "(a3 - Y)", {"W1", "b1", "W2", "b2", "W3", "b3"}),
    ("(a3 - Y) / n", "(a3 - Y) / X.shape[1]", {"W1", "b1", "W2", "b2", "W3", "b3"}),
    ("a1.T @ delta2", "z1.T @ delta2", {"W2"}),
    ("a1.T @ delta2", "delta2.T @ a1", {"W2"}),
    ("a1.T @ delta2", "a1.T @ delta1", None),
    ("a2.T @ delta3", "2 * (a2.T @ delta3)", {"W3"}),
    ("np.sum(delta2, axis=0)", "delta2[0]", {"b2"}),
    ("np.sum(delta2, axis=0)", "np.sum(delta2, axis=0) / n", {"b2"}),
    ("np.sum(delta2, axis=0)", "np.sum(delta2)", {"b2"}),
    ("np.sum(delta1, axis=0)", "np.sum(delta2, axis=0)", {"b1"}),
]


@pytest.mark.parametrize("source", [CLASSIFIER, REGRESSION, BINARY])
def test_a_right_wiring_passes(source: str) -> None:
    result = check_exact(source)
    assert result.ok, str(result)
    assert 0 < result.false_pass < 1e-10
    assert result.rows >= 2


@pytest.mark.parametrize(("right", "wrong", "tensors"), FAULTS)
def test_a_planted_fault_is_caught_and_its_tensors_named(right: str, wrong: str, tensors: set[str] | None) -> None:
    assert right in CLASSIFIER
    result = check_exact(CLASSIFIER.replace(right, wrong))
    assert not result.ok
    assert tensors is None or set(result.failed) == tensors


def test_a_fault_passes_for_no_seed() -> None:
    wrong = CLASSIFIER.replace("W2.T", "W2")
    assert not any(check_exact(wrong, seed=seed).ok for seed in range(5))


def test_the_row_shift_must_cancel() -> None:
    lost = CLASSIFIER.replace("e = exp(z - row_max(z))", "e = exp(z) - row_max(z)")
    assert not check_exact(lost).ok


def test_a_float_literal_or_a_function_outside_the_table_is_named() -> None:
    assert "float" in check_exact(CLASSIFIER.replace("(a3 - Y) / n", "(a3 - Y) * 0.5")).reason
    assert "tanh" in check_exact(CLASSIFIER.replace("a1 = f(z1)", "a1 = np.tanh(z1)")).reason


def test_a_derivative_that_the_table_does_not_state_is_named() -> None:
    result = check_exact(CLASSIFIER.replace('"f": "f_prime"', '"f": None'))
    assert not result.ok
    assert "no derivative" in result.reason


def test_a_gradient_that_writes_into_its_batch_is_not_exact() -> None:
    spoiling = CLASSIFIER.replace("    dW1 = X.T", "    Y[0, 0] = Y[0, 0] + 1\n    dW1 = X.T")
    assert "writes into Y" in check_exact(spoiling).reason


def test_the_batch_size_differs_from_every_width() -> None:
    assert check_exact(CLASSIFIER).rows not in {3, 4}


def test_the_bound_grows_with_depth_and_not_with_width() -> None:
    wide = check_exact(CLASSIFIER.replace("(3, 4, 4, 3)", "(3, 9, 9, 3)"), rows=5)
    assert wide.degree == check_exact(CLASSIFIER, rows=5).degree


def test_what_is_no_generated_module_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="does not run"):
        check_exact("def broken(:")
    with pytest.raises(UsageError, match="no function 'parameters'"):
        check_exact("x = 1")
    with pytest.raises(UsageError, match="TABLE names"):
        check_exact(REGRESSION.replace('"g_prime": None', '"h": None'))


def test_degree_bounds_count_a_common_denominator_once() -> None:
    pool = Divisors()
    x, y, z = (Degree(1, 0, pool) for _ in range(3))
    shared = x / z + y / z
    assert (shared.top, pool.weigh(shared.mask)) == (1, 1)
    apart = 1 / x + 1 / y
    assert (apart.top, pool.weigh(apart.mask)) == (1, 2)
    square = (x / z) * (y / z)
    assert (square.top, pool.weigh(square.mask)) == (2, 2)


def test_degree_bounds_know_that_x_plus_one_is_not_x() -> None:
    pool = Divisors()
    x = Degree(1, 0, pool)
    both = 1 / x + 1 / (x + 1)
    assert pool.weigh(both.mask) == 2
    assert (1 / x + 1).top == 1


def test_the_field_is_the_stated_one() -> None:
    assert check_exact(REGRESSION).p == PRIME == 2**61 - 1
