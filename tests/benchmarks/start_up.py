"""How long things take to begin: medians over fresh processes.  `python tests/benchmarks/start_up.py [RUNS]`."""

from __future__ import annotations

import statistics
import subprocess
import sys

BUILD = """
import time, sympy, numpy
sympy.Symbol("x") + sympy.Symbol("y")  # SymPy imports more of itself with its first sum
begin = time.perf_counter()
import backprop
net = backprop.build("64-" + "32-" * 9 + "10", activation={activation!r}, output="softmax", cost="cross-entropy")
net.module
built = time.perf_counter()
net.fast.module(net.fast.choose(64))
first = time.perf_counter()
net = backprop.build("64-" + "48-" * 9 + "10", activation={activation!r}, output="softmax", cost="cross-entropy")
net.module
again = time.perf_counter()
net.fast.module(net.fast.choose(64))
second = time.perf_counter()
print(built - begin, first - built, again - first, second - again)
"""
IMPORT = "import time; begin = time.perf_counter(); import backprop; print(time.perf_counter() - begin)"
HELP = (
    "import subprocess, sys, time; begin = time.perf_counter(); "
    "subprocess.run([sys.executable, '-m', 'backprop', '--help'], stdout=subprocess.DEVNULL, check=True); "
    "print(time.perf_counter() - begin)"
)


def measure(code: str, runs: int) -> list[float]:
    """Medians of the numbers that a fresh interpreter prints, in milliseconds."""
    rows = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        rows.append([1000 * float(number) for number in done.stdout.split()])
    return [statistics.median(column) for column in zip(*rows, strict=True)]


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"medians of {runs} fresh processes, milliseconds")
    print(f"import backprop             {measure(IMPORT, runs)[0]:8.1f}")
    print(f"backprop --help             {measure(HELP, runs)[0]:8.1f}")
    for activation in ("relu", "tanh", "sigmoid", "gelu", "mish"):
        built, first, again, second = measure(BUILD.format(activation=activation), runs)
        print(
            f"build, ten layers, {activation:<8} {built:8.1f} beyond SymPy, + {first:.1f} for the fast source; "
            f"again {again:.1f} + {second:.1f}"
        )
