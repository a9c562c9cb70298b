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
    check_edges,
    count_units,
    find_difference,
    read_floats,
    refuse_contradictions,
)
from backprop.approximation.checking.definitions import ACTIVATIONS, SURFACES
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
    found = _read(data)
    cuts = proof.get("cuts")
    if not isinstance(cuts, str) or not _is_tree(cuts):
        raise UsageError("the file is no certificate: its cuts are no tree of x, y and dots")
    return StatedSurface(**found, cuts=cuts)


def read_along(data: dict[str, Any]) -> StatedClaim | None:
    """The claim about a function of p x + q y, as one of a single variable; None for a file of another kind.

    Errors: UsageError, also where the function or a unit is not seen to vary along (p, q) only.
    """
    if not _has_rectangle(data):
        return None
    proof, found = data["certificate"], _read(data)
    try:
        p, q = (int(part) for part in read_floats(proof["along"]))
        edges = read_floats(proof["edges"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UsageError("the file is no certificate: along must be two numbers, and edges a list of them") from None
    if p <= 0 or q == 0 or list(proof["along"]) != [p, q]:
        raise UsageError("the file is no certificate: along must be two whole numbers, the first of them positive")
    domain = found["domain"]
    corners = [p * Fraction(x) + q * Fraction(y) for x, y in product(domain[:2], domain[2:])]
    if not (len(edges) >= 2 and Fraction(edges[0]) <= min(corners) and Fraction(edges[-1]) >= max(corners)):
        raise UsageError("the boxes of the certificate do not cover its domain from end to end, in order")
    check_edges(edges, edges[0], edges[-1])
    units = []
    for first, second, b, c in found["units"]:
        w = Fraction(first) / p
        if w * q != Fraction(second):
            raise UsageError(f"the weights {first!r}, {second!r} of a unit are no multiple of ({p}, {q})")
        units.append((iv.rational(w), iv.number(b), iv.number(c)))
    profile = _reduce(found["target"], p, q)
    return StatedClaim(profile, found["activation"], tuple(units), iv.number(found["constant"]), found["epsilon"],
                       edges, found["subject"], (), found["doubt"])  # fmt: skip


def _has_rectangle(data: dict[str, Any]) -> bool:
    domain = data.get("domain")
    return isinstance(domain, list) and any(isinstance(side, list) for side in domain)


def _read(data: dict[str, Any]) -> dict[str, Any]:
    """What both kinds of file say alike.  Errors: UsageError."""
    proof, target, name, activation = _read_texts(data)
    try:
        hidden = data["hidden"]
        sides = [read_floats(side) for side in data["domain"]]
        pairs = [read_floats(pair) for pair in hidden["w"]]
        b, c = (read_floats(hidden[letter]) for letter in "bc")
        (constant,), (epsilon,) = read_floats([data["constant"]]), read_floats([proof["epsilon"]])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise UsageError("the file is no certificate: a field is missing or does not hold what it should, such as "
                         "finite numbers in w, b, c and domain") from None  # fmt: skip
    shapes = {len(sides), *(len(part) for part in (*sides, *pairs))}
    if shapes != {2} or not all(side[0] < side[1] for side in sides) or not len(pairs) == len(b) == len(c):
        raise UsageError("the file is no certificate of two variables: w and domain must hold pairs, as many w as b "
                         "and c")  # fmt: skip
    if not epsilon > 0:
        raise UsageError(f"the file is no certificate: epsilon {epsilon} is not positive")
    refuse_contradictions(data, len(pairs), epsilon)
    units = tuple((*pair, shift, weight) for pair, shift, weight in zip(pairs, b, c, strict=True))
    found = _read_trees(target, name, activation, len(units), sides)
    return found | {"units": units, "constant": constant, "epsilon": epsilon, "domain": (*sides[0], *sides[1])}


def _read_texts(data: dict[str, Any]) -> tuple[dict[str, Any], str, str, str]:
    """The proof, which must be one, the target, the activation's name and its expression."""
    try:
        proof, target, name = data["certificate"], data["target"], data["activation"]
        verdict, activation = proof["verdict"], data.get("activation_expression", name)
    except (KeyError, TypeError) as error:
        raise UsageError(f"the file is no certificate: it lacks {str(error)[:60]}") from None
    if verdict != "proved":
        raise UsageError(f"the file claims no proof: its verdict is {str(verdict)[:40]!a}")
    if not all(isinstance(text, str) for text in (target, activation, name)):
        raise UsageError("the file is no certificate: target and activation must be text")
    return proof, target, name, activation


def _read_trees(target: str, name: str, activation: str, count: int, sides: list[tuple[float, ...]]) -> dict[str, Any]:
    """The target and the activation as trees, what the claim is about, and what speaks against it."""
    unit = read(activation, ACTIVATIONS)
    differ = find_difference(unit, read(name, ACTIVATIONS))
    doubt = "" if differ is None else f"the activation {name} and its expression {activation} differ at x = {differ}"
    rectangle = " × ".join(f"[{low!r}, {high!r}]" for low, high in sides)
    subject = f"|F - f| for F = {target} on {rectangle}, f of {count_units(count, name, activation)}"
    return {"target": read(target, SURFACES, VARIABLES), "activation": unit, "subject": subject, "doubt": doubt}


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
