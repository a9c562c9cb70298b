"""Changes of several pieces of one line together: things exchanged, letters of an einsum, axes turned."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from backprop.reading.proposing.surroundings import Change, Surroundings, number
from backprop.reading.source import Edit, Source

__all__ = ["REDUCTIONS", "change_axes_order", "change_einsum", "change_reduction", "exchange"]

Exchange = tuple[tuple[Edit, ...], str, float]
MOST_NAMES = 6
AXES = (0, 1, -1)
REDUCTIONS = {"sum", "mean", "max", "min", "var", "std", "prod", "argmax", "argmin"}


def exchange(source: Source, nodes: Sequence[ast.expr], around: Surroundings) -> Iterator[Exchange]:
    """Two names for each other, two elements of a list, the axes of a whole line."""
    loads = [node for node in nodes if isinstance(getattr(node, "ctx", ast.Load()), ast.Load)]
    yield from _exchange_names(source, loads, around)
    for node in loads:
        if isinstance(node, ast.Tuple | ast.List) and not isinstance(source.parents[node], ast.Subscript):
            for a, b in combinations(node.elts, 2):
                yield _swap(source, a, b), "order of elements", 1.25
    yield from _turn_axes(source, loads)


def _swap(source: Source, a: ast.expr, b: ast.expr) -> tuple[Edit, ...]:
    return Edit(source.spot(a), source.segment(b)), Edit(source.spot(b), source.segment(a))


def _exchange_names(source: Source, loads: Sequence[ast.expr], around: Surroundings) -> Iterator[Exchange]:
    places: dict[str, list[ast.Name]] = {}
    for node in loads:
        if isinstance(node, ast.Name):
            places.setdefault(node.id, []).append(node)
    numbers = around.numbers
    known = [name for name in places if name in numbers][:MOST_NAMES]
    for a, b in combinations(known, 2):
        if len(numbers[a]) == len(numbers[b]):
            edits = [Edit(source.spot(node), b) for node in places[a]]
            edits += [Edit(source.spot(node), a) for node in places[b]]
            yield tuple(sorted(edits, key=lambda e: e.spot)), "names exchanged", 1.2


def _turn_axes(source: Source, loads: Sequence[ast.expr]) -> Iterator[Exchange]:
    """`[:, None]` for `[None, :]`, and axis 1 for axis 0 with it."""
    stretched = [edit for node in loads if (edit := _turn_stretch(source, node)) is not None]
    axes = [Edit(source.spot(one), "0" if one.value else "1") for node in loads for one in _axes_of(node)]
    for edit in stretched:
        yield (edit,), "axis", 1.2
    for edits in (stretched, axes, [*stretched, *axes]):
        if len(edits) > 1:
            yield tuple(sorted(edits, key=lambda e: e.spot)), "axis", 1.25


def _turn_stretch(source: Source, node: ast.expr) -> Edit | None:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        first, second = node.slice.elts
        whole = [isinstance(one, ast.Slice) and ast.unparse(one) == ":" for one in (first, second)]
        none = [isinstance(one, ast.Constant) and one.value is None for one in (first, second)]
        if any(whole) and any(none):
            return Edit(source.spot(node.slice), "None, :" if whole[0] else ":, None")
    return None


def _axes_of(node: ast.expr) -> list[ast.Constant]:
    """Zeros and ones that a call is given: axes, most likely."""
    if not isinstance(node, ast.Call):
        return []
    given = [*node.args[1:], *(k.value for k in node.keywords if k.arg == "axis")]
    return [one for one in given if isinstance(one, ast.Constant) and type(one.value) is int and one.value in (0, 1)]


def change_einsum(node: ast.Call) -> Iterator[Change]:
    """The letters of an `einsum`: two of one operand or of the result for each other, one for another, operands.

    >>> call = ast.parse("np.einsum('ij,j->i', A, x)", mode="eval").body
    >>> sorted({ast.literal_eval(new.args[0]) for new, _, _ in change_einsum(call) if new.args[1].id == "A"})[:3]
    ['ij,i->i', 'ij,j->j', 'ji,j->i']
    """
    spec = node.args[0] if node.args else None
    if not (isinstance(spec, ast.Constant) and isinstance(spec.value, str) and "->" in spec.value):
        return
    inputs, _, output = spec.value.replace(" ", "").partition("->")
    parts = [*inputs.split(","), output]
    for k, part in enumerate(parts):
        turned = [_exchange_letters(part, a, b) for a, b in combinations(part, 2)]
        others = sorted({letter for one in parts for letter in one} - set(part))
        renamed = [part.replace(a, b) for a in part for b in others]
        for new, weight in [*((one, 1.0) for one in turned), *((one, 1.2) for one in renamed)]:
            said = [*parts[:k], new, *parts[k + 1 :]]
            text = f"{','.join(said[:-1])}->{said[-1]}"
            yield ast.Call(node.func, [ast.Constant(text), *node.args[1:]], node.keywords), "letters of einsum", weight
    if len(node.args) == 3:
        swapped = [node.args[0], node.args[2], node.args[1]]
        yield ast.Call(node.func, swapped, node.keywords), "order of operands", 1.0


def _exchange_letters(text: str, a: str, b: str) -> str:
    return text.translate(str.maketrans(a + b, b + a))


def change_axes_order(node: ast.Call, around: Surroundings) -> Iterator[Change]:
    """The order in which `transpose` puts axes; a `reshape` of what should have been turned first."""
    if not isinstance(node.func, ast.Attribute):
        return
    if node.func.attr == "transpose" and 2 < len(node.args) <= 4:
        for order in permutations(range(len(node.args))):
            given: list[ast.expr] = [ast.Constant(k) for k in order]
            yield ast.Call(node.func, given, []), "order of axes", 1.1
    inside = node.func.value
    axes = len(around.shapes.get(inside, ()))
    if node.func.attr == "reshape" and 2 < axes <= 4:
        for a, b in combinations(range(axes), 2):
            swapped = [b if k == a else a if k == b else k for k in range(axes)]
            turned = ast.Call(ast.Attribute(inside, "transpose", ast.Load()), [ast.Constant(k) for k in swapped], [])
            yield (
                ast.Call(ast.Attribute(turned, "reshape", ast.Load()), node.args, node.keywords),
                "order of axes",
                1.3,
            )


def change_reduction(node: ast.Call, around: Surroundings) -> Iterator[Change]:
    """Axes, kept or not, one for all or none."""
    method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy", "jnp", "torch")
    )
    positional = node.args[(0 if method else 1) :]
    keep = [k for k in node.keywords if k.arg == "keepdims"]
    has_axis = bool(positional) or any(k.arg == "axis" for k in node.keywords)
    base = copy.copy(node)
    base.args = node.args[: (0 if method else 1)]
    kept = [k for k in node.keywords if k.arg not in ("axis", "keepdims")]
    inside = node.func.value if method else node.args[0]  # type: ignore[attr-defined]
    for axis in _list_axes(len(around.shapes.get(inside, ()))):
        word = ast.keyword("axis", axis)
        yield ast.Call(node.func, base.args, [word, *keep, *kept]), "axis", 1.0
        if not keep:
            more = ast.keyword("keepdims", ast.Constant(True))
            yield ast.Call(node.func, base.args, [word, more, *kept]), "axis", 1.3
    if has_axis:
        yield ast.Call(node.func, base.args, kept), "axis", 1.2
    if keep:
        yield ast.Call(node.func, node.args, [k for k in node.keywords if k.arg != "keepdims"]), "keepdims", 1.0
    else:
        more = ast.keyword("keepdims", ast.Constant(True))
        yield ast.Call(node.func, node.args, [*node.keywords, more]), "keepdims", 1.0
    yield inside, "call taken away", 1.3


def _list_axes(several: int) -> Iterator[ast.expr]:
    """Each axis, and several together where there are more than two."""
    yield from (number(axis) for axis in (*AXES, *range(2, several)))
    for size in range(2, several):
        for chosen in combinations(range(several), size):
            yield ast.Tuple([number(k) for k in chosen], ast.Load())
