"""Largest errors of activations and their slopes, in ulps: ours, torch, jax, SciPy.

`python tests/benchmarks/accuracy_table.py [POINTS] [NAME ...]`; peers that are not installed are left out.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit.accuracy import Array, largest_error, reference

from theory.functions.activation_catalogue import NAMES

POINTS = 100_000
Pair = tuple[Callable[[Array], Any] | None, Callable[[Array], Any] | None]
Candidates = dict[str, Callable[[str], Pair]]


def ours(accuracy: str) -> Callable[[str], Pair]:
    """The formulas of this project, `full` or `fast`."""
    from backprop.runtime.activation_functions import activation

    def find(name: str) -> Pair:
        found = activation(name, accuracy)
        return found.f, found.f_prime

    return find


def torch_pair(name: str) -> Pair:
    """torch's function and its automatic derivative, on the CPU."""
    import torch

    functional = torch.nn.functional
    table = {
        "identity": lambda z: z * 1,
        "log_sigmoid": functional.logsigmoid,
        "gelu_tanh": lambda z: functional.gelu(z, approximate="tanh"),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
    }
    function = table.get(name) or getattr(functional, name)

    def slope(z: Array) -> Array:
        x = torch.tensor(z, requires_grad=True)
        function(x).sum().backward()
        return x.grad.numpy()

    return lambda z: function(torch.tensor(z)).numpy(), slope


def jax_pair(name: str) -> Pair:
    """jax.nn's function and its automatic derivative, compiled, on the CPU."""
    import jax

    jax.config.update("jax_enable_x64", True)
    table = {
        "identity": lambda z: z,
        "tanh": jax.numpy.tanh,
        "gelu": lambda z: jax.nn.gelu(z, approximate=False),
        "gelu_tanh": lambda z: jax.nn.gelu(z, approximate=True),
    }
    function = table.get(name) or getattr(jax.nn, name)
    value, slope = jax.jit(function), jax.jit(jax.vmap(jax.grad(function)))
    return lambda z: np.asarray(value(z)), lambda z: np.asarray(slope(z))


def scipy_pair(name: str) -> Pair:
    """SciPy has three of the values, and no slopes."""
    from scipy import special

    table = {
        "sigmoid": special.expit,
        "log_sigmoid": special.log_expit,
        "gelu": lambda z: z * special.ndtr(z),
        "elu": lambda z: np.where(z > 0, z, special.expm1(np.minimum(z, 0))),
    }
    return table.get(name), None


def list_candidates() -> Candidates:
    """Everybody who is here."""
    peers: Candidates = {"torch": torch_pair, "jax": jax_pair, "scipy": scipy_pair}
    here = {name: pair for name, pair in peers.items() if importlib.util.find_spec(name)}
    return {"full": ours("full"), "fast": ours("fast"), **here}


def write_error(function: Callable[[Array], Any] | None, points: Array, truth: Any) -> str:
    """One cell of the table."""
    if function is None:
        return "-"
    error, _ = largest_error(function, points, truth)
    return f"{error:.2g}" if error < 99.5 else f"{error:.0e}".replace("e+", "e") if np.isfinite(error) else "NaN"


def print_table(count: int, names: list[str]) -> None:
    """Two tables, float64 and float32: value / slope."""
    candidates = list_candidates()
    warnings.simplefilter("ignore")
    for dtype in (np.float64, np.float32):
        print(f"\n{np.dtype(dtype).name}: largest error in ulps of f / f', about {count:,} points")
        print(f"{'':<12}" + "".join(f"{name:>18}" for name in candidates), flush=True)
        for name in names:
            points, *truths = reference(name, count, dtype)
            cells = []
            for find in candidates.values():
                pair = find(name)
                cells.append(" / ".join(write_error(f, points, t) for f, t in zip(pair, truths, strict=True)))
            print(f"{name:<12}" + "".join(f"{cell:>18}" for cell in cells), flush=True)
            reference.cache_clear()


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    chosen = [word for word in sys.argv[1:] if not word.isdigit()]
    print_table(numbers[0] if numbers else POINTS, chosen or list(NAMES))
