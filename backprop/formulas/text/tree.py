"""What a formula is once it is read: a tree whose every node knows its place in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

from backprop.errors import UsageError

__all__ = [
    "Apply",
    "Bars",
    "Bracket",
    "Cases",
    "Compare",
    "Concat",
    "Continued",
    "Deriv",
    "Indexed",
    "Infix",
    "Neg",
    "NotUnderstood",
    "Num",
    "Raised",
    "Rewriting",
    "Script",
    "Sum",
    "Sym",
    "Term",
    "Turned",
    "children",
    "rewrite",
    "walk",
]  # fmt: skip


class NotUnderstood(UsageError):
    """Where in the text understanding stopped, and why.

    >>> NotUnderstood("no letter", 3).position
    3
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True)
class Term:
    """A part of a formula; `start` and `end` are its place in the text (-1: it stands in no text)."""

    start: int = field(default=-1, compare=False, repr=False, kw_only=True)
    end: int = field(default=-1, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Num(Term):
    """A number, exactly as it is printed."""

    text: str


@dataclass(frozen=True)
class Script(Term):
    """One part of a superscript with its brackets: `(k)`, `[l]`, `T`, `2`."""

    value: Term
    bracket: str = ""


@dataclass(frozen=True)
class Sym(Term):
    """A letter or name with its scripts, none of them interpreted yet."""

    base: str
    subs: tuple[Term, ...] = ()
    sups: tuple[Script, ...] = ()
    primes: int = 0


@dataclass(frozen=True)
class Neg(Term):
    """- a"""

    value: Term


@dataclass(frozen=True)
class Infix(Term):
    """a + b, a - b, a / b, or a product: `sign` is its printed sign, empty for juxtaposition."""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True)
class Raised(Term):
    """a^b"""

    base: Term
    exponent: Term


@dataclass(frozen=True)
class Turned(Term):
    """aᵀ"""

    value: Term


@dataclass(frozen=True)
class Apply(Term):
    """f(a, b): a function, named by a symbol, of its arguments."""

    function: Sym
    args: tuple[Term, ...]


@dataclass(frozen=True)
class Indexed(Term):
    """(…)_ij: components of what is not a single letter."""

    value: Term
    subs: tuple[Term, ...]


@dataclass(frozen=True)
class Sum(Term):
    """Σ or Π over indices, with the limits that were printed."""

    sign: str
    index: tuple[Term, ...]
    lower: Term | None
    upper: Term | None
    body: Term
    condition: Term | None = None


@dataclass(frozen=True)
class Deriv(Term):
    """d^order top / d below^order, or d² top / d below d second."""

    top: Term
    below: Term
    order: int = 1
    second: Term | None = None


@dataclass(frozen=True)
class Cases(Term):
    """{ a if p ; b if q }"""

    values: tuple[Term, ...]
    conditions: tuple[Term | None, ...]


@dataclass(frozen=True)
class Compare(Term):
    """a = b, a < b, w ~ U[…]"""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True)
class Bars(Term):
    """|a| (kind `abs`), ‖a‖ (kind `norm`), ‖a‖₁ (kind `norm1`)."""

    kind: str
    value: Term


@dataclass(frozen=True)
class Concat(Term):
    """[a b]: side by side."""

    items: tuple[Term, ...]


@dataclass(frozen=True)
class Continued(Term):
    """first + … + last"""

    sign: str
    first: Term
    last: Term


@dataclass(frozen=True)
class Bracket(Term):
    """Brackets round something."""

    value: Term
    bracket: str = "("


def _inside(value: Any) -> Iterator[Term]:
    if isinstance(value, Term):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _inside(item)


def children(node: Term) -> list[Term]:
    """The nodes right below a node.

    >>> children(Neg(Num("1")))
    [Num(text='1')]
    """
    return [inner for f in fields(node) for inner in _inside(getattr(node, f.name))]


def walk(node: Term) -> Iterator[Term]:
    """A node and all that is below it."""
    yield node
    for child in children(node):
        yield from walk(child)


Rewriting = Callable[[Term], Term]


def rewrite(node: Any, change: Rewriting) -> Any:
    """A tree with every node changed, from below."""
    if isinstance(node, tuple):
        return tuple(rewrite(item, change) for item in node)
    if not isinstance(node, Term):
        return node
    new = replace(node, **{f.name: rewrite(getattr(node, f.name), change) for f in fields(node) if f.init})
    return change(new)
