"""The shape of every part of a formula, as lengths that are not numbers yet."""

from __future__ import annotations

from backprop.formulas.conventions.letters import key_of, letters_of
from backprop.formulas.conventions.lookup import Env, FunctionEntry
from backprop.formulas.conventions.naming import COUNTS, PLACES, Ref
from backprop.formulas.conventions.products import product_kind
from backprop.formulas.meaning.arguments import WHOLE, keywords, match_parameter
from backprop.formulas.meaning.dims import Dim, ShapeMisfit
from backprop.formulas.meaning.grounds import Grounds, Shape
from backprop.formulas.text.tree import (
    Apply,
    Bars,
    Bracket,
    Cases,
    Compare,
    Concat,
    Continued,
    Deriv,
    Indexed,
    Infix,
    Neg,
    NotUnderstood,
    Num,
    Raised,
    Sum,
    Sym,
    Term,
    Turned,
    walk,
)  # fmt: skip

__all__ = ["Shaper"]


class Shaper(Grounds):
    """Learns lengths from how quantities are put together."""

    def shape(self, node: Term, env: Env, local: dict[str, Shape]) -> Shape:
        """The shape of a node; joins the lengths that must be equal."""
        self.depth += 1
        if self.depth > 150:
            raise NotUnderstood("the definitions go round in a circle")
        try:
            return self._visit(node, env, local)
        finally:
            self.depth -= 1

    def _visit(self, node: Term, env: Env, local: dict[str, Shape]) -> Shape:
        method = getattr(self, "_" + type(node).__name__.lower())
        found: Shape = method(node, env, local)
        return found

    def _num(self, node: Num, env: Env, local: dict[str, Shape]) -> Shape:
        return ()

    def _neg(self, node: Neg, env: Env, local: dict[str, Shape]) -> Shape:
        return self.shape(node.value, env, local)

    def _bracket(self, node: Bracket, env: Env, local: dict[str, Shape]) -> Shape:
        return self.shape(node.value, env, local)

    def _raised(self, node: Raised, env: Env, local: dict[str, Shape]) -> Shape:
        base, exponent = self.shape(node.base, env, local), self.shape(node.exponent, env, local)
        return base if not exponent else self.dims.stretch(base, exponent)

    def _turned(self, node: Turned, env: Env, local: dict[str, Shape]) -> Shape:
        return self.shape(node.value, env, local)[::-1]

    def _bars(self, node: Bars, env: Env, local: dict[str, Shape]) -> Shape:
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

    def _indexed(self, node: Indexed, env: Env, local: dict[str, Shape]) -> Shape:
        if isinstance(node.value, Apply):
            entry = self._function_entry(node.value)
            if entry is not None and entry.comps:
                bound = self._bind(entry, node.value, env, local)
                pairs = zip(entry.comps, node.subs, strict=False)
                letters = [(c, s) for c, s in pairs if isinstance(c, Sym) and isinstance(s, Sym)]
                inner = {key_of(c): env.get(key_of(s), self.dims.new()) for c, s in letters}
                self.shape(entry.body, {**env, **inner}, bound)
                return ()
        self._pick(self.shape(node.value, env, local), node.subs, env)
        return ()

    def _pick(self, shape: Shape, comps: tuple[Term, ...], env: Env) -> Shape:
        """Components of an array; an index letter takes the length of its axis."""
        axes = self.axes(shape, len(comps))
        for comp, axis in zip(comps, axes, strict=True):
            dim = env.get(key_of(comp)) if isinstance(comp, Sym) else self.reach(comp, env)
            if isinstance(dim, Dim):
                self.dims.join(dim, shape[axis])
            elif isinstance(comp, Sym) and self.lookup.conventions.roles.get(comp) in COUNTS:
                self.dims.join(self.dims.name(key_of(comp)), shape[axis])
        return tuple(
            dim for k, dim in enumerate(shape) if k not in axes and len(shape) - len(comps) > 0 and dim.length() != 1
        )

    @staticmethod
    def reach(comp: Term, env: Env) -> Dim | None:
        """How long an axis must be for the index i + m: as long as both together."""
        minus = [n.right for n in walk(comp) if isinstance(n, Infix) and n.sign == "-"]
        if not isinstance(comp, Infix) or any(letters_of(node) for node in minus):
            return None
        dims = [env.get(key_of(letter)) for letter in letters_of(comp)]
        found = [dim for dim in dims if isinstance(dim, Dim)]
        return Dim(parts=tuple(found)) if len(found) > 1 else None

    @staticmethod
    def axes(shape: Shape, count: int) -> list[int]:
        """Which axes the components count along: of a column the long one."""
        if count == len(shape):
            return list(range(count))
        if count == 1 and len(shape) == 2:
            return [1 if shape[0].length() == 1 and shape[1].length() != 1 else 0]
        raise ShapeMisfit(f"{count} components of something with {len(shape)} axes")

    def _infix(self, node: Infix, env: Env, local: dict[str, Shape]) -> Shape:
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
                at_layer = self.lookup.count_at(node.upper, env, self.limits)
                self.dims.join(self.dims.name(at_layer or key_of(node.upper)), dim)
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

    def kind_of(self, index: Sym, body: Term) -> str:
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
        if node.second is not None and node.second == node.below and not top and below:
            return (self.long(below), self.long(below))
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
        found = self._of_matrices(name, shapes)
        if found is not None:
            return found
        if name in WHOLE or self.lookup.conventions.activation.get(node.function.base) == "functional":
            return ()
        out: Shape = shapes[0]
        for shape in shapes[1:]:
            out = self.dims.stretch(out, shape)
        return out

    def _of_matrices(self, name: str, shapes: list[Shape]) -> Shape | None:
        """The shape of a function of whole matrices."""
        if name == "diag":
            dim = self.long(shapes[0]) if shapes[0] else self.dims.one
            return (dim, dim)
        if name in ("dot", "matmul", "mm") and len(shapes) == 2:
            return self.matrix(shapes[0], shapes[1])
        if name == "outer" and len(shapes) == 2 and all(shapes):
            return (self.long(shapes[0]), self.long(shapes[1]))
        if name in ("tr", "trace", "det", "inv") and len(shapes[0]) == 2:
            self.dims.join(*shapes[0])
            return shapes[0] if name == "inv" else ()
        return None

    def _function_entry(self, node: Apply) -> FunctionEntry | None:
        return self.lookup.function_of(node)

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
