"""Expressions that are linear in their variables, in exact fractions: where a comparison of them holds."""

from __future__ import annotations

from fractions import Fraction

from backprop.approximation.checking.reader import LETTERS, Tree, fold

__all__ = ["find_half_line", "find_line"]


def find_half_line(condition: Tree, truth: bool) -> tuple[str, Fraction, bool, bool] | None:
    """A variable, where its half-line ends on which a comparison holds (or not), whether it lies above, whether the end
    is outside; None for a comparison that is not linear in one variable."""
    line = find_line(Tree("-", condition.parts))
    if line is None or len(line[0]) != 1:
        return None
    ((name, slope),), offset = line[0].items(), line[1]
    is_above = ((condition.kind in (">", ">=")) == truth) == (slope > 0)
    return name, -offset / slope, is_above, (condition.kind in (">", "<")) == truth


def find_line(node: Tree) -> tuple[dict[str, Fraction], Fraction] | None:
    """An expression as Σ slope · variable + offset in exact fractions; None where it is not seen to be one."""
    number = fold(node)
    if number is not None:
        return {}, number
    if node.kind in ("x", "y", *LETTERS):
        return {node.kind: Fraction(1)}, Fraction(0)
    if node.kind not in ("+", "-", "*", "/", "negative"):
        return None
    lines = [find_line(part) for part in node.parts]
    if any(line is None for line in lines):
        return None
    known = [line for line in lines if line is not None]
    if node.kind == "negative":
        return _scale(known[0], Fraction(-1))
    if node.kind in ("+", "-"):
        other = _scale(known[1], Fraction(1 if node.kind == "+" else -1))
        slopes = {name: known[0][0].get(name, Fraction(0)) + other[0].get(name, Fraction(0))
                  for name in {**known[0][0], **other[0]}}  # fmt: skip
        return {name: slope for name, slope in slopes.items() if slope}, known[0][1] + other[1]
    first, second = known
    if node.kind == "/":
        return _scale(first, 1 / second[1]) if not second[0] and second[1] else None
    return _scale(second, first[1]) if not first[0] else _scale(first, second[1]) if not second[0] else None


def _scale(line: tuple[dict[str, Fraction], Fraction], factor: Fraction) -> tuple[dict[str, Fraction], Fraction]:
    return {name: slope * factor for name, slope in line[0].items() if slope * factor}, line[1] * factor
