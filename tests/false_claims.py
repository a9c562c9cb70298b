"""Claims of known truth, drawn fresh, for the prover and the checker of certificates: nothing false may be proved.

`python tests/false_claims.py [--claims 100000] [--seed 0]` prints, for each kind of claim, how many were
drawn, how many false ones were proved or confirmed (that must be 0), and how many true ones were not. Half of the
claims are true.

The truth is known by construction: exact fractions, a hole that is put into the domain, a spike of known height, a
network whose target is the network itself.
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

import sympy

from backprop.approximation.checking import check_certificate
from backprop.approximation.proving.prover import IntervalClaim, prove
from backprop.errors import UsageError
from theory.functions.elementwise import transcribe
from theory.functions.values import ContinuedFunction

BOXES, TERMS = 400, 800
"""What the prover may spend on one claim."""
SMOOTH = ("tanh(x)", "1/(1 + exp(-x))", "x*(1 + erf(x/sqrt(2)))/2", "sin(x)", "log(1 + exp(x))", "atan(x)")
BENT = ("max(0, x)", "max(x, x/100)", "|x|", "min(x, 1)", "(x <= 0)*(exp(x) - 1) + (x > 0)*x")


class Drawn(NamedTuple):
    """A claim as a file states it, and whether it is true."""

    target: str
    activation: str
    units: tuple[tuple[float, float, float], ...]
    constant: float
    domain: tuple[float, float]
    epsilon: float
    edges: tuple[float, ...]
    is_true: bool
    continued_at: tuple[float, ...] = ()


def write_fraction(number: Fraction) -> str:
    """An exact fraction by the grammar; long parts in pieces."""
    return f"({_write_whole(number.numerator)}/{_write_whole(number.denominator)})"


def _write_whole(number: int) -> str:
    if abs(number) < 10**30:
        return f"({number})" if number < 0 else str(number)
    high, low = divmod(abs(number), 10**30)
    return f"({'-' * (number < 0)}({_write_whole(high)}*1e30 + {low}))"


def choose_epsilon(rng: random.Random, size: Fraction, is_true: bool) -> float:
    """Above or below a largest error, by much or by little."""
    margin = Fraction(rng.choice([3, 30, 300, 3000]), 10_000)
    return float(size * (1 + margin)) if is_true else float(size / (1 + margin))


def claim_zero(text: str, epsilon: float, is_true: bool) -> Drawn:
    """A function of x on [0, 1] against the network that is 0."""
    return Drawn(text, "x", (), 0.0, (0.0, 1.0), epsilon, (0.0, 1.0), is_true)


def about(rng: random.Random, text: str, size: Fraction, is_true: bool) -> Drawn:
    """A function that is size * x on [0, 1]: against a network that is 0, or as the activation against 0."""
    epsilon = choose_epsilon(rng, size, is_true)
    if rng.random() < 0.5:
        return claim_zero(text, epsilon, is_true)
    return Drawn("0*x", text, ((1.0, 0.0, 1.0),), 0.0, (0.0, 1.0), epsilon, (0.0, 1.0), is_true)


def draw_cancellation(rng: random.Random, is_true: bool) -> Drawn:
    """Huge numbers that cancel, and decimals that no float can hold."""
    size = Fraction(rng.randint(1, 999), rng.randint(1, 999))
    digits = rng.randint(5, 34)
    power = rng.randint(0, 400)
    text = rng.choice([
        f"(1.{'0' * (digits - 1)}1 - 1)*1e{digits}*{write_fraction(size)}*x",
        f"1e-{power}*10**{power // 2}*10**{power - power // 2}*{write_fraction(size)}*x",
        f"(1e{digits} + {write_fraction(size)}*x - 1e{digits})",
        f"((x + 1e{digits})**2 - x**2 - 1e{2 * digits})/2e{digits}*{write_fraction(size)}",
    ])  # fmt: skip
    return about(rng, text, size, is_true)


def draw_order(rng: random.Random, is_true: bool) -> Drawn:
    """Which of two is larger, where floats see no difference."""
    low, high = sorted(rng.sample(range(30, 100), 2))
    size = Fraction(rng.randint(1, 99), rng.randint(1, 99))
    base = rng.choice(["1", "3", "1/3", "1e5"])
    small, large = f"{base} + x*2**-{high}", f"{base} + x*2**-{low}"
    first, second = (small, large) if rng.random() < 0.5 else (large, small)
    text = rng.choice([
        f"(max({first}, {second}) - {base})*2**{low}*{write_fraction(size)}",
        f"(min({first}, {second}) - {base})*2**{high}*{write_fraction(size)}",
        f"max(10**{low}*x, 10**{3 * high}*x)*10**-{3 * high}*{write_fraction(size)}",
        f"(|{base} + x*2**-{high}| - {base})*2**{high}*{write_fraction(size)}",
        f"({large} > {small})*{write_fraction(size)}*x",
    ])  # fmt: skip
    return about(rng, text, size, is_true)


def draw_hole(rng: random.Random, is_true: bool) -> Drawn:
    """A function without a value on a tiny part of its domain; beside it one whose argument just stays inside."""
    place = Fraction(rng.randint(1, 9999), 10_000)
    width = Fraction(1, 10 ** rng.randint(2, 12))
    gap, sign = f"(x - {write_fraction(place)})", "+" if is_true else "-"
    square = f"{gap}**2 {sign} {write_fraction(width**2)}"
    inner = rng.choice([
        f"sqrt({square})",
        f"0*log({square})",
        f"({square})**{rng.choice(['0.5', '1.5', '(1/3)', '2.25'])}",
        f"max(sqrt({square}), 0.2)",
        f"(x > 2)*sqrt({square})",
        f"0*asin(1 {'-' if is_true else '+'} {write_fraction(width**2 / 2)} - {gap}**2/4)",
    ])  # fmt: skip
    return _with_value(rng, inner, 10.0, is_true)


def draw_lost(rng: random.Random, is_true: bool) -> Drawn:
    """What a simplification would lose: a place without a value inside the domain, or outside."""
    place = Fraction(rng.randint(1, 999), 1000) if not is_true else Fraction(-rng.randint(1, 999), 1000)
    gap = f"(x - {write_fraction(place)})"
    return _with_value(rng, rng.choice([
        f"{gap}/{gap}",
        f"sqrt({gap})**2",
        f"exp(log({gap}))",
        f"0*log({gap})",
        f"0/{gap}",
        f"{gap}**-1*{gap}",
        f"{gap}**0.5*{gap}**0.5",
        f"sigmoid(log({gap}))",
        f"max(0*{gap}**-2, 0.3)",
        f"log({gap}**2) - 2*log(|{gap}|)" if is_true else f"log({gap})*0",
    ]), 40.0, is_true)  # fmt: skip


def _with_value(rng: random.Random, text: str, epsilon: float, is_true: bool) -> Drawn:
    """The claim that it is below a generous epsilon on [0, 1], as target or as activation."""
    if rng.random() < 0.5:
        return Drawn(text, "tanh(x)", (), 0.0, (0.0, 1.0), epsilon, (0.0, 1.0), is_true)
    return Drawn("0", text, ((1.0, 0.0, rng.choice([1.0, 0.5, 0.0])),), 0.0, (0.0, 1.0), epsilon, (0.0, 1.0), is_true)


def draw_steep(rng: random.Random, is_true: bool) -> Drawn:
    """A spike of known height, far narrower than any grid."""
    place, steep = Fraction(rng.randint(1, 9999), 10_000), 10 ** rng.randint(2, 9)
    size = Fraction(rng.randint(1, 99), rng.randint(1, 99))
    gap = f"(x - {write_fraction(place)})"
    text = rng.choice([
        f"max(0, 1 - {steep}*|{gap}|)*{write_fraction(size)}",
        f"exp(-({steep}*{gap})**2)*{write_fraction(size)}",
        f"{write_fraction(size)}/(1 + ({steep}*{gap})**2)",
        f"(1 - tanh({steep}*{gap})**2)*{write_fraction(size)}",
    ])  # fmt: skip
    epsilon = choose_epsilon(rng, size, is_true)
    return claim_zero(text, epsilon, is_true)


def draw_network(rng: random.Random, is_true: bool) -> Drawn:
    """A network against itself, written out exactly, and then one number of the file changed."""
    sigma = rng.choice(SMOOTH + BENT)
    units = tuple(tuple(rng.uniform(-3, 3) for _ in range(3)) for _ in range(rng.randint(1, 2)))
    constant, shift = rng.uniform(-2, 2), 2.0 ** -rng.randint(1, 24)
    changed = constant + rng.choice([-1, 1]) * shift
    size = abs(Fraction(changed) - Fraction(constant))
    parts = [f"{write_fraction(Fraction(c))}*{_put(sigma, w, b)}" for w, b, c in units]
    text = " + ".join([write_fraction(Fraction(constant)), *parts])
    epsilon = choose_epsilon(rng, size, is_true)
    return Drawn(text, sigma, units, changed, (0.0, 1.0), epsilon, (0.0, 1.0), is_true)


def _put(sigma: str, w: float, b: float) -> str:
    return put_argument(sigma, f"({write_fraction(Fraction(w))}*x + {write_fraction(Fraction(b))})")


def put_argument(sigma: str, inner: str) -> str:
    """An activation in x with something else in the place of x; exp and max keep their letter."""
    letters = [inner if letter == "x" and sigma[k : k + 2] != "xp" and sigma[k - 1 : k + 2] != "ax(" else letter
               for k, letter in enumerate(sigma)]  # fmt: skip
    return "(" + "".join(letters) + ")"


def draw_edges(rng: random.Random, is_true: bool) -> Drawn:
    """Boxes that cover the domain, or leave out where the error is large."""
    size = Fraction(rng.randint(1, 99), rng.randint(1, 99))
    inner = sorted(rng.sample(range(1, 64), rng.randint(1, 6)))
    edges = [0.0, *(k / 64 for k in inner), 1.0]
    epsilon = float(size) * (1.01 if is_true else edges[-2])
    if not is_true:
        where = rng.randrange(3)
        edges = [edges[:-1], [*edges[:-1], edges[-2], 1.0], [*edges[:-2], 1.0, edges[-2]]][where]
    return Drawn(f"{write_fraction(size)}*x", "x", (), 0.0, (0.0, 1.0), epsilon, tuple(edges), is_true)


def draw_identity(rng: random.Random, is_true: bool) -> Drawn:
    """Two ways to write one function, and beside their difference, 0, a multiple of x."""
    size = Fraction(rng.randint(1, 99), rng.randint(1, 99))
    u = rng.choice(["(x + 1)", "(x + 5/2)", "(3*x + 2)"])
    z = f"({write_fraction(Fraction(rng.choice([1, 30, 300, 5000]) * rng.choice([-1, 1])))}*(x - 1/3))"
    text = rng.choice([
        f"log(1 + exp({z})) - log(1 + exp(-{z})) - {z}",
        f"1/(1 + exp({z})) + 1/(1 + exp(-{z})) - 1",
        f"log(1/(1 + exp({z}))) + log(1 + exp({z}))",
        "asinh(x - 1/2) - log(x - 1/2 + sqrt((x - 1/2)**2 + 1))",
        "acosh(x + 2) - log(x + 2 + sqrt((x + 2)**2 - 1))",
        "atanh(x/2) - log((1 + x/2)/(1 - x/2))/2",
        f"gamma({u} + 1) - {u}*gamma({u})",
        f"lgamma({u} + 1) - lgamma({u}) - log({u})",
        "gamma(x/2 - 7/4)*(x/2 - 7/4) - gamma(x/2 - 3/4)" if rng.random() < 0.5 else f"exp(lgamma({u})) - gamma({u})",
        f"erfc({u}) + erf({u}) - 1",
        f"atan2({u}, 2) - atan({u}/2)",
        "sinc(x)*pi*x - sin(pi*x)",
        f"cbrt({u})**3 - {u}",
        f"hypot({u}, 3)**2 - {u}**2 - 9",
        "sec(x)*cos(x) - csc(x + 1)*sin(x + 1)",
        f"10**log10({u}) - 2**log2({u})",
        "logit(expit(x)) - x",
        "log1p(expm1(x)) - x",
        "floor(x/2 + 1/4) + ceil(-x/2 - 1/4)",
        "mod(x/2, 3) - x/2",
        "clip(x, -1, 2) - x",
        "where(x > -1, x, 1e9) - x",
        "(0 <= x <= 1) - 1",
    ])  # fmt: skip
    return about(rng, f"({text}) + {write_fraction(size)}*x", size, is_true)


def draw_tie(rng: random.Random, is_true: bool) -> Drawn:
    """Two branches that touch in the middle of the first box: which of them the box is on is not seen there."""
    size = Fraction(rng.randint(1, 99), rng.randint(1, 99))
    gap, steep = "(x - 1/2)", 4 * size
    square = f"{write_fraction(steep)}*{gap}**2"
    text = rng.choice([
        f"|-({square})|", f"max(0, {square})", f"-min(0, -({square}))", f"max(-({square}), {square})",
        f"|{square}|*sign(1)", f"where(x < 1/2, {square}, |-({square})|)",
    ])  # fmt: skip
    units = ((1.0, -0.5, float(Fraction(rng.choice([0, -1, -2])))),)
    worst = size - Fraction(units[0][2]) / 4  # at both ends
    epsilon = choose_epsilon(rng, worst, is_true)
    return Drawn(text, "x**2", units, 0.0, (0.0, 1.0), epsilon, (0.0, 1.0), is_true)


def draw_window(rng: random.Random, is_true: bool) -> Drawn:
    """A window far narrower than any box, where a function has another value."""
    place, width = Fraction(rng.randint(1, 9998), 10_000), Fraction(1, 10 ** rng.randint(2, 12))
    size = Fraction(rng.randint(1, 99), rng.randint(1, 99))
    low, high = write_fraction(place), write_fraction(place + width)
    text = rng.choice([
        f"where({low} < x < {high}, {write_fraction(size)}, 0)",
        f"({low} <= x <= {high})*{write_fraction(size)}",
        f"heaviside(x - {low})*heaviside({high} - x)*{write_fraction(size)}",
        f"where(x < {low}, 0, where(x > {high}, 0, {write_fraction(size)}))",
    ])  # fmt: skip
    epsilon = choose_epsilon(rng, size, is_true)
    return claim_zero(text, epsilon, is_true)


def draw_outside(rng: random.Random, is_true: bool) -> Drawn:
    """A function beyond its domain on a tiny part of [0, 1]; beside it one that just stays inside."""
    place = Fraction(rng.randint(1, 9999), 10_000)
    width = Fraction(1, 10 ** rng.randint(2, 12))
    gap, sign = f"(x - {write_fraction(place)})", "+" if is_true else "-"
    square = f"({gap}**2 {sign} {write_fraction(width**2)})"
    inner = rng.choice([
        f"0*acosh(1 + {square})",
        f"0*atanh(1 - {square} - {write_fraction(width**4)}/2)" if is_true else f"0*atanh(1 - {square})",
        f"0*log1p({square} - 1)",
        f"0*log10({square})",
        f"0*lgamma({square})",
        f"0*logit({square}/2)",
        f"where(x > -1, 0*log2({square}), 0)",
        f"0*gamma({gap}*0)" if not is_true else f"0*gamma({square} + 1/2)",
        f"0*tan(2*{gap} + pi/2)" if not is_true else f"0*tan({gap})",
        f"0*csc({gap})" if not is_true else f"0*csc({gap} + 2)",
        f"0*cot({gap})" if not is_true else f"0*sec({gap})",
        f"mod(0, {gap})" if not is_true else f"mod(0, {gap} + 2)",
    ])  # fmt: skip
    return _with_value(rng, inner, 10.0, is_true)


def draw_continued(rng: random.Random, is_true: bool) -> Drawn:
    """A function that is extended by its limit, with a known largest value; or one that has no limit."""
    size = Fraction(rng.randint(1, 99), rng.randint(1, 99))
    s, zero = write_fraction(size), (0.0,)
    if not is_true and rng.random() < 0.5:
        text, domain = rng.choice([
            (f"{s}*|x|/x", (-1.0, 1.0)), ("sin(1/x)", (0.0, 1.0)), ("exp(-1/x)", (-1.0, 1.0)), ("0*(1/x)", (0.0, 1.0)),
            ("0*log(x)", (0.0, 1.0)), ("0*cos(x)/x", (-1.0, 1.0)), ("0*sin(x)/x**2", (-1.0, 1.0)),
        ])  # fmt: skip
        return Drawn(text, "x", (), 0.0, domain, 200.0, domain, False, zero)
    text = rng.choice([
        f"sin(x)/x*{s}", f"tanh(x)/x*{s}", f"{s}*2*(1 - cos(x))/x**2", f"{s}*log(1 + x)/x", f"{s}*x/(exp(x) - 1)",
        f"{s}*atan(x)/x", f"{s}*x**x", f"{s}*(1 + x*log(x))",
    ])  # fmt: skip
    epsilon = choose_epsilon(rng, size, is_true)
    return Drawn(text, "x", (), 0.0, (0.0, 1.0), epsilon, (0.0, 1.0), is_true, zero)


KINDS: dict[str, Callable[[random.Random, bool], Drawn]] = {
    "huge numbers cancel": draw_cancellation,
    "order of ends": draw_order,
    "hole in the domain": draw_hole,
    "lost condition": draw_lost,
    "steep piece": draw_steep,
    "changed network": draw_network,
    "boxes": draw_edges,
    "two ways to write": draw_identity,
    "a tie in the middle": draw_tie,
    "a narrow window": draw_window,
    "outside of a domain": draw_outside,
    "continued": draw_continued,
}


COSTLY = ("changed network", "steep piece")
"""Drawn half as often as the others."""


def list_claims(count: int, seed: int) -> list[tuple[str, Drawn]]:
    """So many claims, every other one true, the kinds in turn."""
    rng, turns = random.Random(seed), [kind for kind in KINDS for _ in range(1 if kind in COSTLY else 2)]
    return [(turns[k // 2 % len(turns)], KINDS[turns[k // 2 % len(turns)]](rng, k % 2 == 0)) for k in range(count)]


def is_proved(drawn: Drawn) -> bool:
    """What the prover says."""
    w, b, c = zip(*drawn.units, strict=True) if drawn.units else ((), (), ())
    target = transcribe(drawn.target)
    if drawn.continued_at:
        target = ContinuedFunction(target, *(sympy.Rational(point) for point in drawn.continued_at))
    claim = IntervalClaim(target, transcribe(drawn.activation), w, b, c, drawn.constant, drawn.domain)
    return prove(claim, drawn.epsilon, most_boxes=BOXES, most_terms=TERMS).verdict == "proved"


def is_confirmed(drawn: Drawn, folder: Path) -> bool:
    """What the checker says of the file that claims it."""
    file = folder / "claim.json"
    file.write_text(json.dumps(_make_file(drawn)))
    try:
        return check_certificate(file).ok
    except UsageError:
        return False


def _make_file(drawn: Drawn) -> dict[str, Any]:
    hidden = {name: [unit[k] for unit in drawn.units] for k, name in enumerate("wbc")}
    proof = {"verdict": "proved", "epsilon": drawn.epsilon, "bound": drawn.epsilon / 2, "edges": list(drawn.edges)}
    return {"target": drawn.target, "activation": drawn.activation, "domain": list(drawn.domain), "hidden": hidden,
            "constant": drawn.constant, "certificate": proof, "continued_at": list(drawn.continued_at)}  # fmt: skip


def run(count: int, seed: int) -> Counter[tuple[str, str]]:
    """How often each kind of claim was drawn, and what came of it."""
    found: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        for kind, drawn in list_claims(count, seed):
            answers = {"confirmed": is_confirmed(drawn, Path(name))}
            if kind != "boxes":  # the prover makes its own
                answers["proved"] = is_proved(drawn)
            count_answers(found, kind, drawn, answers)
    return found


def count_answers(found: Counter[tuple[str, str]], kind: str, drawn: Any, answers: dict[str, bool]) -> None:
    """One claim more, which is true or not (`is_true`), and what was said of it; a false answer is printed."""
    found[kind, f"{'true' if drawn.is_true else 'false'} drawn"] += 1
    for answer, said in answers.items():
        wrong = f"false {answer}" if not drawn.is_true else f"true not {answer}"
        found[kind, wrong] += said != drawn.is_true
        if said and not drawn.is_true:
            print("FALSE", answer, drawn, flush=True)


def main() -> None:
    """Draw, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    began = time.perf_counter()
    found = run(wanted.claims, wanted.seed)
    columns = ("true drawn", "true not proved", "true not confirmed", "false drawn", "false proved", "false confirmed")
    print(f"{'kind':<22}" + "".join(f"{column:>20}" for column in columns))
    for kind in [*KINDS, "all"]:
        sums = [
            sum(n for (one, what), n in found.items() if what == column and kind in (one, "all")) for column in columns
        ]
        print(f"{kind:<22}" + "".join(f"{n:>20,}" for n in sums))
    print(f"seed {wanted.seed}, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
