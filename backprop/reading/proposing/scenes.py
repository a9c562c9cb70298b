"""What a statement sees when it runs: names with their values, functions that a mend may call, ways to say n."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from backprop.reading.proposing.surroundings import Surroundings
from backprop.reading.running.bench import Bench, Point
from backprop.reading.running.recorder import Event, as_array, is_number
from backprop.reading.source import HEADED, SIMPLE, Source

__all__ = ["find_roles", "list_helpers", "list_numbers", "list_reachable", "look_around", "say_count", "scopes_of"]

PROTOCOL = {"parameters", "data", "cost", "gradients", "forward", "context", "step", "fun", "grad", "theta0"}
"""A mend never asks for the cost, and never for another gradient."""
TARGETS = ("Y", "y", "targets")
USUAL = ("X", "x", "inputs", "batch")
DEPTH = 2


def look_around(bench: Bench, point: Point, statements: Sequence[ast.stmt]) -> dict[ast.stmt, Surroundings]:
    """What each statement sees the last time that it runs; those that do not run are left out."""
    helpers = {name: arity for name, (arity, _) in list_helpers(bench).items()}
    constants = _module_numbers(bench)
    events, _ = bench.record(point.case)
    said = tuple(_list_constants(bench, [*events, *bench.record_cost(point.case)]))
    shapes = {bench.instrumented.sites[e.key[0]]: e.value.shape for e in events}
    functions = _list_functions(bench.source)
    lines = {node: bench.source.statement_of(node) for node in shapes}
    found = {}
    for statement, seen in scopes_of(bench, point, statements).items():
        names = {**constants, **seen[-1]}
        counts = say_count(names, point.case.rows)
        said_here = tuple(counts), said, functions, shapes, lines, list_reachable(seen[-1])
        found[statement] = Surroundings(names, helpers, *said_here, *find_roles(bench.source, statement))
    return found


def find_roles(source: Source, statement: ast.stmt) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Names to which loops of the function of a statement give values, those that it makes, and those nobody reads.

    >>> from pathlib import Path
    >>> source = Source(Path("f.py"), "def f(x):\\n    y = x\\n    return x")
    >>> [sorted(names) for names in find_roles(source, source.tree.body[0].body[0])]
    [[], ['y'], ['y']]
    """
    nodes = list(ast.walk(source.function_of(statement)))
    loops = [node for node in nodes if isinstance(node, ast.For)]
    turns = {n.id for loop in loops for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    names = [n for n in nodes if isinstance(n, ast.Name)]
    made = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
    return frozenset(turns), frozenset(made), frozenset(made - read - {"_"})


def list_reachable(names: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes of all that `list_numbers` gives, aliases left out, short texts first."""
    found: dict[str, tuple[int, ...]] = {}
    seen = set()
    for text, value in sorted(list_numbers(names), key=lambda pair: len(pair[0])):
        array = as_array(value)
        key = None if array is None else (array.shape, array.tobytes())
        if array is not None and key not in seen:
            seen.add(key)
            found[text] = array.shape
    return found


def _list_functions(source: Source) -> tuple[str, ...]:
    """Functions of NumPy that the file calls with one argument alone, as it writes them."""
    calls = (n for n in ast.walk(source.tree) if isinstance(n, ast.Call) and len(n.args) == 1 and not n.keywords)
    found = (source.segment(call.func) for call in calls)
    return tuple(dict.fromkeys(text for text in found if text.partition(".")[2] in ELEMENTWISE))


ELEMENTWISE = {"sqrt", "exp", "log", "sin", "cos", "tanh", "sign", "abs", "square", "cosh", "sinh", "arctan"}


def _list_constants(bench: Bench, events: Sequence[Event]) -> list[str]:
    """Pieces of the file that are one number made of constants of the module alone."""
    found: dict[str, None] = {}
    for event in events:
        node = bench.instrumented.sites[event.key[0]]
        if isinstance(node, ast.BinOp | ast.Call) and event.value.shape == ():
            names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
            power = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
            if names <= set(vars(bench.module)) and (names or power):
                found[bench.source.segment(node)] = None
    return list(found)


def scopes_of(bench: Bench, point: Point, statements: Sequence[ast.stmt]) -> dict[ast.stmt, list[dict[str, Any]]]:
    """Names and values before these statements, each time they run."""
    sites = bench.instrumented.sites
    wanted = {k: site for k, site in enumerate(sites) if isinstance(site, (*SIMPLE, *HEADED)) and site in statements}
    return {wanted[k]: seen for k, seen in bench.scopes(point.case, frozenset(wanted)).items()}


def _module_numbers(bench: Bench) -> dict[str, Any]:
    return {name: value for name, value in vars(bench.module).items() if is_number(value) and not name.startswith("__")}


def list_helpers(bench: Bench) -> dict[str, tuple[int, Any]]:
    """Functions of the file that a mend may call, with the number of their arguments."""
    found = {}
    for name, thing in vars(bench.module).items():
        own = inspect.isfunction(thing) and thing.__module__ == bench.module.__name__
        if own and name not in PROTOCOL and not name.startswith("__"):
            arguments = inspect.signature(thing).parameters.values()
            found[name] = (len([p for p in arguments if p.default is p.empty]), thing)
    return found


def say_count(names: Mapping[str, Any], rows: int | None) -> list[str]:
    """Ways to say the number of samples here, the file's own first."""
    if not rows:
        return [f"len({name})" for name in TARGETS if isinstance(names.get(name), np.ndarray) and names[name].ndim][:1]
    whole = [name for name, value in names.items() if type(value) in (int, np.int64) and value == rows]
    batches = [name for name, value in names.items() if isinstance(value, np.ndarray) and value.shape[:1] == (rows,)]
    said = [f"len({name})" for name in batches if name in USUAL] or [f"{name}.shape[0]" for name in batches]
    return whole[:1] + said[:1]


def list_numbers(names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every array or number that names, items and attributes lead to, with the text that says it."""
    for name, value in names.items():
        yield from _inside(name, value, DEPTH)


def _inside(text: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if is_number(value) and not isinstance(value, bool):
        yield text, value
    elif depth and isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str | int):
                yield from _inside(f"{text}[{key!r}]", item, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for k, item in enumerate(value):
            yield from _inside(f"{text}[{k}]", item, depth - 1)
    elif depth and text == "self":
        for name, item in vars(value).items():
            yield from _inside(f"self.{name}", item, depth - 1)
