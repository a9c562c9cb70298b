"""Adapters: code of other libraries and other shapes is examined as it is, and its faults are placed."""

from __future__ import annotations

import textwrap
import types
from pathlib import Path

import numpy as np
import pytest

import backprop
from backprop.errors import UsageError
from backprop.examiner.judging.judge import judge
from backprop.examiner.subject.loading import load_subject
from backprop.examiner.subject.protocol.from_steps import imply_gradients

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(9, 3)), RNG.normal(size=(9, 2))


def place(report):
    """Equation, layer and parameters of the root cause."""
    finding = report.findings[0]
    return finding.equation, finding.layer, finding.parameters


# --- torch -----------------------------------------------------------------------------------------------------------


def torch_net(factor=2.0, dtype="float64", extra=()):
    """Linear, a hand-written square with a factor in its backward, linear."""
    torch = pytest.importorskip("torch")

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, delta):
            return factor * ctx.saved_tensors[0] * delta

    class Hand(torch.nn.Module):
        def forward(self, z):
            return Square.apply(z)

    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), *extra, Hand(), torch.nn.Linear(4, 2))
    return torch, net.to(getattr(torch, dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_torch_function_is_verified_and_a_wrong_one_is_placed(dtype):
    torch, right = torch_net(dtype=dtype)
    assert judge(backprop.subject_from_torch(right, torch.nn.functional.mse_loss, X, Y)).verdict == "verified"
    _, wrong = torch_net(factor=3.0, dtype=dtype)
    report = judge(backprop.subject_from_torch(wrong, torch.nn.functional.mse_loss, X, Y))
    assert place(report) == ("BP2", 1, ("0.weight", "0.bias"))


def test_a_torch_module_is_left_as_it_was():
    torch, net = torch_net(extra=(pytest.importorskip("torch").nn.BatchNorm1d(4),))
    net[0].weight.grad = torch.ones_like(net[0].weight)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    generator = torch.random.get_rng_state()
    assert judge(backprop.subject_from_torch(net, torch.nn.functional.mse_loss, X, Y)).verdict == "verified"
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert torch.equal(net[0].weight.grad, torch.ones_like(net[0].weight))
    assert torch.equal(generator, torch.random.get_rng_state())


def test_a_torch_module_with_dropout_and_class_labels_is_verified():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Dropout(0.4), torch.nn.Linear(8, 3)
    ).double()
    report = judge(backprop.subject_from_torch(net, torch.nn.CrossEntropyLoss(), X, np.arange(9) % 3))
    assert report.verdict == "verified", str(report)
    assert [t["layer"] for t in report.evidence["tensors"].values()] == [1, 1, 2, 2]


def test_a_parameter_that_torch_forgot_is_found():
    torch = pytest.importorskip("torch")

    class Forgetful(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)

        def forward(self, x):
            return self.last(torch.tanh(self.first(x)).detach())

    report = judge(backprop.subject_from_torch(Forgetful().double(), torch.nn.functional.mse_loss, X, Y))
    assert report.verdict == "wrong"
    assert set(report.findings[0].parameters) == {"first.weight", "first.bias"}


def test_a_torch_module_without_parameters_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(UsageError, match="no parameter"):
        backprop.subject_from_torch(torch.nn.Tanh(), torch.nn.functional.mse_loss, X, Y)


# --- jax -------------------------------------------------------------------------------------------------------------


def jax_cost(factor, branches=False):
    """A network with a custom_vjp whose factor should be 3."""
    jax = pytest.importorskip("jax")

    @jax.custom_vjp
    def cube(z):
        return z**3

    cube.defvjp(lambda z: (z**3, z), lambda z, delta: (factor * z**2 * delta,))

    def cost(params, X, Y):
        hidden = cube(X @ params["W1"] + params["b1"])
        value = ((hidden @ params["W2"] + params["b2"] - Y) ** 2).mean()
        return value + 1.0 if branches and value > 0 else value

    return cost


PARAMS = {
    "W1": RNG.normal(size=(3, 4)), "b1": RNG.normal(size=4), "W2": RNG.normal(size=(4, 2)), "b2": RNG.normal(size=2)
}  # fmt: skip


@pytest.mark.parametrize("double", [True, False])
def test_a_right_custom_vjp_is_verified_and_a_wrong_one_is_placed(double):
    right = backprop.subject_from_jax(jax_cost(3), PARAMS, X, Y, double=double)
    assert judge(right).verdict == "verified"
    wrong = backprop.subject_from_jax(jax_cost(2), PARAMS, X, Y, double=double)
    assert place(judge(wrong)) == ("BP2", 1, ("W1", "b1"))


def test_a_jax_function_whose_control_flow_cannot_be_compiled_is_examined_all_the_same():
    assert judge(backprop.subject_from_jax(jax_cost(3, branches=True), PARAMS, X, Y)).verdict == "verified"


# --- scikit-learn ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_gradient_of_scikit_learn_is_verified(activation, classes):
    neural = pytest.importorskip("sklearn.neural_network")
    kind = neural.MLPClassifier if classes else neural.MLPRegressor
    estimator = kind(hidden_layer_sizes=(4, 4), activation=activation, alpha=0.05, random_state=1)
    y = np.arange(9) % classes if classes else Y[:, 0]
    assert judge(backprop.subject_from_sklearn(estimator, X, y)).verdict == "verified"
    assert not hasattr(estimator, "coefs_")


def test_a_regressor_with_two_outputs_has_a_gradient_of_another_cost_than_it_reports():
    # Its loss is a mean over the outputs, its gradient is that of the sum: twice as large, penalty apart.
    neural = pytest.importorskip("sklearn.neural_network")
    estimator = neural.MLPRegressor(hidden_layer_sizes=(4,), activation="tanh", alpha=0.0)
    report = judge(backprop.subject_from_sklearn(estimator, X, Y))
    assert report.findings[0].equation == "cost"
    entry = report.findings[0].entries[0]
    assert entry.yours == pytest.approx(2 * entry.expected, rel=1e-6)


def test_another_backward_pass_of_scikit_learn_is_refused_by_its_version():
    neural = pytest.importorskip("sklearn.neural_network")

    class Later(neural.MLPRegressor):
        def _backprop(self, X, y, engine):
            raise NotImplementedError

    with pytest.raises(UsageError, match=r"scikit-learn .* has another _backprop\(X, y, engine\)"):
        backprop.subject_from_sklearn(Later(), X, Y[:, 0])


# --- network classes with schedulers ---------------------------------------------------------------------------------

NETWORK = '''
import numpy as np


def CostOLS(target):
    return lambda outputs: np.sum((outputs - target) ** 2) / len(target)


class Net:
    """Weights with the bias as first row; every matrix has two schedulers."""

    def __init__(self, dimensions, cost_func=CostOLS):
        rng = np.random.default_rng(0)
        self.cost_func = cost_func
        self.weights = [rng.normal(size=(m + 1, n)) for m, n in zip(dimensions, dimensions[1:])]
        self.schedulers_weight, self.schedulers_bias = [], []

    def fit(self, X, t, scheduler, epochs=1):
        raise NotImplementedError

    def _feedforward(self, X):
        self.a = [X]
        for number, W in enumerate(self.weights):
            z = self.a[-1] @ W[1:] + W[0]
            self.a.append(z if number == len(self.weights) - 1 else np.tanh(z))
        return self.a[-1]

    def _backpropagate(self, X, t, lam):
        delta = 2 * (self.a[-1] - t) / len(t)
        for i in reversed(range(len(self.weights))):
            dW = self.a[i].T @ delta + lam * self.weights[i][1:]
            db = delta.sum(axis=0).reshape(1, -1)
            going_back = (delta @ self.weights[i][1:].T) * (1 - self.a[i] ** 2)
            change = [self.schedulers_bias[i].update_change(db), self.schedulers_weight[i].update_change(dW)]
            self.weights[i] -= np.vstack(change)
            delta = going_back
'''
LATE = NETWORK.replace("            going_back = (delta @ self.weights[i][1:].T) * (1 - self.a[i] ** 2)\n", "").replace(
    "delta = going_back", "delta = (delta @ self.weights[i][1:].T) * (1 - self.a[i] ** 2)"
)
ONE_LIST = NETWORK.replace("self.schedulers_weight, self.schedulers_bias = [], []", "self.schedulers = []").replace(
    "change = [self.schedulers_bias[i].update_change(db), self.schedulers_weight[i].update_change(dW)]",
    "change = [self.schedulers[i].update_change(np.vstack([db, dW]))]",
)
ONE = ONE_LIST.replace("self.schedulers = []", "self.scheduler = None").replace("self.schedulers[i]", "self.scheduler")


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "net.py"
    path.write_text(textwrap.dedent(text))
    return path


@pytest.mark.parametrize("text", [NETWORK, ONE_LIST, ONE], ids=["two lists", "one list", "one for all"])
def test_a_network_class_is_recognised_in_its_file_and_verified(tmp_path, text):
    report = judge(write(tmp_path, text))
    assert report.verdict == "verified", str(report)
    assert list(report.evidence["tensors"]) == ["W1", "b1", "W2", "b2", "W3", "b3"]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("(delta @ self.weights[i][1:].T)", "(delta @ self.weights[i][1:])", "BP2"),
        ("db = delta.sum(axis=0)", "db = 0.01 * delta.sum(axis=0)", "BP3"),
        ("dW = self.a[i].T @ delta", "dW = self.a[i].T @ delta / 2", "BP4"),
        ("2 * (self.a[-1] - t) / len(t)", "(self.a[-1] - t) / len(t)", "cost"),
    ],
)
def test_faults_of_a_network_class_are_placed(tmp_path, old, new, found):
    text = NETWORK.replace(old, new) + "\nnet = Net((4, 4, 4, 4))\n"
    assert judge(write(tmp_path, text)).findings[0].equation == found


def test_a_network_class_that_updates_while_the_error_goes_back_is_caught(tmp_path):
    report = judge(write(tmp_path, LATE))
    assert place(report) == ("update", 2, ("W1", "b1", "W2", "b2"))


def test_a_network_object_takes_data_a_cost_and_a_penalty_of_its_own():
    space: dict = {"__name__": "own"}
    exec(NETWORK, space)
    net = space["Net"]((3, 5, 2))
    before = [W.copy() for W in net.weights]
    subject = backprop.subject_from_network(net, X, Y, cost=lambda a, t: np.sum((a - t) ** 2) / len(t), penalty=0.3)
    assert judge(subject).verdict == "verified"
    assert all(np.array_equal(a, b) for a, b in zip(before, net.weights, strict=True))
    assert net.schedulers_weight == []


def test_what_a_network_object_lacks_is_said():
    with pytest.raises(UsageError, match="no network object"):
        backprop.subject_from_network(types.SimpleNamespace(weights=[np.ones((2, 2))]))


# --- a bare step -----------------------------------------------------------------------------------------------------

STEP = """
import numpy as np

def parameters(rng): return [rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(4, 2)), rng.normal(size=2)]
def data(rng, n=6): return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
def cost(params, X, Y):
    W1, b1, W2, b2 = params
    return 0.5 * np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2)
def step(params, X, Y, rate):
    W1, b1, W2, b2 = params
    a1 = np.tanh(X @ W1 + b1)
    delta2 = a1 @ W2 + b2 - Y
    delta1 = (delta2 @ W2.T) * (1 - a1**2)
    W2 = W2 - rate * a1.T @ delta2
    return [W1 - rate * X.T @ delta1, b1 - rate * delta1.sum(axis=0), W2, b2 - rate * delta2.sum(axis=0)]
"""
LATE_STEP = STEP.replace("    delta1 = (delta2 @ W2.T) * (1 - a1**2)\n", "").replace(
    "    return [W1", "    delta1 = (delta2 @ W2.T) * (1 - a1**2)\n    return [W1"
)


def test_a_bare_step_is_judged_by_the_gradient_it_implies(tmp_path):
    report = judge(write(tmp_path, STEP))
    assert report.verdict == "verified", str(report)
    assert any("what step implies" in note for note in report.notes)
    assert judge(write(tmp_path, STEP.replace("1 - a1**2", "1 - a1"))).findings[0].equation == "BP2"


def test_a_bare_step_that_writes_in_place_is_judged_too(tmp_path):
    text = STEP.replace("    W2 = W2 - rate * a1.T @ delta2\n", "").split("    return [W1 -")[0] + (
        "    W1 -= rate * X.T @ delta1; b1 -= rate * delta1.sum(axis=0)\n"
        "    W2 -= rate * a1.T @ delta2; b2 -= rate * delta2.sum(axis=0)\n"
    )
    assert judge(write(tmp_path, text)).verdict == "verified"


def test_a_bare_step_that_updates_while_the_error_goes_back_is_caught(tmp_path):
    report = judge(write(tmp_path, LATE_STEP))
    assert place(report) == ("update", 1, ("W1", "b1"))
    assert "still going back" in report.findings[0].explanation


def test_the_gradient_of_steps_is_their_limit_at_rate_zero():
    gradients = imply_gradients(lambda w, X, Y, rate: [w[0] - rate * (w[0] + rate * w[0] ** 3 - 2 * rate**2)])
    w = RNG.normal(size=(4, 3)) * 100
    np.testing.assert_allclose(gradients([w], X, Y)[0], w, rtol=1e-9)


# --- dictionaries, columns, flat vectors -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["{}", "d{}", "grad_{}", "{}_grad"])
def test_a_dict_of_gradients_may_name_them_in_the_usual_ways(tmp_path, key):
    values = {"W1": "X.T @ d1", "b1": "d1.sum(0)", "W2": "a.T @ d2", "b2": "d2.sum(0)"}
    body = ", ".join(f"{key.format(name)!r}: {value}" for name, value in values.items())
    text = f"""
    import numpy as np
    def parameters(rng):
        return {{"W1": rng.normal(size=(3, 4)), "b1": np.zeros(4), "W2": rng.normal(size=(4, 2)), "b2": np.zeros(2)}}
    def data(rng, n=6): return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
    def cost(p, X, Y): return 0.5 * np.sum((np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"] - Y) ** 2)
    def gradients(p, X, Y):
        a = np.tanh(X @ p["W1"] + p["b1"])
        d2 = a @ p["W2"] + p["b2"] - Y
        d1 = (d2 @ p["W2"].T) * (1 - a * a)
        return {{{body}}}
    """
    report = judge(write(tmp_path, text))
    assert report.verdict == "verified", str(report)


COLUMNS = """
import numpy as np
def parameters(rng):
    return [(rng.normal(size=(4, 3)), rng.normal(size=(4, 1))), (rng.normal(size=(2, 4)), rng.normal(size=(2, 1)))]
def data(rng): return rng.normal(size=(3, 7)), rng.normal(size=(2, 7))
def cost(p, X, Y): return float(0.5 * np.sum((p[1][0] @ np.tanh(p[0][0] @ X + p[0][1]) + p[1][1] - Y) ** 2))
def gradients(p, X, Y):
    a = np.tanh(p[0][0] @ X + p[0][1])
    d2 = p[1][0] @ a + p[1][1] - Y
    d1 = (p[1][0].T @ d2) * (1 - a * a)
    return [(d1 @ X.T, d1.sum(axis=1, keepdims=True)), (d2 @ a.T, d2.sum(axis=1, keepdims=True))]
"""  # fmt: skip


def test_columns_are_examined_as_they_are(tmp_path):
    assert judge(write(tmp_path, COLUMNS)).verdict == "verified"
    report = judge(write(tmp_path, COLUMNS.replace("d1.sum(axis=1, keepdims=True)", "d1.mean(axis=1, keepdims=True)")))
    assert place(report) == ("BP3", 1, ("b1",))


def test_a_function_that_returns_value_and_gradient_is_a_subject():
    subject = backprop.subject_from_functions(lambda x: (np.sum(np.cosh(x)), np.sinh(x)), True, np.ones(4))
    assert judge(subject).verdict == "verified"


# --- recognition -----------------------------------------------------------------------------------------------------


FILES = {
    "subject": """
        import backprop
        subject = backprop.subject_from_functions(lambda x: x @ x, lambda x: 2 * x, [1.0, 2.0])
    """,
    "class": """
        class Mine:
            def fun(self, x): return x @ x
            def grad(self, x): return 2 * x
            def theta0(self, rng): return rng.normal(size=3)
    """,
    "function": """
        def subject():
            return {"fun": lambda x: x @ x, "grad": lambda x: 2 * x, "theta0": lambda rng: rng.normal(size=2)}
    """,
    "torch": """
        import numpy as np, torch
        model, loss = torch.nn.Linear(3, 2).double(), torch.nn.MSELoss()
        X, Y = np.ones((4, 3)), np.eye(4)[:, :2]
    """,
    "sklearn": """
        import numpy as np
        from sklearn.neural_network import MLPRegressor
        model = MLPRegressor(hidden_layer_sizes=(3,), activation="tanh")
        X = np.random.default_rng(0).normal(size=(8, 2))
        y = X[:, 0]
    """,
    "jax": """
        import numpy as np, jax
        params = [np.ones((3, 2))]
        X, Y = np.ones((4, 3)), np.eye(4)[:, :2]
        def cost(params, X, Y): return ((X @ params[0] - Y) ** 2).sum()
    """,
}


@pytest.mark.parametrize("kind", FILES)
def test_the_kind_of_a_file_is_recognised(tmp_path, kind):
    if kind in ("torch", "sklearn", "jax"):
        pytest.importorskip(kind)
    path = write(tmp_path, FILES[kind])
    report = judge(path)
    assert report.verdict == "verified", str(report)
    assert report.subject == str(path)


def test_a_class_that_cannot_be_made_says_what_it_wants(tmp_path):
    text = NETWORK.replace("def __init__(self, dimensions,", "def __init__(self, dimensions, depth,")
    report = judge(write(tmp_path, text))
    assert report.verdict == "unusable"
    assert "it wants dimensions, depth" in report.notes[0]


def test_a_file_without_any_of_it_says_what_is_missing(tmp_path):
    report = judge(write(tmp_path, "x = 1\n"))
    assert "no function 'parameters'" in report.notes[0]


def test_a_subject_that_is_one_already_is_taken_as_it_is():
    subject = backprop.subject_from_functions(lambda x: x @ x, lambda x: 2 * x, [1.0])
    assert load_subject(subject) is subject
