"""What a subject imports from its own folder is read as well, and two faults are mended together."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop.reading.beside import list_siblings
from backprop.verification.lines import read_lines
from backprop.verification.submission import prepare, verify_file

NET = """\
import numpy as np
from layers import slope, affine_backward
from lib.costs import mse, mse_grad


def parameters(rng):
    sizes = {"W1": (3, 5), "b1": (5,), "W2": (5, 2), "b2": (2,)}
    return {name: rng.normal(size=size) for name, size in sizes.items()}


def data(rng, n=4):
    return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))


def run(p, X):
    a1 = np.tanh(X @ p["W1"] + p["b1"])
    return a1, a1 @ p["W2"] + p["b2"]


def cost(p, X, Y):
    return mse(run(p, X)[1], Y)


def gradients(p, X, Y):
    a1, out = run(p, X)
    d2 = mse_grad(out, Y)
    dW2, db2, da1 = affine_backward(d2, a1, p["W2"])
    d1 = da1 * slope(a1)
    dW1, db1, _ = affine_backward(d1, X, p["W1"])
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def step(p, X, Y, rate):
    g = gradients(p, X, Y)
    return {key: p[key] - rate * g[key] for key in p}
"""
LAYERS = """\
def slope(a):
    return 1 - a ** 2


def affine_backward(delta, a, W):
    dW = a.T @ delta
    db = delta.sum(axis=0)
    return dW, db, delta @ W.T
"""
COSTS = """\
import numpy as np


def mse(out, Y):
    return np.sum((out - Y) ** 2) / len(Y)


def mse_grad(out, Y):
    return 2 * (out - Y) / len(Y)
"""
FILES = {"net.py": NET, "layers.py": LAYERS, "lib/costs.py": COSTS}
FAULTS = {
    "layers.py": [("delta.sum(axis=0)", "delta.mean(axis=0)")],
    "lib/costs.py": [("2 * (out - Y)", "(out - Y)")],
    "net.py": [("da1 * slope(a1)", "da1 * slope(da1)")],
}


def write(folder: Path, *faults: tuple[str, str, str]) -> Path:
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    for where, right, wrong in faults:
        file = folder / where
        assert right in file.read_text()
        file.write_text(file.read_text().replace(right, wrong))
    return folder / "net.py"


def read(path: Path):
    with prepare():
        return read_lines(verify_file(path), path)


def test_siblings_are_listed_by_the_names_that_are_used(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert {name: file.relative_to(tmp_path).as_posix() for name, file in list_siblings(path).items()} == {
        "layers": "layers.py",
        "lib.costs": "lib/costs.py",
    }


@pytest.mark.parametrize(("where", "right", "wrong"), [(name, *fault) for name in FAULTS for fault in FAULTS[name]])
def test_the_line_is_marked_in_the_module_where_it_stands(tmp_path: Path, where: str, right: str, wrong: str) -> None:
    report = read(write(tmp_path, (where, right, wrong)))
    assert report.verdict == "wrong"
    line = next(k for k, text in enumerate(FILES[where].splitlines(), start=1) if right in text)
    assert (Path(report.location["file"]).relative_to(tmp_path).as_posix(), report.location["line"]) == (where, line)
    assert report.mend is not None
    (tmp_path / where).write_text(report.reading["mended"])
    assert verify_file(tmp_path / "net.py").ok


def test_a_gradient_and_a_step_are_mended_together(tmp_path: Path) -> None:
    step = ("net.py", "p[key] - rate * g[key]", "p[key] + rate * g[key]")
    path = write(tmp_path, step, ("net.py", "da1 * slope(a1)", "da1 * slope(da1)"))
    report = read(path)
    assert report.mend is not None
    assert [text.strip() for _, text in report.mend["lines"]] == [
        "d1 = da1 * slope(a1)",
        "return {key: p[key] - rate * g[key] for key in p}",
    ]
    path.write_text(report.reading["mended"])
    assert verify_file(path).ok
