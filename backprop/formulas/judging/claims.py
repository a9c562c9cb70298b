"""The claim of a formula: two sides, the layers, times, samples and components it is made for, its conditions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from backprop.formulas.conventions.conditions import read_condition
from backprop.formulas.conventions.keys import Conventions, Stated, listed, read_conventions
from backprop.formulas.conventions.letters import key_of, letters_of
from backprop.formulas.conventions.lookup import Limits, Lookup
from backprop.formulas.conventions.naming import COUNTS, PLACES, Naming
from backprop.formulas.conventions.units import with_units
from backprop.formulas.judging.solving import solve
from backprop.formulas.text.lexicon import INDEX_LETTERS
from backprop.formulas.text.parser import parse_formula
from backprop.formulas.text.tree import (
    Compare,
    Deriv,
    Indexed,
    Infix,
    NotUnderstood,
    Num,
    Sum,
    Sym,
    Term,
    children,
    rewrite,
    walk,
)  # fmt: skip

__all__ = ["PrintedClaim", "read_claim"]

Sides = list[tuple[Term, Term]]


@dataclass
class PrintedClaim:
    """left = right under conditions, with all that is needed to judge it."""

    text: str
    conventions: Conventions
    lookup: Lookup
    sides: list[tuple[Term, Term]]
    conditions: list[Term]
    places: dict[str, tuple[str, int, int]]
    letters: list[str]
    printed: list[tuple[Term, Term]] = field(default_factory=list)
    original: Conventions | None = None
    is_step: bool = False

    @property
    def right(self) -> Term:
        """The last right side as it is printed."""
        return (self.printed or self.sides)[-1][1]

    def with_right(self, right: Term) -> PrintedClaim:
        """The same claim with another right side."""
        if self.printed:
            return self._solved_again(right)
        sides = [*self.sides[:-1], (self.sides[-1][0], of_the_last(right, self.lookup))]
        return PrintedClaim(self.text, self.conventions, self.lookup, sides, self.conditions, self.places,
                     free_letters(self.lookup.naming, [n for side in sides for n in side], self.places))  # fmt: skip

    def with_left(self, left: Term) -> PrintedClaim:
        """The same claim with another left side."""
        sides = [(left, self.sides[-1][1])]
        return PrintedClaim(self.text, self.conventions, self.lookup, sides, self.conditions, self.places, self.letters)

    def _solved_again(self, right: Term) -> PrintedClaim:
        conventions = self.original or self.conventions
        naming = Naming(conventions, [*self.lookup.naming.trees, right])
        sides = [*self.printed[:-1], (self.printed[-1][0], right)]
        solved = solve(Lookup(conventions, naming), sides)
        if solved is None:
            raise NotUnderstood("the assumptions do not speak of this")
        again = solved_claim(self.text, solved, sides, self.conditions)
        again.original = conventions
        return again

    def known(self) -> list[Term]:
        """What is true by the conventions, without the claim."""
        conventions = self.conventions
        return [d.right for d in [*conventions.definitions, *conventions.aliases]]


def read_claim(text: str, raw: dict[str, object]) -> PrintedClaim:
    """Parse a formula under conventions."""
    conventions = read_conventions(raw, text)
    conventions.domain = [read_condition(condition, conventions.lexicon) for condition in listed(raw, "domain")]
    parts = [conventions.as_letters(part) for part in parse_formula(text, conventions.lexicon)]
    return claim_of(text, conventions, split_sides(parts[0], conventions), parts[1:])


def claim_of(
    text: str, conventions: Conventions, sides: list[tuple[Term, Term]], conditions: list[Term]
) -> PrintedClaim:
    """The claim of two sides under conventions."""
    sides, conditions, conventions = with_locals(sides, conditions, conventions)
    printed = sides
    check_sums([node for side in sides for node in side])
    sides = [as_step(side, conventions) for side in sides]
    trees = [node for side in sides for node in side] + conditions
    for definition in [*conventions.definitions, *conventions.aliases]:
        trees += [definition.left, definition.right]
    trees += [*conventions.assumptions, *conventions.domain, *(conventions.any_arguments or ())]
    trees += [conventions.cost] if conventions.cost is not None else []
    conventions = with_units(conventions)
    naming = Naming(conventions, trees)
    lookup = Lookup(conventions, naming)
    sides = [(of_the_last(left, lookup), of_the_last(right, lookup)) for left, right in sides]
    solved = solve(lookup, sides)
    if solved is not None:
        claim = solved_claim(text, solved, sides, conditions)
        claim.original = conventions
        return claim
    mine = [node for side in sides for node in side]
    places = free_places(naming, lookup, mine + conditions)
    letters = free_letters(naming, mine, places)
    return PrintedClaim(text, conventions, lookup, sides, conditions, places, letters, is_step=sides != printed)


def check_sums(sides: list[Term]) -> None:
    """A sum over an index that its body does not have means nothing where the body is a derivative of one sample."""
    for node in (n for side in sides for n in walk(side) if isinstance(n, Sum)):
        inside = {n for n in walk(node.body) if isinstance(n, Sym)}
        if any(isinstance(n, Deriv) for n in walk(node.body)) and not any(i in inside for i in node.index):
            raise NotUnderstood(
                "the index of this sum stands nowhere behind it", node.start if node.start >= 0 else None
            )


def of_the_last(node: Term, lookup: Lookup) -> Term:
    """∇_a C in a formula of the last layer is ∇ by a^L; in one of any other layer nothing says which a it is."""

    def change(one: Term) -> Term:
        if not isinstance(one, Deriv) or not isinstance(one.below, Sym):
            return one
        ref = lookup.naming.read(one.below)
        if ref.places or lookup.kinds_of(ref.name) != ("layer",) or ref.name not in lookup.entries:
            return one
        mine = [s for s in walk(node) if isinstance(s, Sym) and lookup.naming.read(s).kinds == ("layer",)]
        places = {lookup.naming.read(s).places[0][1] for s in mine}
        place = next(iter(places), None)
        if len(places) != 1 or not isinstance(place, Sym) or not lookup.is_last(place, "layer"):
            raise NotUnderstood("which layer this is", one.below.start)
        sups = tuple(s for s in mine[0].sups if s.value == place)
        return replace(one, below=replace(one.below, subs=(*one.below.subs, *(() if sups else (place,))), sups=sups))

    changed: Term = rewrite(node, change)
    return changed


def with_locals(sides: list[tuple[Term, Term]], conditions: list[Term], conventions: Conventions) -> tuple[
    list[tuple[Term, Term]], list[Term], Conventions]:  # fmt: skip
    """s = σ(x), σ'(x) = s (1 - s): what is defined in the formula itself is a definition, the last one the claim."""
    named = {key.base for key, role in conventions.roles.items() if role == "local"}
    equations = [c for c in conditions if isinstance(c, Compare) and c.sign in ("=", ":=") and not is_choice(c)]
    local = [
        c for c in equations if isinstance(c.left, Sym) and (c.left.base in named or not _speaks(conventions, c.left))
    ]
    if len(sides) == 1 and isinstance(sides[0][0], Sym) and sides[0][0].base in named and equations:
        rest = [c for c in equations if c not in local]
        if rest:
            local.append(Compare("=", *sides[0]))
            sides = split_sides(rest[-1], conventions)
    definitions = [*conventions.definitions, *(Stated(c.left, c.right) for c in local)]
    kept = [c for c in conditions if c not in local]
    return sides, kept, replace(conventions, definitions=definitions) if local else conventions


def is_choice(node: Compare) -> bool:
    """Whether an equation says which components are meant, i = j, rather than what a letter is."""
    letters = [side for side in (node.left, node.right) if isinstance(side, Sym) and not side.subs and not side.sups]
    return len(letters) == 2 and all(side.base in INDEX_LETTERS for side in letters)


def _speaks(conventions: Conventions, symbol: Sym) -> bool:
    """Whether the conventions say anything of a letter."""
    lefts = [d.left for d in [*conventions.definitions, *conventions.aliases]]
    return conventions.role(symbol) is not None or any(isinstance(x, Sym) and x.base == symbol.base for x in lefts)


def as_step(side: tuple[Term, Term], conventions: Conventions) -> tuple[Term, Term]:
    """w ← w - … : the left side is w after a step of gradient descent, w - rate · dC/dw."""
    left, right = side
    defined = any(d.left == left for d in [*conventions.definitions, *conventions.aliases])
    if defined or not isinstance(left, Sym) or not any(node == left for node in walk(right)):
        return side
    rates = [key for key, role in conventions.roles.items() if role == "learning rate"]
    wanted = ("penalised cost", "cost", "any cost")
    costs = [key for role in wanted for key, one in conventions.roles.items() if one == role]
    if not rates or not costs or not (isinstance(right, Infix) and right.sign in ("-", "+")):
        return side
    return Infix("-", left, Infix("*", rates[0], Deriv(costs[0], left))), right


def solved_claim(text: str, solved: tuple[Lookup, list[tuple[Term, Term]]], printed: list[tuple[Term, Term]],
                 conditions: list[Term]) -> PrintedClaim:  # fmt: skip
    """The claim that the assumptions come true with the printed right side."""
    lookup, sides = solved
    mine = [node for side in [*printed, *sides] for node in side]
    places = free_places(lookup.naming, lookup, mine + conditions)
    letters = free_letters(lookup.naming, [n for side in sides for n in side], places)
    return PrintedClaim(text, lookup.conventions, lookup, sides, conditions, places, letters, printed)


def split_sides(node: Term, conventions: Conventions) -> list[tuple[Term, Term]]:
    """The two sides of every sign of equality."""
    loose = next((n for n in walk(node) if n == Sym("...")), None)
    if loose is not None:
        raise NotUnderstood("how this pattern goes on", loose.start)
    if not isinstance(node, Compare):
        if conventions.left_side is None:
            raise NotUnderstood("there is no sign of equality, and nothing says what this equals", node.end)
        return [(conventions.left_side, node)]
    if node.sign not in ("=", ":=", "\\approx"):
        raise NotUnderstood(f"the sign {node.sign} states no equation", node.left.end)
    if isinstance(node.right, Compare):
        rest = split_sides(node.right, conventions)
        return [(node.left, rest[0][0]), *((node.left, right) for _, right in rest)]
    return [(node.left, node.right)]


def free_places(naming: Naming, lookup: Lookup, nodes: list[Term]) -> dict[str, tuple[str, int, int]]:
    """Letters of layers, times, samples: what they count, and the least and the greatest shift they occur with."""
    found: dict[str, tuple[str, int, int]] = {}
    limits = Limits()
    for symbol in [*(s for node in nodes for s in walk(node) if isinstance(s, Sym)), *loose_symbols(naming)]:
        ref = naming.read(symbol)
        for kind, place in ref.places:
            _note_place(found, lookup, limits, kind, place)
        kind = naming.letter_kind(symbol) or ""
        if kind in PLACES and naming.conventions.roles.get(symbol) != "last layer":
            found.setdefault(key_of(symbol), (kind, 0, 0))
    bound = {
        key_of(i) for node in nodes for s in walk(node) if isinstance(s, Sum) for i in s.index if isinstance(i, Sym)
    }
    return {key: value for key, value in found.items() if key not in bound}


def loose_symbols(naming: Naming) -> list[Sym]:
    """Symbols of definitions whose places are letters that the left side does not bind."""
    found = []
    conventions = naming.conventions
    pairs = [(d.left, d.right) for d in [*conventions.definitions, *conventions.aliases]]
    pairs += [(Num("0"), node) for node in conventions.any_arguments or ()]
    for left, right in pairs:
        sums = [node for node in walk(right) if isinstance(node, Sum)]
        bound = {key_of(i) for node in sums for i in node.index if isinstance(i, Sym)}
        bound |= {key_of(s) for s in walk(left) if isinstance(s, Sym)}
        for symbol in (s for s in walk(right) if isinstance(s, Sym)):
            places = naming.read(symbol).places
            if places and not any(key_of(x) in bound for _, place in places for x in letters_of(place)):
                found.append(symbol)
    return found


def _note_place(found: dict[str, tuple[str, int, int]], lookup: Lookup, limits: Limits, kind: str, place: Term) -> None:
    for letter in letters_of(place):
        key = key_of(letter)
        if lookup.is_last(letter, kind) or kind not in PLACES:
            continue
        shift = lookup.place_value(place, {key: 0}, kind, limits, strict=False) or 0
        _, low, high = found.get(key, (kind, 0, 0))
        found[key] = (kind, min(low, shift), max(high, shift))


def free_letters(naming: Naming, nodes: list[Term], places: dict[str, tuple[str, int, int]]) -> list[str]:
    """Letters of components that no sum binds, in the order in which they are met."""
    found: dict[str, None] = {}
    for node in nodes:
        _note_letters(naming, node, frozenset(places), found)
    roles = naming.conventions.roles
    return [
        key
        for key in found
        if roles.get(Sym(key)) not in ("target class", "class", *COUNTS) and key not in naming.label_letters()
    ]


def _note_letters(naming: Naming, node: Term, bound: frozenset[str], found: dict[str, None]) -> None:
    if isinstance(node, Sum):
        bound = bound | {key_of(i) for i in node.index if isinstance(i, Sym)}
    comps: tuple[Term, ...] = ()
    if isinstance(node, Sym):
        comps = naming.read(node).comps
    elif isinstance(node, Indexed):
        comps = node.subs
    for letter in (x for comp in comps for x in letters_of(comp)):
        key = key_of(letter)
        if key not in bound:
            found.setdefault(key)
    for child in children(node) if not isinstance(node, Sym) else []:
        _note_letters(naming, child, bound, found)
    for script in getattr(node, "sups", ()):
        if naming.read(node).power is not None:  # type: ignore[arg-type]
            _note_letters(naming, script.value, bound, found)
