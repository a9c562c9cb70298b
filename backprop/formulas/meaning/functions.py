"""Functions of a formula: those that it defines, the activation that is declared, those that everybody knows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from flint import arb

from backprop.formulas.conventions.letters import key_of
from backprop.formulas.conventions.lookup import FunctionEntry, Lookup
from backprop.formulas.meaning.arguments import keywords, match_parameter
from backprop.formulas.meaning.arrays import (
    Array,
    along,
    box,
    each,
    full,
    total,
)
from backprop.formulas.meaning.chance import is_statistic
from backprop.formulas.meaning.dims import ShapeMisfit
from backprop.formulas.meaning.known import of_arrays, spread
from backprop.formulas.meaning.numbers import ELEMENTWISE, differentiate, raise_to
from backprop.formulas.meaning.scene import Scene
from backprop.formulas.meaning.statements import statement
from backprop.formulas.text.tree import Apply, Indexed, NotUnderstood, Sym, Term, walk

__all__ = ["Functions"]

SPREADS = ("var", "std")
"""Names that are those of arrays where nothing is random."""

Env = Mapping[str, int]
Local = Mapping[str, Array]


class Functions(ABC):
    """The value of f(x)."""

    scene: Scene
    lookup: Lookup

    @abstractmethod
    def value(self, node: Term, env: Env, local: Local) -> Array:
        """The value of a node."""

    @abstractmethod
    def number(self, node: Term, env: Env, local: Local) -> Any:
        """A value that is one number."""

    @abstractmethod
    def pick(self, whole: Array, comps: tuple[Term, ...], env: Env, local: Local) -> Array:
        """Components of an array."""

    @abstractmethod
    def statistic(self, kind: str, node: Apply, env: Env, local: Local) -> Array:
        """E, Var, std or P."""

    def _apply(self, node: Apply, env: Env, local: Local) -> Array:
        function = node.function
        ref = self.lookup.naming.read(function)
        value = self.called(node, env, local)
        if function.subs and ref.comps and value.ndim and function.base not in self.lookup.conventions.scripted:
            value = self.pick(value, ref.comps, env, local)
        entry = self.entry_of(node)
        if ref.power is not None and ref.power != Sym("'") and (entry is None or entry.power is None):
            value = each(raise_to, value, self.value(ref.power, env, local))
        return value.T if ref.transposed % 2 else value

    def called(self, node: Apply, env: Env, local: Local) -> Array:
        """f(x) without what hangs on it."""
        entry = self.entry_of(node)
        if entry is not None:
            return self.call_defined(entry, node, env, local)
        name = node.function.base
        if self.lookup.conventions.activation.get(name) == "functional":
            arrays = [self.value(arg, env, local) for arg in node.args]
            numbers = [array[place] for array in arrays for place in np.ndindex(*array.shape)]
            return box(self.scene.any_cost(self.lookup.function_name(node.function), numbers))
        scalar = self.function_of_numbers(name, self.which(node.function, env))
        primes = node.function.primes
        if scalar is not None and len(node.args) == 1:
            argument = self.value(node.args[0], env, local)
            return each((lambda x: differentiate(scalar, x, primes)) if primes else scalar, argument)
        return self.known(name.lstrip("\\"), node, env, local)

    def entry_of(self, node: Apply) -> FunctionEntry | None:
        """The definition of a function."""
        return self.lookup.function_of(node)

    def call_defined(self, entry: FunctionEntry, node: Apply, env: Env, local: Local) -> Array:
        """f(x): body, with the argument in place of the parameter; f'(x) through its power series."""
        primes = node.function.primes - entry.primes
        if primes:
            single = entry.params[0] if len(entry.params) == 1 else None
            if not isinstance(single, Sym) or self.lookup.naming.read(single).places:
                raise NotUnderstood("the derivative of a function of several arguments", node.start)
            name = single.base
            argument = self.value(node.args[0], env, local)
            return each(
                lambda x: differentiate(lambda t: self.number(entry.body, env, {name: box(t)}), x, primes), argument
            )
        bound, inner = dict(local), dict(env)
        for param, arg in zip(entry.params, node.args, strict=True):
            if isinstance(param, Sym) and self.lookup.naming.read(param).places:
                inner |= self.placed_parameter(param, arg, env)
                continue
            for name, part in match_parameter(param, arg):
                bound[name] = self.value(part, env, local)
        if not entry.comps:
            return self.value(entry.body, inner, bound)
        return self.whole_of(entry, inner, bound)

    def placed_parameter(self, param: Sym, arg: Term, env: Env) -> dict[str, int]:
        """h(x^{(i)}) is defined for every i: the letters of the parameter at the place of the argument."""
        mine = self.lookup.naming.read(param)
        theirs = self.lookup.naming.read(arg) if isinstance(arg, Sym) else None
        if theirs is None or (theirs.name, theirs.kinds) != (mine.name, mine.kinds):
            raise NotUnderstood("the argument has another form than the definition's", arg.start)
        found = self.lookup.match(mine, self.scene.shaper.places(theirs, env), self.scene.limits)
        if found is None:
            raise NotUnderstood("the argument has another form than the definition's", arg.start)
        return found

    def whole_of(self, entry: FunctionEntry, env: Env, bound: Local) -> Array:
        """The array of a function that is defined by components."""
        letters = [key_of(c) for c in entry.comps if isinstance(c, Sym)]
        shape = next((a.shape for a in bound.values() if a.ndim == len(letters)), None)
        if shape is None:
            shape = next((a.shape[: len(letters)] for a in bound.values() if a.ndim > len(letters)), None)
        if shape is None:
            raise NotUnderstood("how long a function's result is")
        start = self.lookup.naming.first_component
        return full(shape, lambda place: self.number(
            entry.body, {**env, **dict(zip(letters, (p + start for p in place), strict=True))}, bound))  # fmt: skip

    def inside(self, node: Indexed, env: Env, local: Local) -> Array:
        """What an index stands at."""
        return self.value(node.value, env, local)

    def which(self, function: Sym, env: Env) -> str:
        """Which of several functions of one letter, f^{(1)} and f^{(2)}, where the conventions tell them apart."""
        if function.base not in self.lookup.conventions.scripted:
            return ""
        ref, limits = self.lookup.naming.read(function), self.scene.limits
        spots = [(kind, node) for kind, node in ref.places] or [("layer", comp) for comp in ref.comps]
        values = [self.lookup.place_value(node, env, kind, limits, strict=False) for kind, node in spots]
        return "".join(f"[{node if value is None else value}]" for value, (_, node) in zip(values, spots, strict=True))

    def function_of_numbers(self, name: str, which: str = "") -> Callable[[Any], Any] | None:
        """The function that a name means, on numbers."""
        declared = self.lookup.conventions.activation.get(name)
        plain = name.lstrip("\\")
        if declared == "any":
            return self.scene.any_function(name + which)
        if declared == "logistic":
            return self.from_statement("sigmoid")
        if isinstance(declared, Term):
            return self.from_node(declared)
        if plain in ELEMENTWISE:
            return ELEMENTWISE[plain]
        return self.from_statement(plain)

    def from_statement(self, name: str) -> Callable[[Any], Any] | None:
        """An activation of the catalogue."""
        node = statement(name)
        return None if node is None else lambda x: self.number(node, {}, {"x": box(x)})

    def from_node(self, node: Term) -> Callable[[Any], Any]:
        """A formula in one letter as a function."""
        letters = [s.base for s in walk(node) if isinstance(s, Sym) and self.is_variable(s)]
        if not letters:
            raise NotUnderstood("an activation without a variable")
        return lambda x: self.number(node, {}, {letters[0]: box(x)})

    def is_variable(self, symbol: Sym) -> bool:
        """Whether a letter of an activation's formula is its argument."""
        lexicon = self.lookup.conventions.lexicon
        role = self.lookup.conventions.roles.get(symbol)
        constant = role in ("parameter", "constant", "small constant")
        return not lexicon.is_function(symbol.base) and symbol.base not in ("e", "\\pi") and not constant

    def known(self, name: str, node: Apply, env: Env, local: Local) -> Array:
        """Functions of arrays, by their usual names."""
        if node.function.primes:
            raise NotUnderstood(f"the derivative of {name} is not clear", node.start if node.start >= 0 else None)
        statistic = is_statistic(name)
        if statistic is not None and not (name in SPREADS and not self.lookup.conventions.assumptions):
            return self.statistic(statistic, node, env, local)
        plain, axis, keeps = keywords(node)
        args = [self.value(arg, env, local) for arg in plain]
        if name in ("sum", "mean") and axis is not None:
            return along(args[0], axis, keeps, name == "mean")
        if name in SPREADS and len(args) == 1:
            return spread(args[0], axis, keeps, name == "std")
        if name.lower() == "softmax" and len(args) == 1:
            return self.softmax(args[0])
        found = of_arrays(name, args)
        if found is None:
            raise NotUnderstood(f"the function {name} is not known", node.start if node.start >= 0 else None)
        return found

    def softmax(self, z: Array) -> Array:
        """Over the units of each sample."""
        if z.ndim not in (1, 2):
            raise ShapeMisfit("softmax is a function of a vector or of a batch")
        samples = self.lookup.conventions.word("samples")
        axis = 0 if z.ndim == 1 or samples == "columns" or (z.shape[1] == 1 and samples != "rows") else 1
        power = each(ELEMENTWISE["exp"], z)
        lines = np.moveaxis(power, axis, 0)
        out = full(lines.shape, lambda _: arb(0))
        for rest in np.ndindex(*lines.shape[1:]):
            whole = total(lines[(slice(None), *rest)])[()]
            for k in range(lines.shape[0]):
                out[(k, *rest)] = lines[(k, *rest)] / whole
        return np.moveaxis(out, 0, axis)
