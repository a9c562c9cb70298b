"""How a program trains, where that is code: batches drawn with replacement, an optimiser or a rate made anew.

These are notes: nothing here is a fault of a gradient, and nothing here changes a verdict.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from backprop.attaching.costing.rates import GradientFlow
from backprop.attaching.looking.documents import Document
from backprop.attaching.running.leaves import Place

__all__ = ["list_habits"]

WITH_REPLACEMENT = re.compile(r"(^|\.)(randint|integers|choices|random_integers)$")
OPTIMISER = re.compile(r"(adam|rms_?prop|ada_?grad|momentum|nesterov|optim|scheduler|sgd)", re.IGNORECASE)
RATE = re.compile(r"^(lr|eta|alpha|rate|learning_?rate|step_?size)$", re.IGNORECASE)


def list_habits(document: Document, flow: GradientFlow) -> list[str]:
    """Sentences about the training around an iteration, each with its line."""
    iteration = flow.iteration
    loop, _ = iteration.program.rewritten.originals[iteration.snapshot.loop]
    around = _find_around(document.tree, loop)
    memories = {_name_of(leaf.places[0]) for leaf in iteration.emptied}
    inside = {id(node) for node in ast.walk(document.tree) if isinstance(node, ast.stmt) and _is_in(node, loop)}
    trained = {str(key) for leaf in flow.leaves for kind, key in leaf.places[0] if kind != "item"}
    found = [*_find_replacement(document, [loop, *around], trained), *_find_reset(document, around, memories, inside)]
    return list(dict.fromkeys(found))


def _is_in(node: ast.stmt, loop: ast.stmt) -> bool:
    return loop.lineno <= node.lineno and (node.end_lineno or 0) <= (loop.end_lineno or 0)


def _find_around(tree: ast.Module, loop: ast.For | ast.While) -> list[ast.For | ast.While]:
    """The loops around one, in the same function."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)]
    last = loop.end_lineno or 0
    found = [node for node in loops if node.lineno < loop.lineno and (node.end_lineno or 0) >= last]
    functions = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.lineno <= loop.lineno <= (node.end_lineno or 0)
    ]  # fmt: skip
    first = max((node.lineno for node in functions), default=0)
    return [node for node in found if node.lineno > first]


def _find_replacement(document: Document, loops: list[ast.For | ast.While], trained: set[str]) -> Iterator[str]:
    """Indices that are drawn one by one, and used to take samples: rows of what is trained are none."""
    for loop in loops:
        for node in ast.walk(loop):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            call = node.value
            names = {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}
            places = [
                part.slice for part in ast.walk(loop)
                if isinstance(part, ast.Subscript) and ast.unparse(part.value).split(".")[-1] not in trained
            ]  # fmt: skip
            used = names & {n.id for place in places for n in ast.walk(place) if isinstance(n, ast.Name)}
            if used and _draws_with_replacement(call):
                yield (
                    f"{document.place(node.lineno)} draws its samples with replacement: in an epoch some come twice "
                    "and others not at all; a permutation of all of them, cut into batches, is what an epoch means"
                )


def _draws_with_replacement(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    keywords = {word.arg: word.value for word in call.keywords}
    if re.search(r"(^|\.)choice$", name):
        replace = keywords.get("replace", call.args[2] if len(call.args) > 2 else None)
        sized = len(call.args) > 1 or "size" in keywords
        return sized and not (isinstance(replace, ast.Constant) and replace.value is False)
    sized = "size" in keywords or "k" in keywords or len(call.args) > 2 or name.endswith("choices")
    return bool(WITH_REPLACEMENT.search(name)) and sized


def _find_reset(
    document: Document, around: list[ast.For | ast.While], memories: set[str], inside: set[int]
) -> Iterator[str]:
    """What a step remembers, made anew in each pass of a loop around; a rate likewise, where it is changed inside."""
    for loop in around:
        for node in ast.walk(loop):
            call = node.value if isinstance(node, ast.Assign | ast.Expr) else None
            if not isinstance(node, ast.stmt) or call is None or node.lineno <= loop.lineno or id(node) in inside:
                continue
            where = document.place(node.lineno)
            targets = [ast.unparse(target) for target in node.targets] if isinstance(node, ast.Assign) else []
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "reset":
                yield f"{where} resets {ast.unparse(call.func.value)} in each pass of the loop at line {loop.lineno}"
            elif any(target.split(".")[-1].split("[")[0] in memories for target in targets):
                yield (
                    f"{where} makes {targets[0]} anew in each pass of the loop at line {loop.lineno}: what the step "
                    "remembers is lost there"
                )
            elif isinstance(call, ast.Call) and targets and OPTIMISER.search(ast.unparse(call.func).split(".")[-1]):
                yield f"{where} makes the optimiser {targets[0]} anew in each pass of the loop at line {loop.lineno}"
            elif any(RATE.match(target.split(".")[-1]) for target in targets) and _is_changed(loop, targets[0]):
                yield f"{where} sets {targets[0]} back in each pass of the loop at line {loop.lineno}"


def _is_changed(loop: ast.For | ast.While, name: str) -> bool:
    return any(isinstance(n, ast.AugAssign) and ast.unparse(n.target) == name for n in ast.walk(loop))


def _name_of(place: Place) -> str:
    """The last name on the way to a place, without items."""
    return next(str(key) for kind, key in reversed(place) if kind != "item")
