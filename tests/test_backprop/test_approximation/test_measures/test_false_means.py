"""Claims about means whose truth is known exactly: integrals of polynomials between rational breaks, in fractions.

`PYTHONPATH=. python tests/test_backprop/test_approximation/test_measures/test_false_means.py 2000` draws as many.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
import sympy

from backprop.approximation.checking import check_certificate
from backprop.approximation.measures.density import read_density
from backprop.approximation.measures.proving import enclose_mean_square
from backprop.approximation.proving.prover import IntervalClaim
from backprop.errors import UsageError
from theory.functions.elementwise import transcribe

X = sympy.Symbol("x")
CLAIMS, SEED = 8, 20
BOXES, TERMS = 300, 4000
LOOSE = 1.02
"""A true claim leaves that much room; a false one is false by 1e-1 down to 1e-12 of itself."""
NEARLY = 1e-15


class Drawn(NamedTuple):
    """F, p and f as they are written and as polynomials on the pieces between some edges."""

    target: str
    density: str
    units: tuple[tuple[float, float, float], ...]
    constant: float
    edges: tuple[Fraction, ...]
    exact: float
    """The root of the integral on [0, 1]."""
    is_density: bool


def draw(rng: random.Random) -> Drawn:
    """A claim with ReLU units, a target with a jump or a bend, a density with zeros, jumps or a dip."""

    def whole(most: int) -> Fraction:
        return Fraction(rng.randint(-most, most), rng.choice((1, 2, 4, 8)))

    place, other = Fraction(rng.randint(1, 15), 16), Fraction(rng.randint(1, 15), 16)
    a, b, c = whole(4), whole(4), whole(4)
    targets = {
        f"({a})*x**2 + ({b})*x + ({c})": lambda u: a * X**2 + b * X + c,
        f"({a})*x**3 + ({b})*(x > {place})": lambda u: a * X**3 + (b if u > place else 0),
        f"({a})*|x - {place}| + ({c})": lambda u: a * abs(u - place) / (u - place) * (X - place) + c,
    }
    dip = Fraction(1, 10 ** rng.randint(2, 9)) if rng.random() < 0.25 else Fraction(0)
    densities = {
        f"(x - {other})**2 - {dip}": lambda u: (X - other) ** 2 - dip,
        f"x*(1 - x) - {dip}": lambda u: X * (1 - X) - dip,
        f"(x > {other}) + x - {dip}": lambda u: (1 if u > other else 0) + X - dip,
        f"2 - x - {dip}": lambda u: 2 - X - dip,
    }
    target, F = rng.choice(list(targets.items()))
    density, p = rng.choice(list(densities.items()))
    units = tuple(
        (float(rng.choice((-2, -1, 1, 2))), float(whole(2)), float(whole(3))) for _ in range(rng.randint(0, 3))
    )
    constant = float(whole(3))
    kinks = {-Fraction(shift) / Fraction(w) for w, shift, _ in units}
    edges = sorted({Fraction(0), Fraction(1), place, other, *(kink for kink in kinks if 0 < kink < 1)})
    total = sympy.Integer(0)
    for low, high in pairwise(edges):
        middle = (low + high) / 2
        network = sympy.Rational(constant) + sum(
            sympy.Rational(c_k) * (sympy.Rational(w) * X + sympy.Rational(shift))
            for w, shift, c_k in units
            if Fraction(w) * middle + Fraction(shift) > 0
        )
        square = sympy.expand(sympy.sympify(p(middle)) * (sympy.sympify(F(middle)) - network) ** 2)
        total += sympy.integrate(square, (X, sympy.Rational(low), sympy.Rational(high)))
    exact = float(sympy.sqrt(total).evalf(30)) if total >= 0 else math.nan
    return Drawn(target, density, units, constant, tuple(edges), exact, is_density=dip == 0 or density.startswith("2"))


def prove(drawn: Drawn, epsilon: float | None):
    """The verdict of the prover; None if the density is refused before."""
    w, b, c = zip(*drawn.units, strict=True) if drawn.units else ((), (), ())
    claim = IntervalClaim(
        transcribe(drawn.target), transcribe("max(0, x)"), w, b, c, drawn.constant, (0.0, 1.0),
        tuple(float(edge) for edge in drawn.edges),
    )  # fmt: skip
    try:
        density = read_density(drawn.density, (0.0, 1.0))
    except UsageError:
        return None
    return enclose_mean_square(claim, density, 1.0, epsilon, most_boxes=BOXES, most_terms=TERMS)


def confirm(drawn: Drawn, epsilon: float, edges, path: Path) -> bool:
    """Whether the checker confirms the claim as a file states it."""
    proof = {"verdict": "proved", "epsilon": epsilon, "bound": epsilon, "edges": list(edges)}
    hidden = {name: [unit[k] for unit in drawn.units] for k, name in enumerate("wbc")}
    data = {"target": drawn.target, "measure": drawn.density, "activation": "relu", "domain": [0.0, 1.0],
            "hidden": hidden, "constant": drawn.constant, "mean_square_certificate": proof}  # fmt: skip
    path.write_text(json.dumps(data))
    return check_certificate(path).ok


def judge(rng: random.Random, path: Path) -> list[str]:
    """What is wrong with the answers to one claim."""
    drawn = draw(rng)
    if not drawn.exact > NEARLY:
        return []
    wrong = []
    shorter = drawn.exact * (1 - 10.0 ** -rng.randint(1, 12))
    edges = [float(edge) for edge in drawn.edges]
    found = prove(drawn, shorter)
    if found is not None and found.verdict == "proved":
        wrong.append(f"proved {shorter} of {drawn}")
    if confirm(drawn, shorter, rng.choice((edges, [0.0, 1.0])), path):
        wrong.append(f"confirmed {shorter} of {drawn}")
    enough = LOOSE * drawn.exact
    found = prove(drawn, enough)
    if drawn.is_density:
        if found is None or found.verdict != "proved" or not found.root_at_least <= drawn.exact <= found.bound:
            wrong.append(f"{found} for {enough} of {drawn}")
        elif not confirm(drawn, enough, found.edges, path):
            wrong.append(f"not confirmed: {enough} of {drawn}")
    elif (found is not None and found.verdict == "proved") or confirm(drawn, 100 * enough, edges, path):
        wrong.append(f"a density that dips was taken: {drawn}")
    return wrong


@pytest.mark.parametrize("part", range(2))
def test_nothing_false_is_proved_or_confirmed_and_what_is_true_is(part, tmp_path):
    rng = random.Random(f"{SEED} {part}")
    assert [wrong for _ in range(CLAIMS) for wrong in judge(rng, tmp_path / "claim.json")] == []


def main(count: int, seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        wrong = [line for _ in range(count) for line in judge(rng, Path(folder) / "claim.json")]
    print(f"{count} claims, {len(wrong)} answers wrong", *wrong[:20], sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SEED)
