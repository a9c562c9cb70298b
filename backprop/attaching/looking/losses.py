"""A loss that a file defines beside the function that computes its gradient, of the same things: `loss(w, x, y)` where
only `gradient(w, x, y)` is called.

Where no function of the same things is called a loss, those that change nothing are asked as well: whether one gives a
number, and whether the gradient is that of it, is seen by running.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["SLOPES", "STRONG", "LossTable"]

STRONG = re.compile(
    r"(loss|cost|nll|objective|criterion|likelihood|misfit|verlust|kosten|perte|costo|coste|cross_?entropy|xent|^bce|_bce|"
    r"(?-i:^J$))",
    re.IGNORECASE,
)
SLOPES = re.compile(r"(prime|deriv|grad|slope|backward|delta|^d_|_d$|^d[A-Z])")
RANDOM = re.compile(r"\b(rand\w*|rng|default_rng|shuffle|choice|normal|uniform|dropout|print|open)\b")
PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.Constant, ast.operator, ast.unaryop,
         ast.expr_context)  # fmt: skip
"""What may be computed twice."""
MOST_OTHERS = 4
Function = tuple[str, str]
"""A class, or nothing, and a name."""


@dataclass
class LossTable:
    """The functions of a file by (class, name), with the names of what they take."""

    takes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    needs: dict[tuple[str, str], int] = field(default_factory=dict)
    others: dict[tuple[str, str], int] = field(default_factory=dict)
    """The same of functions that are called no loss, and change nothing."""

    @classmethod
    def of(cls, tree: ast.Module, wanted: str | None = None) -> LossTable:
        """All functions of the file and methods of its classes, and which of them are losses: by their names, or
        `wanted` by whoever asks."""
        out = cls()
        for owner, function in _list_functions(tree):
            names = [arg.arg for arg in function.args.args]
            if owner and names[:1] == ["self"]:
                names = names[1:]
            elif owner:
                continue
            out.takes[owner, function.name] = names
            named = STRONG.search(function.name) and not SLOPES.search(function.name)
            named = named or function.name == wanted
            returns = any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(function))
            if returns and not RANDOM.search(ast.unparse(function)):
                count = len(names) - len(function.args.defaults)
                if named:
                    out.needs[owner, function.name] = count
                elif names and not SLOPES.search(function.name) and _changes_nothing(function):
                    out.others[owner, function.name] = count
        return out

    def beside(self, call: ast.Call, owner: str) -> list[ast.Call]:
        """Calls of losses that take the same things as a call, by the names of what is taken.

        >>> table = LossTable.of(ast.parse("def loss(w, x): return w * x\\ndef slope(w, x): return x"))
        >>> [ast.unparse(one) for one in table.beside(ast.parse("slope(a, b[0])").body[0].value, "")]
        ['loss(a, b[0])']
        """
        function = call.func
        if isinstance(function, ast.Name):
            home, name = "", function.id
        elif isinstance(function, ast.Attribute):
            home, name = self._find_home(function, owner), function.attr
        else:
            return []
        if (home, name) not in self.takes or (home, name) in self.needs:
            return []
        given = self._bind(call, self.takes[home, name])
        found = self._list_calls(self.needs, (home, name), function, given)
        return found or self._list_calls(self.others, (home, name), function, given)[:MOST_OTHERS]

    def _list_calls(
        self,
        losses: Mapping[tuple[str, str], int],
        own: tuple[str, str],
        function: ast.expr,
        given: dict[str, ast.expr],
    ) -> list[ast.Call]:
        if losses is self.others and own in losses:
            # What changes nothing and is no slope is no gradient, whose loss could be asked for.
            return []
        return [
            made for loss, count in losses.items()
            if loss[0] == own[0] and loss != own and (made := self._call(loss, count, function, given))
        ]  # fmt: skip

    def _find_home(self, function: ast.Attribute, owner: str) -> str:
        if isinstance(function.value, ast.Name) and function.value.id == "self":
            return owner
        homes = {home for home, name in self.takes if home and name == function.attr}
        return homes.pop() if len(homes) == 1 and isinstance(function.value, ast.Name | ast.Attribute) else " "

    @staticmethod
    def _bind(call: ast.Call, names: list[str]) -> dict[str, ast.expr]:
        given = dict(zip(names, call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        return {
            name: value for name, value in given.items() if all(isinstance(part, PLAIN) for part in ast.walk(value))
        }

    def _call(
        self, loss: tuple[str, str], count: int, function: ast.expr, given: dict[str, ast.expr]
    ) -> ast.Call | None:
        names = self.takes[loss]
        needed = names[:count]
        if not names or any(name not in given for name in needed) or not set(names) & set(given):
            return None
        if len(names) == 1 and len(given) > 1:
            return None
        made = copy.deepcopy(function)
        if isinstance(made, ast.Attribute):
            made.attr = loss[1]
        else:
            made = ast.Name(loss[1], ast.Load())
        keywords = [ast.keyword(name, copy.deepcopy(given[name])) for name in names[len(needed) :] if name in given]
        return ast.Call(made, [copy.deepcopy(given[name]) for name in needed], keywords)


def _changes_nothing(function: ast.FunctionDef) -> bool:
    """Whether a function stores in names of its own only, and calls nothing whose result it does not take."""
    targets = [
        target
        for node in ast.walk(function)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(
            node, ast.AugAssign | ast.AnnAssign | ast.For) else [])
    ]  # fmt: skip
    stored = [part for target in targets for part in ast.walk(target)]
    told = any(isinstance(node, ast.Global | ast.Nonlocal | ast.Yield | ast.Await) for node in ast.walk(function))
    called = any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in ast.walk(function))
    taken = {arg.arg for arg in function.args.args}
    changed = any(isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in taken
                  for node in ast.walk(function))  # fmt: skip
    return not (told or called or changed or any(isinstance(part, ast.Attribute | ast.Subscript) for part in stored))


def _list_functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            yield from ((node.name, one) for one in node.body if isinstance(one, ast.FunctionDef))
