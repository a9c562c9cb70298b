"""Layers told apart by their index letters: i before j before k, as in net_j = Σ_i w_ij o_i with o_j = φ(net_j).

Such texts name no layer.  Which letter counts which layer follows from the weights: one of their two letters is the
unit that a definition sums over, the other is the unit that is defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backprop.formulas.conventions.keys import Conventions
from backprop.formulas.conventions.letters import key_of, letters_of
from backprop.formulas.text.tree import Apply, Sym, Term, walk

__all__ = ["Texts", "layers_of_letters", "with_units"]

MOST = 3


@dataclass(frozen=True)
class Texts:
    """The definitions as pairs of trees, and all symbols of the formula and of them."""

    pairs: Sequence[tuple[Term, Term]]
    symbols: Sequence[Sym]

    @property
    def defined(self) -> set[str]:
        """The letters that have a definition."""
        lefts = [left.function if isinstance(left, Apply) else left for left, _ in self.pairs]
        return {left.base for left in lefts if isinstance(left, Sym)}


def with_units(conventions: Conventions) -> Conventions:
    """Where only index letters tell the layers, a_j = sum_i w_ji z_i with z_j = h(a_j), each letter is at a layer."""
    layers = conventions.raw.get("layers", {})
    if "units" in layers or "layer" in (layers.get("superscript"), layers.get("subscript"), layers.get("brackets")):
        return conventions
    if any(symbol.subs for symbol in conventions.shapes):
        return conventions
    pairs = [(d.left, d.right) for d in conventions.definitions]
    units = layers_of_letters(
        Texts(pairs, [s for pair in pairs for tree in pair for s in walk(tree) if isinstance(s, Sym)])
    )
    if not units:
        return conventions
    text = ",".join(f"{letter}:{shift}" for letter, shift in units.items())
    return replace(conventions, raw={**conventions.raw, "layers": {**layers, "units": text}})


def layers_of_letters(texts: Texts) -> dict[str, int]:
    """How many layers on (or back) from the first letter each index letter counts; empty if no letter tells layers."""
    pair = weight_and_order(texts)
    if pair is None:
        return {}
    weight, first_is_source = pair
    pairs = [single(s) for s in texts.symbols if s.base == weight and len(single(s)) == 2]
    arrows = [(a, b) if first_is_source else (b, a) for a, b in pairs]
    found: dict[str, int] = {arrows[0][1]: 0}
    for _ in range(2 * len(arrows)):
        for source, target in arrows:
            if source in found and found.setdefault(target, found[source] + 1) != found[source] + 1:
                return {}
            if target in found and found.setdefault(source, found[target] - 1) != found[target] - 1:
                return {}
        loose = [target for _, target in arrows if target not in found]
        if loose:
            found[loose[0]] = 0
    return found if max(found.values()) - min(found.values()) <= MOST else {}


def single(symbol: Sym) -> list[str]:
    """The index letters of a symbol, each a component of its own."""
    return [key_of(sub) for sub in symbol.subs if isinstance(sub, Sym)]


def weight_and_order(texts: Texts) -> tuple[str, bool] | None:
    """The weights, and whether their first letter is the unit that they leave, where the definitions go in a circle."""
    for left, right in texts.pairs:
        if not isinstance(left, Sym) or len(single(left)) != 1:
            continue
        own = single(left)[0]
        inner = [s for s in walk(right) if isinstance(s, Sym) and len(single(s)) == 1 and single(s)[0] != own]
        weights = [s for s in walk(right) if isinstance(s, Sym) and len(single(s)) == 2 and own in single(s)]
        circle = any(
            s.base == left.base or s.base in behind(texts, left.base) for s in inner if s.base in texts.defined
        )
        if weights and circle and weights[0].base not in texts.defined:
            return weights[0].base, single(weights[0])[1] == own
    return None


def behind(texts: Texts, base: str) -> set[str]:
    """The letters that are defined by a letter, directly or not."""
    found, grown = {base}, True
    while grown:
        more = {left.base for left, right in texts.pairs if isinstance(left, Sym) and names(right) & found}
        grown = not more <= found
        found |= more
    return found


def names(node: Term) -> set[str]:
    """The letters in a term, without those of its scripts."""
    inside = {id(x) for s in walk(node) if isinstance(s, Sym) for sub in s.subs for x in letters_of(sub)}
    return {s.base for s in walk(node) if isinstance(s, Sym) and id(s) not in inside}
