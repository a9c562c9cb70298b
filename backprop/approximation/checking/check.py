"""check_certificate: is what a saved certificate claims true?  Every box is bounded again, from the file alone."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.evaluate import expand, value
from backprop.approximation.checking.intervals import Interval, Series, Unclear
from backprop.approximation.checking.reader import ACTIVATIONS, TARGETS, read
from backprop.errors import UsageError

__all__ = ["Verdict", "check_certificate"]

NOT_CHECKED = ("the bound the file states itself", "errors on a grid", "least widths and least errors")
"""What a file may say beside its claim."""
UNIT = 1e-3
SURE = 1e-20
"""A remainder below this is not looked at again."""
TERMS = 8
"""Terms h^0 … h^7 and a remainder h^8."""
HALVINGS = 14
"""A box that is too wide for the bounds here is halved so often, not more."""
MOST_BOXES = 50_000
SPARE_BOXES = 500
"""How many more boxes than the file has may be needed: giving up is an answer."""


@dataclass(frozen=True)
class Verdict:
    """What came of the check: whether the claim holds, the bound found here, and where it fails."""

    ok: bool
    epsilon: float
    bound: float
    boxes: int
    reason: str = ""
    subject: str = ""
    """What the claim is about."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        bound = self.bound if math.isfinite(self.bound) else None
        found = {"ok": self.ok, "epsilon": self.epsilon, "bound": bound, "boxes": self.boxes, "reason": self.reason}
        return found | {"subject": self.subject, "not_checked": list(NOT_CHECKED)}

    def __str__(self) -> str:
        if not self.ok:
            return f"NOT CONFIRMED: {self.reason}"
        boxes = f"{self.boxes} box{'es' * (self.boxes != 1)}"
        return (
            f"CONFIRMED: {self.subject} is at most {_round_up(self.bound)} < {self.epsilon!r} everywhere ({boxes})\n"
            f"not checked: {', '.join(NOT_CHECKED)}"
        )


def _round_up(bound: float) -> str:
    """Four digits, not less than the bound."""
    text = f"{bound:.3e}"
    return text if float(text) >= bound else f"{bound * (1 + UNIT):.3e}"


@dataclass(frozen=True)
class Claim:
    """What a file claims."""

    target: ast.expr
    activation: ast.expr
    units: tuple[tuple[Interval, Interval, Interval], ...]
    constant: Interval
    epsilon: float
    edges: tuple[float, ...]
    subject: str


def check_certificate(path: str | Path, progress: Callable[[int, int], None] | None = None) -> Verdict:
    """Read a certificate that `backprop approximate --certificate FILE` saved and bound the error on each of its boxes.

    Returns: Verdict; not ok where a bound is not below the epsilon of the file, or the boxes do not cover the domain.
    Errors: UsageError for a file that cannot be read or is no certificate.
    """
    claim = _read_claim(_load(path))
    worst, count = 0.0, 0
    boxes = list(pairwise(claim.edges))
    for place, (a, b) in enumerate(boxes):
        spare = SPARE_BOXES + place - count
        bound, used = _bound_box(claim, a, b, HALVINGS, spare)
        count += used
        if not bound < claim.epsilon:
            reason = f"on [{a!r}, {b!r}] no bound below {claim.epsilon:g} was found (the best is {bound:.3e})"
            return Verdict(False, claim.epsilon, math.inf, count, reason, claim.subject)
        worst = max(worst, bound)
        if progress is not None:
            progress(place + 1, len(boxes))
    return Verdict(True, claim.epsilon, worst, count, subject=claim.subject)


def _load(path: str | Path) -> dict[str, Any]:
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the certificate {str(path)!r}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{str(path)!r} is no certificate: it is not JSON") from None
    if not isinstance(data, dict):
        raise UsageError(f"{str(path)!r} is no certificate: it holds no object")
    return data


def _read_claim(data: dict[str, Any]) -> Claim:
    try:
        hidden, proof = data["hidden"], data["certificate"]
        low, high = _floats(data["domain"])
        w, b, c = (_floats(hidden[name]) for name in "wbc")
        (constant,), (epsilon,) = _floats([data["constant"]]), _floats([proof["epsilon"]])
        edges = _floats(proof["edges"])
        verdict, target, activation = proof["verdict"], data["target"], data["activation"]
    except KeyError as error:
        raise UsageError(f"the file is no certificate: it lacks {str(error)[:60]}") from None
    except (TypeError, ValueError, OverflowError):
        raise UsageError("the file is no certificate: a field does not hold what it should, such as finite numbers "
                         "in w, b, c, domain and edges") from None  # fmt: skip
    if verdict != "proved":
        raise UsageError(f"the file claims no proof: its verdict is {str(verdict)[:40]!r}")
    if not (isinstance(target, str) and isinstance(activation, str)):
        raise UsageError("the file is no certificate: target and activation must be text")
    if not len(w) == len(b) == len(c):
        raise UsageError(f"the file is no certificate: {len(w)} w, {len(b)} b and {len(c)} c")
    if not epsilon > 0:
        raise UsageError(f"the file is no certificate: epsilon {epsilon} is not positive")
    covers = len(edges) >= 2 and (edges[0], edges[-1]) == (low, high) and all(p < q for p, q in pairwise(edges))
    if not covers or len(edges) > MOST_BOXES:
        raise UsageError("the boxes of the certificate do not cover its domain from end to end, in order")
    units = tuple((iv.number(p), iv.number(q), iv.number(r)) for p, q, r in zip(w, b, c, strict=True))
    _refuse_contradictions(data, len(w), epsilon)
    subject = f"|F - f| for F = {target} on [{low!r}, {high!r}], f of {len(w)} {activation} unit{'s' * (len(w) != 1)}"
    trees = read(target, TARGETS), read(activation, ACTIVATIONS)
    return Claim(*trees, units, iv.number(constant), epsilon, edges, subject)


def _refuse_contradictions(data: dict[str, Any], width: int, epsilon: float) -> None:
    """What the file says twice it has to say alike."""
    proof = data["certificate"]
    pairs = {
        "width": (data.get("width", width), width),
        "epsilon": (data.get("epsilon") or epsilon, epsilon),
        "certified": (data.get("certified", True), True),
        "sup_error_bound": (data.get("sup_error_bound", proof.get("bound")), proof.get("bound")),
    }
    for name, (said, known) in pairs.items():
        if said != known:
            raise UsageError(f"the file contradicts itself: {name} is {said!r} where it should be {known!r}")


def _floats(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise TypeError("a list of numbers")
    found = tuple(float(v) for v in values)
    if not all(map(math.isfinite, found)):
        raise ValueError("a number that is not finite")
    return found


def _bound_box(claim: Claim, a: float, b: float, halvings: int, spare: int) -> tuple[float, int]:
    """(a bound of |F − f| on the box, how many boxes that took)."""
    centre = a / 2 + b / 2
    bound = _bound_model(claim, a, b, centre)
    if bound < claim.epsilon or not halvings or spare < 1 or not a < centre < b:
        return bound, 1
    left, used = _bound_box(claim, a, centre, halvings - 1, spare - 1)
    if not left < claim.epsilon:
        return left, used
    right, more = _bound_box(claim, centre, b, halvings - 1, spare - used)
    return max(left, right), used + more


def _bound_model(claim: Claim, a: float, b: float, centre: float) -> float:
    """Σ |e_k| r^k with the last coefficient on the whole box."""
    one = iv.rational(Fraction(1))
    here: Series = [iv.number(centre), one]
    there: Series = [iv.from_numbers(a, b), one]
    radius = iv.rational(max(Fraction(b) - Fraction(centre), Fraction(centre) - Fraction(a)))
    try:
        total = iv.subtract(_term(claim.target, here, there, radius), [claim.constant])
        for w, shift, c in claim.units:
            inner = [iv.add(iv.multiply([w], x, 2), [shift]) for x in (here, there)]
            total = iv.subtract(total, iv.multiply([c], _term(claim.activation, inner[0], inner[1], radius), TERMS + 1))
    except (Unclear, ZeroDivisionError, OverflowError):
        return math.inf
    return _sum_up(total, radius)


def _sum_up(coefficients: Sequence[Interval], radius: Interval) -> float:
    bound, reach = [iv.rational(Fraction(0))], [iv.rational(Fraction(1))]
    for coefficient in coefficients:
        bound = iv.add(bound, iv.multiply([iv.largest(coefficient)], reach, 1))
        reach = iv.multiply(reach, [radius], 1)
    return iv.upper_float(bound[0])


def _term(node: ast.expr, here: Series, there: Series, radius: Interval) -> Series:
    """Coefficients 0..7 at the centre and the eighth on the box, or the interval of all values alone if that is less
    (a unit that is saturated on the box has few values, but bounds of its derivatives that are useless)."""
    try:
        remainder = expand(node, there, TERMS + 1)
        near = expand(node, here, TERMS)
    except (Unclear, ZeroDivisionError):
        return [value(node, there[0])]
    if len(remainder) > TERMS:
        reach = iv.multiply([iv.largest(remainder[TERMS])], iv.power([radius], TERMS, 1), 1)[0]
        if iv.upper_float(reach) > SURE:
            values = value(node, there[0])
            if iv.upper_float(reach) > iv.width(values):
                return [values]
    zero = iv.rational(Fraction(0))
    padded = [*near[:TERMS], *[zero] * (TERMS - len(near))]
    return [*padded, remainder[TERMS]] if len(remainder) > TERMS else padded
