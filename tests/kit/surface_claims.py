"""Claims of known truth about functions of two variables, drawn fresh: nothing false may be proved, or confirmed.

`PYTHONPATH=.:tests python tests/kit/surface_claims.py [--claims 10000] [--seed 0]` prints what `false_claims.py`
does for one variable. The truth is known by construction: a spike of known height, a line without a value, a network
whose target is the network itself, a function that leans out of the direction that its file states.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from false_claims import BENT, SMOOTH, choose_epsilon, count_answers, put_argument, write_fraction

from backprop.approximation.checking import check_certificate
from backprop.approximation.ground.outcome import ShallowNetwork
from backprop.approximation.surfaces.claims import SurfaceClaim
from backprop.approximation.surfaces.proving import prove_surface
from backprop.approximation.surfaces.ridges import find_direction
from backprop.errors import UsageError
from theory.functions.elementwise import transcribe

BOXES = 120
"""What the prover may spend on one claim."""
SECONDS = 4.0
"""What the checker may."""
QUARTERS = "xyx..x..yx..x.."
"""Eight boxes."""
UNIT_SQUARE = ((0.0, 1.0), (0.0, 1.0))


class Drawn(NamedTuple):
    """A claim as a file states it, and whether it is true."""

    target: str
    activation: str
    units: tuple[tuple[float, float, float, float], ...]
    constant: float
    epsilon: float
    is_true: bool
    along: tuple[int, int] | None = None
    edges: tuple[float, ...] = ()


def _draw_size(rng: random.Random) -> Fraction:
    return Fraction(rng.randint(1, 99), rng.randint(1, 99))


def _draw_gaps(rng: random.Random) -> tuple[str, str]:
    places = [write_fraction(Fraction(rng.randint(1, 9999), 10_000)) for _ in "xy"]
    return f"(x - {places[0]})", f"(y - {places[1]})"


def draw_spike(rng: random.Random, is_true: bool) -> Drawn:
    """A spike of known height, narrower than a grid."""
    size, steep, (u, v) = _draw_size(rng), 10 ** rng.randint(1, 7), _draw_gaps(rng)
    text = rng.choice([
        f"max(0, 1 - {steep}*(|{u}| + |{v}|))",
        f"exp(-{steep}*({u}**2 + {v}**2))",
        f"1/(1 + {steep}*({u}**2 + {v}**2))",
        f"where({u}**2 + {v}**2 < {write_fraction(Fraction(1, steep**2))}, 1, 0)",
    ])  # fmt: skip
    return Drawn(f"{text}*{write_fraction(size)}", "x", (), 0.0, choose_epsilon(rng, size, is_true), is_true)


def draw_hole(rng: random.Random, is_true: bool) -> Drawn:
    """A line, or a point, without a value; beside it a function whose argument just stays inside."""
    width = Fraction(1, 10 ** rng.randint(2, 9))
    (u, v), sign = _draw_gaps(rng), "+" if is_true else "-"
    square = f"({rng.choice([u, v, f'({u} + {v})', f'({u} - 2*{v})'])}**2 {sign} {write_fraction(width**2)})"
    text = rng.choice([f"0*sqrt({square})", f"0*log({square})", f"0/{square}" if not is_true else f"0*exp({square})",
                       f"max(sqrt({square}), 1/5)", f"0*acosh(1 + {square})"])  # fmt: skip
    return Drawn(text, "tanh(x)", (), 0.0, 20.0, is_true)


def draw_network(rng: random.Random, is_true: bool) -> Drawn:
    """A network against itself, written out exactly, and then its constant changed."""
    sigma = rng.choice(SMOOTH + BENT[:2])
    units = tuple(tuple(rng.uniform(-2, 2) for _ in range(4)) for _ in range(rng.randint(1, 2)))
    constant, shift = rng.uniform(-2, 2), 2.0 ** -rng.randint(0, 5)
    changed = constant + rng.choice([-1, 1]) * shift
    parts = [f"{write_fraction(Fraction(c))}*{_put(sigma, p, q, b)}" for p, q, b, c in units]
    text = " + ".join([write_fraction(Fraction(constant)), *parts])
    epsilon = choose_epsilon(rng, abs(Fraction(changed) - Fraction(constant)), is_true)
    return Drawn(text, sigma, units, changed, epsilon, is_true)


def _put(sigma: str, p: float, q: float, b: float) -> str:
    exact = [write_fraction(Fraction(part)) for part in (p, q, b)]
    return put_argument(sigma, f"({exact[0]}*x + {exact[1]}*y + {exact[2]})")


def draw_along(rng: random.Random, is_true: bool) -> Drawn:
    """A spike along a line, stated of p x + q y; or one that leans, or boxes that do not cover."""
    p, q = rng.choice([(1, -1), (1, 1), (2, 3), (3, -2), (1, 4)])
    low, high = min(0, q), p + max(0, q)
    size, steep = _draw_size(rng), rng.choice([1, 2, 5])
    place = write_fraction(Fraction(rng.randint(1, 99), 100) * (high - low) + low)
    lean = "" if is_true else rng.choice(["", "", f" + y*{write_fraction(2 * size)}", " + 0*x"])
    inner = f"({p}*x + {q}*y - {place}{' + y/7' if lean == ' + 0*x' else ''})"
    text = rng.choice([f"exp(-{steep}*{inner}**2)", f"max(0, 1 - {steep}*|{inner}|)", f"1/(1 + {steep}*{inner}**2)"])
    edges = [low + (high - low) * k / 16 for k in range(17)]
    units, epsilon = ((float(p), float(q), 0.0, 0.0),), choose_epsilon(rng, size, is_true or lean != "")
    if not is_true and lean == "" and rng.random() < 0.5:
        epsilon = choose_epsilon(rng, size, True)
        edges = rng.choice([edges[:-1], edges[1:], [*edges[:4], *edges[3:]]])
    if not is_true and lean:
        epsilon = float(size)  # exceeded where y adds to it, or not stated of this direction
    return Drawn(f"{text}*{write_fraction(size)}{lean}", "tanh(x)", units, 0.0, epsilon, is_true, (p, q), tuple(edges))


KINDS: dict[str, Callable[[random.Random, bool], Drawn]] = {
    "spike": draw_spike,
    "hole": draw_hole,
    "changed network": draw_network,
    "along a direction": draw_along,
}


def list_claims(count: int, seed: int) -> list[tuple[str, Drawn]]:
    """So many claims, every other one true, the kinds in turn."""
    rng, kinds = random.Random(seed), list(KINDS)
    return [(kinds[k // 2 % len(kinds)], KINDS[kinds[k // 2 % len(kinds)]](rng, k % 2 == 0)) for k in range(count)]


def is_proved(drawn: Drawn) -> bool:
    """What the prover says of the rectangle."""
    rows = np.array(drawn.units).reshape(-1, 4)
    network = ShallowNetwork(rows[:, :2], rows[:, 2], rows[:, 3], drawn.constant)
    claim = SurfaceClaim(transcribe(drawn.target, ("x", "y")), transcribe(drawn.activation), network, UNIT_SQUARE)
    return prove_surface(claim, drawn.epsilon, most_boxes=BOXES).verdict == "proved"


def is_confirmed(drawn: Drawn, folder: Path) -> bool:
    """What the checker says of the file that claims it."""
    file = folder / "claim.json"
    file.write_text(json.dumps(_make_file(drawn)))
    try:
        return check_certificate(file, timeout=SECONDS).ok
    except UsageError:
        return False


def _make_file(drawn: Drawn) -> dict[str, Any]:
    hidden = {"w": [list(unit[:2]) for unit in drawn.units], "b": [unit[2] for unit in drawn.units],
              "c": [unit[3] for unit in drawn.units]}  # fmt: skip
    proof: dict[str, Any] = {"verdict": "proved", "epsilon": drawn.epsilon, "bound": drawn.epsilon / 2}
    proof |= {"cuts": QUARTERS} if drawn.along is None else {"along": list(drawn.along), "edges": list(drawn.edges)}
    return {"target": drawn.target, "activation": drawn.activation, "domain": [list(side) for side in UNIT_SQUARE],
            "hidden": hidden, "constant": drawn.constant, "certificate": proof}  # fmt: skip


def is_stated_badly(drawn: Drawn) -> bool:
    """Whether only what the file states beside the function is wrong: the prover, which makes its own, is not asked."""
    return drawn.along is not None and not drawn.is_true


def run(count: int, seed: int) -> Counter[tuple[str, str]]:
    """How often each kind of claim was drawn, and what came of it."""
    found: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        for kind, drawn in list_claims(count, seed):
            answers = {"confirmed": is_confirmed(drawn, Path(name))}
            if not is_stated_badly(drawn):
                answers["proved"] = is_proved(drawn)
            if drawn.along is not None and drawn.is_true:
                answers["direction found"] = find_direction(transcribe(drawn.target, ("x", "y"))) == drawn.along
            count_answers(found, kind, drawn, answers)
    return found


def main() -> None:
    """Draw, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    began = time.perf_counter()
    for (kind, what), n in sorted(run(wanted.claims, wanted.seed).items()):
        print(f"{kind:<22}{what:<26}{n:>10,}")
    print(f"seed {wanted.seed}, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
