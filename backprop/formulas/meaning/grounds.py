"""Shapes of whole quantities: from their definitions, as they are declared, or by their role."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from backprop.formulas.conventions.letters import key_of
from backprop.formulas.conventions.lookup import Env, Limits, Lookup, Meant
from backprop.formulas.conventions.naming import ONE, Ref
from backprop.formulas.meaning.dims import Dim, Dims
from backprop.formulas.text.tree import (
    Apply,
    Sym,
    Term,
)  # fmt: skip

__all__ = ["Grounds", "Shape"]

Shape = tuple[Dim, ...]
SCALARS = {"scalar", "constant", "small constant", "parameter", "learning rate", "decay rate", "step number", "penalty",
           "cost", "any cost", "penalised cost", ONE}  # fmt: skip
MATRICES = {"matrix", "queries", "keys", "values", "scores"}
ROWS_OF_ONE = {"bias", "scale", "shift", "mean", "variance", "standard deviation"}


@dataclass
class Grounds(ABC):
    """Learns lengths; the shape of an instance is kept by name and places."""

    lookup: Lookup
    limits: Limits
    dims: Dims

    def __post_init__(self) -> None:
        self.known: dict[tuple[str, tuple[int, ...]], Shape] = {}
        self.grounds: dict[tuple[object, ...], Shape] = {}
        self.summed: list[Dim] = []
        self.turned: set[tuple[str, tuple[int, ...]]] = set()
        self.place_counts: dict[str, str] = {}
        self.depth = 0
        self.env: dict[str, int] = {}
        self.is_assumed: Callable[[str, tuple[int, ...]], bool] = lambda name, places: False
        naming = self.lookup.naming
        self.usage: dict[str, int] = {}
        for symbol in naming.symbols:
            ref = naming.read(symbol)
            self.usage[ref.name] = max(self.usage.get(ref.name, 0), len(ref.comps))
        roles = self.lookup.conventions.roles
        self.dims.named |= {key_of(s): self.dims.name("#samples") for s, r in roles.items() if r == "number of samples"}
        self.samples = self.lookup.conventions.word("samples")
        self.vectors = self.lookup.conventions.word("vectors")

    @abstractmethod
    def shape(self, node: Term, env: Env, local: dict[str, Shape]) -> Shape:
        """The shape of a node."""

    @abstractmethod
    def places(self, ref: Ref, env: Env) -> tuple[int, ...]:
        """The places of a quantity as numbers."""

    def instance(self, name: str, places: tuple[int, ...], ref: Ref) -> Shape:
        """The shape of a quantity at given places: from its definition, or drawn freely."""
        key = (name, places)
        if key in self.known:
            return self.known[key]
        found = None if self.is_assumed(name, places) else self.lookup.find(name, places, self.limits)
        if found is None:
            self.known[key] = self.ground(name, places, ref)
            return self.known[key]
        entry, inner = found
        self.known[key] = self._from_entry(entry, inner, name)
        return self.known[key]

    def _from_entry(self, entry: Meant, inner: dict[str, int], name: str) -> Shape:
        letters = {key_of(c): self.dims.new() for c in entry.ref.comps if isinstance(c, Sym)}
        body = self.shape(entry.body, {**self.env, **inner, **letters}, {})
        if entry.part >= 0:
            return self._split(entry, inner, body)
        own = tuple(letters.values())
        if len(own) == 1 and self.vectors in ("rows", "columns") and not entry.ref.label:
            own = (own[0], self.dims.one) if self.vectors == "columns" else (self.dims.one, own[0])
        shape = own if own else body
        if self.lookup.is_cost(name) and not own and entry.kind == "definition":
            self.is_one_number(shape)
        return self.declare(name, shape, self.numbers_of(entry, inner))

    def _split(self, entry: Meant, inner: dict[str, int], body: Shape) -> Shape:
        """One of the quantities that stand side by side."""
        axis = 0 if self.vectors == "columns" or len(body) == 1 else 1
        shapes = []
        for ref in entry.parts:
            places = self.places(ref, inner)
            dim = self.dims.new()
            shapes.append(tuple(dim if k == axis else d for k, d in enumerate(body)))
            self.known.setdefault((ref.name, places), shapes[-1])
        total = Dim(parts=tuple(s[axis] for s in shapes))
        body[axis].join(total)
        return shapes[entry.part]

    def is_one_number(self, shape: Shape) -> None:
        """A cost is one number: what is still open in its shape is 1, as the y of max(0, 1 - y wᵀ x)."""
        if all(dim.length() is None or dim.length() == 1 for dim in shape):
            for dim in shape:
                if not dim.root().name:
                    dim.join(self.dims.one)

    def numbers_of(self, entry: Meant, inner: dict[str, int]) -> tuple[int, ...]:
        """The places of a definition as numbers."""
        values = [self.lookup.place_value(p, inner, k, self.limits, strict=False) for k, p in entry.ref.places]
        return tuple(-1 if value is None else value for value in values)

    def declare(self, name: str, shape: Shape, places: tuple[int, ...] = ()) -> Shape:
        """The declared shape of a defined quantity, which may be the transpose of what its definition gives."""
        declared = self.declared(name, places)
        if declared is None or len(declared) != len(shape):
            return shape if declared is None else declared
        straight = all(one.fits(two) for one, two in zip(declared, shape, strict=True))
        if not straight:
            self.turned.add((name, places))
        for one, two in zip(declared, shape if straight else shape[::-1], strict=True):
            one.join(two)
        return declared

    def declared(self, name: str, places: tuple[int, ...] = ()) -> Shape | None:
        """What `shapes` says of a name; at these places, where it says it of single layers, o^{(1)}: 1,k."""
        naming = self.lookup.naming
        mine = [(naming.read(s), words) for s, words in self.lookup.conventions.shapes.items()]
        mine = [(ref, words) for ref, words in mine if ref.name == name]
        here = [words for ref, words in mine if ref.places and self.lookup.match(ref, places, self.limits) is not None]
        loose = [words for ref, words in mine if not ref.places or len(mine) == 1]
        words = next(iter([*here, *loose]), None)
        return None if words is None else tuple(self.dims.name(word) for word in words)

    def ground(self, name: str, places: tuple[int, ...], ref: Ref) -> Shape:
        """The shape of a quantity that no definition gives: one for all samples and times."""
        kept = tuple(v for v, kind in zip(places, ref.kinds, strict=True) if kind not in ("time", "sample"))
        key = (name, kept)
        if key not in self.grounds:
            declared = self.declared(name, places)
            if declared is None:
                declared = self.as_its_image(name, places)
            self.grounds[key] = self.by_role(name, ref) if declared is None else declared
        return self.grounds[key]

    def as_its_image(self, name: str, places: tuple[int, ...]) -> Shape | None:
        """The declared shape of s(a), which is that of a."""
        for other, entries in self.lookup.entries.items():
            for body, entry in [(entry.body, entry) for entry in entries]:
                inner = body.args[0] if isinstance(body, Apply) and len(body.args) == 1 else None
                if not isinstance(body, Apply) or body.function.base not in self.lookup.conventions.activation:
                    continue
                ref = self.lookup.naming.read(inner) if isinstance(inner, Sym) else None
                env = self.lookup.match(ref, places, self.limits) if ref is not None and ref.name == name else None
                if env is not None and (found := self.declared(other, self.numbers_of(entry, env))) is not None:
                    return found
        return None

    def has_flat_matrix(self) -> bool:
        """Whether a letter that is called a matrix was made a row or a column to fit: vectors lie the other way."""
        for key, shape in self.grounds.items():
            name = str(key[0])
            called = self.role(name) == "matrix" and self.declared(name) is None
            if called and len(shape) == 2 and any(dim.length() == 1 for dim in shape):
                return True
        return False

    def by_role(self, name: str, ref: Ref) -> Shape:
        """The shape that a role has under these conventions."""
        role = self.role(name)
        used = self.usage.get(name, 0)
        if name.startswith("1"):
            return (self.dims.new(), self.dims.one) if self.vectors or self.samples else (self.dims.new(),)
        if not used and (role in SCALARS or (role in ROWS_OF_ONE and self.only_scales())):
            return ()
        if role in MATRICES:
            return (self.dims.new(), self.dims.new())
        if role == "symmetric":
            side = self.dims.new()
            return (side, side)
        if role == "vector" and self.vectors in ("rows", "columns"):
            lies = self.vectors == "rows" and self.samples not in ("rows", "columns")
            return (self.dims.one, self.dims.new()) if lies else (self.dims.new(), self.dims.one)
        if role is not None and "number of" in role:
            return ()
        if role == "weight" or (role is None and self.lookup.conventions.layer(name) is not None):
            return self.of_weight(used)
        if self.vectors == "scalars" or self.of_numbers():
            return tuple(self.dims.new() for _ in range(used))
        if role is None and not used and name not in self.lookup.naming.conventions.lexicon.bases:
            return ()
        return self.of_vector(role in ROWS_OF_ONE, used, "sample" in ref.kinds)

    def only_scales(self) -> bool:
        """Whether every product is one with a number, g v, so that a scale beside whole vectors is a number."""
        conventions = self.lookup.conventions
        plain = set(conventions.products.values()) == {"scalar"} and not conventions.operand_products
        return plain and self.samples is None and self.vectors in ("rows", "columns")

    def of_numbers(self) -> bool:
        """Whether a sample is one number: x_i is the i-th sample, and products are those of numbers only."""
        conventions = self.lookup.conventions
        kinds = set(conventions.products.values())
        return conventions.layer("subscript") == "sample" and kinds == {"scalar"} and not conventions.operand_products

    def role(self, name: str) -> str | None:
        """The role of the letter with that name."""
        naming = self.lookup.naming
        for symbol in self.lookup.conventions.roles:
            if naming.read(symbol).name == name:
                return self.lookup.conventions.roles[symbol]
        return self.lookup.conventions.role(Sym(name.split("_")[0].split("^")[0]))

    def of_weight(self, used: int) -> Shape:
        """A matrix, where there are matrices."""
        if self.vectors == "scalars":
            return ()
        matrix = self.vectors in ("rows", "columns") or self.samples in ("rows", "columns")
        if used == 1 and matrix:
            return self.of_vector(False, 1, True)
        return tuple(self.dims.new() for _ in range(2 if matrix else used))

    def of_vector(self, one_row: bool, used: int, placed: bool) -> Shape:
        """A vector, or a batch of them."""
        if self.samples in ("rows", "columns") and not placed and used != 1:
            count = self.dims.one if one_row else self.dims.name("#samples")
            shape = (count, self.dims.new())
            return shape if self.samples == "rows" else shape[::-1]
        if self.vectors == "columns":
            return (self.dims.new(), self.dims.one)
        if self.vectors == "rows":
            return (self.dims.one, self.dims.new())
        elementwise = "elementwise" in self.lookup.conventions.products.values()
        return tuple(self.dims.new() for _ in range(max(used, int(elementwise))))
