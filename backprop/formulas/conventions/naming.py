"""Which quantity a symbol is: its name, its places (layer, time, sample: whole numbers) and its components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from backprop.formulas.conventions.keys import Conventions, cost_name
from backprop.formulas.conventions.letters import key_of, letters_of, words_of
from backprop.formulas.conventions.words import COST_ROLES
from backprop.formulas.text.lexicon import INDEX_LETTERS
from backprop.formulas.text.tokens import TRANSPOSES
from backprop.formulas.text.tree import Infix, Neg, NotUnderstood, Num, Script, Sum, Sym, Term, walk

__all__ = ["COUNTS", "ONE", "PLACES", "Naming", "Ref"]

PLACES = ("layer", "time", "sample")
COUNTS = ("number of samples", "number of inputs", "number of outputs", "number of units", "number of features",
          "number of time steps")  # fmt: skip
ONE = "one number"
"""The role of a letter whose scripts are a part of its name."""
ENDS = ("number of time steps", "last layer", "step number", "time", "layer")
"""Roles of letters that make a sum of indices a place: T + t - i."""
INDEX_ROLES = {"layer": "layer", "last layer": "layer", "time": "time", "step number": "time", "sample": "sample",
               "index": "component", "class": "component", "target class": "component"}  # fmt: skip


@dataclass(frozen=True)
class Ref:
    """A symbol, interpreted; places and components are still expressions in index letters."""

    name: str
    places: tuple[tuple[str, Term], ...] = ()
    comps: tuple[Term, ...] = ()
    power: Term | None = None
    transposed: int = 0
    primes: int = 0
    label: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the places count."""
        return tuple(kind for kind, _ in self.places)


class Naming:
    """Reads symbols by the conventions and by how letters are used in all the texts."""

    def __init__(self, conventions: Conventions, trees: Iterable[Term]) -> None:
        self.conventions = conventions
        self.trees = list(trees)
        nodes = [node for tree in self.trees for node in walk(tree)]
        self.symbols = [node for node in nodes if isinstance(node, Sym)]
        self.bound = {key_of(s) for node in nodes if isinstance(node, Sum) for i in node.index for s in letters_of(i)}
        units = conventions.layer("units") or ""
        self.units = {part.split(":")[0]: int(part.split(":")[1]) for part in units.split(",") if ":" in part}
        lefts = [d.left for d in [*conventions.definitions, *conventions.aliases]]
        self.primed = {left.base for left in lefts if isinstance(left, Sym) and left.primes}
        self.carriers = {s.base for s in self.symbols if s.subs or s.sups}
        self.labels = self._find_labels()
        self.sets = self._find_sets()
        self.counted = self._find_counted(nodes)
        self.bracketed = any(s.bracket for symbol in self.symbols for s in symbol.sups if not isinstance(s.value, Num))
        self.raised = {s.base for s in self.symbols for p in s.sups if self._is_place_letter(p.value)}
        self.indexed = {s.base for s in self.symbols if any(self._sub_kind(sub) == "component" for sub in s.subs)}
        self.powers = self._named_powers()
        self.twice = self._named_twice()
        self.first_component = 0 if self._counts_from_zero() else 1
        self.known = {s.base for tree in self.trees for s in walk(tree) if isinstance(s, Sym)}
        self.cache: dict[Sym, Ref] = {}

    def _find_labels(self) -> Mapping[Sym, tuple[str, ...]]:
        """Vectors named by a letter, O_j of length n_j: their subscript is a name, and an index only under a sum."""
        found = {}
        for symbol, dims in self.conventions.shapes.items():
            letters = tuple(key_of(sub) for sub in symbol.subs if isinstance(sub, Sym))
            if letters and all(any(dim.endswith("_" + letter) for dim in dims) for letter in letters):
                found[symbol] = letters
        return found

    def _find_sets(self) -> set[str]:
        """Letters that are a set of vectors, u_k of shape d,1 where no u stands without an index."""
        found = {
            s.base
            for s, dims in self.conventions.shapes.items()
            if s not in self.labels
            and len(s.subs) == 1
            and isinstance(s.subs[0], Sym)
            and not s.sups
            and len(dims) == 2
            and "1" in dims
        }
        return {base for base in found if not any(s.base == base and not s.subs for s in self.symbols)}

    def _find_counted(self, nodes: list[Term]) -> dict[str, str]:
        """Index letters of sums over all samples (times): what they count where they stand above a letter."""
        kinds = {"number of samples": "sample", "number of time steps": "time"}
        found: dict[str, str] = {}
        for node in nodes:
            if not (isinstance(node, Sum) and isinstance(node.upper, Sym)):
                continue
            kind = kinds.get(self.conventions.roles.get(node.upper, ""))
            if kind:
                batch = kind == "sample" and self.conventions.word("samples") in ("rows", "columns")
                found |= {key_of(s): "component" if batch else kind for i in node.index for s in letters_of(i)}
        return found

    def _named_powers(self) -> set[tuple[str, Term]]:
        """Powers that are names: \\sigma^2, e^-x with a definition or a role of their own."""
        conventions = self.conventions
        lefts = [d.left for d in [*conventions.definitions, *conventions.aliases]] + list(conventions.roles)
        last = [(s.base, s.sups[-1]) for s in lefts if isinstance(s, Sym) and s.sups]
        return {(base, script.value) for base, script in last if not script.bracket and self._is_number(script.value)}

    def _named_twice(self) -> set[str]:
        """Letters that are one quantity with an index and another one without: E and E_k."""
        conventions = self.conventions
        pairs = [*conventions.definitions, *conventions.aliases]
        lefts = [d.left for d in pairs if isinstance(d.left, Sym) and getattr(d.right, "base", "") != d.left.base]
        kinds = [(s.base, any(self._sub_kind(sub) == "component" for sub in s.subs)) for s in lefts if not s.sups]
        return {base for base, indexed in kinds if indexed and (base, False) in kinds}

    def _is_number(self, node: Term) -> bool:
        plain = self.conventions.layer("superscript") in (None, "power")
        return isinstance(node, Num) or (plain and isinstance(node, Neg))

    def label_letters(self) -> set[str]:
        """The letters that name vectors."""
        return {letter for letters in self.labels.values() for letter in letters}

    def _counts_from_zero(self) -> bool:
        zero = Num("0")
        subs = any(zero in s.subs and s.base in self.indexed for s in self.symbols)
        limits = any(isinstance(n, Sum) and n.lower == zero for tree in self.trees for n in walk(tree))
        component = self.conventions.layer("subscript") in ("component", None)
        return component and (subs or limits)

    def _is_place_letter(self, node: Term) -> bool:
        declared = self.conventions.layer("superscript")
        letters = letters_of(node)
        if declared in PLACES:
            return bool(letters) and not any(x.base in TRANSPOSES and x.base != "t" for x in letters)
        return declared is None and any(self.letter_kind(x) in PLACES for x in letters)

    def letter_kind(self, letter: Sym) -> str | None:
        """What a letter counts by its role; in a batch a sample is a row or a column."""
        role = self.conventions.role(letter) if letter in self.conventions.roles else None
        kind = INDEX_ROLES.get(role or "")
        batch = self.conventions.word("samples") in ("rows", "columns")
        return "component" if kind == "sample" and batch else kind

    def _sub_kind(self, node: Term) -> str:
        """place kind, component or name."""
        declared = self.conventions.layer("subscript")
        letters = letters_of(node)
        if not letters:
            return declared if declared in PLACES or declared in ("component", "index") else "number"
        kinds = [self.letter_kind(x) for x in letters]
        found = next((kind for kind in kinds if kind), None)
        if found:
            ends = any(self.conventions.roles.get(x) in ENDS for x in letters)
            return declared if declared in PLACES and isinstance(node, Infix) and ends else found
        first = letters[0]
        if all(self.conventions.roles.get(x) in COUNTS for x in letters):
            return "component"
        if self._is_label(first, letters):
            return "name"
        if len(first.base) > 1 or (isinstance(node, Sym) and (node.subs or node.base == "h")):
            return declared if declared in PLACES and isinstance(node, Infix) else "name"
        if declared in PLACES and not (key_of(first) in self.bound and declared != "time"):
            return declared
        if declared == "name":
            return "name"
        counts = first.base in INDEX_LETTERS or key_of(first) in self.bound or first.base in tuple("abcduv")
        return "component" if counts or declared in ("component", "index") else "name"

    def _is_label(self, first: Sym, letters: list[Sym]) -> bool:
        """Whether a subscript is a quantity itself, as the i of W_i beside i_t."""
        if any(x in self.conventions.roles for x in letters):
            return True
        carries = first.base in self.carriers and len(first.base) == 1 and not first.subs
        return carries and key_of(first) not in self.bound

    def read(self, symbol: Sym) -> Ref:
        """The quantity of a symbol."""
        if symbol not in self.cache:
            self.cache[symbol] = self.read_here(symbol)
        return self.cache[symbol]

    def read_here(self, symbol: Sym) -> Ref:
        """The same, with indices that know where they stand in the text of this very symbol."""
        bare = replace(symbol, sups=())
        role = self.conventions.roles.get(bare)
        if role in (*COUNTS, ONE) or (role in COST_ROLES and cost_name(bare) != symbol.base):
            return self._with_sups(Ref(key_of(replace(symbol, sups=()))), replace(symbol, subs=()))
        for declared, letters in self.labels.items():
            if declared.base == symbol.base and declared.subs == symbol.subs:
                name = symbol.base + "_" + "".join(letters)
                return self._with_sups(Ref(name, comps=declared.subs, label=letters), symbol)
        return self._with_sups(self._with_subs(symbol), symbol)

    def _with_subs(self, symbol: Sym) -> Ref:
        """Its subscripts: places, components, and what is a part of the name."""
        name = symbol.base + "'" * (symbol.primes if symbol.base in self.primed else 0)
        places: list[tuple[str, Term]] = []
        comps: list[Term] = []
        for sub in symbol.subs:
            kind = self._sub_kind(sub)
            if kind == "component" and symbol.base in self.sets and isinstance(sub, Sym):
                kind = "sample" if key_of(sub) in self.bound else "name"
            if kind == "number":
                kind = "component" if symbol.base in self.indexed else "number "
            if kind in PLACES or kind == "number ":
                places.append((kind.strip(), sub))
            elif kind == "name":
                name += "_" + words_of(sub)
            else:
                comps.append(sub)
        if symbol.base in self.twice and comps:
            name += "_"
        return Ref(name, tuple(places) or self._layer_of(symbol, comps), tuple(comps))

    def _layer_of(self, symbol: Sym, comps: list[Term]) -> tuple[tuple[str, Term], ...]:
        """The layer that the index letters tell, where they tell layers; the Kronecker delta has none."""
        shifts = [self.units[key_of(c)] for c in comps if isinstance(c, Sym) and key_of(c) in self.units]
        if not shifts or (len(symbol.subs) == 2 and symbol.base in ("\\delta", "delta", "I")):
            return ()
        on = max(shifts)
        return (("layer", Infix("+" if on >= 0 else "-", Sym("l"), Num(str(abs(on))))),)

    def _with_sups(self, ref: Ref, symbol: Sym) -> Ref:
        name, places, comps, power, turned = ref.name, list(ref.places), list(ref.comps), ref.power, 0
        for script in symbol.sups:
            kind = self._sup_kind(symbol, script)
            if kind == "transpose":
                turned += 1
            elif kind in PLACES:
                places.append((kind, script.value))
            elif kind == "component":
                comps.append(script.value)
            elif kind == "name" or (symbol.base, script.value) in self.powers:
                name += "^" + words_of(script.value)
            else:
                if power is not None:
                    raise NotUnderstood("two powers on one letter", symbol.start)
                power = script.value
        return Ref(name, tuple(places), tuple(comps), power, turned, symbol.primes, ref.label)

    def _sup_kind(self, symbol: Sym, script: Script) -> str:
        conventions, value = self.conventions, script.value
        declared = conventions.layer("superscript")
        if script.bracket == "[" and conventions.layer("brackets"):
            declared = conventions.layer("brackets")
        if isinstance(value, Sym) and value.base in TRANSPOSES and not value.subs and self._is_transpose(value, script):
            return "transpose"
        if symbol.base == "e" and symbol not in conventions.roles and "e" not in self.conventions.lexicon.bases:
            return "power"
        if isinstance(value, Sym) and value.base in ("+", "-", "*"):
            return "name"
        letters = letters_of(value)
        kinds = [self.letter_kind(x) for x in letters]
        if declared in PLACES:
            if isinstance(value, Num):
                return declared if script.bracket or (symbol.base in self.raised and not self.bracketed) else "power"
            counted = [self.counted[key_of(x)] for x in letters if script.bracket and key_of(x) in self.counted]
            return next((k for k in kinds if k in PLACES), next(iter(counted), declared))
        if declared in ("index", "component"):
            return "component" if letters or script.bracket else "power"
        if declared == "name":
            return "name" if letters else "power"
        if declared == "power":
            return "power"
        return self._undeclared(script, letters, kinds)

    def _is_transpose(self, value: Sym, script: Script) -> bool:
        role = self.conventions.roles.get(Sym(value.base))
        if self.conventions.raw.get("letters", {}).get("^" + value.base) == "transpose":
            return True
        if role is not None and role != "transpose":
            return False
        return value.base not in ("t", "'") or role == "transpose"

    def _undeclared(self, script: Script, letters: list[Sym], kinds: list[str | None]) -> str:
        found = next((k for k in kinds if k), None)
        if found:
            return found if found in PLACES or found == "component" else "power"
        if isinstance(script.value, Num) and (script.bracket == "[" or (script.bracket and conventions_latex(self))):
            return "layer"
        if script.bracket and letters:
            return {"l": "layer", "L": "layer", "k": "layer", "t": "time"}.get(letters[0].base, "sample")
        if letters and letters[0].base in ("l", "L") and letters[0].base not in self.conventions.lexicon.bases:
            return "layer"
        return "power"


def conventions_latex(naming: Naming) -> bool:
    """Whether the texts are LaTeX, where a number in round brackets above a letter is no power."""
    return naming.conventions.lexicon.latex
