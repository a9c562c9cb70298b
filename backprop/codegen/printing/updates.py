"""updates: the update equations of an optimiser become NumPy code that works in place on flat vectors.

Each equation is cut into operations of one ufunc; their results go, by `out=`, into the memory that they
replace or into a few work vectors that are used over and over. Single numbers are worked out as such, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sympy
from sympy import Expr, Integer, Rational, Symbol

from backprop.codegen.lowering.load import load_functions
from theory.chapters.training.optimisers import GRADIENT, PARAMETER, RATE, RULES, STEP, UpdateRule, before, now
from theory.chapters.training.update_printing import rank_term

__all__ = ["CHANGE", "CompiledRule", "compile_rule", "write_update"]

CHANGE = "change"
HALF = Rational(1, 2)


@dataclass(frozen=True)
class Operation:
    """result = function(operands); an operand is a value's name or the text of a number."""

    function: str
    operands: tuple[str, ...]
    result: str
    equation: str = ""


@dataclass(frozen=True)
class CompiledRule:
    """One optimiser as a function, and its text.

    update(g, theta, memory …, change, work …, eta, t, settings …) returns the vector that holds the change: the
    buffer `change`, or a memory."""

    rule: UpdateRule
    source: str
    work: int
    function: Callable[..., Any] = field(repr=False)


@cache
def compile_rule(name: str) -> CompiledRule:
    """Generate and load the program of an optimiser of the book.

    >>> print(compile_rule("momentum").source, end="")
    def update(g, theta, v, change, eta, t, momentum):
        \"\"\"gradient descent with momentum: returns the change; the memory moves on\"\"\"
        np.multiply(v, momentum, out=v)
        np.multiply(g, eta, out=change)
        np.add(v, change, out=v)               # v_t = μ*v_(t-1) + η*g_t
        return v                               # θ_t = θ_(t-1) - v_t
    """
    source, work = write_update(RULES[name])
    function = load_functions(source, f"update rule {name}")["update"]
    return CompiledRule(RULES[name], source, work, function)


def write_update(rule: UpdateRule) -> tuple[str, int]:
    """The text of the program, and how many work vectors it needs."""
    lines, work = Allocation(rule, *UpdateLowering(rule).run()).run()
    names = [f"work{k + 1}" for k in range(work)]
    numbers = ["eta", "t", *(setting.name for setting in rule.settings)]
    head = f"def update({', '.join(['g', 'theta', *rule.memory, CHANGE, *names, *numbers])}):"
    doc = f'    """{rule.title}: returns the change; the memory moves on"""'
    return "\n".join([head, doc, *(f"    {line}" for line in lines), ""]), work


class UpdateLowering:
    """From equations to operations; what is only on the way and read once is put where it is read."""

    def __init__(self, rule: UpdateRule) -> None:
        self.rule = rule
        self.operations: list[Operation] = []
        numbers = {RATE: "eta", STEP: "t"}
        numbers |= {s.letter: s.name for s in rule.settings if s.kind != "penalty"}
        self.numbers = {symbol: Symbol(name) for symbol, name in numbers.items()}
        self.vectors = {GRADIENT: "g", PARAMETER: "theta"}
        self.vectors |= {s.letter: s.name for s in rule.settings if s.kind == "penalty"}
        self.vectors |= {before(letter): letter for letter in rule.memory}

    def run(self) -> tuple[list[Operation], str]:
        """All operations, in order, and the value that is the change; the last one of an equation carries its text."""
        on_the_way: dict[Symbol, Expr] = {}
        lines = self.rule.lines()
        for update, line in zip(self.rule.equations, lines, strict=False):
            expression = update.expression.xreplace(on_the_way)
            if update.letter in self.rule.memory:
                value = self.visit(expression)
                self.name_last(value, f"{update.letter}_new", line)
                self.vectors[now(update.letter)] = f"{update.letter}_new"
            else:
                on_the_way[now(update.letter)] = expression
        change = self.visit(self.rule.change.xreplace(on_the_way))
        if change not in self.vectors.values():
            self.name_last(change, CHANGE, lines[-1])
            change = CHANGE
        return self.operations, change

    def name_last(self, value: str, name: str, line: str) -> None:
        """Give the value that was computed last its name and its equation."""
        last = self.operations.pop()
        assert last.result == value
        self.operations.append(Operation(last.function, last.operands, name, line))

    def emit(self, function: str, *operands: str) -> str:
        """One more operation; returns the name of its result."""
        result = f"_{len(self.operations)}"
        self.operations.append(Operation(function, operands, result))
        return result

    def is_number(self, e: Expr) -> bool:
        """Is this a single number, the same for all parameters?"""
        return not any(symbol in self.vectors for symbol in e.free_symbols)

    def write_number(self, e: Expr) -> str:
        """The Python text of a single number."""
        return str(sympy.pycode(e.xreplace(self.numbers)))

    def visit(self, e: Expr) -> str:
        """Compute a vector; returns the name of its value."""
        if e in self.vectors:
            return self.vectors[e]
        if e.is_Add:
            return self.visit_sum(e)
        if e.is_Mul:
            return self.visit_product(e)
        if e.is_Pow and e.exp == 2:
            return self.emit("square", self.visit(e.base))
        if e.is_Pow and e.exp.is_Integer and e.exp > 2:
            return self.emit("power", self.visit(e.base), str(e.exp))
        if e.is_Pow and e.exp == HALF:
            return self.emit("sqrt", self.visit(e.base))
        if e.is_Pow and e.exp == -1:
            return self.emit("divide", "1", self.visit(e.base))
        raise TypeError(f"no ufunc for {e} in the equations of {self.rule.name}")

    def visit_sum(self, e: Expr) -> str:
        """Memory first, so that it can be overwritten; the single number last."""
        terms = sorted((term for term in e.args if not self.is_number(term)), key=rank_term)
        total = self.visit(terms[0])
        for term in terms[1:]:
            minus = term.as_coeff_Mul()[0].is_negative
            total = self.emit("subtract" if minus else "add", total, self.visit(-term if minus else term))
        number = sum((term for term in e.args if self.is_number(term)), Integer(0))
        return total if number == 0 else self.emit("add", total, self.write_number(number))

    def visit_product(self, e: Expr) -> str:
        """The vectors above, times the single number, divided by the vectors below."""
        number = sympy.Mul(*(f for f in e.args if self.is_number(f)))
        vectors = [f for f in e.args if not self.is_number(f)]
        above = [f for f in vectors if not (f.is_Pow and f.exp.is_negative)]
        below = [1 / f for f in vectors if f.is_Pow and f.exp.is_negative]
        product = self.visit(above[0]) if above else ""
        for factor in above[1:]:
            product = self.emit("multiply", product, self.visit(factor))
        if not above:
            product = self.write_number(number)
        elif number != 1:
            product = self.emit("multiply", product, self.write_number(number))
        for factor in below:
            product = self.emit("divide", product, self.visit(factor))
        return product


class Allocation:
    """Decides in which vector each value lives; none is made while training."""

    def __init__(self, rule: UpdateRule, operations: Sequence[Operation], change: str) -> None:
        self.rule, self.operations, self.change = rule, operations, change
        self.last_use = {name: k for k, operation in enumerate(operations) for name in operation.operands}
        self.last_use |= {f"{letter}_new": len(operations) for letter in rule.memory}
        self.home = {name: name for name in ("g", "theta", *rule.memory)}
        self.free = [CHANGE]
        self.work = 0

    def run(self) -> tuple[list[str], int]:
        """The lines of the program and the number of work vectors."""
        lines = [self.write(k, operation) for k, operation in enumerate(self.operations)]
        result = f"return {self.home[self.change]}"
        step = f"{result:<38} # {self.rule.lines()[-1]}"
        return [*lines, result if self.change == CHANGE else step], self.work

    def write(self, k: int, operation: Operation) -> str:
        """One line: the ufunc, and the vector that takes its result."""
        operands = [self.home.get(name, name) for name in operation.operands]
        dying = [self.home[n] for n in dict.fromkeys(operation.operands) if self.is_owned(n) and self.last_use[n] == k]
        target = self.choose(k, operation.result, dying)
        self.free += [vector for vector in dying if vector != target and vector not in self.rule.memory]
        self.home[operation.result] = target
        code = f"np.{operation.function}({', '.join(operands)}, out={target})"
        return f"{code:<38} # {operation.equation}" if operation.equation else code

    def is_owned(self, name: str) -> bool:
        """May the vector of this value be overwritten when the value is dead?"""
        return name in self.home and name not in ("g", "theta")

    def choose(self, k: int, result: str, dying: list[str]) -> str:
        """Where a result goes: home if it has one, over an operand that dies, or into a free vector."""
        wanted = result.removesuffix("_new") if result.endswith("_new") else CHANGE if result == CHANGE else None
        if wanted:
            assert wanted in dying or wanted in self.free or self.is_dead(wanted, k), f"{wanted} is still read"
            if wanted in self.free:
                self.free.remove(wanted)
            return wanted
        if dying:
            return dying[0]
        if not self.free:
            self.work += 1
            return f"work{self.work}"
        return self.free.pop()

    def is_dead(self, memory: str, k: int) -> bool:
        """Is the old value of a memory read no more after this operation, and nothing else kept there?"""
        kept = [name for name, home in self.home.items() if home == memory]
        return all(self.last_use.get(name, -1) <= k for name in kept)
