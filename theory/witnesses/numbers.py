"""The witness's numbers: dual numbers over a prime field, and over reals of many digits."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import mpmath

__all__ = ["DIGITS", "PRIME", "Draw", "Dual", "Field", "Reals"]

PRIME = 2**61 - 1
DIGITS = 60

Dual = tuple[Any, Any]
Draw = Callable[..., Any]


class Field:
    """Exact arithmetic: GF(PRIME), where exp and log are random tables with the right derivative."""

    def random(self, rng: random.Random) -> Any:
        return rng.randrange(1, PRIME)

    def ratio(self, above: int, below: int) -> Any:
        return above * pow(below, -1, PRIME) % PRIME

    def add(self, x: Dual, y: Dual) -> Dual:
        return (x[0] + y[0]) % PRIME, (x[1] + y[1]) % PRIME

    def mul(self, x: Dual, y: Dual) -> Dual:
        return x[0] * y[0] % PRIME, (x[0] * y[1] + x[1] * y[0]) % PRIME

    def power(self, x: Dual, exponent: Any) -> Dual:
        if exponent != int(exponent):
            raise TypeError(f"a finite field has no power {exponent}; check this derivation over the reals")
        whole = int(exponent)
        if whole == 0:
            return 1, 0
        return pow(x[0], whole, PRIME), whole * pow(x[0], whole - 1, PRIME) * x[1] % PRIME

    def exp(self, x: Dual, draw: Draw) -> Dual:
        value = draw("exp", x[0])
        return value, value * x[1] % PRIME

    def log(self, x: Dual, draw: Draw) -> Dual:
        return draw("log", x[0]), pow(x[0], -1, PRIME) * x[1] % PRIME

    def same(self, x: Any, y: Any) -> bool:
        return bool(x == y)


class Reals(Field):
    """Numbers with DIGITS digits, for roots and the laws of the logarithm, which no finite field has."""

    def random(self, rng: random.Random) -> Any:
        return mpmath.mpf(rng.randrange(1, 10**6)) / (4 * 10**6)  # small: nothing saturates

    def ratio(self, above: int, below: int) -> Any:
        return mpmath.mpf(above) / below

    def add(self, x: Dual, y: Dual) -> Dual:
        return x[0] + y[0], x[1] + y[1]

    def mul(self, x: Dual, y: Dual) -> Dual:
        return x[0] * y[0], x[0] * y[1] + x[1] * y[0]

    def power(self, x: Dual, exponent: Any) -> Dual:
        if exponent == 0:
            return 1, 0
        power = mpmath.mpf(int(exponent.p)) / int(exponent.q) if hasattr(exponent, "q") else exponent
        return x[0] ** power, power * x[0] ** (power - 1) * x[1]

    def exp(self, x: Dual, draw: Draw) -> Dual:
        value = mpmath.exp(x[0])
        return value, value * x[1]

    def log(self, x: Dual, draw: Draw) -> Dual:
        return mpmath.log(x[0]), x[1] / x[0]

    def same(self, x: Any, y: Any) -> bool:
        return bool(abs(x - y) <= mpmath.mpf(10) ** (10 - DIGITS) * (1 + abs(x)))
