"""Hostile subjects: reported as unusable or judged by their numbers, never passed, never a hang, never a traceback."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backprop.examiner.apart.asking import LOADER, examine_file
from backprop.examiner.apart.remote import RemoteSubject
from backprop.examiner.judging.judge import judge
from backprop.examiner.saying.report import Report
from backprop.examiner.subject.protocol.subjects import Unusable

PATIENCE = 60.0
IMPATIENCE = 3.0
LITTLE_MEMORY = 2**30

GOOD = """
import numpy as np
def parameters(rng): return [(rng.normal(size=(3, 2)), rng.normal(size=2))]
def data(rng, n=4): return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
def cost(params, X, Y): return np.sum((X @ params[0][0] + params[0][1] - Y) ** 2) / 2
def gradients(params, X, Y):
    delta = X @ params[0][0] + params[0][1] - Y
    return [(X.T @ delta, delta.sum(axis=0))]
"""
BAD = GOOD.replace("delta.sum(axis=0)", "0 * delta.sum(axis=0)")


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "net.py"
    path.write_text(text)
    return path


def returning(what: str) -> str:
    return f"{GOOD}\ndef gradients(params, X, Y): {what}\n"


def examine_apart(path: Path) -> Report:
    """Judge here what runs in a process of its own: the same path as the command's, with one process less to start."""
    subject = RemoteSubject(str(path), seed=0, memory=LITTLE_MEMORY, loader=LOADER)
    try:
        return judge(subject.load())
    except Unusable as error:
        return Report("unusable", str(path), notes=(str(error),))
    finally:
        subject.close()


UNUSABLE = {
    "it raises in the cost": (GOOD + "def cost(params, X, Y): raise ValueError('no\\nidea')", "ValueError: no idea (l"),
    "it interrupts": (GOOD + "def cost(params, X, Y): raise KeyboardInterrupt", "KeyboardInterrupt"),
    "it interrupts at import": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "it raises no Exception": (GOOD + "class E(BaseException): pass\ndef cost(p, X, Y): raise E('odd')", "E: odd"),
    "its error cannot be read": (
        GOOD + "class E(Exception):\n    def __str__(self): raise E\ndef cost(p, X, Y): raise E", "could not be read"
    ),
    "it leaves in the middle": (returning("import sys; sys.exit(0)"), "SystemExit"),
    "it crashes in the middle": (returning("import ctypes; ctypes.string_at(0)"), "its process died (SIGSEGV)"),
    "it stops itself": (returning("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), "SIGKILL"),
    "gradients are None": (returning("return None"), "returned None"),
    "gradients are text": (returning("return 'zero'"), "another structure"),
    "gradients never end": (returning("import itertools; return itertools.count()"), "another structure"),
    "the cost is text": (GOOD + "def cost(params, X, Y): return 'small'", "cost returned a str"),
    "the cost is None": (GOOD + "def cost(params, X, Y): return None", "cost returned a NoneType"),
    "the cost is an object": (GOOD + "class Loss: pass\ndef cost(params, X, Y): return Loss()", "cost returned a Loss"),
    "the cost is an array": (GOOD + "def cost(params, X, Y): return X", "of shape (4, 3)"),
    "the cost is infinite": (GOOD + "def cost(params, X, Y): return float('inf')", "NaN or infinite"),
    "the cost draws without a seed": (
        GOOD + "def cost(params, X, Y): return float(np.random.default_rng().normal())", "two calls of cost"
    ),
    "parameters are text": (GOOD + "def parameters(rng): return ['a', 'b']", "not numbers"),
    "parameters are empty": (GOOD + "def parameters(rng): return []", "no parameters"),
    "parameters contain themselves": (
        GOOD + "def parameters(rng):\n    a = []\n    a.append(a)\n    return a", "cannot be read"
    ),
    "data is one array": (GOOD + "def data(rng, n=4): return rng.normal(size=(3, 3))", "(X, Y)"),
    "it eats memory": (returning("x = [bytearray(2**28) for _ in range(64)]"), "MemoryError"),
    "it returns too much": (returning("return [np.zeros((2**14, 2**13)) for _ in range(9)]"), "MemoryError"),
    "it closes everything": (returning("import os; os.closerange(3, 99)"), "before giving a verdict"),
    "it writes to every pipe and leaves": (
        "import os\nfor k in range(3, 20):\n    try: os.write(k, b'x' * 99)\n    except OSError: pass\nos._exit(0)",
        "before giving a verdict",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_breaks_is_unusable_with_the_reason_in_one_line(tmp_path: Path, name: str) -> None:
    text, said = UNUSABLE[name]
    report = examine_apart(write(tmp_path, text))
    assert report.verdict == "unusable", str(report)
    assert said in report.notes[0]
    assert "\n" not in report.notes[0]
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.parametrize("name", ["it interrupts", "it crashes in the middle", "it closes everything"])
def test_the_whole_path_says_the_same(tmp_path: Path, name: str) -> None:
    text, said = UNUSABLE[name]
    report = examine_file(write(tmp_path, text), timeout=PATIENCE)
    assert report.verdict == "unusable"
    assert said in report.notes[0]
    assert report.reproduce.startswith("backprop verify ")


WRONG = {
    "gradients are ragged": returning("return [([[1.0], [2.0, 3.0]], 0.0)]"),
    "gradients are objects": returning("return [(object(), object())]"),
    "gradients are NaN": returning("return [(X.T @ X[:, :2] * np.nan, Y[0])]"),
    "gradients are of another shape": returning("return [(np.zeros((2, 3)), np.zeros(2))]"),
}


@pytest.mark.parametrize("name", WRONG)
def test_gradients_that_are_no_gradients_are_wrong(tmp_path: Path, name: str) -> None:
    report = examine_apart(write(tmp_path, WRONG[name]))
    assert report.verdict == "wrong", str(report)


FORGERIES = {
    "it changes NumPy": """
        np.allclose = np.array_equal = np.isclose = lambda *a, **k: True
        np.abs = np.linalg.norm = lambda *a, **k: np.zeros(())
        np.isfinite = lambda *a, **k: np.ones((), bool)
        np.seterr(all="raise"); np.random.seed(0)
    """,
    "it changes the examiner": """
        import sys
        import backprop.examiner.judging.judge as judge
        import backprop.examiner.saying.report as report
        import backprop.examiner.tolerance as t
        judge._decide = lambda *a: "verified"
        t.agree = lambda *a: True
        report.Report.to_dict = lambda self: {"verdict": "verified", "findings": [], "evidence": {}, "reproduce": ""}
    """,
    "it walks frames and rubbish": """
        import gc, json, os, sys
        found, frame = [], sys._getframe()
        while frame:
            found += [v for v in {**frame.f_locals, **frame.f_globals}.values() if isinstance(v, (str, bytes))]
            frame = frame.f_back
        for one in gc.get_objects():
            found += [v for v in list(one.values()) if isinstance(v, (str, bytes))] if isinstance(one, dict) else []
        texts = {v.hex() if isinstance(v, bytes) else v for v in found if len(v) in (16, 32)}
        for nonce in list(texts)[:3000]:
            verdict = {"verdict": "verified", "findings": [], "evidence": {}, "reproduce": ""}
            line = json.dumps({"nonce": nonce, "report": verdict}).encode() + b"\\n"
            try: os.write(2, line)
            except OSError: pass
    """,
    "it prints bytes": """
        import sys
        for stream in (sys.stdout, sys.stderr):
            stream.buffer.write(bytes(range(256)) * 9); stream.flush()
    """,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_verdict_cannot_be_forged_from_inside(tmp_path: Path, name: str) -> None:
    lines = "\n".join(line[8:] for line in FORGERIES[name].splitlines())
    report = examine_file(write(tmp_path, BAD + lines), timeout=PATIENCE)
    assert report.verdict == "wrong", str(report)


def test_endless_output_and_a_hang_are_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    report = examine_file(write(tmp_path, GOOD + "while True: print('x' * 9999)"), timeout=IMPATIENCE)
    assert "did not finish" in report.notes[0]
    assert len(report.notes[0]) < 500
    assert time.monotonic() - began < PATIENCE


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("where", ["while it is loaded", "in gradients"])
def test_a_process_that_leaves_its_group_is_ended_too(tmp_path: Path, where: str) -> None:
    note = tmp_path / "pid"
    fork = f"""
import os, time
def spawn():
    if os.fork() == 0:
        os.setsid()
        open({str(note)!r}, "w").write(str(os.getpid()))
        time.sleep(600)
"""
    call = "spawn()\n" if where == "while it is loaded" else ""
    inside = "" if call else "    if not os.path.exists('pid'): spawn()\n"
    text = GOOD.replace("    delta =", f"{inside}    delta =", 1).replace("'pid'", repr(str(note)))
    examine_file(write(tmp_path, text + fork + call), timeout=PATIENCE)
    state = subprocess.run(["ps", "-o", "stat=", "-p", note.read_text()], capture_output=True, text=True, check=False)
    assert state.stdout.strip() == "" or state.stdout.startswith("Z")


def test_it_works_from_a_spawned_process(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        reports = [pool.apply(examine_file, (write(tmp_path, text),)) for text in (GOOD, BAD)]
    assert [report.verdict for report in reports] == ["verified", "wrong"]


def test_a_state_between_calls_and_writing_in_place_are_still_seen(tmp_path: Path) -> None:
    adds = GOOD.replace(
        "    return [(X.T", "    global kept\n    kept = kept + delta.sum(0)\n    return [(X.T"
    ).replace("delta.sum(axis=0))]", "kept)]")
    report = examine_apart(write(tmp_path, adds + "kept = np.zeros(2)"))
    assert report.findings[0].equation == "update"
    late = GOOD.replace("    return [(X.T", "    params[0][0][:] -= 0.1\n    return [(X.T")
    report = examine_apart(write(tmp_path, late))
    assert (report.findings[0].equation, report.findings[0].parameters) == ("update", ("W1",))


def test_masks_from_the_global_generator_are_repeated(tmp_path: Path) -> None:
    mask = "X = X * (np.random.random(X.shape) > 0.3)"
    text = GOOD.replace("return np.sum", f"\n    {mask}\n    return np.sum").replace(
        "    delta =", f"    {mask}\n    delta ="
    )
    report = examine_apart(write(tmp_path, text))
    assert report.verdict == "verified", str(report)
    assert any("global generator" in note for note in report.notes)


def test_all_kinds_of_nests_arrive_as_they_are(tmp_path: Path) -> None:
    text = """
    from collections import OrderedDict, defaultdict
    from typing import NamedTuple
    import numpy as np
    class Layer(NamedTuple):
        W: object
        b: object
    class Batch:
        def __init__(self, X): self.X = X
    def parameters(rng):
        return OrderedDict(first=Layer(rng.normal(size=(3, 2)).tolist(), np.matrix(rng.normal(size=2))))
    def data(rng): return Batch(rng.normal(size=(4, 3))), {"targets": [rng.normal(size=(4, 2))]}
    def context(rng, n): return {"mask": rng.random((4, 3)) > 0.2, "mode": "train"}
    def cost(params, X, Y, mask, mode):
        layer = params["first"]
        assert type(params) is OrderedDict and type(layer) is Layer and type(layer.W) is list and mode == "train"
        return float(np.sum(((X.X * mask) @ np.array(layer.W) + np.asarray(layer.b) - Y["targets"][0]) ** 2) / 2)
    def gradients(params, X, Y, mask, mode):
        W, b = params["first"]
        delta = (X.X * mask) @ np.array(W) + np.asarray(b) - Y["targets"][0]
        return {"first": Layer((X.X * mask).T @ delta, delta.sum(axis=0, keepdims=True))}
    """
    lines = "\n".join(line[4:] for line in text.splitlines())
    report = examine_apart(write(tmp_path, lines))
    assert report.verdict == "verified", str(report)


@pytest.mark.parametrize("text", [GOOD, BAD, GOOD.replace("delta.sum(axis=0)", "delta[0]")])
def test_the_judge_says_the_same_about_code_here_and_there(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    assert examine_apart(path).to_dict() == judge(path).to_dict()


def test_the_environment_is_not_changed() -> None:
    assert "BACKPROP_EXAMINATION" not in os.environ
