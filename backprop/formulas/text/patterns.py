"""a_1 + a_2 + … + a_n: a continued pattern becomes a sum (or product) whose terms run from the one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from backprop.formulas.text.tree import Continued, Infix, NotUnderstood, Num, Script, Sym, Term

__all__ = ["continue_patterns", "differing", "powered", "with_leaves"]

DOTS = Sym("...")


def continue_patterns(node: Any) -> Any:
    """A tree without dots.

    >>> one, two = Sym("x", (Num("1"),)), Sym("x", (Sym("n"),))
    >>> type(continue_patterns(Infix("+", Infix("+", one, DOTS), two))).__name__
    'Continued'
    """
    if isinstance(node, tuple):
        return tuple(continue_patterns(item) for item in node)
    if not isinstance(node, Term):
        return node
    if isinstance(node, Infix):
        chain = list(chained(node, node.sign))
        if DOTS in chain:
            return _continued(node, chain)
    return replace(node, **{f.name: continue_patterns(getattr(node, f.name)) for f in fields(node) if f.init})


def chained(node: Term, sign: str) -> Iterator[Term]:
    """The operands of a + b + c."""
    if isinstance(node, Infix) and node.sign == sign:
        yield from chained(node.left, sign)
        yield node.right
    else:
        yield node


def _continued(node: Infix, chain: list[Term]) -> Term:
    at = chain.index(DOTS)
    if at == 0 or at + 1 >= len(chain) or DOTS in chain[at + 1 :] or node.sign in ("-", "/"):
        raise NotUnderstood("how this pattern goes on", node.start if node.start >= 0 else None)
    first, last = chain[at - 1], chain[at + 1]
    parts = [*chain[: at - 1], Continued(node.sign, first, last, start=node.start, end=node.end), *chain[at + 2 :]]
    out = parts[0]
    for part in parts[1:]:
        out = Infix(node.sign, out, part, start=node.start, end=node.end)
    return out


def differing(one: Any, two: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Term, Term]]:
    """Where two terms differ: the path, and the two leaves."""
    if one == two:
        return
    same_letter = isinstance(one, Sym) and isinstance(two, Sym) and one.base == two.base
    if same_letter and abs(len(one.sups) - len(two.sups)) == 1:
        yield from differing(_powered(one, two), _powered(two, one), path)
        return
    alike = type(one) is type(two) and not _is_index(one, path) and not _is_index(two, path)
    if alike and isinstance(one, tuple) and len(one) == len(two):
        for k, (a, b) in enumerate(zip(one, two, strict=True)):
            yield from differing(a, b, (*path, k))
        return
    if alike and isinstance(one, Term):
        for f in fields(one):
            if f.compare:
                yield from differing(getattr(one, f.name), getattr(two, f.name), (*path, f.name))
        return
    if not (isinstance(one, Term) and isinstance(two, Term) and _is_index(one, path)):
        raise NotUnderstood("how this pattern goes on")
    yield path, one, two


def powered(one: Any, two: Any) -> Any:
    """The first term with a power 1 where the last has a power."""
    if isinstance(one, tuple) and isinstance(two, tuple) and len(one) == len(two):
        return tuple(powered(a, b) for a, b in zip(one, two, strict=True))
    if isinstance(one, Sym) and isinstance(two, Sym) and one.base == two.base and len(one.sups) + 1 == len(two.sups):
        return _powered(one, two)
    if not isinstance(one, Term) or type(one) is not type(two):
        return one
    return replace(
        one, **{f.name: powered(getattr(one, f.name), getattr(two, f.name)) for f in fields(one) if f.compare}
    )


def _powered(one: Sym, two: Sym) -> Sym:
    return (
        one if len(one.sups) > len(two.sups) else replace(one, sups=(*one.sups, Script(Num("1"), two.sups[-1].bracket)))
    )


def _is_index(node: Any, path: tuple[Any, ...]) -> bool:
    """Whether a node stands where a number is counted: in a script, or is a number."""
    in_script = any(part in ("subs", "value", "exponent") for part in path[-2:])
    return isinstance(node, Num) or (isinstance(node, Term) and in_script and not isinstance(node, Script))


def with_leaves(node: Any, values: dict[tuple[Any, ...], Term], path: tuple[Any, ...] = ()) -> Any:
    """The term with other leaves."""
    if path in values:
        return values[path]
    if isinstance(node, tuple):
        return tuple(with_leaves(item, values, (*path, k)) for k, item in enumerate(node))
    if not isinstance(node, Term):
        return node
    return replace(
        node, **{f.name: with_leaves(getattr(node, f.name), values, (*path, f.name)) for f in fields(node) if f.compare}
    )
