"""Planted mistakes in deeper hand-written networks are attributed to their equation and layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backprop.examiner.judging.judge import judge

DEPTH, FAULTY = 4, 2
SEEDS = (1, 2)
RATE = 0.5
PENALTY = 0.1
SHAPES = {"equal widths": (4, 4, 4, 4, 4), "unequal widths": (3, 5, 4, 6, 2)}


def tanh_prime(z: Any) -> Any:
    return 1 - np.tanh(z) ** 2


class Network:
    """Dense tanh layers, squared error; a fault changes one line of the way back at layer FAULTY."""

    def __init__(self, sizes: tuple[int, ...], fault: str = "") -> None:
        self.sizes, self.fault = sizes, fault

    def parameters(self, rng: np.random.Generator) -> Any:
        pairs = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        return [(rng.normal(size=(i, o)) / np.sqrt(i), 0.1 * rng.normal(size=o)) for i, o in pairs]

    def data(self, rng: np.random.Generator) -> Any:
        return rng.normal(size=(7, self.sizes[0])), rng.normal(size=(7, self.sizes[-1]))

    def reach(self, params: Any, X: Any, *, distort: bool = False) -> Any:
        A, Z = [X], []
        for number, (W, b) in enumerate(params, start=1):
            Z.append(A[-1] @ W + (0 if distort and number == FAULTY else b))
            A.append(np.tanh(Z[-1]))
        return A, Z

    def cost(self, params: Any, X: Any, Y: Any) -> float:
        penalty = PENALTY / 2 * sum(np.sum(W**2) for W, _ in params) if "penalty" in self.fault else 0.0
        return float(np.sum((self.reach(params, X)[0][-1] - Y) ** 2) / 2 + penalty)

    def gradients(self, params: Any, X: Any, Y: Any) -> Any:
        A, Z = self.reach(params, X, distort=self.fault == "another forward pass")
        delta = self.start(A[-1] - Y, Z[-1])
        out: list[Any] = []
        for number in range(DEPTH, 0, -1):
            W = params[number - 1][0]
            dW, db = A[number - 1].T @ delta, delta.sum(axis=0)
            if number == FAULTY:
                dW, db = self.collect(A[number - 1], Z[number - 2], delta, dW, db)
            out.insert(0, (dW, db))
            if number > 1:
                delta = self.go_back(delta, W, A[number - 1], Z[number - 2], dW, number - 1 == FAULTY)
        if self.fault == "penalty with the wrong sign":
            return [(dW - PENALTY * W, db) for (dW, db), (W, _) in zip(out, params, strict=True)]
        return out

    def start(self, error: Any, z: Any) -> Any:
        starts: dict[str, Callable[[], Any]] = {
            "output slope forgotten": lambda: error,
            "output slope twice": lambda: error * tanh_prime(z) ** 2,
            "target minus output": lambda: -error * tanh_prime(z),
            "half the cost": lambda: error * tanh_prime(z) / 2,
            "sum where the cost": lambda: error * tanh_prime(z) * len(z),
        }
        return starts.get(self.fault, lambda: error * tanh_prime(z))()

    def collect(self, a: Any, z: Any, delta: Any, dW: Any, db: Any) -> tuple[Any, Any]:
        collections: dict[str, Callable[[], tuple[Any, Any]]] = {
            "z in place of a": lambda: (z.T @ delta, db),
            "weights averaged": lambda: (dW / len(a), db),
            "weights of one sample": lambda: (np.outer(a[0], delta[0]), db),
            "weights transposed": lambda: (dW.T, db),
            "bias averaged": lambda: (dW, db / len(a)),
            "bias of one sample": lambda: (dW, delta[-1]),
            "bias summed over units": lambda: (dW, np.full_like(db, db.sum())),
            "bias not reduced": lambda: (dW, delta),
            "bias zero": lambda: (dW, 0 * db),
            "layer never stored": lambda: (0 * dW, 0 * db),
        }
        return collections.get(self.fault, lambda: (dW, db))()

    def go_back(self, delta: Any, W: Any, a: Any, z: Any, dW: Any, faulty: bool) -> Any:
        ways: dict[str, Callable[[], Any]] = {
            "slope forgotten": lambda: delta @ W.T,
            "slope at a": lambda: (delta @ W.T) * tanh_prime(a),
            "slope of the error": lambda: (delta @ W.T) * tanh_prime(delta @ W.T),
            "W transposed": lambda: (delta @ W) * tanh_prime(z),
            "W already updated": lambda: (delta @ (W - RATE * dW).T) * tanh_prime(z),
            "error reversed": lambda: -(delta @ W.T) * tanh_prime(z),
        }
        right = (delta @ W.T) * tanh_prime(z)
        return ways.get(self.fault, lambda: right)() if faulty else right


EXPECTED: dict[str, tuple[str, int | None]] = {
    "output slope forgotten": ("BP1", DEPTH),
    "output slope twice": ("BP1", DEPTH),
    "target minus output": ("BP1", DEPTH),
    "half the cost": ("cost", None),
    "sum where the cost": ("cost", None),
    "another forward pass": ("forward", None),
    "penalty forgotten": ("BP4", DEPTH),
    "penalty with the wrong sign": ("BP4", DEPTH),
    "z in place of a": ("BP4", FAULTY),
    "weights averaged": ("BP4", FAULTY),
    "weights of one sample": ("BP4", FAULTY),
    "weights transposed": ("BP4", FAULTY),
    "bias averaged": ("BP3", FAULTY),
    "bias of one sample": ("BP3", FAULTY),
    "bias summed over units": ("BP3", FAULTY),
    "bias not reduced": ("BP3", FAULTY),
    "bias zero": ("BP3", FAULTY),
    "layer never stored": ("update", FAULTY),
    "slope forgotten": ("BP2", FAULTY),
    "slope at a": ("BP2", FAULTY),
    "slope of the error": ("BP2", FAULTY),
    "W transposed": ("BP2", FAULTY),
    "W already updated": ("update", FAULTY),
    "error reversed": ("BP2", FAULTY),
}
NEEDS_SQUARE = {"W transposed"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_network_without_a_fault_is_verified(shape: str, seed: int) -> None:
    report = judge(Network(SHAPES[shape]), seed=seed)
    assert report.verdict == "verified", str(report)


@pytest.mark.parametrize("fault", EXPECTED)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_planted_mistake_is_attributed(fault: str, seed: int) -> None:
    square = fault in NEEDS_SQUARE or seed == SEEDS[0]
    subject = Network(SHAPES["equal widths" if square else "unequal widths"], fault)
    report = judge(subject, seed=seed)
    assert report.verdict == "wrong", str(report)
    assert (report.findings[0].equation, report.findings[0].layer) == EXPECTED[fault], str(report)


def test_a_consequence_is_not_reported_as_a_cause_of_its_own() -> None:
    report = judge(Network(SHAPES["equal widths"], "slope forgotten"))
    assert len(report.findings) == 1
    assert report.findings[0].parameters == ("W1", "b1", "W2", "b2")


def test_the_explanation_says_what_the_pattern_shows() -> None:
    equal = SHAPES["equal widths"]
    assert "transpose" in judge(Network(equal, "weights transposed")).findings[0].explanation
    assert "penalty" in judge(Network(equal, "penalty with the wrong sign")).findings[0].explanation
    assert "batch size" in judge(Network(equal, "sum where the cost")).findings[0].explanation
    assert "(7, 4)" in judge(Network(equal, "bias not reduced")).findings[0].explanation


class TwoHeads:
    """A layer in one object with the one above it: their parameters are of one layer by their names."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def parameters(self, rng: np.random.Generator) -> Any:
        return {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4), "V": rng.normal(size=(4, 2)),
                "c": rng.normal(size=2)}  # fmt: skip

    def data(self, rng: np.random.Generator) -> Any:
        return rng.normal(size=(6, 3)), rng.normal(size=(6, 2))

    def cost(self, params: Any, X: Any, Y: Any) -> float:
        hidden = np.tanh(X @ params["W"] + params["b"])
        return float(np.sum((hidden @ params["V"] + params["c"] - Y) ** 2) / 2)

    def gradients(self, params: Any, X: Any, Y: Any) -> Any:
        hidden = np.tanh(X @ params["W"] + params["b"])
        error = hidden @ params["V"] + params["c"] - Y
        below = error @ params["V"].T * {"slope": hidden, "square": 1 - hidden, "none": 1.0}[self.fault]
        return {"W": X.T @ below, "b": below.sum(axis=0), "V": hidden.T @ error, "c": error.sum(axis=0)}


@pytest.mark.parametrize("fault", ["slope", "square", "none"])
def test_a_weight_and_a_bias_wrong_together_are_not_said_to_have_a_right_error(fault):
    findings = judge(TwoHeads(fault)).findings
    assert {name for finding in findings for name in finding.parameters} == {"W", "b"}
    assert not any("is right (the gradient of" in finding.explanation for finding in findings)
    assert not any(finding.equation in ("BP1", "BP3", "BP4") for finding in findings)


class OneWeight:
    """Logistic regression without a bias, with a penalty or with an error that is wrong."""

    def __init__(self, penalty: float, error: Callable[[Any], Any], shape: tuple[int, ...]) -> None:
        self.penalty, self.error, self.shape = penalty, error, shape

    def parameters(self, rng: np.random.Generator) -> Any:
        return {"w": rng.normal(size=self.shape)}

    def data(self, rng: np.random.Generator) -> Any:
        return rng.normal(size=(20, 2)), (rng.random((20, *self.shape[1:])) > 0.5).astype(float)

    def cost(self, params: Any, X: Any, Y: Any) -> float:
        z = X @ params["w"]
        return float(np.sum(np.log(1 + np.exp(z)) - Y * z) + 0.5 * np.sum(params["w"] ** 2))

    def gradients(self, params: Any, X: Any, Y: Any) -> Any:
        p = 1 / (1 + np.exp(-X @ params["w"]))
        return {"w": X.T @ self.error(p - Y) + self.penalty * params["w"]}


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_a_wrong_penalty_of_a_lone_weight_is_no_output_error(shape):
    (finding,) = judge(OneWeight(3.0, lambda error: error, shape)).findings
    assert finding.equation != "BP1"
    assert "error" not in finding.explanation.split(";")[0]


def test_of_a_lone_weight_neither_equation_is_said():
    (finding,) = judge(OneWeight(1.0, lambda error: error**3, (2,))).findings
    assert finding.equation is None
    assert "nothing else that is made from the error delta^1 shows whether that is right" in finding.explanation
