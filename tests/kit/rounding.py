"""Numbers that carry a bound of their rounding error: printed NumPy code runs on them unchanged and proves itself.

A `Rounded` stands for every float in a cell of inputs at once.  It has

    value      a ball that holds the result of exact arithmetic, for every input in the cell
    error      a bound of |computed - exact|, every rounding of float64 included
    quantum    q where the computed number is a multiple of 2**q (inputs, integers, exact results), or None

A sum, difference or product that needs no more than 53 bits from its quantum upwards is exact, so splittings of
numbers cost nothing here as on the machine.  Assumed, not proved: that NumPy's functions are within `ASSUMED` ulps.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from flint import arb

from backprop.codegen.functions.elementwise import write_functions
from backprop.codegen.lowering.load import load_functions
from theory.functions.elementwise import find

ASSUMED = {"exp": 0.75, "expm1": 1.0, "log1p": 1.0, "tanh": 2.0}
SMALLEST, BITS = -1074, 53
CONSTANT = re.compile(r"^    (c\d+) = (\S+)(.*)$", re.M)
EXACT = "exactly"  # how a printed constant says that nothing of it is missing, or that another constant has the rest


class Undecided(Exception):
    """A number may be zero, or may have either sign, where that matters: the cell must be cut."""


class Choices:
    """How comparisons turn out that a cell does not decide: each way is taken once, and the worst counts."""

    taken: tuple[bool, ...] = ()
    met: ClassVar[dict[Any, bool]] = {}

    @classmethod
    def choose(cls, question: Any) -> bool:
        """The way to go at an open comparison; the same one is answered the same way."""
        if question not in cls.met:
            place = len(cls.met)
            cls.met[question] = cls.taken[place] if place < len(cls.taken) else False
        return cls.met[question]

    @classmethod
    def list_runs(cls, run: Callable[[], float]) -> float:
        """The worst of all runs, at most two open comparisons each way."""
        worst = 0.0
        for cls.taken in ((), (True,), (True, True), (False, True)):
            cls.met.clear()
            worst = max(worst, run())
            if not cls.met:
                break
            if len(cls.met) > 2:
                raise Undecided
        return worst


NOTHING = arb(0)


def largest(ball: arb) -> arb:
    """An upper bound of the size."""
    return ball.abs_upper()


def half_ulp(size: arb) -> arb:
    """Half the gap between floats at a size; the size is rounded up to a float first."""
    exponent = math.frexp(math.nextafter(float(size), math.inf))[1]
    return arb(2) ** (max(exponent - BITS, SMALLEST) - 1)


def find_quantum(number: float) -> int:
    """The largest q such that 2**q divides a float."""
    if number == 0:
        return 1024
    top, bottom = float(number).as_integer_ratio()
    return (top & -top).bit_length() - 1 if bottom == 1 else 1 - bottom.bit_length() + 0


@dataclass(eq=False)
class Rounded:
    """See the module."""

    value: arb
    error: arb = NOTHING
    quantum: int | None = None
    span: tuple[float, float] | None = None  # of an input: the ends without the rounding of balls
    origin: Any = None  # (number, factor, gap): this is that number times factor, rounded to a multiple of gap

    @staticmethod
    def of(number: Any) -> Rounded:
        """A float or an integer is exact."""
        return (
            number if isinstance(number, Rounded) else Rounded(arb(float(number)), NOTHING, find_quantum(float(number)))
        )

    @staticmethod
    def cell(low: float, high: float) -> Rounded:
        """Every float from low to high, of one sign, but for the larger end, which belongs to the next cell."""
        small = min(abs(low), abs(high))
        gap = max(math.frexp(small)[1] - BITS, SMALLEST)
        span = (low, math.nextafter(high, 0.0)) if low > 0 else (math.nextafter(low, 0.0), high)
        return Rounded(arb(low).union(arb(high)), NOTHING, gap, span)

    def settle(self, value: arb, error: arb, quantum: int | None, most: arb | None = None) -> Rounded:
        """Round a result, unless it is exact; a sum is off by no more than its smaller term."""
        size = largest(value)
        if error == 0 and quantum is not None and quantum >= SMALLEST and size <= arb(2) ** (quantum + BITS):
            return Rounded(value, NOTHING, quantum)
        rounding = half_ulp(size + error)
        rounding = rounding if most is None or rounding < most else most
        return Rounded(value, largest(error + rounding), None)

    def share(self, other: Rounded) -> int | None:
        """The quantum of a sum."""
        return None if self.quantum is None or other.quantum is None else min(self.quantum, other.quantum)

    def __add__(self, other: Any) -> Rounded:
        other = Rounded.of(other)
        return self.settle(
            self.value + other.value, self.error + other.error, self.share(other), self.least_size(other)
        )

    def least_size(self, other: Rounded) -> arb:
        """The size of the smaller of two computed numbers, at most."""
        first, second = largest(self.value) + self.error, largest(other.value) + other.error
        return first if first < second else second

    def __neg__(self) -> Rounded:
        span = None if self.span is None else (-self.span[1], -self.span[0])
        return Rounded(-self.value, self.error, self.quantum, span)

    def __sub__(self, other: Any) -> Rounded:
        other = Rounded.of(other)
        if other.origin is not None and other.origin[0] is self and other.origin[1] == 1:
            return Rounded(arb(0, other.origin[2] / 2), NOTHING, self.share(other))
        error, most = self.error + other.error, self.least_size(other)
        return self.settle(self.value - other.value, error, self.share(other), most)

    def __rsub__(self, other: Any) -> Rounded:
        return Rounded.of(other) - self

    def __mul__(self, other: Any) -> Rounded:
        constant = float(other) if isinstance(other, int | float) else 0.0
        other = Rounded.of(other)
        if constant and abs(math.frexp(constant)[0]) == 0.5:
            return self.scale(constant)
        error = largest(self.value) * other.error + largest(other.value) * self.error + self.error * other.error
        quantum = None if self.quantum is None or other.quantum is None else self.quantum + other.quantum
        return self.settle(self.value * other.value, error, quantum)

    def scale(self, power: float) -> Rounded:
        """Times a power of two: exact above the subnormals."""
        quantum = None if self.quantum is None else self.quantum + math.frexp(abs(power))[1] - 1
        low = NOTHING if abs(power) > 1 or (quantum is not None and quantum >= SMALLEST) else half_ulp(NOTHING)
        number, factor, gap = self.origin or (self, 1.0, 0.0)
        return Rounded(
            self.value * power,
            largest(self.error * abs(power) + low),
            quantum,
            None,
            (number, factor * power, gap * abs(power)),
        )

    def __truediv__(self, other: Any) -> Rounded:
        if isinstance(other, int | float) and math.frexp(float(other))[0] == 0.5:
            return self.scale(1 / float(other))
        other = Rounded.of(other)
        ratio, least = self.value / other.value, other.value.abs_lower() - other.error
        if not least > 0:
            raise Undecided
        return self.settle(ratio, (self.error + largest(ratio) * other.error) / least, None)

    def __rtruediv__(self, other: Any) -> Rounded:
        return Rounded.of(other) / self

    def __pow__(self, power: int) -> Rounded:
        result = self
        for _ in range(power - 1):
            result = result * self
        return Rounded(abs(result.value) if power == 2 else result.value, result.error, result.quantum)

    __radd__, __rmul__ = __add__, __mul__

    def __abs__(self) -> Rounded:
        if self.value >= 0:
            return self
        if self.value <= 0:
            return -self
        raise Undecided

    # ---------------------------------------------------------------------------------- comparisons

    def __gt__(self, other: Any) -> bool:
        if self.span is not None and not isinstance(other, Rounded) and not self.span[0] <= other < self.span[1]:
            return bool(self.span[0] > other)
        other = Rounded.of(other)
        gap, slack = self.value - other.value, self.error + other.error
        if gap > slack:
            return True
        if gap <= -slack:
            return False
        return Choices.choose((id(self), id(other) if other.error != 0 else str(other.value)))

    def __lt__(self, other: Any) -> bool:
        if self.span is not None and not isinstance(other, Rounded) and not self.span[0] < other <= self.span[1]:
            return bool(self.span[1] < other)
        return Rounded.of(other) > self

    def __le__(self, other: Any) -> bool:
        return not self > other

    def __ge__(self, other: Any) -> bool:
        return not self < other

    # ---------------------------------------------------------------------------------- NumPy's functions

    def rint(self) -> Rounded:
        """The nearest integer, of a number without error."""
        if self.error != 0:
            raise AssertionError("only exact numbers are split")
        number, factor, _ = self.origin or (self, 1.0, 0.0)
        return Rounded(self.value + arb(0, 0.5), NOTHING, 0, None, (number, factor, 1.0))

    def apply(self, name: str, slope: arb) -> Rounded:
        """A function of NumPy's, whose derivative on the cell is within `slope`."""
        value = getattr(self.value, name)()
        spread = largest(slope) * self.error
        return Rounded(value, largest(spread + 2 * ASSUMED[name] * half_ulp(largest(value) + spread)))

    def widen(self) -> arb:
        """Where the computed number may be."""
        return self.value.union(self.value + self.error).union(self.value - self.error)

    def exp(self) -> Rounded:
        return self.apply("exp", self.widen().exp())

    def expm1(self) -> Rounded:
        return self.apply("expm1", self.widen().exp())

    def log1p(self) -> Rounded:
        return self.apply("log1p", 1 / (1 + self.widen()))

    def tanh(self) -> Rounded:
        return self.apply("tanh", 1 / self.widen().cosh() ** 2)


def load_rounded(name: str, order: str) -> Callable[[Any], Any]:
    """The printed function, run on rounded numbers: constants that are not exact carry their rounding."""
    source = write_functions(find(name), accuracy="full").text
    text = CONSTANT.sub(mark_constant, source)
    functions = load_functions(text, f"{name} on rounded numbers")
    functions["Constant"] = lambda number: pack(Rounded(arb(number), half_ulp(arb(abs(number))), None))
    for tail in [key for key in functions if key.startswith("tail_")]:
        functions[tail] = add_truncation(functions[tail])
    function: Callable[[Any], Any] = functions[order]
    return function


def pack(number: Rounded) -> Any:
    """An array of one."""
    out = np.empty(1, dtype=object)
    out[0] = number
    return out


def mark_constant(match: re.Match[str]) -> str:
    """c1 = 0.3 becomes c1 = Constant(0.3), with half an ulp of error."""
    name, number, comment = match.groups()
    return f"    {name} = {number if EXACT in comment else f'Constant({number})'}{comment}"


def add_truncation(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add the proved bound of what the polynomials cut off, which stands in the docstring."""
    bound = float(re.search(r"below (\S+)", function.__doc__ or "").group(1))  # type: ignore[union-attr]

    def evaluate(p: Any) -> Any:
        result = function(p)
        return pack(Rounded(result[0].value, largest(result[0].error + 2 * bound * largest(result[0].value))))

    return evaluate


def bound_cell(function: Callable[[Any], Any], low: float, high: float) -> float:
    """A bound of the error in ulps for every float from low to high; infinite where the cell must be cut."""
    cell = pack(Rounded.cell(low, high))
    try:
        return Choices.list_runs(lambda: measure(Rounded.of(function(cell)[0])))
    except Undecided:
        return math.inf


def measure(result: Rounded) -> float:
    """The error in ulps of the true value."""
    least = result.value.abs_lower()  # where the true value is at the lower end, and may have the smaller ulp
    exponent = math.frexp(math.nextafter(float(least), 0.0))[1]
    return float((result.error / arb(2) ** max(exponent - BITS, SMALLEST)).abs_upper())


def prove_bound(function: Callable[[Any], Any], places: list[float], target: float, depth: int = 9) -> float:
    """A bound for every float between the places: cells are cut until they meet the target, or at that depth."""
    worst = 0.0
    waiting = [(a, b, 0) for a, b in pairwise(places)]
    while waiting:
        low, high, level = waiting.pop()
        bound = bound_cell(function, low, high)
        middle = low + (high - low) / 2
        if bound > target and level < depth and low < middle < high:
            waiting += [(low, middle, level + 1), (middle, high, level + 1)]
        else:
            worst = max(worst, bound)
    return worst
