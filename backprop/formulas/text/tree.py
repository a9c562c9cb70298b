"""What a formula is once it is read: a tree whose every node knows its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

from backprop.errors import UsageError

__all__ = [
    "Apply", "Binary", "Cases", "Compare", "Concat", "Continued", "Deriv", "Group", "Index", "Neg", "Node", "Norm", "NotUnderstood",
    "Num", "Power", "Script", "Sum", "Sym", "Transpose", "children", "rebuild", "walk",
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
class Node:
    """A part of a formula; `start` and `end` are its place in the text (-1: it stands in no text)."""

    start: int = field(default=-1, compare=False, repr=False, kw_only=True)
    end: int = field(default=-1, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Num(Node):
    """A number, exactly as it is printed."""

    text: str


@dataclass(frozen=True)
class Script(Node):
    """One part of a superscript with its brackets: `(k)`, `[l]`, `T`, `2`."""

    value: Node
    bracket: str = ""


@dataclass(frozen=True)
class Sym(Node):
    """A letter or name with its scripts, none of them interpreted yet."""

    base: str
    subs: tuple[Node, ...] = ()
    sups: tuple[Script, ...] = ()
    primes: int = 0


@dataclass(frozen=True)
class Neg(Node):
    """- a"""

    value: Node


@dataclass(frozen=True)
class Binary(Node):
    """a + b, a - b, a / b, or a product: `sign` is its printed sign, empty for juxtaposition."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Power(Node):
    """a^b"""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Transpose(Node):
    """aᵀ"""

    value: Node


@dataclass(frozen=True)
class Apply(Node):
    """f(a, b): a function, named by a symbol, of its arguments."""

    function: Sym
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Index(Node):
    """(…)_ij: components of what is not a single letter."""

    value: Node
    subs: tuple[Node, ...]


@dataclass(frozen=True)
class Sum(Node):
    """Σ or Π over indices, with the limits that were printed."""

    sign: str
    index: tuple[Node, ...]
    lower: Node | None
    upper: Node | None
    body: Node
    condition: Node | None = None


@dataclass(frozen=True)
class Deriv(Node):
    """d^order top / d below^order, or d² top / d below d second."""

    top: Node
    below: Node
    order: int = 1
    second: Node | None = None


@dataclass(frozen=True)
class Cases(Node):
    """{ a if p ; b if q }"""

    values: tuple[Node, ...]
    conditions: tuple[Node | None, ...]


@dataclass(frozen=True)
class Compare(Node):
    """a = b, a < b, w ~ U[…]"""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Norm(Node):
    """|a| (kind `abs`) or ‖a‖ (kind `norm`)."""

    kind: str
    value: Node


@dataclass(frozen=True)
class Concat(Node):
    """[a b]: side by side."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Continued(Node):
    """first + … + last"""

    sign: str
    first: Node
    last: Node


@dataclass(frozen=True)
class Group(Node):
    """Brackets round something."""

    value: Node
    bracket: str = "("


def _inside(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _inside(item)


def children(node: Node) -> list[Node]:
    """The nodes right below a node.

    >>> children(Neg(Num("1")))
    [Num(text='1')]
    """
    return [inner for f in fields(node) for inner in _inside(getattr(node, f.name))]


def walk(node: Node) -> Iterator[Node]:
    """A node and all that is below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def rebuild(node: Node, old: Node, new: Node) -> Node:
    """The tree with one node (this very object) exchanged.

    >>> one = Num("1")
    >>> rebuild(Neg(one), one, Num("2"))
    Neg(value=Num(text='2'))
    """
    if node is old:
        return new

    def renew(value: Any) -> Any:
        if isinstance(value, Node):
            return rebuild(value, old, new)
        return tuple(renew(item) for item in value) if isinstance(value, tuple) else value

    changed = {f.name: renew(getattr(node, f.name)) for f in fields(node)}
    if all(changed[f.name] is getattr(node, f.name) or changed[f.name] == getattr(node, f.name) for f in fields(node)):
        same = all(_same(changed[f.name], getattr(node, f.name)) for f in fields(node))
        return node if same else replace(node, **changed)
    return replace(node, **changed)


def _same(new: Any, old: Any) -> bool:
    if isinstance(new, tuple) and isinstance(old, tuple):
        return len(new) == len(old) and all(_same(a, b) for a, b in zip(new, old, strict=True))
    return new is old or (not isinstance(new, Node) and new == old)
