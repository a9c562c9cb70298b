"""Probes change nothing: what runs with them gives bit by bit what runs without."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.programs import PROGRAMS

from backprop.examiner.measuring.cases import draw_case
from backprop.examiner.subject.loading import load_subject
from backprop.reading.running.bench import Bench
from backprop.reading.running.probes import PROBE, SCOPE, instrument
from backprop.reading.running.recorder import Exhausted, ValueRecorder
from backprop.reading.source import Source
from backprop.runtime.compiled import build
from backprop.specification.network import Network
from backprop.verification import strategies

ALIASES = """
import numpy as np
class Box:
    kept = np.zeros(3)
    def __init__(self): self.__mine = []
    def push(self, v): self.__mine.append(v); return self.__mine[-1]
def run(x):
    a = b = x.copy()
    b += 1
    view = a[1:]
    view *= 2
    np.add(a, 1, out=a)
    a[a > 3] = 0.5
    box = Box()
    c = box.push(a)
    c -= [v * 2 for v in (1, 2, 3)]
    d = {k: v for k, v in zip("abc", c)}
    e = (lambda q: q @ q)(c) if len(d) > 2 else None
    try:
        f, *g = c, e
    finally:
        h = f"{e:.3f}"
    while e > 1:
        e = e / 2
    else:
        e -= 1
    return a, b, view, c, d, e, f, g, h, a is b, view.base is a, Box.kept
"""


def run_both(text: str):
    """What `run` gives as written, and with probes that record."""
    plain: dict = {}
    exec(compile(text, "plain.py", "exec"), plain)
    recorder = ValueRecorder(log=[])
    probed = {PROBE: recorder.probe, SCOPE: recorder.scope}
    exec(compile(instrument(Source(Path("probed.py"), text)).tree, "probed.py", "exec"), probed)
    x = np.array([0.3, 1.1, -0.7])
    return plain["run"](x), probed["run"](x), recorder


def same(a, b) -> bool:
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    return a == b


def test_aliases_views_and_writes_in_place_stay_what_they_are():
    plain, probed, recorder = run_both(ALIASES)
    assert same(plain, probed)
    assert recorder.log


@settings(max_examples=20)
@given(st.data())
def test_generated_modules_give_the_same_bits_with_probes(data):
    network = data.draw(st.one_of(strategies.networks(), strategies.stacks()))
    check_bits(build(network).source, data.draw(st.integers(0, 99)))


@pytest.mark.parametrize("name", ["dense", "recurrent", "attention"])
def test_code_of_people_gives_the_same_bits_with_probes(name):
    check_bits(PROGRAMS[name], 3)


def check_bits(text: str, seed: int) -> None:
    source = Source(Path("net.py"), text)
    case = draw_case(load_subject(make_module(text)), seed, jitter=True)
    bench = Bench(source)
    twin = draw_case(bench.subject, seed, jitter=True)
    assert same(case.cost(case.values), twin.cost(twin.values))
    assert same(case.gradients(case.values), bench.run(twin))


def make_module(text: str):
    import types

    module = types.ModuleType("plain_subject")
    exec(compile(text, "net.py", "exec"), vars(module))
    return module


def test_an_endless_loop_is_ended():
    text = "def run():\n    k = 0\n    while True:\n        k += 1\n"
    recorder = ValueRecorder(most=1000)
    names = {PROBE: recorder.probe, SCOPE: recorder.scope}
    exec(compile(instrument(Source(Path("f.py"), text)).tree, "f.py", "exec"), names)
    with pytest.raises(Exhausted):
        names["run"]()


@pytest.mark.parametrize("size", ["3-2", "2-2-1"])
def test_every_site_is_a_node_of_the_text(size):
    source = Source(Path("net.py"), build(Network.parse(size, "tanh", "identity", "mse")).source)
    nodes = set(ast.walk(source.tree))
    assert all(site in nodes for site in instrument(source).sites)
