"""check_certificate: is what a saved certificate claims true?  Every box is bounded again, from the file alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.evaluate import expand, value
from backprop.approximation.checking.files import load
from backprop.approximation.checking.intervals import Interval, NoValue, Series, TooLarge, Unclear
from backprop.approximation.checking.reader import ACTIVATIONS, TARGETS, Tree, read
from backprop.errors import UsageError

__all__ = ["SECONDS", "Verdict", "check_certificate"]

SECONDS = 60.0
"""The usual limit; reaching it is no answer."""
NOT_CHECKED = ("the bound the file states itself", "errors on a grid", "least widths and least errors")
"""What a file may say beside its claim."""
UNIT = 1e-3
LONGEST_SHOWN = 60
SURE = iv.rational(Fraction(1, 10**20))
"""A remainder below this is not looked at again."""
SAMPLES = tuple(Fraction(k, 4) for k in range(-12, 13))
"""Where an activation's name and its expression are compared."""
TERMS = 8
"""Terms h^0 … h^7 and a remainder h^8."""
HALVINGS = 60
"""A box that is too wide for the bounds here is halved so often, not more."""
MOST_BOXES = 50_000
SPARE_BOXES = 2000
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

    def _repr_markdown_(self) -> str:
        return f"```text\n{self}\n```"

    def __str__(self) -> str:
        if not self.ok:
            return f"NOT CONFIRMED: {self.reason}"
        boxes = f"{self.boxes} box{'es' * (self.boxes != 1)}"
        return (
            f"CONFIRMED: {self.subject} is at most {self.describe_bound()} < {self.epsilon!r} everywhere ({boxes})\n"
            f"not checked: {', '.join(NOT_CHECKED)}"
        )

    def describe_bound(self) -> str:
        """The bound in four digits, not less than it is and still below epsilon; else in all of its digits."""
        text = f"{self.bound:.3e}"
        text = text if float(text) >= self.bound else f"{self.bound * (1 + UNIT):.3e}"
        return text if float(text) < self.epsilon else repr(self.bound)


@dataclass(frozen=True)
class StatedClaim:
    """What a file claims."""

    target: Tree
    activation: Tree
    units: tuple[tuple[Interval, Interval, Interval], ...]
    constant: Interval
    epsilon: float
    edges: tuple[float, ...]
    subject: str
    doubt: str = ""
    """What speaks against it before a box is looked at."""


def check_certificate(
    path: str | Path, progress: Callable[[int, int], None] | None = None, timeout: float = SECONDS
) -> Verdict:
    """Read a certificate that `backprop approximate --certificate FILE` saved and bound the error on each of its boxes.

    Returns: Verdict; not ok where a bound is not below the epsilon of the file.
    Errors: UsageError for a file that cannot be read or is no certificate, for boxes that do not cover the domain, and
    where the time is up before there is an answer.
    """
    if not 0 < timeout < math.inf:
        raise UsageError(f"--timeout must be a positive number of seconds, got {timeout:g}")
    claim, deadline = _read_claim(load(path)), time.monotonic() + timeout
    return _Check(claim, deadline, f"{str(path)!a} was not checked to the end in {timeout:g} seconds").run(progress)


def _read_claim(data: dict[str, Any]) -> StatedClaim:
    try:
        hidden, proof = data["hidden"], data["certificate"]
        low, high = _floats(data["domain"])
        w, b, c = (_floats(hidden[name]) for name in "wbc")
        (constant,), (epsilon,) = _floats([data["constant"]]), _floats([proof["epsilon"]])
        edges = _floats(proof["edges"])
        verdict, target, name = proof["verdict"], data["target"], data["activation"]
        activation = data.get("activation_expression", name)
    except KeyError as error:
        raise UsageError(f"the file is no certificate: it lacks {str(error)[:60]}") from None
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise UsageError("the file is no certificate: a field does not hold what it should, such as finite numbers "
                         "in w, b, c, domain and edges") from None  # fmt: skip
    if verdict != "proved":
        raise UsageError(f"the file claims no proof: its verdict is {str(verdict)[:40]!a}")
    if not all(isinstance(text, str) for text in (target, activation, name)):
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
    trees = read(target, TARGETS), read(activation, ACTIVATIONS)
    short = activation if len(activation) <= LONGEST_SHOWN else activation[: LONGEST_SHOWN - 3] + "..."
    units_said = f"{len(w)} {name} unit{'s' * (len(w) != 1)}{f', σ(x) = {short}' * (activation != name)}"
    subject = f"|F - f| for F = {target} on [{low!r}, {high!r}], f of {units_said}"
    differ = _find_difference(trees[1], read(name, ACTIVATIONS))
    doubt = "" if differ is None else f"the activation {name} and its expression {activation} differ at x = {differ}"
    return StatedClaim(*trees, units, iv.number(constant), epsilon, edges, subject, doubt)


def _find_difference(stated: Tree, named: Tree) -> Fraction | None:
    """A point where the activation by its name and by its expression are not the same; None if none is found."""
    for place in SAMPLES if stated != named else ():
        try:
            values = [value(tree, iv.rational(place)) for tree in (stated, named)]
        except Unclear:
            continue
        gap = iv.subtract([values[0]], [values[1]])[0]
        if iv.is_positive(gap) or iv.is_negative(gap):
            return place
    return None


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
            raise UsageError(f"the file contradicts itself: {name} is {ascii(said)[:40]} where it should be "
                             f"{ascii(known)[:40]}")  # fmt: skip


def _floats(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise TypeError("a list of numbers")
    found = tuple(float(v) for v in values)
    if not all(math.isfinite(v) and v == known for v, known in zip(found, values, strict=True)):
        raise ValueError("a number that is no finite double")
    return found


class _Check:
    """Bounds box after box, until one fails or the time is up."""

    def __init__(self, claim: StatedClaim, deadline: float, late: str) -> None:
        self.claim, self.deadline, self.late = claim, deadline, late
        self.beyond, self.refuted = False, ""
        self.why = "it is too large for a float"

    def run(self, progress: Callable[[int, int], None] | None) -> Verdict:
        """Every box of the certificate, halved where that helps."""
        claim, boxes = self.claim, list(pairwise(self.claim.edges))
        if claim.doubt:
            return Verdict(False, claim.epsilon, math.inf, 0, claim.doubt, claim.subject)
        worst, count = 0.0, 0
        for place, (a, b) in enumerate(boxes):
            self.beyond = False
            bound, used = self.bound_box(a, b, HALVINGS, SPARE_BOXES + place - count)
            count += used
            if not bound < claim.epsilon:
                if self.beyond and not self.refuted:
                    raise UsageError(f"undecided: on [{a!r}, {b!r}] a number is too large to be worked out")
                best = f"the best is {bound:.3e}" if math.isfinite(bound) else self.why
                reason = f"on [{a!r}, {b!r}] no bound below {claim.epsilon:g} was found ({self.refuted or best})"
                return Verdict(False, claim.epsilon, math.inf, count, reason, claim.subject)
            worst = max(worst, bound)
            if progress is not None:
                progress(place + 1, len(boxes))
        return Verdict(True, claim.epsilon, worst, count, subject=claim.subject)

    def bound_box(self, a: float, b: float, halvings: int, spare: int) -> tuple[float, int]:
        """(a bound of |F − f| on the box, how many boxes that took)."""
        centre = min(max(a / 2 + b / 2, a), b)
        bound = self.bound_model(a, b, centre)
        if bound < self.claim.epsilon or self.refuted or not halvings or spare < 1 or not a < centre < b:
            return bound, 1
        left, used = self.bound_box(a, centre, halvings - 1, spare - 1)
        if not left < self.claim.epsilon:
            return left, used
        right, more = self.bound_box(centre, b, halvings - 1, spare - used)
        return max(left, right), used + more

    def bound_model(self, a: float, b: float, centre: float) -> float:
        """Σ |e_k| r^k with the last coefficient on the whole box; infinite where F or a unit is not shown to be."""
        claim = self.claim
        here: Series = [iv.number(centre), iv.ONE]
        there: Series = [iv.from_numbers(a, b), iv.ONE]
        radius = iv.rational(max(Fraction(b) - Fraction(centre), Fraction(centre) - Fraction(a)))
        try:
            self.watch()
            total = iv.subtract(_term(claim.target, here, there, radius), [claim.constant])
            for w, shift, c in claim.units:
                self.watch()
                inner = [iv.add(iv.multiply([w], x, 2), [shift]) for x in (here, there)]
                unit = _term(claim.activation, inner[0], inner[1], radius)
                total = iv.subtract(total, iv.multiply([c], unit, TERMS + 1))
            if iv.is_below(iv.number(claim.epsilon), iv.smallest(total[0])):
                self.refuted = f"at x = {centre!r} it is not below {claim.epsilon:g}"
            return _sum_up(total, radius)
        except Unclear as error:
            self.beyond = self.beyond or isinstance(error, TooLarge)
            self.why = f"there it is not shown to have a value: {error}"
            self.refuted = self.find_hole(centre)
            return math.inf

    def watch(self) -> None:
        """Errors: UsageError when the time is up."""
        if time.monotonic() > self.deadline:
            raise UsageError(f"undecided: {self.late}; give it more with --timeout")

    def find_hole(self, point: float) -> str:
        """What is said if F or a unit surely has no value at a point; nothing if that is not seen."""
        x = iv.number(point)
        try:
            value(self.claim.target, x)
            for w, shift, _ in self.claim.units:
                value(self.claim.activation, iv.add(iv.multiply([w], [x], 1), [shift])[0])
        except NoValue as error:
            return f"there is no value at x = {point!r}: {error}"
        except Unclear:
            return ""  # it may have one
        return ""


def _sum_up(coefficients: Sequence[Interval], radius: Interval) -> float:
    bound, reach = [iv.ZERO], [iv.ONE]
    for coefficient in coefficients:
        bound = iv.add(bound, iv.multiply([iv.largest(coefficient)], reach, 1))
        reach = iv.multiply(reach, [radius], 1)
    return iv.upper_float(bound[0])


def _term(node: Tree, here: Series, there: Series, radius: Interval) -> Series:
    """Coefficients 0..7 at the centre and the eighth on the box, or the interval of all values alone if that is less
    (a unit that is saturated on the box has few values, but bounds of its derivatives that are useless)."""
    try:
        remainder = expand(node, there, TERMS + 1)
        near = expand(node, here, TERMS)
    except Unclear:
        return [value(node, there[0])]
    padded = [*near[:TERMS], *[iv.ZERO] * (TERMS - len(near))]
    if len(remainder) <= TERMS:
        return padded
    reach = iv.multiply([iv.largest(remainder[TERMS])], iv.power([radius], TERMS, 1), 1)[0]
    if not iv.is_below(reach, SURE):
        values = value(node, there[0])
        if iv.is_below(iv.width(values), reach):
            return [values]
    return [*padded, remainder[TERMS]]
