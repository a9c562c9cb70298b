"""After which published rule a step is named: by functions and classes, by what it stores, by a comment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence

from backprop.attaching.costing.rates import GradientFlow

__all__ = ["has_other_things", "name_rule"]

RULES: Mapping[str, str] = {
    "adam": r"adam(?!ax)", "rmsprop": r"rms_?prop", "adagrad": r"ada_?grad", "nesterov": r"nesterov|(^|_)nag($|_)",
    "momentum": r"momentum",
}  # fmt: skip
"""Names of rules, and how they are written."""
OTHER_RULES = re.compile(r"nadam|radam|ada_?bound|ada_?belief|ams_?grad|adam_?ax|ada_?delta")
"""Rules that are compared with nothing, though their names contain those of others."""
OTHER_THINGS = re.compile(
    r"weight_?decay|\bwd\b|\bl2|clip|norm(?!al)|nesterov|ams_?grad|rectif|bound|warm", re.IGNORECASE
)
TITLE = re.compile(
    r"#+\s*(?:the )?(?:adam|rms_?prop|ada_?grad|momentum|nesterov)(?: (?:update|step|rule|optimi[sz]er)s?)?\s*[:.]?$"
)
NEAR = 8
"""Lines before an update in which a comment may say its rule."""


def name_rule(flow: GradientFlow) -> str | None:
    """The rule that functions and classes around the update are named after, else what is stored there, or a line that
    says no more than a rule; None where there is not exactly one."""
    iteration = flow.iteration
    rewritten = iteration.program.rewritten
    held = [rewritten.statements[number] for number in iteration.held]
    lines = [one.lineno for one in held]
    tree = iteration.program.document.tree
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    words = {node.name.lower() for node in nodes for line in lines if node.lineno <= line <= (node.end_lineno or 0)}
    found = _find_rules(words)
    if not found:
        found = _find_rules({*_list_stored(flow, held), *_list_titles(iteration.program.document.text, lines)})
        found = ["adam"] if "adam" in found else found
    if found == ["nesterov", "momentum"]:
        return "nesterov"
    return found[0] if len(found) == 1 else None


def _find_rules(words: Iterable[str]) -> list[str]:
    words = [word for word in words if not OTHER_RULES.search(word)]
    return [rule for rule, pattern in RULES.items() if any(re.search(pattern, word) for word in words)]


def _list_stored(flow: GradientFlow, held: Sequence[ast.stmt]) -> list[str]:
    """Names in the update, and where what it remembers is stored."""
    memories = {str(step[1]) for leaf in flow.iteration.emptied for step in leaf.places[0] if step[0] != "item"}
    stores = [
        one for one in flow.iteration.program.rewritten.statements
        if isinstance(one, ast.Assign | ast.AugAssign)
        and memories & {_last_name(target) for target in (one.targets if isinstance(one, ast.Assign) else [one.target])}
    ]  # fmt: skip
    parts = [part for one in (*held, *stores) for part in ast.walk(one)]
    return [_last_name(part).lower() for part in parts if isinstance(part, ast.Name | ast.Attribute)]


def _last_name(node: ast.AST) -> str:
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _list_titles(text: str, lines: Sequence[int]) -> list[str]:
    """Comments near the update that say no more than a rule."""
    near = text.splitlines()[max(min(lines, default=1) - NEAR, 0) : max(lines, default=0)]
    return [line.strip().lower() for line in near if TITLE.match(line.strip().lower())]


def has_other_things(flow: GradientFlow) -> bool:
    """Whether functions around the update, or its own lines, speak of more than a rule: a decay of the weights, a
    clipping."""
    iteration = flow.iteration
    held = [iteration.program.rewritten.statements[number] for number in iteration.held]
    nodes = [node for node in ast.walk(iteration.program.document.tree) if isinstance(node, ast.FunctionDef)]
    around = [node for node in nodes if any(node.lineno <= one.lineno <= (node.end_lineno or 0) for one in held)]
    return any(OTHER_THINGS.search(ast.unparse(node)) for node in (*around, *held))
