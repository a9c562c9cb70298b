"""slopes: f'(z) is taken from the activation's own value a = f(z) where an identity of the book allows it.

    tanh:  f' = 1 - a**2        sigmoid:  f' = a (1 - a)        relu:  f' = 1 where a > 0

z is then needed no more, and no second tanh is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sympy
from sympy import Expr, Piecewise

from backprop.codegen.functions.numpy_printer import PRODUCT, NumpyPrinter
from backprop.codegen.lowering.nodes import Call, Expression, Name, rewrite, walk
from backprop.codegen.lowering.program import Assignment, Program
from backprop.specification.network import find_activation
from theory.functions.elementwise import ActivationFunction
from theory.functions.value_identities import A

__all__ = ["SLOPE", "list_pairs", "list_slopes", "take_slopes_from_values", "write_slope"]

SLOPE = "_slope"
LEAST = sympy.Symbol("least", real=True)
NOT_ANALYTIC = (sympy.exp, sympy.log)


def write_slope(activation: ActivationFunction, name: str) -> str | None:
    """The text of `name_slope(a)`, or None where f' is no cheap function of a.

    Two pieces that meet at 0 are joined without a choice: p(min(a, 0)) + (q - p(0)) [a > 0].

    >>> from theory.functions.elementwise import find
    >>> for known in ("tanh", "relu", "elu", "gelu"):
    ...     print(str(write_slope(find(known), "f")).splitlines()[-1].strip())
    return 1 - a**2
    return np.heaviside(a, 0)
    return 1 + np.minimum(a, 0)
    None
    """
    if not activation.derivative.free_symbols:
        return None
    if len(activation.pieces) == 1:
        identity = activation.polynomial_in_value
        text = None if identity is None else NumpyPrinter({A: "a"}).write(identity)
    else:
        text = write_two_pieces(activation.identity_in_value)
    if text is None:
        return None
    return (
        f'def {name}{SLOPE}(a):\n    """Derivative of {activation.name} in terms of its value a"""\n    return {text}\n'
    )


def write_two_pieces(identity: Expr | None) -> str | None:
    """p for a <= 0 and a constant q above, in one formula."""
    if not isinstance(identity, Piecewise) or len(identity.args) != 2 or identity.args[0][1] != (A <= 0):
        return None
    below, above = identity.args[0][0], identity.args[1][0]
    if above.free_symbols or below.has(*NOT_ANALYTIC):
        return None
    printer = NumpyPrinter({A: "a", LEAST: "np.minimum(a, 0)"})
    jump = above - below.xreplace({A: sympy.Integer(0)})
    rest = below.xreplace({A: LEAST})
    terms = [] if rest == 0 else [printer.write(rest)]
    if jump != 0:
        step = "np.heaviside(a, 0)"
        terms.append(step if jump == 1 else f"{printer.write(jump, PRODUCT)} * {step}")
    return None if printer.constants else " + ".join(terms)


def list_slopes(program: Program, *, exact_only: bool = False) -> dict[str, str]:
    """The texts of all slopes that a program can use, by the name of f in the module.

    `exact_only`: only those that are whole numbers, which lose nothing (f' from a rounds against the largest |f'|).
    """
    texts: dict[str, str] = {}
    for function, statement in program.statements:
        activation = find_activation(statement, "network")
        text = write_slope(activation, function)
        if text is not None and (not exact_only or set(activation.derivatives) <= {0, 1}):
            texts[function] = text
    return texts


def take_slopes_from_values(program: Program, functions: Iterable[str]) -> Program:
    """The program with f_prime(z) written as f_slope(a) for these functions f."""
    chosen = frozenset(functions)
    values: dict[tuple[str, Expression], Name] = {}
    for line in program.forward:
        if isinstance(line.value, Call) and line.value.function in chosen:
            values[line.value.function, line.value.of] = line.target

    def rule(node: Expression) -> Expression | None:
        return take_slope(node, values)

    backward = [Assignment(line.target, rewrite(line.value, rule), line.label) for line in program.backward]
    return replace(program, backward=tuple(backward))


def list_pairs(program: Program) -> frozenset[str]:
    """The functions f of which both f(z) and f_prime(z) are needed, always at the same z."""
    called = {(node.function, node.of) for line in (*program.forward, *program.backward) for node in walk(line.value)
              if isinstance(node, Call)}  # fmt: skip
    own = {(name, of) for name, of in called if (f"{name}_prime", of) in called}
    alone = {name for name, of in called if (name, of) not in own and (name.removesuffix("_prime"), of) not in own}
    return frozenset(name for name, _ in own) - alone


def take_slope(node: Expression, values: Mapping[tuple[str, Expression], Name]) -> Expression | None:
    """f_slope(a) for f_prime(z), if a = f(z) is a line of the program."""
    if isinstance(node, Call) and node.function.endswith("_prime"):
        function = node.function.removesuffix("_prime")
        value = values.get((function, node.of))
        return None if value is None else Call(function + SLOPE, value)
    return None
