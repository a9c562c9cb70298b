"""Prints accurate forms: f or f' with every digit, over the whole range of float64 (float32 goes through it).

size, p      |z|, and |z| where exp(-phi) is not yet 0            so that inf times 0 never happens
s, c         the exponent phi(p) = s + ..., s without rounding    where p alone is not the exponent
e, back      t = exp(-phi) = e back, e never subnormal            where t is multiplied by something large
d, w         differences from the root of f'                      see `theory.functions.accurate_forms`
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy
from sympy import Expr, Integer, Rational, Symbol

from backprop.codegen.functions.accurate_support import AS_DOUBLE, name_table, write_table
from backprop.codegen.functions.exponents import Constants, Exponent, round_number, split_exponent
from backprop.codegen.functions.special import Support
from theory.functions.accurate_forms import TAU, AccurateForm, D, FactoredProduct, PowerFactor, R, Root, Side, W
from theory.functions.half_line import M, P, T

__all__ = ["write_accurate"]

SUM, PRODUCT, ATOM = range(3)  # how tightly a text binds
FAR_OUT = 128  # exponents beyond are raised by the lift before exp
LIFT = 64


@dataclass
class AccurateWriter:
    """The body of one function: its constants, lines and helpers."""

    form: AccurateForm
    exponent: Exponent
    constants: Constants = field(default_factory=Constants)
    lines: list[str] = field(default_factory=list)
    support: list[tuple[str, str]] = field(default_factory=lambda: [("as_double", AS_DOUBLE)])

    # ----------------------------------------------------------------------------- polynomials

    def polynomial(self, expr: Expr, is_open: bool, root: Root | None = None) -> tuple[str, int]:
        """A polynomial with positive coefficients, nested, lowest power first; what is open grows with size."""
        if expr.has(sympy.log):
            return self.with_logarithm(expr, is_open)
        return self.nest(expr, (T, P), "size" if is_open else "p", root)

    def nest(self, expr: Expr, variables: tuple[Symbol, ...], p: str, root: Root | None) -> tuple[str, int]:
        if not variables:
            return self.constants.write(expr, root)
        variable, *rest = variables
        name = p if variable == P else "t"
        coefficients = sympy.Poly(expr, variable).all_coeffs()
        text, level = "", SUM
        for power, coefficient in zip(range(len(coefficients) - 1, -1, -1), coefficients, strict=True):
            if text:
                text, level = (name if text == "1" else f"{name} * {tighten(text, level)}"), PRODUCT
            if coefficient != 0:
                # a factor t keeps p * t small, so that the smaller p is right there
                inner, its_level = self.nest(coefficient, tuple(rest), p if variable == P or not power else "p", root)
                text, level = (f"{inner} + {text}", SUM) if text else (inner, its_level)
        return text, level

    def with_logarithm(self, expr: Expr, is_open: bool) -> tuple[str, int]:
        """What stands beside log(1 + ...), plus np.log1p(...)."""
        (logarithm,) = expr.atoms(sympy.log)
        factor, rest = expr.coeff(logarithm), sympy.expand(expr - expr.coeff(logarithm) * logarithm)
        inside = tighten(*self.polynomial(logarithm.args[0] - 1, is_open), SUM)
        text, level = f"np.log1p({inside})", ATOM
        if factor != 1:
            text, level = f"{tighten(*self.polynomial(factor, is_open))} * {text}", PRODUCT
        if rest != 0:
            text, level = f"{self.polynomial(rest, is_open)[0]} + {text}", SUM
        return text, level

    # ----------------------------------------------------------------------------- factors

    def factor(self, factor: PowerFactor, is_open: bool) -> tuple[str, int]:
        """The text of a positive factor, or of one that is positive up to the sign of d."""
        if factor.tabulated:
            return self.table(factor)
        if factor.root is not None:
            return self.root_factor(factor.expression, factor.root)
        if factor.expression == -M:
            return "m", ATOM
        return self.polynomial(factor.expression, is_open)

    def table(self, factor: PowerFactor) -> tuple[str, int]:
        """The call of a tabulated function, times p - r where it was divided by that."""
        name = name_table(factor, self.form.decay)
        self.support += write_table(name, factor, self.form.decay, self.exponent.until)
        if factor.root is None:
            return f"{name}(p)", ATOM
        self.write_difference(factor.root)
        return f"d * {name}(p)", PRODUCT

    def root_factor(self, expr: Expr, root: Root) -> tuple[str, int]:
        """d Q + tau w R, where w has the sign of -d and R that of -Q."""
        self.write_difference(root)
        self.write_growth(root)
        by_place, by_decay = (sympy.expand(expr).coeff(symbol) for symbol in (D, W))
        negative = has_negative_terms(by_place, root)
        first, second = (
            tighten(*self.nest(sympy.expand(-u if flip else u), (T, P), "p", root))
            for u, flip in ((by_place, negative), (by_decay, not negative))
        )
        first = "d" if first == "1" else f"d * {first}"
        second = "w" if second == "1" else f"{second} * w"
        return (f"{second} - {first}" if negative else f"{first} - {second}"), SUM

    def write_difference(self, root: Root) -> None:
        """d = p - r, with r as two floats."""
        if root.place == 0:
            self.add("d = p  # the root of f' is 0")
            return
        near = round_number(root.place)
        high = self.constants.name(near, "exactly this; with the next constant r, where f' is 0")
        low = self.constants.name(round_number(root.place - Rational(near)), "what r has beyond")
        self.add(f"d = (p - {high}) {'-' if root.place > Rational(near) else '+'} {low}")

    def write_growth(self, root: Root) -> None:
        """w = exp(-(phi(p) - phi(r))) - 1."""
        divided = divide_exponent(self.form.decay.exponent)
        text = tighten(*self.nest(divided, (P,), "p", root))
        self.add(f"w = np.expm1({'-d' if text == '1' else f'-d * {text}'})")

    def add(self, line: str) -> None:
        if line not in self.lines:
            self.lines.append(line)

    # ----------------------------------------------------------------------------- products

    def product(self, product: FactoredProduct) -> tuple[str, int]:
        """The text of a product and its sign."""
        sign, product = self.distribute(*make_positive(product))
        is_open = product.tail == 0
        names = ["size" if is_open else "p"] * product.linear
        names += ["e" if needs_lift(product) else "t"] * product.tail
        if product.constant != 1 or not (names or product.top):
            names.insert(0, self.constants.write(product.constant)[0])
        names += [raise_power(*self.factor(f, is_open), f.power) for f in product.top]
        text = " * ".join(names)
        bottom = [raise_power(*self.factor(f, is_open), f.power) for f in product.bottom]
        if bottom:
            text += " / " + (bottom[0] if len(bottom) == 1 else f"({' * '.join(bottom)})")
        return text + (" * back" if needs_lift(product) else ""), sign

    def distribute(self, sign: int, product: FactoredProduct) -> tuple[int, FactoredProduct]:
        """Put a constant that is no power of two into a factor of several terms."""
        constant, top = product.constant, list(product.top)
        if isinstance(constant, Rational) and is_power_of_two(constant):
            return sign, product
        for place, factor in enumerate(top):
            if (
                factor.power == 1
                and (factor.tabulated or factor.expression.is_Add)
                and not factor.expression.has(sympy.log)
            ):
                expression = constant * factor.expression
                expression = expression if factor.tabulated else sympy.expand(expression)
                top[place] = PowerFactor(expression, 1, factor.root, factor.tabulated)
                return sign, FactoredProduct(Integer(1), product.linear, product.tail, tuple(top), product.bottom)
        return sign, product


def tighten(text: str, level: int, around: int = PRODUCT) -> str:
    """In brackets where the surroundings bind more tightly."""
    return f"({text})" if level < around else text


def raise_power(text: str, level: int, power: int) -> str:
    """A factor to its power."""
    return tighten(text, level) if power == 1 else f"{tighten(text, level, ATOM)} ** {power}".replace(" ** ", "**")


def is_power_of_two(number: Rational) -> bool:
    return all(part & (part - 1) == 0 for part in (abs(int(number.p)), int(number.q)))


def has_negative_terms(polynomial: Expr, root: Root) -> bool:
    """The sign of a polynomial whose terms have one sign, at p = t = 1."""
    here = polynomial.subs({P: 1, T: 1, R: root.place, TAU: root.decay})
    return bool(here.evalf(30) < 0)


def make_positive(product: FactoredProduct) -> tuple[int, FactoredProduct]:
    """Take the signs and the numbers out of the factors: what is left is positive, or as positive as d is."""
    sign, constant = 1, product.constant
    parts: list[tuple[PowerFactor, ...]] = []
    for power_sign, factors in ((1, product.top), (-1, product.bottom)):
        kept = []
        for factor in factors:
            expression = factor.expression
            if not expression.free_symbols:
                constant *= expression ** (power_sign * factor.power)
                continue
            if factor.root is None and not factor.tabulated and is_negative(expression):
                expression, sign = sympy.expand(-expression), sign * (-1) ** factor.power
            kept.append(PowerFactor(expression, factor.power, factor.root, factor.tabulated))
        parts.append(tuple(kept))
    if constant.is_negative:
        sign, constant = -sign, -constant
    return sign, FactoredProduct(constant, product.linear, product.tail, *parts)


def is_negative(polynomial: Expr) -> bool:
    """Whether the terms are negative (M is)."""
    return bool(polynomial.subs({P: 1, T: Rational(1, 2), M: Rational(-1, 2)}).evalf(30) < 0)


def needs_lift(product: FactoredProduct) -> bool:
    """Whether t is multiplied by what grows with p."""
    grows = product.linear or any(f.root is not None or f.expression.has(P, D) for f in product.top)
    return bool(product.tail == 1 and grows)


def divide_exponent(exponent: Expr) -> Expr:
    """(phi(p) - phi(r)) / (p - r)."""
    coefficients = sympy.Poly(exponent, P).all_coeffs()[::-1]
    return sympy.Add(*(c * sum(P**i * R ** (k - 1 - i) for i in range(k)) for k, c in enumerate(coefficients) if k))


def write_accurate(form: AccurateForm, sides: tuple[Side, Side]) -> tuple[list[str], Support]:
    """Return the lines of the body of a function of z, and the helpers that it calls.

    Errors: `UsageError` where a constant is no float.
    """
    exponent = split_exponent(form.decay)
    writer = AccurateWriter(form, exponent)
    left, right = (write_side(writer, side) for side in sides)
    used = " ".join([left, right, *writer.lines])
    head = write_decay(writer, any(needs_lift(s.product) for s in sides), used)
    branches = [f"left = {left}"]
    if right.strip("-") == left.strip("-") and sides[1].offset is None:
        result = "left" if left == right else "np.where(x > 0, -left, left)"
    else:
        branches += [f"right = {right}"]
        result = "np.where(x > 0, right, left)" if has_variable(left) else "np.where(x <= 0, left, right)"
    lines = ["x, dtype = as_double(z)", *writer.constants.lines(), *head, *writer.lines]
    last = [*branches, f"return {result}.astype(dtype)"]
    if may_overflow(sides):
        last = [
            'with np.errstate(over="ignore"):  # beyond the largest float is inf',
            *(f"    {line}" for line in last),
        ]
    return [*lines, *last], tuple(dict(writer.support).items())


def has_variable(text: str) -> bool:
    return not text.replace(".", "").replace("-", "").isdigit()


def write_side(writer: AccurateWriter, side: Side) -> str:
    """The text of one side; a reflected one in terms of `left`."""
    if side.offset is not None:
        offset = "size" if side.offset == P else str(side.offset)
        return f"{offset} {'+' if side.sign > 0 else '-'} left"
    text, sign = writer.product(side.product)
    is_sum = " + " in text or " - " in text
    return f"-({text})" if sign < 0 and is_sum and not text.startswith("(") else "-" * (sign < 0) + text


def may_overflow(sides: tuple[Side, Side]) -> bool:
    """Whether a side grows faster than |z|."""
    return any(side.product.linear and not side.product.tail and side.product.constant != 1 for side in sides)


def write_decay(writer: AccurateWriter, lifted: bool, used: str) -> list[str]:
    """The lines that define size, p, t, m, e and back, as far as they are used."""
    exponent, constants = writer.exponent, writer.constants
    lines = ["size = np.abs(x)", f"p = np.minimum(size, {exponent.until})  # beyond, exp(-p) has vanished"]
    lines += exponent.write(constants)
    needs = {name for name in ("t", "m", "e") if mentions(used, name)}
    if lifted:
        back = constants.name(round_number(sympy.exp(-LIFT)), f"exp(-{LIFT})")
        lines.append(f"far = {exponent.main} > {FAR_OUT}  # there e = exp({LIFT} - {exponent.main}) is no subnormal")
        lines.append(f"e = np.exp(np.where(far, {LIFT}, 0) - {tighten(exponent.main, exponent.level)})")
        lines += ["e = e + e * c"] if exponent.rest else []
        lines.append(f"back = np.where(far, {back}, 1)")
        lines += ["t = e * back"] if "t" in needs else []
    elif "t" in needs:
        lines.append(f"t = np.exp(-{tighten(exponent.main, exponent.level)})")
        lines += ["t = t + t * c"] if exponent.rest else []
    if "m" in needs:
        lines.append(f"m = -np.expm1(-{tighten(exponent.main, exponent.level)})")
        lines += ["m = m - (1 - m) * c"] if exponent.rest else []
    return lines


def mentions(text: str, name: str) -> bool:
    """Whether a name occurs in a text of formulas."""
    return name in "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
