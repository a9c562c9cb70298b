"""Time from a specification to its first gradient, imports included: this project, torch, jax.

`python tests/benchmarks/first_gradient.py [RUNS]`: each run is a fresh interpreter on one core that imports what it
needs, builds the network, computes one gradient and ends; candidates take turns; medians of wall time, the
interpreter's own start left out of it by its clock beginning in the first line.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from speed import restrict

BEGIN = "import time; begin = time.perf_counter()\n"
END = "\nprint(time.perf_counter() - begin)"
OURS = """
import numpy as np
import backprop
net = backprop.build({sizes!r}, {activation!r}, "softmax", "cross-entropy")
rng = np.random.default_rng(0)
theta = net.initial(rng)
X, Y = rng.normal(size=(64, {inputs})), np.eye({outputs})[rng.integers({outputs}, size=64)]
net.gradient(theta, X, Y)
"""
TORCH = """
import torch
from torch import nn
torch.set_default_dtype(torch.float64)
act = {{"tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU}}[{activation!r}]
sizes = [int(word) for word in {sizes!r}.split("-")]
layers = [layer for a, b in zip(sizes[:-2], sizes[1:-1]) for layer in (nn.Linear(a, b), act())]
model = nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
X, Y = torch.randn(64, {inputs}), torch.randint({outputs}, (64,))
nn.functional.cross_entropy(model(X), Y).backward()
"""
JAX = """
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_enable_x64", True)
act = {{"tanh": jnp.tanh, "relu": jax.nn.relu, "gelu": jax.nn.gelu}}[{activation!r}]
sizes = [int(word) for word in {sizes!r}.split("-")]
rng = np.random.default_rng(0)
params = [(jnp.asarray(rng.normal(size=(a, b))), jnp.zeros(b)) for a, b in zip(sizes, sizes[1:])]
X, Y = jnp.asarray(rng.normal(size=(64, {inputs}))), jnp.asarray(np.eye({outputs})[rng.integers({outputs}, size=64)])
def cost(params):
    a = X
    for W, b in params[:-1]:
        a = act(a @ W + b)
    return -(Y * jax.nn.log_softmax(a @ params[-1][0] + params[-1][1], 1)).sum() / 64
jax.block_until_ready(jax.jit(jax.grad(cost))(params))
"""
CASES = [("64-32-32-10", "tanh"), ("784-100-100-10", "relu"), ("64-" + "32-" * 9 + "10", "gelu")]


def run(code: str) -> float:
    """Seconds that a fresh interpreter reports."""
    done = subprocess.run([sys.executable, "-c", BEGIN + code + END], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    restrict(1)
    print(f"specification to first gradient, milliseconds, medians of {runs} fresh processes")
    for sizes, activation in CASES:
        words = {"sizes": sizes, "activation": activation, "inputs": sizes.split("-")[0], "outputs": 10}
        codes = {name: code.format(**words) for name, code in (("ours", OURS), ("torch", TORCH), ("jax", JAX))}
        seconds: dict[str, list[float]] = {name: [] for name in codes}
        for _ in range(runs):
            for name, code in codes.items():
                seconds[name].append(run(code))
        row = "   ".join(f"{name} {1000 * statistics.median(own):.0f}" for name, own in seconds.items())
        print(f"{sizes if len(sizes) < 20 else '10 layers':16} {activation:6} {row}", flush=True)


if __name__ == "__main__":
    main()
