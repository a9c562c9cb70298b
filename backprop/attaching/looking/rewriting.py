"""The program with hooks: a probe around every value, a hook at every loop and at every statement that stores.

Semantics do not change while the hooks are idle: a probe gives back the object that it was handed. Positions are those
of the original, so that messages and lines stay true. One line of source, with its hooks:

    W -= rate * g      W -= hook_scale(7, lambda: W, hook_probe(3, …))
    W = W - g          W = hook_blend(8, lambda: W, hook_probe(4, …))
    g = grad(W, x)     g = (hook_beside(8, lambda: loss(W, x)), hook_probe(4, grad(…)))[1]
    W *= 1 - c         W *= hook_grow(8, lambda: W, hook_probe(4, …), False)
    net.step(0.1)      hook_call(9, net.step, …)
    for x in data:     for x in data: if hook_loop(2): break …
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from backprop.attaching.looking.iterations import LOOP, Loop, Scope, is_loop_hook, make_piece
from backprop.attaching.looking.losses import LossTable

__all__ = ["HOOKS", "Rewriter", "Rewritten", "Site", "rewrite", "store_thunk"]

PROBE, SCALE, BLEND, CALL, _, DONE, GROW, BESIDE = HOOKS = tuple(
    f"hook_{name}" for name in ("probe", "scale", "blend", "call", "loop", "done", "grow", "beside")
)
PAIRED = ("subtract", "divide", "true_divide")
"""Functions of two things of which one may be an output and the other its target."""
DRAWS = ("choice", "choices", "integers", "randint", "randrange", "multinomial", "binomial", "poisson", "categorical",
         "sample", "permutation")  # fmt: skip
"""Functions that choose: of whose arguments the parameters may be."""
PROBED = (ast.BinOp, ast.Call, ast.UnaryOp, ast.Name, ast.Attribute, ast.Subscript)


@dataclass(frozen=True)
class Site:
    """A value in the source: its node, and the function (or file) around it."""

    node: ast.AST
    around: str
    target: str = ""
    """The name that the statement gives to the value, where this is the whole of what it stores or returns."""

    @functools.cached_property
    def text(self) -> str:
        """Its source."""
        return ast.unparse(self.node)


@dataclass
class Rewritten:
    """The tree with hooks, and what each number in a hook stands for."""

    tree: ast.Module
    sites: list[Site] = field(default_factory=list)
    statements: list[ast.stmt] = field(default_factory=list)
    loops: list[tuple[Loop, Scope]] = field(default_factory=list)
    originals: list[tuple[Loop, str]] = field(default_factory=list)
    differences: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)
    """For each site that is a difference or a quotient: the sites of what stands left and right."""
    products: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)
    """The same for matrix products."""
    calls: dict[int, tuple[int | None, ...]] = field(default_factory=dict)
    """For each site that is a call: the sites of what is handed over by place."""
    beside: set[int] = field(default_factory=set)
    """Sites that the program does not come to itself: a loss of what a gradient is computed of."""
    draws: set[int] = field(default_factory=set)
    """Sites that choose something at random."""
    classes: dict[int, str] = field(default_factory=dict)
    """The class around each loop, for names that begin with two underscores."""

    def piece(self, number: int, more: Sequence[int] = ()) -> ast.Module:
        """One iteration of a loop; `more` are sites in it that this iteration does not come to, to be computed at its
        end."""
        loop, scope = self.loops[number]
        body = [statement for statement in copy.deepcopy(loop.body) if not is_loop_hook(statement)]
        return make_piece([*body, *map(self.compute, more)], loop, scope, self.classes.get(number))

    def compute(self, site: int) -> ast.stmt:
        """A statement that computes a site, if it can be."""
        probe = ast.Call(ast.Name(PROBE, ast.Load()), [ast.Constant(site), copy.deepcopy(self.sites[site].node)], [])  # type: ignore[list-item]
        tree: Any = ast.parse("try:\n    pass\nexcept Exception:\n    pass")
        tree.body[0].body = [ast.Expr(probe)]
        return ast.copy_location(tree.body[0], self.sites[site].node)  # type: ignore[no-any-return]


def rewrite(tree: ast.Module, cost: str | None = None) -> Rewritten:
    """The program with hooks; the tree that is given stays as it is. `cost` is a function named as the cost."""
    out = Rewritten(copy.deepcopy(tree))
    rewriter = Rewriter(out)
    rewriter.losses = LossTable.of(tree, cost)
    rewriter.visit(out.tree)
    ast.fix_missing_locations(out.tree)
    return out


class Rewriter(ast.NodeTransformer):
    """Puts the hooks in; the text of a site is taken before it is changed."""

    def __init__(self, out: Rewritten) -> None:
        self.out = out
        self.scopes: list[Scope] = [out.tree]
        self.owners: list[str] = []
        self.losses = LossTable()

    def _hook(self, name: str, at: ast.AST, *args: ast.expr) -> Any:
        return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), list(args), []), at)

    @property
    def around(self) -> str:
        scope = self.scopes[-1]
        return scope.name if isinstance(scope, ast.FunctionDef) else ""

    # --- expressions -------------------------------------------------------------------------------------------
    def value(self, node: Any, target: str = "") -> Any:
        """An expression with probes inside and around it."""
        if node is None:
            return None
        probed = isinstance(node, PROBED) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        probed = probed and not (isinstance(node, ast.Call) and _is_super(node))
        if not probed:
            return self.generic_visit(node)
        number = len(self.out.sites)
        self.out.sites.append(Site(copy.deepcopy(node), self.around, target))
        losses = self._list_losses(node) if isinstance(node, ast.Call) else []
        inside = self._inside(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div):
            self.out.differences[number] = _number_of(inside.left), _number_of(inside.right)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            self.out.products[number] = _number_of(inside.left), _number_of(inside.right)
        elif isinstance(node, ast.Call) and len(node.args) == 2 and _last_name(node.func) in PAIRED:
            self.out.differences[number] = _number_of(inside.args[0]), _number_of(inside.args[1])
        if isinstance(node, ast.Call):
            self.out.draws |= {number} if _last_name(node.func) in DRAWS else set()
            self.out.calls[number] = tuple(map(_number_of, inside.args))
        probe = self._hook(PROBE, node, ast.Constant(number), inside)
        return self._put_beside(probe, node, losses) if losses else probe

    def _list_losses(self, call: ast.Call) -> list[ast.Call]:
        return self.losses.beside(call, self.owners[-1] if self.owners else "")

    def _put_beside(self, probe: ast.expr, node: ast.Call, losses: Sequence[ast.Call]) -> ast.expr:
        """A value, with losses of the same things that are asked for before it is made."""
        hooks = []
        for loss in losses:
            self.out.beside.add(len(self.out.sites))
            thunk: Any = ast.parse(f"lambda: {ast.unparse(loss)}", mode="eval").body
            hooks.append(self._hook(BESIDE, node, ast.Constant(len(self.out.sites)), thunk))
            self.out.sites.append(Site(ast.copy_location(loss, node.func), self.around))
        both = ast.Tuple([*hooks, probe], ast.Load())
        return ast.copy_location(ast.Subscript(both, ast.Constant(len(hooks)), ast.Load()), node)

    def _inside(self, node: Any) -> Any:
        if isinstance(node, ast.Attribute):
            node.value = self._base(node.value)
        elif isinstance(node, ast.Subscript):
            node.value, node.slice = self._base(node.value), self.visit(node.slice)
        elif isinstance(node, ast.Call):
            node.func = self._base(node.func)
            node.args = [self.visit(arg) for arg in node.args]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
        elif not isinstance(node, ast.Name):
            self.generic_visit(node)
        return node

    def _base(self, node: Any) -> Any:
        """What is only a way to a value gets no probe of its own."""
        return self._inside(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else self.visit(node)

    def visit_BinOp(self, node: Any) -> Any:
        return self.value(node)

    visit_Call = visit_UnaryOp = visit_Name = visit_Attribute = visit_Subscript = visit_BinOp

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        return node

    def visit_match_case(self, node: Any) -> Any:
        node.body = self._statements(node.body)
        return node

    def visit_Delete(self, node: ast.Delete) -> Any:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        node.value = self.value(node.value)
        return node

    # --- statements --------------------------------------------------------------------------------------------
    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in body:
            found = self.visit(statement)
            out += found if isinstance(found, list) else [found]
        return out

    def _store(self, statement: ast.stmt) -> ast.Constant:
        self.out.statements.append(copy.deepcopy(statement))
        return ast.Constant(len(self.out.statements) - 1)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        if not isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
            node.value = self.value(node.value)
            return node
        number, old = self._store(node), store_thunk(node.target)
        if isinstance(node.op, ast.Mult | ast.Div):
            divides = ast.Constant(isinstance(node.op, ast.Div))
            node.value = self._hook(GROW, node.value, number, old, self.value(node.value), divides)
            return node
        node.value = self._hook(SCALE, node.value, number, old, self.value(node.value))
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        target = node.targets[0]
        simple = len(node.targets) == 1 and not any(isinstance(part, ast.Starred) for part in ast.walk(target))
        name = ast.unparse(target) if len(node.targets) == 1 else ""
        if not simple:
            node.value = self.value(node.value, name)
            return node
        number = self._store(node)
        node.value = self._hook(BLEND, node.value, number, store_thunk(target), self.value(node.value, name))
        return node

    def visit_Return(self, node: ast.Return) -> Any:
        node.value = self.value(node.value, "return")
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        call = node.value
        if not isinstance(call, ast.Call) or _is_super(call):
            node.value = self.value(call)
            return node
        number, losses, original = self._store(node), self._list_losses(call), copy.deepcopy(call)
        inside = self._inside(call)
        hooked = self._hook(CALL, call, number, inside.func, *inside.args)
        hooked.keywords = inside.keywords
        node.value = self._put_beside(hooked, original, losses) if losses else hooked
        return node

    def _loop(self, node: Any) -> Any:
        number = len(self.out.loops)
        self.out.originals.append((copy.deepcopy(node), self.around))
        self.out.loops.append((node, self.scopes[-1]))
        if self.owners:
            self.out.classes[number] = self.owners[-1]
        if isinstance(node, ast.For):
            node.iter = self.visit(node.iter)
        else:
            node.test = self.visit(node.test)
        body = self._statements(node.body)
        node.body, node.orelse = body, self._statements(node.orelse)
        hook = ast.If(self._hook(LOOP, node, ast.Constant(number)), [ast.copy_location(ast.Break(), node)], [])
        node.body = [ast.copy_location(hook, node), *body]
        done = ast.Expr(self._hook(DONE, node, ast.Constant(number)))
        return [node, ast.copy_location(done, node)]

    visit_For = visit_While = _loop

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        self.scopes.append(node)
        node.body = self._statements(node.body)
        self.scopes.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        node.body = self.visit(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self.owners.append(node.name)
        node.body = self._statements(node.body)
        self.owners.pop()
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return node


def _is_super(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id in ("super", "locals", "globals") for part in ast.walk(node))


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _number_of(node: ast.expr) -> int | None:
    """The site that a probe was put around."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == PROBE:
        number: Any = node.args[0]
        return int(number.value)
    return None


def store_thunk(target: ast.expr) -> ast.expr:
    """`lambda: target`, read instead of stored: of an item with what it is an item of, of several targets one each.

    >>> ast.unparse(store_thunk(ast.parse("W[i], b").body[0].value))
    '([lambda: W[i], lambda: W], lambda: b)'
    """
    if isinstance(target, ast.Tuple | ast.List):
        return ast.Tuple([store_thunk(one) for one in target.elts], ast.Load())
    text = ast.unparse(target)
    if isinstance(target, ast.Subscript):
        text = f"[lambda: {text}, lambda: {ast.unparse(target.value)}]"
        return ast.parse(text, mode="eval").body
    return ast.parse(f"lambda: {text}", mode="eval").body
