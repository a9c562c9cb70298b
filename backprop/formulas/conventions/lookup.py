"""Where the meaning of a symbol is written down: definitions with patterns, functions, short names for derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backprop.formulas.conventions.keys import Conventions, Stated
from backprop.formulas.conventions.letters import key_of, letters_of
from backprop.formulas.conventions.naming import COUNTS, Naming, Ref
from backprop.formulas.text.tree import (
    Apply,
    Bracket,
    Concat,
    Deriv,
    Indexed,
    Infix,
    NotUnderstood,
    Num,
    Sym,
    Term,
    Turned,
    walk,
)

__all__ = ["Env", "FunctionEntry", "Limits", "Lookup", "Meant"]

Env = Mapping[str, object]


@dataclass(frozen=True)
class Meant:
    """One definition of a quantity; `part` says which of several side by side."""

    ref: Ref
    body: Term
    kind: str = "definition"
    part: int = -1
    parts: tuple[Ref, ...] = ()


@dataclass(frozen=True)
class FunctionEntry:
    """f(x)_i: body"""

    name: str
    params: tuple[Term, ...]
    comps: tuple[Term, ...]
    body: Term
    primes: int = 0
    power: Term | None = None

    def stands_for(self, node: Apply, power: Term | None) -> bool:
        """Whether a call is this very function: \\tanh^2(c) and f'(x) may have definitions of their own."""
        return len(self.params) == len(node.args) and (self.primes, self.power) == (node.function.primes, power)


@dataclass(frozen=True)
class Limits:
    """How far the places go in one trial."""

    layer: int = 4
    time: int = 4
    sample: int = 3

    def last(self, kind: str) -> int:
        """The last layer, time or sample."""
        return int(getattr(self, kind))


class Lookup:
    """The definitions, found by name and place."""

    def __init__(self, conventions: Conventions, naming: Naming) -> None:
        self.conventions = conventions
        self.naming = naming
        self.entries: dict[str, list[Meant]] = {}
        self.functions: dict[str, list[FunctionEntry]] = {}
        for definition in conventions.aliases:
            self._add(definition, "alias")
        for definition in conventions.definitions:
            self._add(definition, "definition")

    def _add(self, definition: Stated, kind: str) -> None:
        left, body = definition.left, definition.right
        while isinstance(left, Bracket):
            left = left.value
        comps: tuple[Term, ...] = ()
        if isinstance(left, Indexed):
            comps, left = left.subs, left.value
        if isinstance(left, Turned):
            left, body = left.value, Turned(body)
        if isinstance(left, Sym):
            self._add_quantity(left, body, kind)
        elif isinstance(left, Apply):
            name = self.function_name(left.function)
            ref = self.naming.read(left.function)
            own = ref.comps if left.function.subs else ()
            entry = FunctionEntry(name, left.args, (*own, *comps), body, left.function.primes, ref.power)
            self.functions.setdefault(name, []).append(entry)
        elif isinstance(left, Concat):
            parts = tuple(self.naming.read(item) for item in left.items if isinstance(item, Sym))
            for at, ref in enumerate(parts):
                self._enter(Meant(ref, body, kind, at, parts))
        else:
            raise NotUnderstood("the left side of a definition is not a quantity or a function")

    def _add_quantity(self, left: Sym, body: Term, kind: str) -> None:
        ref = self.naming.read(left)
        if kind == "alias" and isinstance(body, Sym):
            body = self.bare(body)
            if self.naming.read(body).name == ref.name:
                return
        self._enter(Meant(ref, body, kind))

    def bare(self, symbol: Sym) -> Sym:
        """The whole quantity that a symbol is a component of."""
        ref = self.naming.read(symbol)
        if ref.label:
            return symbol
        return Sym(symbol.base, tuple(s for s in symbol.subs if s not in ref.comps),
                   tuple(s for s in symbol.sups if s.value not in ref.comps and s.value != ref.power))  # fmt: skip

    def components(self, ref: Ref, env: Env) -> tuple[Term, ...]:
        """The components that are asked for; a letter that names a vector is one only where a sum binds it."""
        labels = self.naming.label_letters()
        free = [x for c in ref.comps for x in letters_of(c) if key_of(x) in labels and key_of(x) not in env]
        return () if free else ref.comps

    def _enter(self, entry: Meant) -> None:
        """Definitions for one place go before those for all."""
        listed = self.entries.setdefault(entry.ref.name, [])
        if any(isinstance(node, Num) for _, node in entry.ref.places) or any(
            isinstance(n, Num) for n in entry.ref.comps
        ):
            listed.insert(0, entry)
        else:
            listed.append(entry)

    def function_name(self, symbol: Sym) -> str:
        """A function's name, with its number (C_0), without what is written as its index or power."""
        ref = self.naming.read(Sym(symbol.base, tuple(s for s in symbol.subs if isinstance(s, Sym))))
        return ref.name + "".join("_" + s.text for s in symbol.subs if isinstance(s, Num))

    def function_of(self, node: Apply) -> FunctionEntry | None:
        """The definition of a function: that of the whole call, f'(x) or f^2(x), before that of f(x)."""
        entries = self.functions.get(self.function_name(node.function), [])
        power = self.naming.read(node.function).power
        exact = [entry for entry in entries if entry.stands_for(node, power)]
        plain = [entry for entry in entries if (entry.primes, entry.power) == (0, None)]
        return next((entry for entry in [*exact, *plain] if len(entry.params) == len(node.args)), None)

    def find(self, name: str, places: tuple[int, ...], limits: Limits) -> tuple[Meant, dict[str, int]] | None:
        """The definition of the whole of a quantity at these places, and what its letters are there."""
        for entry in self.entries.get(name, []):
            if any(isinstance(node, Num) for node in entry.ref.comps):
                continue
            env = self.match(entry.ref, places, limits)
            if env is not None:
                return entry, env
        return None

    def kinds_of(self, name: str) -> tuple[str, ...]:
        """What the places of a quantity count."""
        entries = self.entries.get(name)
        if entries:
            return entries[0].ref.kinds
        refs = [self.naming.read(s) for s in self.naming.symbols]
        return next((ref.kinds for ref in refs if ref.name == name and ref.places), ())

    def is_used(self, name: str) -> bool:
        """Whether another definition needs this quantity at the same place."""
        for other, entries in self.entries.items():
            for entry in entries:
                if other == name or entry.kind != "definition" or self.is_cost(other):
                    continue
                if any(isinstance(node, Deriv) for node in walk(entry.body)):
                    continue
                refs = [self.naming.read(s) for s in walk(entry.body) if isinstance(s, Sym)]
                if any(ref.name == name and ref.places == entry.ref.places for ref in refs):
                    return True
        return False

    def is_numbered(self, name: str) -> bool:
        """Whether a quantity is defined at layers (times) with numbers only: Z^[1], Z^[2]."""
        places = [entry.ref.places for entry in self.entries.get(name, [])]
        return bool(places) and all(p and all(isinstance(node, Num) for _, node in p) for p in places)

    def is_used_there(self, ref: Ref) -> bool:
        """Whether another definition needs a quantity at these very places."""
        for name, entries in self.entries.items():
            for entry in entries:
                derived = any(isinstance(node, Deriv) for node in walk(entry.body)) or entry.kind != "definition"
                if derived or self.is_cost(name) or (name, entry.ref.places) == (ref.name, ref.places):
                    continue
                refs = [self.naming.read(s) for s in walk(entry.body) if isinstance(s, Sym)]
                if any((one.name, one.places) == (ref.name, ref.places) for one in refs):
                    return True
        return False

    def is_kronecker(self, symbol: Sym) -> bool:
        """δ_ik, the sign."""
        role, ref = self.conventions.role(symbol), self.naming.read(symbol)
        unknown = role is None and ref.name not in self.entries
        declared = role == "Kronecker delta"
        return len(ref.comps) == 2 and (declared or (unknown and symbol.base in ("\\delta", "delta", "I")))

    def is_cost(self, name: str) -> bool:
        """Whether a name is that of the cost."""
        return (self.conventions.role(Sym(name)) or "").endswith("cost") or name == self.conventions.any_cost

    def find_components(self, name: str, places: tuple[int, ...], limits: Limits) -> list[tuple[Meant, dict[str, int]]]:
        """Definitions of single components, x_0 = 1."""
        found = []
        for entry in self.entries.get(name, []):
            if any(isinstance(node, Num) for node in entry.ref.comps):
                env = self.match(entry.ref, places, limits)
                if env is not None:
                    found.append((entry, env))
        return found

    def match(self, ref: Ref, places: tuple[int, ...], limits: Limits) -> dict[str, int] | None:
        """The letters of a pattern at given places, or None."""
        if len(ref.places) != len(places):
            return None
        env: dict[str, int] = {}
        for (kind, pattern), value in zip(ref.places, places, strict=True):
            if not self._match_place(kind, pattern, value, env, limits):
                return None
        return env

    def _match_place(self, kind: str, pattern: Term, value: int, env: dict[str, int], limits: Limits) -> bool:
        fixed = self.place_value(pattern, {}, kind, limits, strict=False)
        if fixed is not None:
            return fixed == value
        letters = letters_of(pattern)
        if len(letters) != 1:
            return False
        key = key_of(letters[0])
        at_zero = self.place_value(pattern, {key: 0}, kind, limits, strict=False)
        if at_zero is None:
            return False
        bound = value - at_zero
        if bound < self.first_place(kind) or env.get(key, bound) != bound:
            return False
        env[key] = bound
        return True

    def first_place(self, kind: str) -> int:
        """The first layer that a pattern speaks of: 1, or 0 where the input layer has that number."""
        return 0 if kind == "layer" and self.conventions.layer("first_layer") == "0" else 1

    def place_value(self, node: Term, env: Env, kind: str, limits: Limits, strict: bool = True) -> int | None:
        """A layer, time or sample as a number."""
        if isinstance(node, Num) and node.text.isdigit():
            return int(node.text)
        if isinstance(node, Bracket):
            return self.place_value(node.value, env, kind, limits, strict)
        if isinstance(node, Infix) and node.sign in ("+", "-"):
            left = self.place_value(node.left, env, kind, limits, strict)
            right = self.place_value(node.right, env, kind, limits, strict)
            if left is None or right is None:
                return None
            return left + right if node.sign == "+" else left - right
        if isinstance(node, Sym):
            value = self._letter_value(node, env, kind, limits)
            if value is not None:
                return value
        if strict:
            raise NotUnderstood(f"which {kind} this is", node.start if node.start >= 0 else None)
        return None

    def _letter_value(self, symbol: Sym, env: Env, kind: str, limits: Limits) -> int | None:
        value = env.get(key_of(symbol))
        if isinstance(value, int):
            return value
        if self.is_last(symbol, kind):
            return limits.last(kind)
        return None

    def count_at(self, symbol: Term | None, env: Env, limits: Limits) -> str | None:
        """n_l as the count of one layer, n_3; None if a letter counts nothing, or the same everywhere."""
        if not isinstance(symbol, Sym) or len(symbol.subs) != 1 or not letters_of(symbol.subs[0]):
            return None
        roles = self.conventions.roles.items()
        if not any(role in COUNTS and key.base == symbol.base and key.subs for key, role in roles):
            return None
        if len({s.subs for s in self.naming.symbols if s.base == symbol.base and s.subs}) < 2:
            return None
        value = self.place_value(symbol.subs[0], env, "layer", limits, strict=False)
        return None if value is None else f"{symbol.base}_{value}"

    def is_last(self, symbol: Sym, kind: str) -> bool:
        """Whether a letter stands for the last layer (time, sample)."""
        role = self.conventions.roles.get(symbol)
        if role is not None:
            counts = {"layer": "last layer", "time": "number of time steps", "sample": "number of samples"}
            return role == counts.get(kind)
        return kind == "layer" and symbol == Sym("L")
