"""What is given: forward definitions and nothing else.  A system is a list of them with its cuts.

The adjoint engine (`theory.rules.backward`) works on any such list; it has never heard of layers of neurons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, Symbol

from theory.language.notation import Index, Variable, free_indices, fresh, nodes, substitute, var
from theory.language.notation import bound_indices as bound

__all__ = ["Definition", "System"]


@dataclass(frozen=True)
class Definition:
    """target := expr, for every value of the target's indices and, if its layer is a symbol, for every layer."""

    label: str
    target: Variable
    expr: Expr

    def fits(self, variable: Variable) -> bool:
        """Does this definition say what `variable` is?"""
        if variable.name != self.target.name or len(variable.indices) != len(self.target.indices):
            return False
        return self.target.layer == variable.layer or self.is_general

    @property
    def is_general(self) -> bool:
        """Stated for a symbolic layer l (rather than for the last layer L only)."""
        return isinstance(self.target.layer, Symbol) and self.target.layer.name == "l"

    def at(self, variable: Variable, avoid: frozenset[Index] = frozenset()) -> Expr:
        """The right-hand side for this layer and these indices; its bound indices get names outside `avoid`."""
        expr, indices = self.expr, self.target.indices
        if self.is_general:
            layer = {self.target.layer: variable.layer}
            expr = substitute(expr, layer)
            indices = tuple(substitute(index, layer) for index in indices)
        taken = set(avoid) | set(variable.indices)
        for index in sorted(bound(expr), key=str):
            if any(index.name == other.name for other in taken):
                expr = expr.xreplace({index: fresh(index, taken | free_indices(expr))})
            taken |= bound(expr)
        return substitute(expr, dict(zip(indices, variable.indices, strict=True)))


@dataclass(frozen=True)
class System:
    """Definitions, the named quantities through which everything flows (cuts), and how their adjoints are called.

    Attributes
    ----------
    definitions : forward definitions; a specific layer (L) wins over the general one (l).
    cuts : letters that are kept as quantities; all others are unfolded while differentiating.
    adjoints : letter of a cut -> letter of its adjoint (z -> delta).
    last : the last layer; its `a` is what the cost reads.
    cost : the cost as an expression (if one of the definitions is of C), or None for an arbitrary C of all a^L.
    sums_to_one : the targets of each sample sum to one (a probability distribution).
    output : the letter that the cost reads at the last layer.
    inputs, parameters : of a single layer: what enters it, and what it owns.
    """

    definitions: tuple[Definition, ...]
    last: Expr
    cuts: tuple[str, ...] = ("z",)
    adjoints: tuple[tuple[str, str], ...] = (("z", "delta"),)
    sums_to_one: bool = False
    cut_output: bool = True
    output: str = "a"
    inputs: tuple[Variable, ...] = ()
    parameters: tuple[Variable, ...] = ()

    @property
    def cost(self) -> Expr | None:
        """The stated cost, or None where C is arbitrary."""
        return next((d.expr for d in self.definitions if d.target.name == "C"), None)

    def with_definition(self, definition: Definition) -> System:
        """The same system with one more definition (a last layer's own, or a cost)."""
        return replace(self, definitions=(*self.definitions, definition))

    def definition(self, variable: Variable) -> Definition | None:
        """The definition of a variable, or None if it is given (a parameter, the input, a target)."""
        matching = [d for d in self.definitions if d.fits(variable)]
        exact = [d for d in matching if not d.is_general]
        return next(iter(exact or matching), None)

    def is_cut(self, family: tuple[str, Expr | None]) -> bool:
        """Is this letter at this layer kept as a quantity of its own?"""
        name, layer = family
        return name in self.cuts or name == "C" or (self.cut_output and name == self.output and layer == self.last)

    def adjoint_name(self, name: str) -> str | None:
        """The letter of the adjoint of a cut: delta for z."""
        return dict(self.adjoints).get(name)

    def consumers(self, family: tuple[str, Expr | None]) -> tuple[tuple[str, Expr | None], ...]:
        """The quantities whose definitions read this one, found from the definitions alone.

        >>> from theory.layers.dense import dense
        >>> from theory.language.notation import l
        >>> dense().consumers(("a", l))
        (('z', l + 1),)
        """
        name, layer = family
        found: list[tuple[str, Expr | None]] = []
        for definition in self.definitions:
            for node in nodes(definition.expr):
                if isinstance(node, Variable) and node.name == name:
                    reader = reading_layer(definition, node.layer, layer)
                    if definition.target.name == "C" and node.layer == layer:
                        found.append(("C", None))
                    elif reader is not None and not self.is_beyond(reader):
                        found.append((definition.target.name, reader))
        if (name, layer) == (self.output, self.last) and self.cost is None:
            found.append(("C", None))
        exact = {d.target.family for d in self.definitions if not d.is_general}
        general_only = [f for f in found if f not in exact or self.reads_exactly(f, name)]
        return tuple(dict.fromkeys(general_only))

    def reads_exactly(self, reader: tuple[str, Expr | None], name: str) -> bool:
        """Does the layer's own definition (not the general one it replaces) read this letter?"""
        own = [d for d in self.definitions if d.target.family == reader]
        return any(isinstance(x, Variable) and x.name == name for d in own for x in nodes(d.expr))

    def is_beyond(self, layer: Expr) -> bool:
        """Is there no such layer, because it lies above the last one?"""
        return is_below(self.last, layer)

    def cut_consumers(self, family: tuple[str, Expr | None]) -> tuple[tuple[str, Expr | None], ...]:
        """The nearest cuts above a quantity: every path from it to the cost goes through one of them."""
        found: list[tuple[str, Expr | None]] = []
        waiting = list(self.consumers(family))
        while waiting:
            reader = waiting.pop(0)
            if self.is_cut(reader):
                found.append(reader)
            else:
                waiting.extend(self.consumers(reader))
        return tuple(dict.fromkeys(found))

    def read_within_layer(self, name: str) -> frozenset[str]:
        """The letters of the same layer that a quantity is computed from, directly or not (z: w and b; a: also z)."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            letter = waiting.pop()
            for definition in self.definitions:
                if definition.target.name == letter:
                    same_layer = {
                        node.name
                        for node in nodes(definition.expr)
                        if isinstance(node, Variable) and node.layer == definition.target.layer
                    }
                    waiting.extend(same_layer - found)
                    found |= same_layer
        return frozenset(found)

    def template(self, family: tuple[str, Expr | None]) -> Variable:
        """A variable of the family with the indices of its definition, at its layer."""
        name, layer = family
        if name == "C":
            return var("C", None)
        for definition in self.definitions:
            if definition.target.name == name and (definition.is_general or definition.target.layer == layer):
                target = definition.target
                return substitute(target, {target.layer: layer}) if definition.is_general else target
        raise KeyError(f"no definition of {name} at layer {layer}")


def is_below(lower: Expr, upper: Expr) -> bool:
    """Is one layer certainly below the other?  (l-1 is below l; l and L cannot be compared.)"""
    distance = upper - lower
    return bool(distance.is_Integer and distance > 0)


def reading_layer(definition: Definition, read: Expr | None, wanted: Expr | None) -> Expr | None:
    """The layer at which `definition` reads the wanted layer: z[l] reads a[l-1], so a[m] is read by z[m+1]."""
    if read is None or wanted is None:
        return definition.target.layer if read == wanted else None
    if definition.is_general:
        return (wanted - (read - definition.target.layer)).expand()
    return definition.target.layer if read == wanted else None
