"""The named targets on [0, 1]: widths, proved errors, boxes and seconds.

`python tests/benchmarks/approximation.py [PART ...]`; parts: proved, small, reached, relu; all if none is named.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from speed import restrict

TARGETS = ("sine", "square", "kink", "root", "runge", "wave", "oscillator", "planck")
SMOOTH = ("sine", "square", "runge", "wave", "oscillator", "planck")
WIDEST = ("sine", "runge", "wave")
WIDTHS = (8, 16, 32, 64, 128)


def print_proved(names: tuple[str, ...], epsilon: float) -> None:
    """The tanh networks that are grown until their error is proved to be below epsilon."""
    import backprop

    print(f"\ntanh, error proved below {epsilon:g}\ntarget       width  proved bound  boxes  seconds")
    whole = time.perf_counter()
    for name in names:
        began = time.perf_counter()
        found = backprop.approximate(name, epsilon=epsilon, certify=True)
        seconds = time.perf_counter() - began
        proof = found.certificate
        bound = f"{proof.bound:.3e}" if found.reached else "not proved"
        print(
            f"{name:<12} {found.width:5d}  {bound:<12}  {max(len(proof.edges) - 1, 0):5d}  {seconds:7.1f}", flush=True
        )
    print(f"all {time.perf_counter() - whole:.1f} s")


def print_reached(names: tuple[str, ...]) -> None:
    """The largest error on the grid at each width, and what is proved of the widest network."""
    import backprop
    from backprop.approximation import certify

    heads = "".join(f"{width:>10}" for width in WIDTHS)
    print(f"\ntanh, largest error on the grid\ntarget       {heads}    proved  boxes  seconds")
    for name in names:
        began = time.perf_counter()
        found = [backprop.approximate(name, width=width) for width in WIDTHS]
        proof = certify(found[-1]).certificate
        seconds = time.perf_counter() - began
        errors = "".join(f"{one.sup_error:10.1e}" for one in found)
        print(f"{name:<13}{errors}{proof.bound:10.1e}  {len(proof.edges) - 1:5d}  {seconds:7.1f}", flush=True)


def print_relu(names: tuple[str, ...], epsilon: float) -> None:
    """The least ReLU width, proved from both sides."""
    from backprop.approximation.survey import survey_relu_widths

    print(f"\nReLU, within {epsilon:g}\ntarget       least  enough  proved bound  boxes  law     seconds")
    whole = time.perf_counter()
    for name in names:
        (target,) = survey_relu_widths([name], [epsilon])
        (row,) = target.widths
        law, bound = target.expect_width(epsilon), "not proved" if row.bound is None else f"{row.bound:.3e}"
        print(
            f"{name:<12} {row.lower!s:>5}  {row.upper!s:>6}  {bound:<12}  {row.boxes:5d}  "
            f"{'-' if law is None else f'{law:.1f}':<6}  {row.seconds:7.1f}",
            flush=True,
        )
    print(f"all {time.perf_counter() - whole:.1f} s")


PARTS: dict[str, Callable[[], None]] = {
    "proved": lambda: print_proved(TARGETS, 1e-3),
    "small": lambda: print_proved(SMOOTH, 1e-6),
    "reached": lambda: print_reached(WIDEST),
    "relu": lambda: print_relu(TARGETS, 1e-3),
}


def main() -> None:
    """Print the tables."""
    restrict(1)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main()
