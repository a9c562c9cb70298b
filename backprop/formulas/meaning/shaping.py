"""The shape of every part of a formula, as lengths that are not numbers yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backprop.formulas.meaning.dims import Dim, Dims, ShapeMisfit
from backprop.formulas.meaning.lookup import Env, FunctionEntry, Limits, Lookup
from backprop.formulas.meaning.naming import COUNTS, PLACES, Ref, key_of
from backprop.formulas.meaning.products import product_kind
from backprop.formulas.text.tree import (
    Apply,
    Binary,
    Cases,
    Compare,
    Concat,
    Continued,
    Deriv,
    Group,
    Index,
    Neg,
    Node,
    Norm,
    NotUnderstood,
    Num,
    Power,
    Sum,
    Sym,
    Transpose,
    walk,
)  # fmt: skip

__all__ = ["Shape", "Shaper"]

Shape = tuple[Dim, ...]
SCALARS = {"scalar", "constant", "small constant", "parameter", "learning rate", "decay rate", "step number", "penalty",
           "cost", "any cost", "penalised cost"}  # fmt: skip
MATRICES = {"queries", "keys", "values", "scores"}
ROWS_OF_ONE = {"bias", "scale", "shift", "mean", "variance", "standard deviation"}
KEYWORDS = ("axis", "keepdims", "dim", "keepdim")
WHOLE = {"sum", "mean", "norm", "tr", "trace", "det"}


@dataclass
class Shaper:
    """Learns lengths; the shape of an instance is kept by name and places."""

    lookup: Lookup
    limits: Limits
    dims: Dims

    def __post_init__(self) -> None:
        self.known: dict[tuple[str, tuple[int, ...]], Shape] = {}
        self.grounds: dict[tuple[object, ...], Shape] = {}
        self.summed: list[Dim] = []
        self.turned: set[str] = set()
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

    def shape(self, node: Node, env: Env, local: dict[str, Shape]) -> Shape:
        """The shape of a node; joins the lengths that must be equal."""
        self.depth += 1
        if self.depth > 150:
            raise NotUnderstood("the definitions go round in a circle")
        try:
            return self._visit(node, env, local)
        finally:
            self.depth -= 1

    def _visit(self, node: Node, env: Env, local: dict[str, Shape]) -> Shape:
        method = getattr(self, "_" + type(node).__name__.lower())
        found: Shape = method(node, env, local)
        return found

    def _num(self, node: Num, env: Env, local: dict[str, Shape]) -> Shape:
        return ()

    def _neg(self, node: Neg, env: Env, local: dict[str, Shape]) -> Shape:
        return self.shape(node.value, env, local)

    def _group(self, node: Group, env: Env, local: dict[str, Shape]) -> Shape:
        return self.shape(node.value, env, local)

    def _power(self, node: Power, env: Env, local: dict[str, Shape]) -> Shape:
        return self.dims.stretch(self.shape(node.base, env, local), self.shape(node.exponent, env, local))

    def _transpose(self, node: Transpose, env: Env, local: dict[str, Shape]) -> Shape:
        return self.shape(node.value, env, local)[::-1]

    def _norm(self, node: Norm, env: Env, local: dict[str, Shape]) -> Shape:
        inner = self.shape(node.value, env, local)
        return inner if node.kind == "abs" else ()

    def _compare(self, node: Compare, env: Env, local: dict[str, Shape]) -> Shape:
        return self.dims.stretch(self.shape(node.left, env, local), self.shape(node.right, env, local))

    def _cases(self, node: Cases, env: Env, local: dict[str, Shape]) -> Shape:
        out: Shape = ()
        for part in (*node.values, *(c for c in node.conditions if c is not None)):
            out = self.dims.stretch(out, self.shape(part, env, local))
        return out

    def _concat(self, node: Concat, env: Env, local: dict[str, Shape]) -> Shape:
        shapes = [self.shape(item, env, local) for item in node.items]
        axis = 0 if self.vectors == "columns" or len(shapes[0]) == 1 else 1
        if any(len(s) != len(shapes[0]) or not s for s in shapes):
            raise ShapeMisfit("things side by side must be vectors or matrices")
        total = Dim(parts=tuple(s[axis] for s in shapes))
        self.dims.all.append(total)
        return tuple(total if k == axis else d for k, d in enumerate(shapes[0]))

    def _index(self, node: Index, env: Env, local: dict[str, Shape]) -> Shape:
        if isinstance(node.value, Apply):
            entry = self._function_entry(node.value)
            if entry is not None and entry.comps:
                bound = self._bind(entry, node.value, env, local)
                inner = {key_of(c): env.get(key_of(s), self.dims.new()) for c, s in zip(entry.comps, node.subs, strict=False)
                         if isinstance(c, Sym) and isinstance(s, Sym)}  # fmt: skip
                self.shape(entry.body, {**env, **inner}, bound)
                return ()
        self._pick(self.shape(node.value, env, local), node.subs, env)
        return ()

    def _pick(self, shape: Shape, comps: tuple[Node, ...], env: Env) -> Shape:
        """Components of an array; an index letter takes the length of its axis."""
        axes = self.axes(shape, len(comps))
        for comp, axis in zip(comps, axes, strict=True):
            dim = env.get(key_of(comp)) if isinstance(comp, Sym) else None
            if isinstance(dim, Dim):
                self.dims.join(dim, shape[axis])
            elif isinstance(comp, Sym) and self.lookup.conventions.roles.get(comp) in COUNTS:
                self.dims.join(self.dims.name(key_of(comp)), shape[axis])
        return tuple(
            dim for k, dim in enumerate(shape) if k not in axes and len(shape) - len(comps) > 0 and dim.length() != 1
        )

    @staticmethod
    def axes(shape: Shape, count: int) -> list[int]:
        """Which axes the components count along: of a column the long one."""
        if count == len(shape):
            return list(range(count))
        if count == 1 and len(shape) == 2:
            return [1 if shape[0].length() == 1 and shape[1].length() != 1 else 0]
        raise ShapeMisfit(f"{count} components of something with {len(shape)} axes")

    def _binary(self, node: Binary, env: Env, local: dict[str, Shape]) -> Shape:
        a, b = self.shape(node.left, env, local), self.shape(node.right, env, local)
        kind = product_kind(self.lookup.conventions, node, len(a), len(b))
        if kind == "inner":
            self.dims.stretch(a, b)
            return ()
        return self.matrix(a, b) if kind == "matrix" else self.dims.stretch(a, b)

    def matrix(self, a: Shape, b: Shape) -> Shape:
        """Rows times columns; a scalar scales."""
        if not a or not b:
            return a or b
        self.dims.join(a[-1], b[0])
        return (*a[:-1], *b[1:])

    def _sum(self, node: Sum, env: Env, local: dict[str, Shape]) -> Shape:
        inner = dict(env)
        for index in node.index:
            if not isinstance(index, Sym):
                continue
            kind = self.kind_of(index, node.body)
            if kind in PLACES:
                inner[key_of(index)] = 1
                if isinstance(node.upper, Sym):
                    self.place_counts[key_of(node.upper)] = kind
                continue
            dim = self.dims.new()
            inner[key_of(index)] = dim
            if node.upper is None and not self.dims.soft:
                self.summed.append(dim)
            if isinstance(node.upper, Sym) and key_of(node.upper) not in env:
                self.dims.join(self.dims.name(key_of(node.upper)), dim)
        return self.shape(node.body, inner, local)

    def tie_counts(self) -> None:
        """A count that no limit mentions is that of the one thing that is summed over."""
        roots = [dim.root() for dim in self.summed]
        for symbol, role in self.lookup.conventions.roles.items():
            counts = role in COUNTS and role not in ("number of samples", "number of time steps")
            if counts and key_of(symbol) not in self.dims.named and roots and all(r is roots[0] for r in roots):
                self.dims.named[key_of(symbol)] = roots[0]

    def _continued(self, node: Continued, env: Env, local: dict[str, Shape]) -> Shape:
        first = self.shape(node.first, env, local)
        self.shape(node.last, env, local)
        return first

    def kind_of(self, index: Sym, body: Node) -> str:
        """Whether an index letter counts components, or layers, times, samples."""
        for node in walk(body):
            if isinstance(node, Sym):
                ref = self.lookup.naming.read(node)
                if any(key_of(c) == key_of(index) for c in ref.comps if isinstance(c, Sym)):
                    return "component"
                for kind, place in ref.places:
                    if any(isinstance(x, Sym) and key_of(x) == key_of(index) for x in walk(place)):
                        return kind
        return "component"

    def _deriv(self, node: Deriv, env: Env, local: dict[str, Shape]) -> Shape:
        top, below = self.shape(node.top, env, local), self.shape(node.below, env, local)
        layout = self.lookup.conventions.word("layout")
        if not top:
            return below[::-1] if layout == "numerator" and len(below) == 2 else below
        if not below:
            return top
        if layout is None:
            return self.dims.stretch(top, below)
        long = [self.long(top), self.long(below)]
        return (long[0], long[1]) if layout == "numerator" else (long[1], long[0])

    @staticmethod
    def long(shape: Shape) -> Dim:
        """The axis of a vector that is not 1."""
        return next((dim for dim in shape if dim.length() != 1), shape[0])

    def _apply(self, node: Apply, env: Env, local: dict[str, Shape]) -> Shape:
        entry = self._function_entry(node)
        if entry is not None:
            return self._defined(entry, node, env, local)
        name = node.function.base.lstrip("\\")
        args, axis, keeps = keywords(node)
        shapes = [self.shape(arg, env, local) for arg in args]
        if axis is not None and name in WHOLE and axis < len(shapes[0]):
            return tuple(self.dims.one if k == axis else d for k, d in enumerate(shapes[0]) if keeps or k != axis)
        if name == "diag":
            dim = self.long(shapes[0]) if shapes[0] else self.dims.one
            return (dim, dim)
        if name in WHOLE:
            return ()
        out: Shape = shapes[0]
        for shape in shapes[1:]:
            out = self.dims.stretch(out, shape)
        return out

    def _function_entry(self, node: Apply) -> FunctionEntry | None:
        entries = self.lookup.functions.get(self.lookup.function_name(node.function), [])
        return next((entry for entry in entries if len(entry.params) == len(node.args)), None)

    def _defined(self, entry: FunctionEntry, node: Apply, env: Env, local: dict[str, Shape]) -> Shape:
        bound = self._bind(entry, node, env, local)
        inner = {key_of(c): self.dims.new() for c in entry.comps if isinstance(c, Sym)}
        body = self.shape(entry.body, {**env, **inner}, bound)
        if inner:
            self.dims_of_function = tuple(inner.values())
            return () if node.function.subs else tuple(inner.values())
        return body

    def _bind(self, entry: FunctionEntry, node: Apply, env: Env, local: dict[str, Shape]) -> dict[str, Shape]:
        bound: dict[str, Shape] = dict(local)
        for param, arg in zip(entry.params, node.args, strict=True):
            for name, part in match_parameter(param, arg):
                bound[name] = self.shape(part, env, local)
        return bound

    def _sym(self, node: Sym, env: Env, local: dict[str, Shape]) -> Shape:
        ref = self.lookup.naming.read(node)
        shape = self.whole(node, ref, env, local)
        comps = self.lookup.components(ref, env)
        if ref.power is not None:
            shape = self.dims.stretch(shape, self.shape(ref.power, env, local))
        if comps and shape:
            shape = self._pick(shape, comps, env)
        return shape[::-1] if ref.transposed % 2 else shape

    def whole(self, node: Sym, ref: Ref, env: Env, local: dict[str, Shape]) -> Shape:
        """The shape of the whole quantity."""
        if ref.name in local:
            return local[ref.name]
        if key_of(node) in env or node.base == "...":
            return ()
        places = self.places(ref, env)
        return self.instance(ref.name, places, ref)

    def places(self, ref: Ref, env: Env) -> tuple[int, ...]:
        """The places as numbers."""
        values = (self.lookup.place_value(place, env, kind, self.limits) for kind, place in ref.places)
        return tuple(value for value in values if value is not None)

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

    def _from_entry(self, entry: object, inner: dict[str, int], name: str) -> Shape:
        from backprop.formulas.meaning.lookup import Entry

        assert isinstance(entry, Entry)
        letters = {key_of(c): self.dims.new() for c in entry.ref.comps if isinstance(c, Sym)}
        body = self.shape(entry.body, {**self.env, **inner, **letters}, {})
        if entry.part >= 0:
            return self._split(entry, inner, body)
        own = tuple(letters.values())
        if len(own) == 1 and self.vectors in ("rows", "columns") and not entry.ref.label:
            own = (own[0], self.dims.one) if self.vectors == "columns" else (self.dims.one, own[0])
        shape = body if not own else own
        return self.declare(name, shape)

    def _split(self, entry: object, inner: dict[str, int], body: Shape) -> Shape:
        """One of the quantities that stand side by side."""
        from backprop.formulas.meaning.lookup import Entry

        assert isinstance(entry, Entry)
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

    def declare(self, name: str, shape: Shape) -> Shape:
        """The declared shape of a defined quantity, which may be the transpose of what its definition gives."""
        declared = self.declared(name)
        if declared is None or len(declared) != len(shape):
            return shape if declared is None else declared
        straight = all(one.fits(two) for one, two in zip(declared, shape, strict=True))
        if not straight:
            self.turned.add(name)
        for one, two in zip(declared, shape if straight else shape[::-1], strict=True):
            one.join(two)
        return declared

    def declared(self, name: str) -> Shape | None:
        """What `shapes` says of a name."""
        naming = self.lookup.naming
        for symbol, words in self.lookup.conventions.shapes.items():
            if naming.read(symbol).name == name:
                return tuple(self.dims.name(word) for word in words)
        return None

    def ground(self, name: str, places: tuple[int, ...], ref: Ref) -> Shape:
        """The shape of a quantity that no definition gives: one for all samples and times."""
        kept = tuple(v for v, kind in zip(places, ref.kinds, strict=True) if kind not in ("time", "sample"))
        key = (name, kept)
        if key not in self.grounds:
            declared = self.declared(name)
            self.grounds[key] = self.by_role(name, ref) if declared is None else declared
        return self.grounds[key]

    def by_role(self, name: str, ref: Ref) -> Shape:
        """The shape that a role has under these conventions."""
        role = self.role(name)
        used = self.usage.get(name, 0)
        if role in SCALARS and not used:
            return ()
        if role in MATRICES:
            return (self.dims.new(), self.dims.new())
        if role is not None and "number of" in role:
            return ()
        if role == "weight" or (role is None and self.lookup.conventions.layer(name) is not None):
            return self.of_weight(used)
        if self.vectors == "scalars":
            return tuple(self.dims.new() for _ in range(used))
        if role is None and not used and name not in self.lookup.naming.conventions.lexicon.bases:
            return ()
        return self.of_vector(role in ROWS_OF_ONE, used, "sample" in ref.kinds)

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


def keywords(node: Apply) -> tuple[tuple[Node, ...], int | None, bool]:
    """The arguments, and axis=0, keepdims=True if they are given as in NumPy."""
    given = {a.left.base: a.right for a in node.args if isinstance(a, Compare) and a.sign == "=" and isinstance(a.left, Sym)}
    plain = tuple(a for a in node.args if not (isinstance(a, Compare) and isinstance(a.left, Sym) and a.left.base in KEYWORDS))
    axis = given.get("axis", given.get("dim"))
    while isinstance(axis, (Group, Neg)):
        axis = Num("1") if isinstance(axis, Neg) else axis.value
    keeps = given.get("keepdims", given.get("keepdim"))
    return plain, int(axis.text) if isinstance(axis, Num) and axis.text.isdigit() else None, isinstance(keeps, Sym) and keeps.base == "True"


def match_parameter(param: Node, arg: Node) -> list[tuple[str, Node]]:
    """The letters of a parameter, which may be a product: Row_mul(A * v)."""
    while isinstance(param, Group):
        param = param.value
    if isinstance(param, Sym):
        return [(param.base, arg)]
    while isinstance(arg, Group):
        arg = arg.value
    if isinstance(param, Binary) and isinstance(arg, Binary) and param.sign == arg.sign:
        return match_parameter(param.left, arg.left) + match_parameter(param.right, arg.right)
    raise NotUnderstood("the argument has another form than the definition's", arg.start)


__all__ += ["KEYWORDS", "keywords", "match_parameter"]
