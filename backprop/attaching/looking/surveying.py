"""What a file holds, by looking only: subject functions, classes, loops, marks."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence

from backprop.attaching.looking.documents import Document
from backprop.attaching.looking.losses import LossTable
from backprop.attaching.looking.refusals import Refused
from backprop.attaching.looking.rewriting import Rewritten

__all__ = ["BEGIN", "END", "choose_loops", "describe", "mark_piece", "name_losses", "some"]

BEGIN, END = "# backprop: begin", "# backprop: end"
PIECE_NAME = "hook_marked"


def mark_piece(document: Document, begin: int | None, end: int | None) -> ast.Module:
    """The tree with the marked statements as a loop of one pass; as it is where nothing is marked.

    Errors: `Refused` where the marks hold no whole statements.
    """
    lines = document.text.splitlines()
    first = begin or next((i for i, line in enumerate(lines, 1) if line.strip() == BEGIN), None)
    last = end or next((i for i, line in enumerate(lines, 1) if line.strip() == END), None)
    if first is None and last is None:
        return document.tree
    first, last = first or 1, last or len(lines)
    tree = copy.deepcopy(document.tree)
    for body in _bodies(tree):
        inside = [node for node in body if first <= node.lineno and (node.end_lineno or 0) <= last]
        if inside:
            once: ast.stmt = ast.For(
                ast.Name(PIECE_NAME, ast.Store()), ast.Tuple([ast.Constant(0)], ast.Load()), inside, []
            )
            place = body.index(inside[0])
            body[place : place + len(inside)] = [ast.copy_location(once, inside[0])]
            return ast.fix_missing_locations(tree)
    raise Refused(f"{document.path}: lines {first} to {last} hold no whole statement; give the lines of one iteration",
                  "nothing")  # fmt: skip


def _bodies(tree: ast.Module) -> list[list[ast.stmt]]:
    """Lists of statements, the outermost first."""
    found = []
    queue: list[ast.AST] = [tree]
    while queue:
        node = queue.pop(0)
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                found.append(body)
                queue += body
    return found


def choose_loops(
    rewritten: Rewritten,
    document: Document,
    *,
    owner: str | None,
    function: str | None,
    line: int | None = None,
) -> frozenset[int] | None:
    """The loops that may be the training: all (None), the marked one, those of a function, those of a class's methods.

    Errors: `Refused` where there is no such class or function.
    """
    marked = [n for n, (loop, _) in enumerate(rewritten.originals) if isinstance(loop, ast.For)
              and isinstance(loop.target, ast.Name) and loop.target.id == PIECE_NAME]  # fmt: skip
    if marked:
        return frozenset(marked)
    if line is not None:
        return frozenset(n for n, (loop, _) in enumerate(rewritten.originals) if loop.lineno == line)
    if owner is None and function is None:
        return None
    found = set(range(len(rewritten.loops)))
    for kind, name in {"class": owner, "function": function}.items():
        if name is not None:
            found &= _loops_in(rewritten, document, kind, name)
    return frozenset(found)


def _loops_in(rewritten: Rewritten, document: Document, kind: str, name: str) -> set[int]:
    nodes = [
        node
        for node in ast.walk(document.tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name.split(".")[-1]
    ]
    if not nodes:
        raise Refused(f"{document.path}: it has no {kind} {name!r}{describe(document.tree)}", "nothing")
    return {
        n
        for n, (loop, _) in enumerate(rewritten.originals)
        if any(node.lineno <= loop.lineno <= (node.end_lineno or 0) for node in nodes)
    }


def describe(tree: ast.Module) -> str:
    """What was seen in a file, in brackets.

    >>> describe(ast.parse("class RNN:\\n    def forward(self): pass\\n    def backprop(self): pass"))
    ' (seen: class RNN with forward, backprop)'
    """
    seen = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = [m.name for m in node.body if isinstance(m, ast.FunctionDef) and not m.name.startswith("__")]
            seen.append(f"class {node.name}" + (f" with {some(methods)}" if methods else ""))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if functions:
        seen.append(f"function{'s' * (len(functions) > 1)} {some(functions)}")
    return f" (seen: {'; '.join(seen[:6])})" if seen else ""


def some(names: Sequence[str], most: int = 8) -> str:
    """The first of some names, and how many there are beside.

    >>> some(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def name_losses(tree: ast.Module) -> list[str]:
    """What a file calls a loss.

    >>> name_losses(ast.parse("def pg_loss(w, x): return w"))
    ['pg_loss']
    """
    return list(dict.fromkeys(name for _, name in LossTable.of(tree).needs))
