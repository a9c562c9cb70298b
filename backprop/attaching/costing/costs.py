"""Numbers that may be the cost: those that the iteration makes, functions of the file, and a table of known costs."""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.attaching.costing.pairs import Pair, find_pairs
from backprop.attaching.looking.losses import SLOPES, STRONG
from backprop.attaching.looking.rewriting import Site
from backprop.attaching.running.leaves import to_array
from backprop.attaching.running.repeating import Iteration
from backprop.attaching.running.replaying import IterationRecorder, Key
from backprop.attaching.running.states import Names

__all__ = ["HELD", "TABLE", "CostCandidate", "find_candidates", "find_unvisited"]

MOST_NUMBERS, LAST_TURNS = 200, 5
WEAK = re.compile(r"(err|mse|rmse|mae|bce|entropy|sse|residu|energy|fehler|penalty|reg)", re.IGNORECASE)
HELD = 4
"""The strength of a function that an object holds as its loss: no other function of the file is then meant."""
OTHER_DATA = re.compile(r"(val|valid|test|dev|acc)", re.IGNORECASE)


def half_sse(o: Any, t: Any) -> Any:
    """½ ΣΣ (o − t)²"""
    return 0.5 * np.sum((o - t) ** 2)


def binary_cross_entropy(o: Any, t: Any) -> Any:
    """−ΣΣ t ln o + (1 − t) ln(1 − o)"""
    return -np.sum(t * np.log(o) + (1 - t) * np.log(1 - o))


def cross_entropy(o: Any, t: Any) -> Any:
    """−ΣΣ t ln o"""
    return -np.sum(t * np.log(o))


def absolute(o: Any, t: Any) -> Any:
    """ΣΣ |o − t|"""
    return np.sum(np.abs(o - t))


TABLE: Mapping[str, tuple[Callable[[Any, Any], Any], str]] = {
    one.__name__.replace("_", "-"): (one, words)
    for one, words in (
        (half_sse, "half the sum of squares"),
        (binary_cross_entropy, "the binary cross-entropy"),
        (cross_entropy, "the cross-entropy"),
        (absolute, "the sum of absolute errors"),
    )
}
"""Known costs of an output o and a target t, as sums; a factor in front is found with the gradient."""


@dataclass(frozen=True)
class CostCandidate:
    """What may be the cost. `strength`: 4 a function that an object of the file holds as its loss, 3 one that is called
    so, 2 a value that is, 1 an error or measure, 0 no name, -1 of the table."""

    name: str
    strength: int
    key: Key | None = None
    pair: Pair | None = None
    function: Callable[[Any, Any], Any] | None = None
    maker: Callable[[Names], Callable[[Any, Any], Any]] | None = None
    order: int = 0
    table: str | None = None

    @property
    def sites(self) -> frozenset[int]:
        """Whose values are needed."""
        return frozenset([self.key[0]] if self.key is not None else self.pair.sites if self.pair else [])

    def evaluate(self, values: Mapping[Key, Any], names: Names) -> Any:
        """The number, from what one iteration made."""
        if self.key is not None:
            return values[self.key].reshape(())[()]
        assert self.pair is not None
        function = self.function or (self.maker(names) if self.maker else None)
        assert function is not None
        total: Any = 0.0
        for o, t in self.pair.read(values):
            found = to_array(np.asarray(function(o, t)) if not hasattr(function(o, t), "detach") else function(o, t))
            total = total + (np.nan if found is None or found.size != 1 else found.reshape(())[()])
        return total


def find_unvisited(iteration: Iteration) -> tuple[int, ...]:
    """Calls of a loss, in the loop or behind it in the same function, that this iteration does not come to."""
    rewritten = iteration.program.rewritten
    loop, around = rewritten.originals[iteration.snapshot.loop]
    recorder = iteration.freeze(wanted=frozenset(), counting=True)
    iteration.run(None, recorder)
    first = loop.lineno
    return tuple(
        number
        for number, site in enumerate(rewritten.sites)
        if isinstance(site.node, ast.Call) and site.around == around and site.node.lineno >= first
        and number not in recorder.counts and number not in rewritten.beside and _rate_site(site) >= 1
    )[:8]  # fmt: skip


def find_candidates(
    iteration: Iteration, recorder: IterationRecorder, names: Names, moved: Mapping[Key, Any]
) -> list[CostCandidate]:
    """All that may be the cost, from one iteration with the update held back and another at moved parameters."""
    rewritten = iteration.program.rewritten
    base = recorder.made()
    found = []
    called = {
        rewritten.sites[number].text.partition("(")[0] for number in recorder.counts if number not in rewritten.beside
    }
    for event in recorder.events:
        if event.value.size != 1 or event.key not in moved or not np.isfinite(event.value).all():
            continue
        if not np.array_equal(event.value, moved[event.key]):
            site = rewritten.sites[event.key[0]]
            # What the program computes itself is named by that; the other may be there earlier.
            again = event.key[0] in rewritten.beside and site.text.partition("(")[0] in called
            rank = 0 if again else _rate_site(site)
            found.append(CostCandidate(_name_site(site), rank, key=event.key, order=event.order))
    found = _keep_last_turns(found)
    for pair in find_pairs(rewritten, base, moved):
        found += list(_own_functions(names, pair))
        found += [
            CostCandidate(words, -1, pair=pair, function=function, table=table)
            for table, (function, words) in TABLE.items()
        ]
    return found


def _keep_last_turns(found: list[CostCandidate]) -> list[CostCandidate]:
    """In a program of single numbers a sum over all comes in the last turns of its line."""
    turns: dict[int, list[CostCandidate]] = {}
    for one in found:
        assert one.key is not None
        turns.setdefault(one.key[0], []).append(one)
    most = LAST_TURNS if len(found) > MOST_NUMBERS else len(found) + 1
    return sorted((one for own in turns.values() for one in own[-most:]), key=lambda one: one.order)


def _name_site(site: Site) -> str:
    if site.target and site.target != "return":
        return site.target
    return f"what {site.around} returns" if site.target == "return" and site.around else site.text


def _rate_site(site: Site) -> int:
    called = re.match(r"[\w.]+(?=\()", site.text)
    names = [called[0].split(".")[-1]] if called else []
    functions = [name for name in (*names, site.around if site.target == "return" else "") if name]
    words = [site.target if site.target != "return" else "", "" if called else site.text]
    if OTHER_DATA.search(site.target) and not STRONG.search(site.around):
        return 0
    if any(STRONG.search(name) and not SLOPES.search(name) for name in functions):
        return 3
    simple = [word for word in words if re.fullmatch(r"[\w.\[\]'\"-]*", word)]
    if any(STRONG.search(word) and not SLOPES.search(word) for word in simple):
        return 2
    return 1 if any(WEAK.search(word) for word in (*functions, *simple)) else 0


def _own_functions(names: Names, pair: Pair) -> list[CostCandidate]:
    """Functions and methods of the file that are called a loss or an error and take two things."""
    found = []
    for label, strength, make in list_functions(names):
        order = _order_arguments(make(names))
        if order is not None:
            found.append(CostCandidate(label, strength, pair=pair, maker=_turn(make, order)))
    return found


def _turn(make: Callable[[Names], Any], order: str) -> Callable[[Names], Callable[[Any, Any], Any]]:
    def maker(names: Names) -> Callable[[Any, Any], Any]:
        function = make(names)
        if order == "of a target":
            return lambda o, t: function(t)(o)
        return (lambda o, t: function(t, o)) if order == "target first" else function

    return maker


def list_functions(names: Names) -> list[tuple[str, int, Callable[[Names], Any]]]:
    """(name, strength, how to get it) for functions of the file and methods of its objects."""
    found: list[tuple[str, int, Callable[[Names], Any]]] = []
    for name, value in list(names.shared.items()):
        if isinstance(value, types.FunctionType) and not name.startswith("hook_") and _strength(name):
            found.append((name, _strength(name), _take(name)))
    for owner in list(names):
        kind = type(names[owner])
        if kind.__module__ in ("builtins", "numpy"):
            continue
        held = getattr(names[owner], "__dict__", {})
        found += [
            (f"{owner}.{name}", HELD, _take_method(owner, name))
            for name, value in held.items()
            if isinstance(value, types.FunctionType) and _strength(name) == 3
        ]
        for name in dir(kind):
            if _strength(name) and isinstance(inspect.getattr_static(kind, name), types.FunctionType | staticmethod):
                found.append((f"{owner}.{name}", _strength(name), _take_method(owner, name)))
    return found


def _take(name: str) -> Callable[[Names], Any]:
    return lambda names: names.shared[name]


def _take_method(owner: str, name: str) -> Callable[[Names], Any]:
    return lambda names: getattr(names[owner], name)


def _strength(name: str) -> int:
    if SLOPES.search(name) or name.startswith("__"):
        return 0
    return 3 if STRONG.search(name) else 1 if WEAK.search(name) else 0


TARGETS = re.compile(
    r"^_?(y|t|d|target|targets|label|labels|true|truth|y_?true|y_?enc|onehot|one_hot|wanted|soll|T|Y)$"
)


def _order_arguments(function: Any) -> str | None:
    try:
        needed = [
            p for p in inspect.signature(function).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]  # fmt: skip
    except (TypeError, ValueError):
        return None
    if len(needed) == 1 and _makes_function(function):
        return "of a target"
    if len(needed) != 2:
        return None
    first, second = (bool(TARGETS.match(p.name)) or "true" in p.name or "target" in p.name for p in needed)
    return "target first" if first and not second else "output first"


def _makes_function(function: Any) -> bool:
    """Whether a function of one thing stands in it: cost(target)(output)."""
    inside = [one for one in function.__code__.co_consts if isinstance(one, types.CodeType)]
    return any(one.co_argcount == 1 and not one.co_varnames[0].startswith(".") for one in inside)
