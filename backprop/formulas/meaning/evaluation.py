"""The value of a formula in one trial: definitions are unfolded, derivatives are coefficients of power series.

Nothing here knows a rule of differentiation: ∂C/∂X is what C does when a component of X is exchanged for itself + ε.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import factorial

from flint import arb, arb_series

from backprop.formulas.conventions.naming import Ref
from backprop.formulas.meaning.arrays import Array, box, each, full
from backprop.formulas.meaning.dims import OutOfRange, ShapeMisfit
from backprop.formulas.meaning.numbers import coefficient
from backprop.formulas.meaning.symbols import Symbols, all_indices
from backprop.formulas.text.tree import (
    Apply,
    Bracket,
    Deriv,
    Infix,
    NotUnderstood,
    Num,
    Raised,
    Sym,
    Term,
    walk,
)  # fmt: skip

__all__ = ["Meaning"]

Env = Mapping[str, int]
Local = Mapping[str, Array]
Key = tuple[str, tuple[int, ...]]
UNSAID = "nothing says how this is distributed; say it, as in --where 'w ~ N(0, s)'"


class Meaning(Symbols):
    """Evaluates trees in a scene; `overrides` holds what is moved or kept constant."""

    def statistic(self, kind: str, node: Apply, env: Env, local: Local) -> Array:
        """E, Var, std or P of what is in the brackets."""
        if len(node.args) != 1:
            raise NotUnderstood(f"{kind} of several things", node.start)
        inner = node.args[0]
        if kind in ("Var", "std") and (name := self.whole_family(inner)):
            variance = box(self.scene.moments(self).variance_of(name))
            return variance if kind == "Var" else each(lambda x: x.sqrt(), variance)
        first = self.expectation(inner, env, local)
        if kind in ("E", "P"):
            return first
        second = self.expectation(Raised(Bracket(inner), Num("2")), env, local)
        variance = each(lambda x, y: x - y * y, second, first)
        return variance if kind == "Var" else each(lambda x: x.sqrt(), variance)

    def whole_family(self, node: Term) -> str:
        """The name of random variables of one law that stand without their indices: W of Var[W]."""
        ref = self.lookup.naming.read(node) if isinstance(node, Sym) else None
        if ref is None or ref.comps or ref.power is not None or not self.scene.chance.is_random(ref.name):
            return ""
        return "" if ref.name in self.lookup.entries else ref.name

    def expectation(self, node: Term, env: Env, local: Local) -> Array:
        """The mean over the random variables that the value depends on."""
        scene, keys = self.scene, self.random_in(node, env, local)
        moments = scene.moments(self)
        shapes = [scene.values[key].shape for key in keys]
        return moments.expectation(
            lambda arrays: Meaning(scene, {**self.overrides, **arrays}).value(node, env, local), keys, shapes
        )

    def random_in(self, node: Term, env: Env, local: Local) -> list[Key]:
        """The random variables that a value depends on; with none of them, nobody has said what is random."""
        scene = self.scene
        scene.touched = {}
        Meaning(scene, self.overrides).value(node, env, local)
        keys, scene.touched = list(scene.touched), None
        if not keys and not scene.chance.laws:
            raise NotUnderstood(UNSAID, node.start if node.start >= 0 else None)
        return keys

    def _deriv(self, node: Deriv, env: Env, local: Local) -> Array:
        if self.moved:
            raise NotUnderstood("a derivative inside what is differentiated", node.start if node.start >= 0 else None)
        below = node.below
        while isinstance(below, Bracket):
            below = below.value
        if not isinstance(below, Sym):
            raise NotUnderstood("what it is differentiated by is no letter", node.start if node.start >= 0 else None)
        bound = tuple(sorted((k, v) for k, v in env.items()))
        key = (node, bound) if not local else None
        if key is None or key not in self.memo:
            value = self.differentiate(node, below, env, local)
            if key is None:
                return value
            self.memo[key] = value
        return self.memo[key]

    def differentiate(self, node: Deriv, below: Sym, env: Env, local: Local) -> Array:
        """Every component of the variable is moved, one at a time."""
        below, ref = self.followed(below)
        places = self.scene.shaper.places(ref, env)
        base = self.whole(below, ref, env, {})
        comps = self.lookup.components(ref, env)
        if comps and base.ndim > len(comps) and base.shape.count(1) == 0:
            whole = self.value(replace(node, below=self.lookup.bare(below)), env, local)
            return self.pick(whole, comps, env, local)
        if node.second is not None and not comps and base.ndim and node.second == node.below:
            return self.hessian(node, (ref, places, base), env, local)
        if node.second is not None:
            return self.mixed(node, (ref, places, base), env, local)
        moves = list(all_indices(base)) if not comps or base.ndim == 0 else [self.place_of(base, comps, env)]
        kept = self.kept(node, env)
        slopes = {}
        for place in moves:
            moved = Meaning(self.scene, {**self.overrides, **kept, (ref.name, places): move(base, place)}, True)
            top = moved.value(node.top, env, local)
            slopes[place] = each(lambda x: coefficient(x, node.order) * factorial(node.order), top)
        if comps or base.ndim == 0:
            return next(iter(slopes.values()))
        result = self.laid_out(base, slopes)
        return result.T if ref.transposed % 2 else result

    def mixed(self, node: Deriv, first: tuple[Ref, tuple[int, ...], Array], env: Env, local: Local) -> Array:
        """d²C / dx dy = (C(x + ε, y + ε) - C(x + ε, y) - C(x, y + ε)) at ε²."""
        ref, places, base = first
        if not isinstance(node.second, Sym):
            raise NotUnderstood("what it is differentiated by is no letter", node.start)
        other, place = self.lookup.naming.read(node.second), self.one_place(ref, base, env)
        places2 = self.scene.shaper.places(other, env)
        base2 = self.whole(node.second, other, env, {})
        place2 = self.one_place(other, base2, env)
        one, two = {(ref.name, places): move(base, place)}, {(other.name, places2): move(base2, place2)}
        both = {**one, **two} if one.keys() != two.keys() else {(ref.name, places): move(move(base, place), place2)}
        seconds = []
        for moved in (both, one, two):
            value = Meaning(self.scene, {**self.overrides, **moved}, True).value(node.top, env, local)
            seconds.append(each(lambda x: coefficient(x, 2), value))
        return each(lambda x, y, z: x - y - z, *seconds)

    def hessian(self, node: Deriv, first: tuple[Ref, tuple[int, ...], Array], env: Env, local: Local) -> Array:
        """∇²C: all second derivatives by the components of one vector."""
        ref, places, base = first
        spots = list(all_indices(base))

        def second(*moves: tuple[int, ...]) -> Array:
            moved = base
            for spot in moves:
                moved = move(moved, spot)
            value = Meaning(self.scene, {**self.overrides, (ref.name, places): moved}, True).value(node.top, env, local)
            if value.size != 1:
                raise NotUnderstood("second derivatives of more than one number", node.start)
            return coefficient(value.reshape(())[()], 2)

        alone = [second(spot) for spot in spots]
        table = full((len(spots), len(spots)), lambda _: arb(0))
        for i, j in all_indices(table):
            table[i, j] = 2 * alone[i] if i == j else second(spots[i], spots[j]) - alone[i] - alone[j]
        return table

    def one_place(self, ref: Ref, base: Array, env: Env) -> tuple[int, ...]:
        """The component that a second derivative is by."""
        comps = self.lookup.components(ref, env)
        if base.ndim and not comps:
            raise NotUnderstood("a second derivative by a whole vector")
        return self.place_of(base, comps, env) if base.ndim else ()

    def followed(self, below: Sym) -> tuple[Sym, Ref]:
        """The letter itself, or the one that it is another name for."""
        ref = self.lookup.naming.read(below)
        entries = self.lookup.entries.get(ref.name, [])
        if (
            len(entries) == 1
            and isinstance(entries[0].body, Sym)
            and not ref.places
            and entries[0].kind == "definition"
        ):
            users = [s for d in self.lookup.conventions.definitions for s in walk(d.right) if isinstance(s, Sym)]
            if not any(self.lookup.naming.read(s).name == ref.name for s in users):
                return entries[0].body, self.lookup.naming.read(entries[0].body)
        return below, ref

    def place_of(self, base: Array, comps: tuple[Term, ...], env: Env) -> tuple[int, ...]:
        """Where a component stands in the array."""
        start = self.lookup.naming.first_component
        place = [0] * base.ndim
        for comp, axis in zip(comps, self.axes(base, len(comps)), strict=True):
            place[axis] = self.component(comp, env, {}) - start
            if not 0 <= place[axis] < base.shape[axis]:
                kind = OutOfRange if isinstance(comp, Infix) else ShapeMisfit
                raise kind(f"component {place[axis] + 1} of an axis of length {base.shape[axis]}")
        return tuple(place)

    def laid_out(self, base: Array, slopes: dict[tuple[int, ...], Array]) -> Array:
        """The derivatives in the layout that is declared."""
        layout = self.lookup.conventions.word("layout")
        top = next(iter(slopes.values()))
        if top.size == 1:
            gradient = full(base.shape, lambda place: slopes[place].reshape(())[()])
            return gradient.T if layout == "numerator" else gradient
        if layout is None:
            if top.shape != base.shape:
                raise NotUnderstood("in which layout this derivative is written")
            return full(base.shape, lambda place: slopes[place][place])
        places = list(slopes)
        table = full((top.size, len(places)), lambda at: slopes[places[at[1]]].reshape(-1)[at[0]])
        return table if layout == "numerator" else table.T

    def kept(self, node: Deriv, env: Env) -> dict[Key, Array]:
        """What the conventions keep constant during this derivative."""
        out: dict[Key, Array] = {}
        for pattern, items in self.lookup.conventions.fixed:
            if not isinstance(node.below, Sym) or not isinstance(pattern, (Num, Deriv)):
                continue
            mine = self.lookup.naming.read(node.below)
            by = pattern.below if isinstance(pattern, Deriv) else node.below
            theirs = self.lookup.naming.read(by) if isinstance(by, Sym) else mine
            if mine.name != theirs.name:
                continue
            inner = self.lookup.match(theirs, self.scene.shaper.places(mine, env), self.scene.limits) or {}
            for item in items:
                if isinstance(item, Sym):
                    ref = self.lookup.naming.read(item)
                    places = self.scene.shaper.places(ref, {**env, **inner})
                    out[(ref.name, places)] = self.instance(ref.name, places, ref)
        return out


def move(base: Array, place: tuple[int, ...]) -> Array:
    """The array with ε added at one place."""
    moved = base.copy()
    moved[place] = base[place] + arb_series([arb(0), arb(1)])
    return moved
