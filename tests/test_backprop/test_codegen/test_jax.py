"""The JAX module computes what the NumPy one does, its gradient is JAX's own, and it runs over several devices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kit.golden_files import JAX, golden_source

from backprop.codegen.lowering.load import load
from backprop.codegen.printing.emit_jax import emit_jax
from backprop.errors import UsageError
from backprop.runtime.compiled import build
from backprop.specification.layers import BatchNorm, Dense
from backprop.specification.network import Network
from theory.functions.activation_catalogue import NAMES

jax = pytest.importorskip("jax")

ENDS = [
    ("identity", "half-sse"), ("tanh", "mse"), ("softmax", "half-sse"), ("sigmoid", "binary-cross-entropy"),
    ("softmax", "cross-entropy"), ("sigmoid", "cross-entropy"),
]  # fmt: skip
NETWORKS = [("3-4-2", name, "identity", "half-sse") for name in NAMES] + [("4-3-3-2", "tanh", *end) for end in ENDS]
SAME = 1e-12
DEVICES = 4


def to_numpy(nest):
    return jax.tree.map(np.asarray, nest)


@pytest.mark.parametrize(("sizes", "activation", "output", "cost"), NETWORKS)
def test_it_computes_what_the_numpy_module_computes_and_what_jax_derives(sizes, activation, output, cost):
    net = build(sizes, activation, output, cost)
    params, (X, Y) = net.module.parameters(np.random.default_rng(0)), net.module.data(np.random.default_rng(1), 6)
    with jax.enable_x64(True):
        module = load(emit_jax(net.network, net.program), "jax_network")
        value, found = to_numpy(module.value_and_gradient(params, X, Y))
        derived = to_numpy(jax.grad(module.cost)(params, X, Y))
        moved = to_numpy(module.step(params, X, Y, 0.5))
    assert np.isclose(value, net.module.cost(params, X, Y), rtol=SAME)
    wanted = net.module.gradients(params, X, Y)
    for ours, jaxs, numpys, new, old in zip(found, derived, wanted, moved, params, strict=True):
        for a, b, c, d, e in zip(ours, jaxs, numpys, new, old, strict=True):
            room = SAME * max(1.0, np.max(np.abs(c)))
            assert np.max(np.abs(a - c)) <= room
            assert np.max(np.abs(b - c)) <= room
            assert np.max(np.abs(d - (e - 0.5 * c))) <= room


SHARDED = """
import sys
import jax, numpy
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import network
assert len(jax.devices()) == {devices}
mesh = Mesh(numpy.array(jax.devices()), ("rows",))
by_rows, everywhere = NamedSharding(mesh, PartitionSpec("rows")), NamedSharding(mesh, PartitionSpec())
rng = numpy.random.default_rng(0)
params, (X, Y) = network.parameters(rng), network.data(rng, 16)
here = network.value_and_gradient(params, X, Y)
spread = network.value_and_gradient(
    jax.device_put(params, everywhere), jax.device_put(X, by_rows), jax.device_put(Y, by_rows)
)
for a, b in zip(jax.tree.leaves(here), jax.tree.leaves(spread), strict=True):
    assert len(b.devices()) == {devices}
    assert numpy.allclose(a, b, rtol=1e-5, atol=1e-6)
print("same on", len(jax.devices()), "devices")
"""


def test_it_runs_data_parallel_over_several_devices(tmp_path):
    net = build("5-8-3", activation="gelu", output="softmax", cost="cross-entropy")
    (tmp_path / "network.py").write_text(emit_jax(net.network, net.program), encoding="utf-8")
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    result = subprocess.run(
        [sys.executable, "-c", SHARDED.format(devices=DEVICES)],
        cwd=tmp_path,
        env={**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"same on {DEVICES} devices\n"


def test_other_layers_are_refused_with_the_reason():
    net = build(Network(3, Dense(4), BatchNorm(), Dense(2)))
    with pytest.raises(UsageError, match="dense layers only"):
        emit_jax(net.network, net.program)


@pytest.mark.parametrize("name", JAX)
def test_the_source_is_the_kept_one(name):
    kept = Path(__file__).resolve().parents[2] / "golden" / name
    assert golden_source(name) == kept.read_text(encoding="utf-8"), "regenerate with: python tests/kit/golden_files.py"
