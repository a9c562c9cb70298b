"""The gradient of one batch: this project, its products alone, the readable source, torch and jax.

`python tests/benchmarks/speed.py [--threads 2] [--type float32] [--activations tanh relu …] [--accuracy fast full]`

Candidates take turns in one process, in a new order every time, pinned to as many cores as threads; the figures are
medians over all turns of the ratio to "products": GEMMs alone, each by the quickest call that NumPy has (products.py).
"matmul" is the same products by `np.matmul(…, out=)` only, which is slower for small arrays.  "ours" makes a new
gradient in each call, "out=" fills the same array again, "readable" runs the lines of the readable module.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CASES = [
    ("2-2-1", 4, "identity", "mse"),
    ("1-16-1", 64, "identity", "mse"),
    ("64-32-32-10", 64, "softmax", "cross-entropy"),
    ("784-100-100-10", 64, "softmax", "cross-entropy"),
    ("64-" + "64-" * 31 + "64", 128, "identity", "mse"),
    ("784-1024-1024-10", 256, "softmax", "cross-entropy"),
]
WITHOUT_AVX512 = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # the names of NumPy 2.4
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
}
TURN = 4e-3  # seconds for one candidate in one turn, at least one call
LONGEST = 4.0  # seconds for one case and all its turns, at least MIN_TURNS
MIN_TURNS, MAX_TURNS = 15, 60


def read_arguments() -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--type", default="float64", choices=("float64", "float32"))
    parser.add_argument("--activations", nargs="+", default=["tanh", "relu"])
    parser.add_argument("--accuracy", nargs="+", default=["fast"], choices=("fast", "full"))
    parser.add_argument("--only", type=int, nargs="+", default=list(range(len(CASES))))
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--avx2", action="store_true", help="as on an x86 processor without AVX-512, for all of them")
    return parser.parse_args()


def restrict(threads: int, avx2: bool) -> None:
    """As many cores as threads, as much of the processor as is asked for; must be said before NumPy is loaded."""
    xla = ["--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"] if threads == 1 else []
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    if avx2:
        os.environ |= WITHOUT_AVX512
        xla.append("--xla_cpu_max_isa=AVX2")
    os.environ["XLA_FLAGS"] = " ".join(xla)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-threads:])


def name_processor() -> str:
    """The processor, and whether it has AVX-512."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "an unknown processor"
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    told = {key.strip(): value.strip() for key, value in told.items()}
    has = "with" if "avx512f" in told.get("flags", "") else "no"
    return f"{told.get('model name', platform.machine())}, {has} AVX-512"


def measure(candidates: dict[str, Callable[[], Any]], base: str) -> dict[str, tuple[float, float]]:
    """Median seconds and median ratio to the base, turn by turn."""
    counts = {}
    for name, run in candidates.items():
        run()
        begin = time.perf_counter()
        run()
        counts[name] = max(1, int(TURN / (time.perf_counter() - begin)))
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    start = time.perf_counter()
    while len(seconds[base]) < MAX_TURNS:
        if len(seconds[base]) >= MIN_TURNS and time.perf_counter() - start > LONGEST:
            break
        for name, run in random.sample(sorted(candidates.items()), len(candidates)):
            run()  # what ran before may have filled the caches
            begin = time.perf_counter()
            for _ in range(counts[name]):
                run()
            seconds[name].append((time.perf_counter() - begin) / counts[name])
    return {
        name: (
            statistics.median(own),
            statistics.median(a / b for a, b in zip(own, seconds[base], strict=True)),
        )
        for name, own in seconds.items()
    }


def make_ours(case: tuple[str, int, str, str], activation: str, accuracies: list[str], dtype: str) -> Any:
    """Our candidates, and what the others need."""
    import numpy as np
    from products import multiply_alone

    import backprop

    sizes, n, output, cost = case
    candidates: dict[str, Callable[[], Any]] = {}
    rng = np.random.default_rng(0)
    for accuracy in accuracies:
        net = backprop.build(sizes, activation, output, cost, accuracy)
        theta = net.initial(rng).astype(dtype)
        X, Y = (array.astype(dtype) for array in net.module.data(rng, n))
        out = np.empty_like(theta)
        name = "ours" if accuracy == "fast" else "full"
        candidates[name] = lambda net=net, theta=theta, X=X, Y=Y: net.gradient(theta, X, Y)
        if accuracy == "fast":
            candidates["out="] = lambda net=net, theta=theta, out=out, X=X, Y=Y: net.gradient(theta, X, Y, out=out)
            candidates["readable"] = lambda net=net, theta=theta, X=X, Y=Y: net.flat.gradient(theta, X, Y)
    shape = net.network.sizes
    candidates["products"] = multiply_alone(shape, n, dtype, rng)
    candidates["matmul"] = multiply_alone(shape, n, dtype, rng, ways=("matmul",))
    return candidates, net, theta, X, Y


def make_torch(net: Any, theta: Any, X: Any, Y: Any, threads: int) -> Callable[[], Any]:
    """torch, eager: forward, cost, backward."""
    import torch

    torch.set_num_threads(threads)
    F = torch.nn.functional
    f = {"tanh": torch.tanh, "relu": torch.relu, "gelu": F.gelu, "sigmoid": torch.sigmoid, "silu": F.silu}
    act = f[net.network.activations[0]]
    pairs = [tuple(torch.tensor(p.copy(), requires_grad=True) for p in pair) for pair in net.views(theta)]
    leaves = [p for pair in pairs for p in pair]
    x, y = torch.tensor(X), torch.tensor(Y)
    softmax = net.network.output == "softmax"

    def run() -> Any:
        a = x
        for W, b in pairs[:-1]:
            a = act(torch.addmm(b, a, W))
        z = torch.addmm(pairs[-1][1], a, pairs[-1][0])
        cost = -(y * torch.log_softmax(z, 1)).sum() / len(x) if softmax else F.mse_loss(z, y)
        return torch.autograd.grad(cost, leaves)

    return run


def make_jax(net: Any, theta: Any, X: Any, Y: Any) -> Callable[[], Any]:
    """jax: jit of grad."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    f = {"tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "silu": jax.nn.silu,
         "gelu": lambda z: jax.nn.gelu(z, approximate=False)}  # fmt: skip
    act = f[net.network.activations[0]]
    softmax = net.network.output == "softmax"

    def cost(params: Any, x: Any, y: Any) -> Any:
        a = x
        for W, b in params[:-1]:
            a = act(a @ W + b)
        z = a @ params[-1][0] + params[-1][1]
        return -(y * jax.nn.log_softmax(z, 1)).sum() / len(x) if softmax else ((z - y) ** 2).mean()

    gradient = jax.jit(jax.grad(cost))
    params = [tuple(jnp.asarray(p) for p in pair) for pair in net.views(theta)]
    x, y = jnp.asarray(X), jnp.asarray(Y)
    return lambda: jax.block_until_ready(gradient(params, x, y))


def main() -> None:
    """Print the table."""
    given = read_arguments()
    restrict(given.threads, given.avx2)
    sys.path.insert(0, str(Path(__file__).parent))
    import numpy as np
    from threadpoolctl import threadpool_info

    kernel = {info["architecture"] for info in threadpool_info() if "architecture" in info}
    print(f"{name_processor()}{', as without AVX-512' if given.avx2 else ''}; NumPy {np.__version__}, "
          f"kernel {', '.join(kernel)}, {given.threads} thread(s), {given.type}")  # fmt: skip
    print(f"{'network, batch, activation':32}{'products':>12}   ratio to it")
    for number in given.only:
        for activation in given.activations:
            case = CASES[number]
            candidates, net, theta, X, Y = make_ours(case, activation, given.accuracy, given.type)
            if not given.without_peers:
                candidates["torch"] = make_torch(net, theta, X, Y, given.threads)
                candidates["jax"] = make_jax(net, theta, X, Y)
            figures = measure(candidates, "products")
            name = case[0] if len(case[0]) < 20 else f"{case[0].count('-')} x 64"
            rest = "".join(f"  {other} {ratio:.2f}" for other, (_, ratio) in figures.items() if other != "products")
            print(
                f"{name + ', ' + str(case[1]) + ', ' + activation:32}{1e6 * figures['products'][0]:9.1f} µs{rest}",
                flush=True,
            )


if __name__ == "__main__":
    main()
