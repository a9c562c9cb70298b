"""Forms with the same value that do not overflow: a shifted softmax, log-sum-exp, the logarithm of a sigmoid.

They may stand in the cost as well, since they do not change what it is; the reader sees to that at points where both
are finite.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from backprop.reading.proposing.edits import Proposal
from backprop.reading.source import Edit, Source

__all__ = ["stabilise"]

AXES = ("axis=1, ", "axis=-1, ", "axis=0, ", "")
PLAIN, TWO = 1.0, 1.4


def stabilise(source: Source) -> Iterator[Proposal]:
    """Whole files in a stable form: each kind of change at every spot where it fits, and all of them together."""
    shifts = {axis: _shift_exponentials(source, axis) for axis in AXES}
    logarithms = {axis: _join_logarithms(source, axis) for axis in ("1", "-1", "0", "None")}
    sigmoids = [*_log_sigmoids(source), *_softplus(source)]
    for kind, sets in (
        ("shifted softmax", list(shifts.values())),
        ("log-sum-exp", list(logarithms.values())),
        ("stable logarithm of a sigmoid", [sigmoids]),
    ):
        for edits in sets:
            if edits:
                yield Proposal(_order(edits), kind, PLAIN)
                yield from (Proposal((edit,), kind, PLAIN) for edit in edits[: len(edits) if len(edits) > 1 else 0])
    for first in shifts.values():
        for second in [*logarithms.values(), sigmoids]:
            both = [*second, *(edit for edit in first if not any(_inside(edit, other) for other in second))]
            if first and second:
                yield Proposal(_order(both), "stable form", TWO)


def _order(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    return tuple(sorted(edits, key=lambda e: e.spot))


def _inside(edit: Edit, other: Edit) -> bool:
    start, end = (edit.spot.line, edit.spot.column), (edit.spot.end_line, edit.spot.end_column)
    return (other.spot.line, other.spot.column) <= start and end <= (other.spot.end_line, other.spot.end_column)


def _calls(source: Source, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node


def _shift_exponentials(source: Source, axis: str) -> list[Edit]:
    """exp(s) -> exp(s - s.max(…)) where s is more than minus something."""
    edits = []
    for call in _calls(source, "exp"):
        if len(call.args) == 1 and isinstance(call.args[0], ast.Name | ast.Subscript | ast.Attribute):
            text = source.segment(call.args[0])
            edits.append(Edit(source.spot(call.args[0]), f"{text} - {text}.max({axis}keepdims=True)"))
    return edits


def _made_by(source: Source, name: ast.expr) -> ast.expr | None:
    """The expression that a name was given last before its line, in its function."""
    if not isinstance(name, ast.Name):
        return None
    found = None
    for node in ast.walk(source.function_of(name)):
        if isinstance(node, ast.Assign) and node.lineno < name.lineno and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == name.id:
                found = node.value
    return found


def _exponent(source: Source, node: ast.expr | None) -> str | None:
    """s where a node is exp(s), or a name that was given that."""
    if isinstance(node, ast.Name):
        node = _made_by(source, node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "exp":
        return source.segment(node.args[0])
    return None


def _join_logarithms(source: Source, axis: str) -> list[Edit]:
    """log(sum(exp(s))) -> logaddexp.reduce(s); log(p) -> s - logaddexp.reduce(s) where p = exp(s) / sum of exp(s)."""
    edits = []
    for call in _calls(source, "log"):
        inner = call.args[0] if call.args else None
        total = f"np.logaddexp.reduce({{}}, axis={axis}{{}})"
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "sum":
            method = not (isinstance(inner.func.value, ast.Name) and inner.func.value.id == "np")
            exponent = _exponent(source, inner.func.value if method else inner.args[0])
            kept = ", keepdims=True" if any(k.arg == "keepdims" for k in inner.keywords) else ""
            if exponent is not None:
                edits.append(Edit(source.spot(call), total.format(exponent, kept)))
        softmax = _made_by(source, inner) if isinstance(inner, ast.Name) else inner
        if isinstance(softmax, ast.BinOp) and isinstance(softmax.op, ast.Div):
            exponent = _exponent(source, softmax.left)
            if exponent is not None:
                text = f"({exponent} - {total.format(exponent, ', keepdims=True')})"
                edits.append(Edit(source.spot(call), text))
    return edits


def _log_sigmoids(source: Source) -> list[Edit]:
    """log(a) -> -logaddexp(0, -z) and log(1 - a) -> -logaddexp(0, z), where a is the sigmoid of z."""
    edits = []
    for call in _calls(source, "log"):
        inner = call.args[0] if call.args else None
        other = (
            isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub) and ast.unparse(inner.left) in ("1", "1.0")
        )
        a = inner.right if other and isinstance(inner, ast.BinOp) else inner
        z = _logit(source, _made_by(source, a) if isinstance(a, ast.Name) else a)
        if z is not None:
            turned = z if other else f"-{z}" if z.isidentifier() else f"-({z})"
            edits.append(Edit(source.spot(call), f"-np.logaddexp(0, {turned})"))
    return edits


def _logit(source: Source, node: ast.expr | None) -> str | None:
    """z where a node is 1 / (1 + exp(-z)), or a call of a function that returns that of its argument."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        for name, function in source.outer_functions:
            last = function.body[-1]
            if name == node.func.id and isinstance(last, ast.Return) and _negated(source, last.value) is not None:
                return source.segment(node.args[0])
    return _negated(source, node)


def _negated(source: Source, node: ast.expr | None) -> str | None:
    """z where a node is 1 / (1 + exp(-z))."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.BinOp):
        for side in (node.right.left, node.right.right):
            if isinstance(side, ast.Call) and isinstance(side.func, ast.Attribute) and side.func.attr == "exp":
                inner = side.args[0]
                if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub):
                    return source.segment(inner.operand)
    return None


def _softplus(source: Source) -> list[Edit]:
    """log(1 + exp(x)), log1p(exp(x)) -> logaddexp(0, x)"""
    edits = []
    for call in _calls(source, "log", "log1p"):
        inner = call.args[0] if call.args else None
        if call.func.attr == "log" and isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add):  # type: ignore[attr-defined]
            inner = inner.right if ast.unparse(inner.left) in ("1", "1.0") else inner.left
        elif call.func.attr == "log":  # type: ignore[attr-defined]
            continue
        exponent = _exponent(source, inner)
        if exponent is not None:
            edits.append(Edit(source.spot(call), f"np.logaddexp(0, {exponent})"))
    return edits
