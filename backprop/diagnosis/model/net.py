"""The recognised network: its right program, with short names for the parts that mistakes are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from backprop.codegen.lowering.nodes import Call, Expression, Name, SumColumns, SumRows
from backprop.codegen.lowering.program import Assignment, Program
from backprop.diagnosis.model.evaluate import Function

__all__ = ["KAPPA", "MEASURED", "ROWS", "SCALE", "UNIT", "Net", "Rewrite", "set_line"]

KAPPA = Name("kappa", ())
"""A number in a mutant that is fitted to the subject: a factor, a rate, a slope."""

MEASURED = "measured_error"
"""The cost of a network whose output error is measured, because its cost is not of the table; and that error's name."""

ROWS, SCALE, UNIT = Name("n", ()), Name("scale", ()), Name("unit", ())
"""The number of samples, the factor of the cost, and that factor for one sample."""


@dataclass(frozen=True)
class Net:
    """What the subject computes, as far as its forward pass and cost tell.

    `activations` names f_1..f_L, `cost` is "half-sse", "binary-cross-entropy" or "cross-entropy" up to a factor,
    `program` is the right program, in which layer l calls f{l} and f{l}_prime; `penalised_W`, `penalised_b` are the
    layers with a penalty, `masked` those behind a mask, `biased` those with a bias, `normalised` those whose F1
    result u is normalised (over the batch, or `by_sample` over the units) before it becomes z = γ x̂ + β.
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    cost: str
    program: Program
    functions: Mapping[str, Function] = field(repr=False, compare=False, default_factory=dict)
    penalised_W: frozenset[int] = frozenset()
    penalised_b: frozenset[int] = frozenset()
    masked: frozenset[int] = frozenset()
    biased: frozenset[int] = frozenset()
    normalised: frozenset[int] = frozenset()
    by_sample: bool = False
    absolute: bool = False
    """Whether the penalty on weights is λ Σ |w| instead of ½ λ Σ w²."""
    spare: int = 0
    """1 where a normalisation divides the variance by one less than the number of values."""

    @property
    def fused(self) -> bool:
        """Whether the cost is a cross-entropy, whose derivative swallows that of its output function."""
        return self.cost in ("cross-entropy", "binary-cross-entropy")

    @property
    def residual(self) -> bool:
        """Whether the cost is a sum of g(a − y) with a g that is no square."""
        return not self.fused and self.cost not in ("half-sse", MEASURED)

    @property
    def depth(self) -> int:
        """The number of layers L."""
        return len(self.sizes) - 1

    @property
    def Y(self) -> Name:
        return Name("Y", ("n", self.sizes[-1]))

    def activation(self, layer: int) -> str:
        """The name of f_l."""
        return self.activations[layer - 1]

    def z(self, layer: int) -> Name:
        """z^l; the input for l = 0."""
        return self.a(0) if layer == 0 else Name(f"z{layer}", ("n", self.sizes[layer]))

    def a(self, layer: int) -> Name:
        """a^l; the input for l = 0."""
        return Name(f"a{layer}" if layer else "X", ("n", self.sizes[layer]))

    def delta(self, layer: int) -> Name:
        """The error of a layer: ∂C by the result of F1, which is z but for a normalised layer."""
        return Name(f"du{layer}" if layer in self.normalised else f"delta{layer}", ("n", self.sizes[layer]))

    def W(self, layer: int) -> Name:
        """The weights that enter a layer."""
        return Name(f"W{layer}", (self.sizes[layer - 1], self.sizes[layer]))

    def b(self, layer: int) -> Name:
        """The bias of a layer."""
        return Name(f"b{layer}", (self.sizes[layer],))

    def mask(self, layer: int) -> Name:
        """What the activations of a layer are multiplied with."""
        return Name(f"mask{layer}", ("n", self.sizes[layer]))

    def slope(self, layer: int, at: Expression | None = None) -> Expression:
        """f_l'(z^l), or f_l' at something else."""
        return Call(f"f{layer}_prime", self.z(layer) if at is None else at)

    def value(self, layer: int, at: Expression) -> Expression:
        """f_l at something."""
        return Call(f"f{layer}", at)

    def right(self, target: str) -> Expression:
        """The right-hand side of a line of the right program."""
        return next(line.value for line in self.program.backward if line.target.id == target)

    def returned(self, layer: int, delta: Expression | None = None, weights: Expression | None = None) -> Expression:
        """What comes back into a hidden layer, (delta^{l+1} @ W^{l+1}.T), before f' is applied."""
        above = self.delta(layer + 1) if delta is None else delta
        through = self.W(layer + 1).T if weights is None else weights
        return above @ through * self.mask(layer) if layer in self.masked else above @ through

    def through(self, layer: int, error: Expression) -> Expression:
        """What the activation of a layer makes of an error: its product with f', or with the Jacobian of softmax."""
        if self.activation(layer) == "softmax":
            a = self.a(layer)
            return a * (error - SumColumns(a * error))
        return error * self.slope(layer)

    def error(self, layer: int) -> Expression | None:
        """∂C/∂a^l, the error before f' is applied; None for softmax, whose derivative is no factor."""
        if layer < self.depth:
            return None if self.activation(layer) == "softmax" else self.returned(layer)
        if self.cost == MEASURED:
            return SCALE * Name(MEASURED, ("n", self.sizes[-1]))
        if self.activation(layer) == "softmax":
            return None
        if not self.fused:
            gap = self.a(layer) - self.Y
            return SCALE * (Call("cost_prime", gap) if self.residual else gap)
        return self.right(f"delta{layer}") / self.slope(layer)

    def with_penalty_W(self, layer: int, core: Expression) -> Expression:
        """A weight gradient with the penalty that the cost has."""
        return core + self.pull(layer) if layer in self.penalised_W else core

    def pull(self, layer: int, weights: Expression | None = None) -> Expression:
        """The derivative of the penalty on the weights of a layer, λ W or λ sign(W)."""
        W = self.W(layer) if weights is None else weights
        return Name(f"penalty_W{layer}", ()) * (Call("sign", W) if self.absolute else W)

    def with_penalty_b(self, layer: int, core: Expression) -> Expression:
        """A bias gradient with the penalty that the cost has."""
        return core + Name(f"penalty_b{layer}", ()) * self.b(layer) if layer in self.penalised_b else core

    def weight_core(self, layer: int) -> Expression:
        """a^{l-1}ᵀ delta^l"""
        return self.a(layer - 1).T @ self.delta(layer)

    def bias_core(self, layer: int) -> Expression:
        """Σ over the batch of delta^l"""
        return SumRows(self.delta(layer))


Rewrite = Callable[[Net, Program, int, object], "Program | None"]
"""(network, program, layer, value) -> the program with one mistake in one layer; None where it cannot be made."""


def set_line(program: Program, target: str, value: Expression) -> Program:
    """The program with another right-hand side for one name."""

    def exchange(lines: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
        return tuple(replace(line, value=value) if line.target.id == target else line for line in lines)

    if any(line.target.id == target for line in program.forward):
        return replace(program, forward=exchange(program.forward))
    return replace(program, backward=exchange(program.backward))
