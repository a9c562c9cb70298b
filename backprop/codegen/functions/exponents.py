"""Exponents in two parts, one of them without any rounding: exp(-phi) keeps its digits where phi is large.

exp(-s - c) = exp(-s) (1 + expm1(-c)).  With p = high + low, high a multiple of 2**-k, the powers of high and short
parts of the coefficients multiply exactly; all that is rounded is collected in c, which is small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import mpmath
import sympy
from sympy import Expr, Integer, Rational

from theory.functions.accurate_forms import TAU, R, Root
from theory.functions.decays import Decay
from theory.functions.half_line import P
from theory.functions.values import evaluate_precisely, to_rational

__all__ = ["Constants", "Exponent", "round_number", "split_exponent"]

SUM, PRODUCT, ATOM = range(3)
VANISHED = 760  # exp(-760) times anything that occurs is below every float
GRID_BITS = 43  # behind the point: s < 2**10 has no more, so that it is a float
MOST_BITS = 20  # behind the point, of `high`
FLOAT_BITS = 53
DIGITS = 50
LONG = 40  # characters of a constant's meaning, at most


def round_number(expr: Expr) -> float:
    """The float nearest to a number."""
    if isinstance(expr, Rational):
        return int(expr.p) / int(expr.q)
    return float(evaluate_precisely(expr, Integer(0), DIGITS))


@dataclass
class Constants:
    """Numbers with local names: c1, c2, ..., each positive and written once."""

    known: dict[float, tuple[str, str]] = field(default_factory=dict)

    def write(self, expr: Expr, root: Root | None = None) -> tuple[str, int]:
        """A positive number: a short integer or fraction as itself, anything else by name."""
        if root is not None:
            expr = expr.subs({R: root.place, TAU: root.decay})
        if isinstance(expr, Rational) and expr.q == 1 and abs(expr.p) < 2**20:
            return str(expr), ATOM if expr >= 0 else SUM
        value = round_number(expr)
        meaning = "" if root is not None or len(str(expr)) > LONG else str(expr)
        is_exact = isinstance(expr, Rational) and Rational(value) == expr
        text = self.name(abs(value), "exactly this" if is_exact else meaning)
        return (text, ATOM) if value >= 0 else (f"-{text}", SUM)

    def name(self, value: float, meaning: str = "") -> str:
        """The name of a number."""
        value = abs(value)
        return self.known.setdefault(value, (f"c{len(self.known) + 1}", meaning))[0]

    def lines(self) -> list[str]:
        """Their definitions."""
        return [f"{name} = {value!r}" + (f"  # {why}" if why else "") for value, (name, why) in self.known.items()]


@dataclass(frozen=True)
class Exponent:
    """phi(p) = main + rest: the texts, and the lines that come before; p is cut off at `until`."""

    until: int
    main: str
    level: int
    rest: str = ""
    powers: tuple[Expr, ...] = ()
    bits: int = 0

    def write(self, constants: Constants) -> list[str]:
        """The lines that define s and c."""
        if not self.rest:
            return []
        return write_split(self.powers, self.bits, constants)


def split_exponent(decay: Decay) -> Exponent:
    """Plan the two parts of phi.

    >>> from theory.functions.half_line import P
    >>> split_exponent(Decay(2 * P)).main, split_exponent(Decay(P**2 / 2)).rest
    ('2 * p', 'c')
    """
    until = find_end(decay.exponent)
    rate = decay.rate
    if isinstance(rate, Rational) and all(n & (n - 1) == 0 for n in (int(rate.p), int(rate.q))):
        text = "p" if rate == 1 else f"{rate.p} * p" if rate.q == 1 else f"p / {rate.q}"
        return Exponent(until, text, ATOM if rate == 1 else PRODUCT)
    powers = tuple(sympy.Poly(decay.exponent, P).all_coeffs()[::-1])
    degree = len(powers) - 1
    bits = min(MOST_BITS, FLOAT_BITS // degree - until.bit_length())
    return Exponent(until, "s", ATOM, "c", powers, bits)


def find_end(exponent: Expr) -> int:
    """The first integer where exp(-phi) has vanished."""
    with mpmath.workdps(DIGITS):
        high = 1
        while exponent.subs(P, high).evalf() < VANISHED:
            high *= 2
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if exponent.subs(P, middle).evalf() < VANISHED else (low, middle)
    return high


def write_split(powers: tuple[Expr, ...], bits: int, constants: Constants) -> list[str]:
    """high and low, the exact part s, and c = expm1(-the rest)."""
    unit = 2**bits
    lines = [f"high = np.rint(p * {unit}) / {unit}", "low = p - high"]
    exact, rounded = [], []
    divided = sympy.Add(*(c * sum(P**i * R ** (k - 1 - i) for i in range(k)) for k, c in enumerate(powers) if k))
    for k, coefficient in enumerate(powers):
        if coefficient == 0:
            continue
        power = " * ".join(["high"] * k)  # a product of short numbers is exact; np.power need not be
        if isinstance(coefficient, Rational) and coefficient.q & (coefficient.q - 1) == 0 and coefficient.p == 1:
            exact.append(f"{power} / {coefficient.q}" if coefficient.q > 1 else power)
            continue
        name = power
        if k > 1:
            name = "cut"
            lines += [f"power = {power}", f"cut = np.rint(power * {unit}) / {unit}"]
        scale = 2 ** (GRID_BITS - bits)
        short = Rational(math.floor(round_number(coefficient) * scale), scale)
        first = constants.name(round_number(short), "exactly this, so that products are exact")
        second = constants.name(round_number(evaluate_rest(coefficient, short)), "what it misses")
        exact.append(f"{first} * {name}")
        rounded.append(f"{second} * {'power' if k > 1 else 'high'}")
        rounded += [f"{first} * (power - cut)"] if k > 1 else []
    lines.append(f"s = {' + '.join(exact)}  # without rounding")
    slope = write_divided(divided, constants)
    lines.append(f"c = np.expm1(-({' + '.join([f'low * {slope}', *rounded])}))")
    return lines


def evaluate_rest(coefficient: Expr, short: Rational) -> Expr:
    """coefficient - short, to many digits."""
    return to_rational(evaluate_precisely(coefficient, Integer(0), DIGITS)) - short


def write_divided(divided: Expr, constants: Constants) -> str:
    """(phi(p) - phi(high)) / (p - high), a polynomial in p and high, nested in p."""
    coefficients = sympy.Poly(divided, P).all_coeffs()
    text = ""
    for coefficient in coefficients:
        inner = write_in_high(coefficient, constants)
        text = inner if not text else f"(p * {text} + {inner})" if text != "1" else f"(p + {inner})"
    return text


def write_in_high(expr: Expr, constants: Constants) -> str:
    parts = []
    for (k,), coefficient in sympy.Poly(expr, R).terms():
        number = constants.write(coefficient)[0]
        power = " * ".join(["high"] * k)
        parts.append(number if not power else power if number == "1" else f"{number} * {power}")
    return parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"
