"""How time grows: the gradient with depth and with the batch, the build with depth and with width.

`python tests/benchmarks/growth.py [FILE.png]`: medians on one core; each row ends with the exponent of the growth
over its larger half (1 is linear, 0 is independent).  With a file name the four curves are drawn.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from speed import restrict

REPEATS = 9
DEPTHS = (4, 8, 16, 32, 64)
BATCHES = (64, 128, 256, 512, 1024, 2048)
WIDTHS = (16, 64, 256, 1024)


def median(run: Callable[[], Any]) -> float:
    """Seconds of one call, after one that is not counted."""
    run()
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def measure_gradient(sizes: str, n: int) -> float:
    """One gradient of n rows."""
    import numpy as np

    import backprop

    net = backprop.build(sizes, "tanh", "softmax", "cross-entropy")
    rng = np.random.default_rng(0)
    theta, out = net.initial(rng), np.empty(net.size)
    X, Y = net.module.data(rng, n)
    return median(lambda: net.gradient(theta, X, Y, out=out))


def measure_build(sizes: str) -> float:
    """Lowering, emitting, loading, both sources; the derivation is done once in a process and not counted."""
    import backprop

    def run() -> None:
        net = backprop.build(sizes, "tanh", "softmax", "cross-entropy")
        net.fast.module(net.fast.choose(64))

    return median(run)


def find_exponent(points: list[tuple[int, float]]) -> float:
    """The slope between the middle and the last point, in logarithms."""
    (x0, y0), (x1, y1) = points[len(points) // 2], points[-1]
    return math.log(y1 / y0) / math.log(x1 / x0)


def main() -> None:
    """Print the table, draw the curves."""
    restrict(1)
    hidden = "64-" * 2
    curves = {
        "gradient, layers of 64, batch 128": [(d, measure_gradient("64-" * d + "10", 128)) for d in DEPTHS],
        "gradient, 64-64-64-10, batch": [(n, measure_gradient(f"64-{hidden}10", n)) for n in BATCHES],
        "build, layers of 64": [(d, measure_build("64-" * d + "10")) for d in DEPTHS],
        "build, 64-w-w-10, width w": [(w, measure_build(f"64-{w}-{w}-10")) for w in WIDTHS],
    }
    for name, points in curves.items():
        row = "  ".join(f"{x}: {1000 * y:.2f}" for x, y in points)
        print(f"{name:36} {row} ms   exponent {find_exponent(points):.2f}")
    if len(sys.argv) > 1:
        draw(curves, sys.argv[1])


def draw(curves: dict[str, list[tuple[int, float]]], path: str) -> None:
    """Four curves, both axes logarithmic, with a line of slope 1 from the first point of each gradient."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    for axis, (name, points) in zip(axes.flat, curves.items(), strict=True):
        xs, ys = zip(*points, strict=True)
        axis.loglog(xs, [1000 * y for y in ys], "o-", label="measured")
        if "width" not in name:
            axis.loglog(xs, [1000 * ys[-1] * x / xs[-1] for x in xs], "--", color="grey", label="linear")
        else:
            axis.set_ylim(1000 * min(ys) / 4, 1000 * max(ys) * 4)
        axis.set(title=name, ylabel="milliseconds", xticks=xs, xticklabels=xs)
        axis.minorticks_off()
        axis.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
