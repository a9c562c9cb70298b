"""Which of several trainings is meant, and what a program may touch while it is looked at."""

from __future__ import annotations

import pytest
from kit.samples.attached_programs import DATA, SCRIPT

from backprop.attaching.entry import load
from backprop.examiner.judging.judge import judge
from backprop.verification.submission import verify_file

AGAIN = SCRIPT.replace(DATA, "").replace("0.1", "0.2")
OTHER = AGAIN.replace("(1 - hidden ** 2)", "hidden")


def write(folder, text, name="program.py"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_two_trainings_of_different_verdicts_are_ambiguous_with_a_ready_command_each(tmp_path):
    file = write(tmp_path, SCRIPT + OTHER)
    report = verify_file(file)
    assert (report.verdict, report.reason) == ("unusable", "ambiguous")
    said = report.notes[0]
    assert "is verified" in said
    assert "is wrong" in said
    for part, verdict in zip(said.split("--begin ")[1:], ("verified", "wrong"), strict=True):
        begin, _, end = part.split(";")[0].partition(" --end ")
        assert verify_file(file, options={"begin": int(begin), "end": int(end)}).verdict == verdict


def test_two_trainings_of_one_verdict_are_counted(tmp_path):
    report = verify_file(write(tmp_path, SCRIPT + AGAIN))
    assert report.verdict == "verified"
    assert report.to_dict()["evidence"]["other_readings"] == 1


def test_a_training_behind_an_endless_one_is_found_too(tmp_path):
    endless = SCRIPT.replace("range(500)", "iter(int, 1)")
    assert verify_file(write(tmp_path, endless + OTHER)).reason == "ambiguous"


WRITING = """
import os
from pathlib import Path
import numpy as np
here = Path(__file__).parent
rows = np.loadtxt(here / "rows.csv", delimiter=",")
open("log.txt", "w").write("begun")
os.makedirs("out/deep", exist_ok=True)
(here / "out" / "a.txt").write_text("x")
open("rows.csv", "a").write("9,9\\n")
x, y = rows[:, :1], rows[:, 1:]
w = np.ones((1, 1))
for i in range(100):
    w = w - 0.01 * x.T @ (x @ w - y) / len(x)
np.save("w.npy", w)
"""


def test_what_a_program_writes_does_not_reach_the_readers_folder(tmp_path):
    (tmp_path / "out").mkdir()
    write(tmp_path, "1,2\n2,4\n3,7\n", "rows.csv")
    file = write(tmp_path, WRITING)
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    assert judge(load(file)).verdict == "verified"
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_writing_there_by_its_whole_name_is_refused_and_named(tmp_path):
    file = write(tmp_path, f"open({str(tmp_path / 'log.txt')!r}, 'w')\n{SCRIPT}")
    report = verify_file(file)
    assert report.reason == "crashed"
    assert "writes into" in report.notes[0]
    assert not (tmp_path / "log.txt").exists()
    write(tmp_path, "", "mine.txt")


TORCH = """
import torch
from torch import nn
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
criterion = nn.MSELoss()
things, answers = torch.randn(6, 3), torch.randn(6, 2)
"""


def test_a_model_and_a_loss_without_data_are_told_what_is_missing(tmp_path):
    pytest.importorskip("torch")
    report = verify_file(write(tmp_path, TORCH))
    assert report.reason == "nothing"
    assert "the model model and the loss criterion" in report.notes[0]
    assert "--data X,Y" in report.notes[0]


def test_data_are_named_by_an_option(tmp_path):
    pytest.importorskip("torch")
    assert verify_file(write(tmp_path, TORCH), options={"data": "things,answers"}).verdict == "verified"


OWN_WORDS = """
import numpy as np
class Net:
    def __init__(self, n):
        self.A, self.B = np.random.randn(n, 6), np.random.randn(6, 2)
    def improve(self, stuff, goal, lr):
        h = np.tanh(stuff @ self.A)
        d = (h @ self.B - goal) / len(stuff)
        back = stuff.T @ ((d @ self.B.T) * (1 - h ** 2))
        self.B -= lr * h.T @ d
        self.A -= lr * back
images, answers = np.random.randn(9, 5), np.random.randn(9, 2)
net = Net(5)
"""


@pytest.mark.parametrize(("text", "verdict"), [(OWN_WORDS, "verified"), (OWN_WORDS.replace("** 2", "** 3"), "wrong")])
def test_named_data_train_an_object_by_methods_of_any_name(text, verdict, tmp_path):
    assert judge(load(write(tmp_path, text), data="images,answers")).verdict == verdict


MEANS = """import numpy as np
x = np.random.default_rng(0).standard_normal((12, 3))
y = (x[:, 0] > 0).astype(float)
w, b = np.ones(3), np.zeros(1)
def {name}(p):
    {body}
for i in range(40):
    p = 1 / (1 + np.exp(-(x @ w + b)))
    value = {name}(p)
    e = p.copy()
    e[y == 1] -= 1
    e = e / len(y)
    w = w - 0.1 * x.T @ e
    b = b - 0.1 * e.sum()
"""
MEAN = "(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()"


@pytest.mark.parametrize("name", ["forward", "measure", "loss"])
@pytest.mark.parametrize("body", [f"return -{MEAN}", f"value = {MEAN}; return -value", f"return 0.0 - {MEAN}"])
def test_the_cost_is_the_number_that_is_made_small_not_minus_that(name, body, tmp_path):
    report = verify_file(write(tmp_path, MEANS.format(name=name, body=body)))
    (cost,) = [str(note) for note in report.notes if "taken: cost" in str(note)]
    assert report.verdict == "verified"
    assert "times" not in cost


BEFORE = """import numpy as np
r = np.random.default_rng(0)
X, Y = r.standard_normal((20, 3)), r.standard_normal((20, 2))
W1, b1, W2, b2 = r.standard_normal((3, 4)), np.zeros(4), r.standard_normal((4, 2)), np.zeros(2)
for i in range(50):
    z = X @ W1 + b1
    s = np.sqrt({spread})
    n = (z - z.mean(axis=0)) / s
    h = np.tanh(n)
    e = h @ W2 + b2 - Y
    loss = np.sum(e ** 2) / 2
    dn = e @ W2.T * (1 - h ** 2)
    dz = (dn - dn.mean(axis=0){more}) / s
    dW1, db1, dW2, db2 = X.T @ dz, dz.sum(axis=0), h.T @ e, e.sum(axis=0)
    W1 = W1 - 0.01 * dW1
    b1 = b1 - 0.01 * db1
    W2 = W2 - 0.01 * dW2
    b2 = b2 - 0.01 * db2
"""


@pytest.mark.parametrize(
    ("spread", "more", "verdict"),
    [("z.var(axis=0) + 1e-5", " - n * (dn * n).mean(axis=0)", "verified"), ("z.var(axis=0) + 1e-5", "", "wrong"),
     ("np.ones(4)", "", "verified")],
)  # fmt: skip
def test_a_bias_that_changes_nothing_is_examined_or_named_as_left_out(spread, more, verdict, tmp_path):
    report = verify_file(write(tmp_path, BEFORE.format(spread=spread, more=more)))
    assert report.verdict == verdict
    named = [note for note in map(str, report.notes) if note.startswith("not examined: ")]
    assert named == (
        [] if "b1" in report.evidence["tensors"] else ["not examined: b1 (the cost does not depend on it)"]
    )


def test_what_matters_is_not_said_to_be_left_out(tmp_path):
    report = verify_file(write(tmp_path, SCRIPT))
    assert not any("not examined" in str(note) for note in report.notes)
