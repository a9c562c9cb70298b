"""What a file claims of a function of two variables: on rectangles, or along the one direction in which it varies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.claims import (
    MOST_BOXES,
    StatedClaim,
    StatedParts,
    check_edges,
    read_floats,
    read_parts,
    reading,
)
from backprop.approximation.checking.definitions import SURFACES
from backprop.approximation.checking.lines import find_line
from backprop.approximation.checking.reader import Tree, read
from backprop.errors import UsageError

__all__ = ["Rectangle", "StatedSurface", "read_along", "read_surface"]

VARIABLES = ("x", "y")
LETTERS = {"x", "y", "."}
Rectangle = tuple[float, float, float, float]
Unit = tuple[float, float, float, float]
"""Two weights, a bias and an output weight."""


@dataclass(frozen=True)
class StatedSurface:
    """What a file claims: the boxes are `domain`, cut in halves as `cuts` says (a box before its halves)."""

    target: Tree
    activation: Tree
    units: tuple[Unit, ...]
    constant: float
    epsilon: float
    domain: Rectangle
    cuts: str
    subject: str
    doubt: str = ""
    """What speaks against it before a box is looked at."""

    def list_boxes(self) -> list[Rectangle]:
        """Boxes that cover the rectangle: whatever the cuts are, two halves share a side."""
        found, waiting = [], [self.domain]
        for letter in self.cuts:
            box = waiting.pop()
            if letter == ".":
                found.append(box)
            else:
                waiting += reversed(halve(box, letter))
        return found


def halve(box: Rectangle, letter: str) -> tuple[Rectangle, Rectangle]:
    """The halves of a box, cut across the range of x or y, the lower one first."""
    a, b, c, d = box
    x, y = a / 2 + b / 2, c / 2 + d / 2
    return ((a, x, c, d), (x, b, c, d)) if letter == "x" else ((a, b, c, y), (a, b, y, d))


def read_surface(data: dict[str, Any]) -> StatedSurface | None:
    """The claim about a rectangle that is cut into boxes; None for a file of another kind.  Errors: UsageError."""
    proof = data.get("certificate")
    if not (_has_rectangle(data) and isinstance(proof, dict) and "along" not in proof):
        return None
    parts = read_parts(data)
    rectangle, units = _read_pairs(data, parts)
    cuts = proof.get("cuts")
    if not isinstance(cuts, str) or not _is_tree(cuts):
        raise UsageError("the file is no certificate: its cuts are no tree of x, y and dots")
    target, subject = read(parts.target, SURFACES, VARIABLES), _say_subject(parts, rectangle)
    return StatedSurface(target, parts.activation, units, parts.constant, parts.epsilon, rectangle, cuts, subject,
                         parts.doubt)  # fmt: skip


def read_along(data: dict[str, Any]) -> StatedClaim | None:
    """The claim about a function of p x + q y, as one of a single variable; None for a file of another kind.

    Errors: UsageError, also where the function or a unit is not seen to vary along (p, q) only.
    """
    if not _has_rectangle(data):
        return None
    parts = read_parts(data)
    rectangle, pairs = _read_pairs(data, parts)
    with reading("along and edges"):
        p, q = (int(part) for part in read_floats(parts.proof["along"]))
        edges = read_floats(parts.proof["edges"])
    if p <= 0 or q == 0 or list(parts.proof["along"]) != [p, q]:
        raise UsageError("the file is no certificate: along must be two whole numbers, the first of them positive")
    corners = [p * Fraction(x) + q * Fraction(y) for x, y in product(rectangle[:2], rectangle[2:])]
    if not (len(edges) >= 2 and Fraction(edges[0]) <= min(corners) and Fraction(edges[-1]) >= max(corners)):
        raise UsageError("the boxes of the certificate do not cover its domain from end to end, in order")
    check_edges(edges, edges[0], edges[-1])
    units = []
    for first, second, b, c in pairs:
        w = Fraction(first) / p
        if w * q != Fraction(second):
            raise UsageError(f"the weights {first!r}, {second!r} of a unit are no multiple of ({p}, {q})")
        units.append((iv.rational(w), iv.number(b), iv.number(c)))
    profile = _reduce(read(parts.target, SURFACES, VARIABLES), p, q)
    return StatedClaim(profile, parts.activation, tuple(units), iv.number(parts.constant), parts.epsilon, edges,
                       _say_subject(parts, rectangle), (), parts.doubt)  # fmt: skip


def _has_rectangle(data: dict[str, Any]) -> bool:
    domain = data.get("domain")
    return isinstance(domain, list) and any(isinstance(side, list) for side in domain)


def _read_pairs(data: dict[str, Any], parts: StatedParts) -> tuple[Rectangle, tuple[Unit, ...]]:
    """The domain and the units.  Errors: UsageError."""
    with reading("w and domain"):
        sides, pairs = ([read_floats(pair) for pair in rows] for rows in (data["domain"], parts.w))
    shapes = {len(sides), *(len(part) for part in (*sides, *pairs))}
    if shapes != {2} or not all(low < high for low, high in sides):
        raise UsageError("the file is no certificate of two variables: w and domain must hold pairs")
    (a, b), (c, d) = sides
    units = ((p, q, shift, weight) for (p, q), shift, weight in zip(pairs, parts.b, parts.c, strict=True))
    return (a, b, c, d), tuple(units)


def _say_subject(parts: StatedParts, rectangle: Rectangle) -> str:
    where = "[{!r}, {!r}] × [{!r}, {!r}]".format(*rectangle)
    return f"|F - f| for F = {parts.target} on {where}, f of {parts.units}"


def _is_tree(cuts: str) -> bool:
    """Whether it is one whole tree: every box that is cut has two halves, and nothing stands behind."""
    if not set(cuts) <= LETTERS or cuts.count(".") > MOST_BOXES:
        return False
    waiting = 1
    for place, letter in enumerate(cuts, start=1):
        waiting += -1 if letter == "." else 1
        if waiting == 0:
            return place == len(cuts)
    return False


def _reduce(node: Tree, p: int, q: int) -> Tree:
    """The same in x alone, which stands for p x + q y.  Errors: UsageError where x or y occurs in another way."""
    line = find_line(node)
    if line is not None and line[0]:
        slope = line[0].get("x", Fraction(0)) / p
        if slope == 0 or line[0].get("y") != slope * q:
            raise UsageError(f"the target is not seen to vary along ({p}, {q}) only")
        scaled = Tree("*", (Tree("number", number=slope), Tree("x")))
        return Tree("+", (scaled, Tree("number", number=line[1]))) if line[1] else scaled
    if node.kind in VARIABLES:
        raise UsageError(f"the target is not seen to vary along ({p}, {q}) only")
    return Tree(node.kind, tuple(_reduce(part, p, q) for part in node.parts), node.number)
