"""lower_tangents: the equations of a network with its derivatives by the input become lines of a program.

Nothing is differentiated here: forward and backward equations come from `theory.chapters.networks.tangents`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Integer

from backprop.codegen.lowering.lower_expression import Scope, lower_expression
from backprop.codegen.lowering.nodes import Name, Size
from backprop.codegen.lowering.program import Assignment
from theory.chapters.networks.tangents import derive_tangents, tangents
from theory.language.glossary import GLOSSARY
from theory.language.notation import Variable, Width, l, nodes
from theory.rules.matrix_form import lift

__all__ = ["lower_backward", "lower_forward"]


class LayerScope(Scope):
    """What the letters mean where l is the number of a layer; `above` is the layer whose derivatives of C are read."""

    def __init__(self, sizes: Sequence[int], layer: int, above: int, function: str | None) -> None:
        super().__init__(sizes[layer - 1], sizes[layer], {}, "", function)
        self.sizes, self.layer = sizes, layer
        for name in tangents().cuts:
            self.from_above[name] = self.adjoint(name, above)

    def adjoint(self, name: str, layer: int) -> Name:
        """∂C/∂z of a layer is delta, those of its derivatives dzx and dzxx."""
        text = "delta" if name == "z" else "d" + GLOSSARY[name].python
        return Name(f"{text}{layer}", ("n", self.sizes[layer]))

    def number(self, layer: Expr | None) -> int:
        """l, l-1 or l+1 as a number."""
        return int((Integer(0) if layer is None else layer).subs({l: self.layer}))

    def size(self, expr: Expr) -> Size:
        """M_0 … M_L or n."""
        return self.sizes[self.number(expr.layer)] if isinstance(expr, Width) else super().size(expr)

    def target(self, variable: Variable) -> Name:
        """A name with the number of its layer; a0 is X."""
        number = self.number(variable.layer)
        text = GLOSSARY[variable.name].python + str(number)
        return Name("X" if text == "a0" else text, tuple(self.size(index.size) for index in variable.indices))


def lower_forward(sizes: Sequence[int], functions: Sequence[str | None]) -> list[Assignment]:
    """z, a and their derivatives, layer by layer.

    >>> from backprop.codegen.printing.emit import write_line
    >>> for line in lower_forward((1, 8, 1), ("f", None))[2:4]:
    ...     print(write_line(line))
    zx1 = ax0 @ W1                                   # T1   (n, 8)
    ax1 = zx1 * f_prime(z1)                          # T2   (n, 8)
    """
    lines = []
    for layer, function in enumerate(functions, 1):
        scope = LayerScope(sizes, layer, layer, function)
        for d in tangents().definitions:
            if function is None and not d.target.name.startswith("z"):
                continue  # the output is z itself
            value = lower_expression(scope, lift(d.expr, d.target.indices))
            lines.append(Assignment(scope.target(d.target), value, d.label))
    return lines


def lower_backward(sizes: Sequence[int], functions: Sequence[str | None]) -> list[Assignment]:
    """From the derivatives of C by z^L, ∂z^L/∂x and ∂²z^L/∂x² to those by all parameters."""
    derived, lines = derive_tangents(), []
    for layer in range(len(functions), 0, -1):
        for name, derivation in derived.items():
            hidden = name in tangents().cuts
            if hidden and layer == len(functions):
                continue
            scope = LayerScope(sizes, layer, layer + 1 if hidden else layer, functions[layer - 1])
            (subject,) = [node for node in nodes(derivation.subject) if isinstance(node, Variable) and node.name != "C"]
            target = scope.adjoint(name, layer) if hidden else scope.target(subject)
            named = target if hidden else Name("d" + target.id, target.dims)
            lines.append(Assignment(named, lower_expression(scope, derivation.result.matrix), derivation.label))
    return lines
