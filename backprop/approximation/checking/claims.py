"""What a file claims: read, and refused where it is no claim or contradicts itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.definitions import ACTIVATIONS, TARGETS
from backprop.approximation.checking.evaluate import Place, value
from backprop.approximation.checking.intervals import Interval, Unclear
from backprop.approximation.checking.reader import Tree, read
from backprop.errors import UsageError

__all__ = ["MEAN", "MOST_BOXES", "StatedClaim", "StatedParts", "check_edges", "read_claim", "read_floats", "read_mean",
           "read_parts", "read_slopes", "reading"]  # fmt: skip

POINTWISE, MEAN = "certificate", "mean_square_certificate"
"""What holds the proof of a claim about every point, and about a mean."""
BOUNDS = {POINTWISE: "sup_error_bound", MEAN: "root_mean_square_bound"}
"""Where a file says its bound once more."""

LONGEST_SHOWN = 60
SAMPLES = tuple(Fraction(k, 4) for k in range(-12, 13))
"""Where an activation's name and its expression are compared."""
MOST_BOXES = 50_000


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
    continued_at: tuple[Fraction, ...] = ()
    """Where the target is extended by its limit."""
    doubt: str = ""
    """What speaks against it before a box is looked at."""
    of_slopes: bool = False
    """Whether the claim is about F' and f' instead."""
    density: Tree | None = None
    """What weighs the squares, if the claim is about their mean."""


def read_slopes(claim: StatedClaim, proof: Any) -> StatedClaim | None:
    """The second claim of a file, about the same network and target; None where it has none that is proved."""
    if proof is None or (isinstance(proof, dict) and proof.get("verdict") != "proved"):
        return None
    try:
        (epsilon,), edges = read_floats([proof["epsilon"]]), read_floats(proof["edges"])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise UsageError("the file is no certificate: derivative_certificate lacks an epsilon or "
                         "edges") from None  # fmt: skip
    check_edges(edges, claim.edges[0], claim.edges[-1])
    subject = claim.subject.replace("|F - f|", "|F' - f'|", 1)
    return replace(claim, epsilon=epsilon, edges=edges, of_slopes=True, subject=subject)


def check_edges(edges: Sequence[float], low: float, high: float) -> None:
    covers = len(edges) >= 2 and (edges[0], edges[-1]) == (low, high) and all(p < q for p, q in pairwise(edges))
    if not covers or len(edges) > MOST_BOXES:
        raise UsageError("the boxes of the certificate do not cover its domain from end to end, in order")


def read_mean(data: dict[str, Any]) -> StatedClaim:
    """The claim of a file about the root of the integral of p (F - f)^2; a file has one kind of claim."""
    measure = data.get("measure")
    if not isinstance(measure, str):
        raise UsageError("the file is no certificate: measure must be text")
    if POINTWISE in data or "derivative_certificate" in data:
        raise UsageError(f"the file states claims of two kinds, {MEAN} and another: one file, one kind")
    claim = read_claim(data, MEAN)
    root = f"the root of the integral of p (F - f)^2 for p = {measure}, F ="
    return replace(claim, density=read(measure, TARGETS), subject=claim.subject.replace("|F - f| for F =", root, 1))


@dataclass(frozen=True)
class StatedParts:
    """What files of every kind say alike. `w` is as it stands in the file."""

    proof: Mapping[str, Any]
    target: str
    activation: Tree
    w: Any
    b: tuple[float, ...]
    c: tuple[float, ...]
    constant: float
    epsilon: float
    units: str
    """How many of which, in words."""
    doubt: str


@contextmanager
def reading(fields: str) -> Iterator[None]:
    """Fields of a file are read inside.  Errors: UsageError where one is missing, or not what it should be."""
    try:
        yield
    except KeyError as error:
        raise UsageError(f"the file is no certificate: it lacks {str(error)[:60]}") from None
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise UsageError("the file is no certificate: a field does not hold what it should, such as finite numbers "
                         f"in {fields}") from None  # fmt: skip


def read_parts(data: dict[str, Any], kind: str = POINTWISE) -> StatedParts:
    """What is said whatever the domain is.  Errors: UsageError, also where the file contradicts itself."""
    with reading("b, c and constant"):
        hidden, proof = data["hidden"], data[kind]
        b, c = (read_floats(hidden[name]) for name in "bc")
        (constant,), (epsilon,) = read_floats([data["constant"]]), read_floats([proof["epsilon"]])
        w, verdict, target, name = hidden["w"], proof["verdict"], data["target"], data["activation"]
        activation = data.get("activation_expression", name)
    if verdict != "proved":
        raise UsageError(f"the file claims no proof: its verdict is {str(verdict)[:40]!a}")
    if not all(isinstance(text, str) for text in (target, activation, name)):
        raise UsageError("the file is no certificate: target and activation must be text")
    if not (isinstance(w, list) and len(w) == len(b) == len(c)):
        count = len(w) if isinstance(w, list) else "no"
        raise UsageError(f"the file is no certificate: {count} w, {len(b)} b and {len(c)} c")
    if not epsilon > 0:
        raise UsageError(f"the file is no certificate: epsilon {epsilon} is not positive")
    refuse_contradictions(data, len(b), epsilon, kind)
    tree = read(activation, ACTIVATIONS)
    differ = find_difference(tree, read(name, ACTIVATIONS))
    doubt = "" if differ is None else f"the activation {name} and its expression {activation} differ at x = {differ}"
    units = count_units(len(b), name, activation)
    return StatedParts(proof, target, tree, w, b, c, constant, epsilon, units, doubt)


def read_claim(data: dict[str, Any], kind: str = POINTWISE) -> StatedClaim:
    """A claim about a function of one variable.  Errors: UsageError."""
    parts = read_parts(data, kind)
    with reading("w, b, c, domain and edges"):
        low, high = read_floats(data["domain"])
        w, edges = read_floats(parts.w), read_floats(parts.proof["edges"])
        continued_at = read_floats(data.get("continued_at", []))
    check_edges(edges, low, high)
    units = tuple((iv.number(p), iv.number(q), iv.number(r)) for p, q, r in zip(w, parts.b, parts.c, strict=True))
    extended = f", continued at x = {', '.join(map(repr, continued_at))}," if continued_at else ""
    subject = f"|F - f| for F = {parts.target}{extended} on [{low!r}, {high!r}], f of {parts.units}"
    return StatedClaim(read(parts.target, TARGETS), parts.activation, units, iv.number(parts.constant), parts.epsilon,
                       edges, subject, tuple(map(Fraction, continued_at)), parts.doubt)  # fmt: skip


def count_units(count: int, name: str, activation: str) -> str:
    """How many units of which activation there are, in words."""
    short = activation if len(activation) <= LONGEST_SHOWN else activation[: LONGEST_SHOWN - 3] + "..."
    return f"{count} {name} unit{'s' * (count != 1)}{f', σ(x) = {short}' * (activation != name)}"


def find_difference(stated: Tree, named: Tree) -> Fraction | None:
    """A point where the activation by its name and by its expression are not the same; None if none is found."""
    for place in SAMPLES if stated != named else ():
        try:
            values = [value(tree, Place({"x": iv.rational(place)})) for tree in (stated, named)]
        except Unclear:
            continue
        gap = iv.subtract([values[0]], [values[1]])[0]
        if iv.is_positive(gap) or iv.is_negative(gap):
            return place
    return None


def refuse_contradictions(data: dict[str, Any], width: int, epsilon: float, kind: str = POINTWISE) -> None:
    """What the file says twice it has to say alike."""
    proof = data[kind]
    pairs = {
        "width": (data.get("width", width), width),
        "epsilon": (data.get("epsilon") or epsilon, epsilon),
        "certified": (data.get("certified", True), True),
        BOUNDS[kind]: (data.get(BOUNDS[kind], proof.get("bound")), proof.get("bound")),
    }
    for name, (said, known) in pairs.items():
        if said != known:
            raise UsageError(f"the file contradicts itself: {name} is {ascii(said)[:40]} where it should be "
                             f"{ascii(known)[:40]}")  # fmt: skip


def read_floats(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise TypeError("a list of numbers")
    found = tuple(float(v) for v in values)
    if not all(math.isfinite(v) and v == known for v, known in zip(found, values, strict=True)):
        raise ValueError("a number that is no finite double")
    return found
