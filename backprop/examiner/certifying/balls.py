"""Dual numbers of balls, and the activations stated on them: values and slopes that are proved, digit by digit.

A ball is an interval that surely holds the true value (python-flint's `arb`).  A dual number a + b ε with ε² = 0
carries a value and a slope; running a definition on x + ε gives f(x) + f'(x) ε, so nobody states a derivative.
The definitions are stated here once more, on purpose: an oracle shares nothing with what it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from flint import arb, ctx

from backprop.examiner.wiring.field import ScalarDual

__all__ = ["ACTIVATIONS", "BallDual", "evaluate", "precision"]

START_BITS, MOST_BITS = 192, 1 << 15
ENOUGH_BITS = 90  # of a value, and of a slope: far more than float64 has
NEGLIGIBLE = -1140  # 2**this is below half the smallest float64 by so much that it rounds to 0 in any case
FAR = 30_000.0  # |x| beyond which the definitions are not evaluated: an exponential would need that many digits


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with that many bits inside the block."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


class BallDual(ScalarDual):
    """value + slope ε, ε² = 0, both balls."""

    __slots__ = ()

    @staticmethod
    def of(number: arb | float) -> BallDual:
        """A constant has no slope."""
        return BallDual(arb(number), arb(0))

    def exp(self) -> BallDual:
        """exp; its own slope."""
        value = self.value.exp()
        return BallDual(value, value * self.slope)

    def log(self) -> BallDual:
        """log of a positive number."""
        return BallDual(self.value.log(), self.slope / self.value)

    def tanh(self) -> BallDual:
        """tanh u has the slope 1/cosh² u."""
        value = self.value.tanh()
        return BallDual(value, self.slope / self.value.cosh() ** 2)

    def erf(self) -> BallDual:
        """erf u has the slope 2/√π exp(-u²)."""
        return BallDual(self.value.erf(), self.slope * 2 / arb.pi().sqrt() * (-self.value * self.value).exp())


def switch(x: BallDual, below: BallDual, above: BallDual) -> BallDual:
    """`below` for x <= 0, `above` for x > 0; both together where the ball does not say which."""
    if x.value <= 0:
        return below
    if x.value > 0:
        return above
    return BallDual(below.value.union(above.value), below.slope.union(above.slope))


def exact(decimal: str) -> arb:
    """A decimal constant as the papers print it, to the precision in force."""
    return arb(decimal)


def elu(x: BallDual, scale: arb | float, alpha: arb | float) -> BallDual:
    """scale x for x > 0, scale alpha (exp(x) - 1) for x <= 0; the exponential is taken where it is used only."""
    low = BallDual(x.value.min(arb(0)), x.slope)
    return switch(x, scale * alpha * (low.exp() - 1), scale * x)


ACTIVATIONS: Mapping[str, Callable[[BallDual], BallDual]] = MappingProxyType(
    {
        "identity": lambda x: x,
        "sigmoid": lambda x: 1 / (1 + (-x).exp()),
        "tanh": lambda x: x.tanh(),
        "relu": lambda x: switch(x, BallDual.of(0), x),
        "leaky_relu": lambda x: switch(x, exact("0.01") * x, x),
        "elu": lambda x: elu(x, 1, 1),
        "selu": lambda x: elu(
            x, exact("1.0507009873554804934193349852946"), exact("1.6732632423543772848170429916717")
        ),
        "softplus": lambda x: (1 + x.exp()).log(),
        "log_sigmoid": lambda x: -(1 + (-x).exp()).log(),
        "gelu": lambda x: x * (1 + (x / arb(2).sqrt()).erf()) / 2,
        "gelu_tanh": lambda x: x * (1 + ((2 / arb.pi()).sqrt() * (x + exact("0.044715") * x * x * x)).tanh()) / 2,
        "silu": lambda x: x / (1 + (-x).exp()),
        "mish": lambda x: x * (1 + x.exp()).log().tanh(),
    }
)


def is_settled(ball: arb) -> bool:
    """Whether a ball is as narrow as anybody may ask: many digits, or surely below every float."""
    return bool(ball.rel_accuracy_bits() >= ENOUGH_BITS or abs(ball) < arb(2) ** NEGLIGIBLE)


def evaluate(definition: Callable[[BallDual], BallDual], x: float) -> tuple[arb, arb]:
    """f(x) and f'(x) as balls of 90 bits and more, from the definition alone; more precision until it is enough.

    Errors: ArithmeticError for |x| beyond 30,000 or where no precision is enough.

    >>> value, slope = evaluate(ACTIVATIONS["silu"], -1000.0)
    >>> print(value.str(20, radius=False), slope.str(20, radius=False))
    -5.0759588975494567653e-432 -5.0708829386519073085e-432
    """
    if not abs(x) <= FAR:
        raise ArithmeticError(f"the definition is not evaluated at x = {x}; choose |x| <= {FAR:g}")
    bits = START_BITS
    while bits <= MOST_BITS:
        with precision(bits):
            result = definition(BallDual(arb(x), arb(1)))
            if is_settled(result.value) and is_settled(result.slope):
                return result.value, result.slope
        bits *= 2
    raise ArithmeticError(f"{MOST_BITS} bits are not enough at x = {x}")
