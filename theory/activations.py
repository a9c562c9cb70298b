"""Activations: each stated once, forward only; derivative, kinks and safe form are worked out here.

statement       name, expression in the real variable x, reference
derivative      always computed by differentiating the expression, piece by piece
kinks           the points where f' jumps, found; there f' takes its value from the left (piece x <= kink)
identity        f' as an expression in a = f(x), such as a(1 - a), where one is found and proved
stable form     f and f' with t = exp(-c|x|), so that nothing overflows; found by cancelling, then proved
"""

from __future__ import annotations

import difflib
import functools
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import sympy
from sympy import QQ, Expr, Integer, Rational, Symbol
from sympy.polys.fields import FracElement, FracField
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement

from theory.expressions import ELEMENTARY, Piece, evaluate_at, evaluate_precisely, exponentiate, real_symbol, split
from theory.expressions import parse as parse_with

__all__ = [
    "ALIASES",
    "KINK_CONVENTION",
    "NAMES",
    "Activation",
    "ActivationError",
    "Branch",
    "ProofError",
    "StableForm",
    "branches",
    "find",
    "parse",
    "prove_equal",
]

KINK_CONVENTION = "at a kink f' takes its value from the left, that of the piece x <= kink"

X = real_symbol("x")
A = Symbol("a", real=True)  # the value of f, in an identity f' = g(a)
T = Symbol("t", positive=True)  # exp(-rate |x|), in (0, 1]
M = Symbol("m", real=True)  # t - 1 without cancellation: expm1(-rate |x|)
_P = Symbol("p", real=True)  # |x|; not declared positive, or SymPy would rewrite what stands for an atom


class ActivationError(ValueError):
    """An activation that cannot be used, in one line."""


class ProofError(ArithmeticError):
    """A form that was to be proved equal to its definition is not, or cannot be shown to be."""


# --------------------------------------------------------------------------------------- the statements


@dataclass(frozen=True, slots=True)
class _Statement:
    formula: Callable[[Expr], Expr]
    reference: str


def _cut(below: Expr, above: Expr, x: Expr) -> Expr:
    """Return `below` for x <= 0 and `above` for x > 0."""
    return sympy.Piecewise((below, x <= 0), (above, True))


LEAKY_SLOPE = Rational("0.01")
ELU_ALPHA = Integer(1)
SELU_ALPHA = Rational("1.6732632423543772848170429916717")
SELU_SCALE = Rational("1.0507009873554804934193349852946")
GELU_CUBIC = Rational("0.044715")

_LECTURE = "M. Hjorth-Jensen, Advanced machine learning, week 2 (2026)"
_STATEMENTS: Mapping[str, _Statement] = MappingProxyType(
    {
        "identity": _Statement(lambda x: x, f"{_LECTURE}: regression output"),
        "sigmoid": _Statement(lambda x: 1 / (1 + sympy.exp(-x)), _LECTURE),
        "tanh": _Statement(sympy.tanh, _LECTURE),
        "relu": _Statement(
            lambda x: sympy.Max(0, x, evaluate=False), "Nair and Hinton, Rectified linear units, ICML 2010"
        ),
        "leaky_relu": _Statement(
            lambda x: _cut(LEAKY_SLOPE * x, x, x), "Maas, Hannun and Ng, Rectifier nonlinearities, ICML 2013"
        ),
        "elu": _Statement(
            lambda x: _cut(ELU_ALPHA * (sympy.exp(x) - 1), x, x),
            "Clevert, Unterthiner and Hochreiter, arXiv:1511.07289",
        ),
        "selu": _Statement(
            lambda x: _cut(SELU_SCALE * SELU_ALPHA * (sympy.exp(x) - 1), SELU_SCALE * x, x),
            "Klambauer, Unterthiner, Mayr and Hochreiter, arXiv:1706.02515",
        ),
        "softplus": _Statement(
            lambda x: sympy.log(1 + sympy.exp(x)), "Dugas, Bengio, Bélisle, Nadeau and Garcia, NIPS 2000"
        ),
        "log_sigmoid": _Statement(lambda x: sympy.log(1 / (1 + sympy.exp(-x))), "log-likelihood of the logistic model"),
        "gelu": _Statement(
            lambda x: x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2, "Hendrycks and Gimpel, arXiv:1606.08415"
        ),
        "gelu_tanh": _Statement(
            lambda x: x * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * (x + GELU_CUBIC * x**3))) / 2,
            "Hendrycks and Gimpel, arXiv:1606.08415, equation for the approximation",
        ),
        "silu": _Statement(
            lambda x: x / (1 + sympy.exp(-x)),
            "Elfwing, Uchibe and Doya, arXiv:1702.03118; Swish: arXiv:1710.05941",
        ),
        "mish": _Statement(lambda x: x * sympy.tanh(sympy.log(1 + sympy.exp(x))), "Misra, arXiv:1908.08681"),
    }
)

NAMES: tuple[str, ...] = tuple(_STATEMENTS)
ALIASES: Mapping[str, str] = MappingProxyType({"swish": "silu"})
_FUNCTIONS = MappingProxyType(
    {**{name: one.formula for name, one in _STATEMENTS.items()}, **ELEMENTARY}
    | {alias: _STATEMENTS[name].formula for alias, name in ALIASES.items()}
)


# -------------------------------------------------------------------------------------------- activation


@dataclass(frozen=True)
class Activation:
    """One activation: what is stated, and what follows from it.

    Units: dimensionless, f: R -> R, elementwise.  Equation: a = f(x); f'(x) is computed, never stated.
    Errors: `ActivationError` where the kinks cannot be found exactly.

    >>> find("sigmoid").identity_in_value
    a*(1 - a)
    >>> find("relu").kinks
    (0,)
    """

    name: str
    expression: Expr
    reference: str = "stated by the user"

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The smooth pieces of f, in order."""
        try:
            return split(self.expression)
        except (ArithmeticError, ValueError, TypeError, AttributeError) as error:  # SymPy raises the last two too
            reason = error if isinstance(error, ValueError) else "its cases cannot be told apart"
            raise ActivationError(f"activation {self.name!r}: {reason}") from None

    @cached_property
    def derivatives(self) -> tuple[Expr, ...]:
        """f' on each piece."""
        return tuple(piece.expression.diff(X) for piece in self.pieces)

    @cached_property
    def derivative(self) -> Expr:
        """f'(x); at a kink the value from the left."""
        return _join(zip(self.derivatives, (piece.upper for piece in self.pieces), strict=True), X)

    @cached_property
    def kinks(self) -> tuple[Expr, ...]:
        """The points where f' (or f) jumps, in order."""
        neighbours = zip(itertools.pairwise(self.pieces), itertools.pairwise(self.derivatives), strict=True)
        return tuple(
            left.upper
            for (left, right), (slope, next_slope) in neighbours
            if _differ(left.expression, right.expression, left.upper) or _differ(slope, next_slope, left.upper)
        )

    @cached_property
    def identity_in_value(self) -> Expr | None:
        """f' in terms of a = f(x), where an identity is found and proved; otherwise None."""
        return _find_identity(self)

    @cached_property
    def stable(self) -> StableForm:
        """The proved forms for evaluation; see `branches`."""
        return _stabilise(self)

    def latex(self) -> str:
        """Return LaTeX for f(x)."""
        return str(sympy.latex(self.expression))

    def __str__(self) -> str:
        return f"{self.name}: f(x) = {self.expression}, f'(x) = {self.derivative}"


def _join(values: Iterator[tuple[Expr, Expr]], variable: Symbol) -> Expr:
    """Join (value, upper end) pairs to one expression in the variable."""
    cases = [(value, variable <= upper if upper.is_finite else sympy.true) for value, upper in values]
    if all(value == cases[0][0] for value, _ in cases):
        return cases[0][0]
    return sympy.Piecewise(*cases, evaluate=False)


_DIGITS = 40  # decimal digits of a numerical witness
_AGREE = 1e-30  # relative agreement a witness asks for


def _agree(left: Expr, right: Expr, point: Expr) -> bool:
    """Whether two expressions have the same value at a point; NaN agrees with nothing."""
    a, b = (evaluate_precisely(u, point, _DIGITS) for u in (left, right))
    return bool(abs(a - b) <= _AGREE * max(1, abs(a)))


def _differ(left: Expr, right: Expr, point: Expr) -> bool:
    """Whether two expressions differ at a point, by value; where there is no value they do."""
    try:
        return not _agree(left, right, point)
    except (ArithmeticError, ValueError):
        return True


_DEFINED_AT = (-10.0, -1.7, -0.3, 0.0, 0.3, 1.7, 10.0)  # where a user's activation must have a value


def parse(text: str, variable: str = "x") -> Expr:
    """Read an expression in which the activations may be used as functions; see `theory.expressions.parse`.

    >>> parse("x*sigmoid(x)")
    x/(1 + exp(-x))
    """
    return parse_with(text, variable, _FUNCTIONS)


def find(name_or_expression: str) -> Activation:
    """Return the activation of that name, or the one that an expression in x states.

    Errors: `ActivationError` for an unknown bare name (with the choices and the nearest spelling), for an
    expression without x, or one without a value at an ordinary x; `theory.expressions.ExpressionError` for text
    that is no expression.  Source: the references in the catalogue.

    >>> find("swish").name, find("x*tanh(x)").derivative
    ('silu', x*(1 - tanh(x)**2) + tanh(x))
    """
    if not isinstance(name_or_expression, str):
        raise ActivationError(f"expected an activation's name or an expression in x, got {name_or_expression!r:.40}")
    text = name_or_expression.strip()
    return _find(ALIASES.get(text, text))


@functools.lru_cache(maxsize=256)
def _find(text: str) -> Activation:
    if text in _STATEMENTS:
        return Activation(text, _STATEMENTS[text].formula(X), _STATEMENTS[text].reference)
    if text != "x" and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", text):
        raise ActivationError(_describe_unknown(text))
    activation = Activation(text, parse(text))
    _check_usable(activation)
    return activation


def _describe_unknown(name: str) -> str:
    known = [*NAMES, *ALIASES]
    near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    guess = f" (did you mean {near[0]!r}?)" if near else ""
    shown = name if len(name) <= 60 else name[:57] + "..."
    choices = ", ".join(NAMES)
    return f"unknown activation {shown!r}{guess}; choose from: {choices}, or write an expression in x"


def _check_usable(activation: Activation) -> None:
    if X not in activation.expression.free_symbols:
        raise ActivationError(f"activation {activation.name!r} does not depend on x; try 'x*tanh(x)'")
    for point in _DEFINED_AT:
        try:
            evaluate_at(activation.expression, point)
        except OverflowError:
            continue  # large is not undefined
        except (ArithmeticError, ValueError):
            where = f"has no finite real value at x = {point:g}; it needs one everywhere"
            raise ActivationError(f"activation {activation.name!r} {where}") from None
    activation.derivative  # noqa: B018  finds the kinks, or says that they cannot be found


# --------------------------------------------------------------------------------- rational forms in p, t


class _NotRational(Exception):
    """The expression is outside the algebra of this section."""


_ATOMS = 4
_LARGEST_POWER = 32  # of t and p
_LARGEST_EXPANSION = 12  # power of a sum, which is multiplied out
_GENERATORS = ("p", "t", *(f"u{i}" for i in range(_ATOMS)))


@functools.cache
def _make_field() -> FracField:
    return FracField(_GENERATORS, QQ, sympy.lex)


class _HalfLine:
    """x = side * p with p > 0: expressions as rational functions of p, t = exp(-rate p) and a few atoms.

    An atom is a quantity the algebra does not look into: log(1 + t), tanh(p), exp(-p**2/2), sqrt(2), ...
    Equal rational functions are equal quantities whatever the atoms, so a difference that cancels is a proof.
    """

    def __init__(self, side: int, rate: Expr) -> None:
        self.side, self.rate = side, rate
        self.field = _make_field()
        self.p, self.t, *self.unused = self.field.gens
        self.atoms: dict[Expr, FracElement] = {}
        self.known: dict[Expr, FracElement] = {X: side * self.p, T: self.t, M: self.t - 1}

    def convert(self, node: Expr) -> FracElement:
        """Write an expression in x, T and M as a rational function."""
        if node not in self.known:
            try:
                self.known[node] = self.work_out(node)
            except OverflowError:
                raise _NotRational(f"{node} is too large") from None
        return self.known[node]

    def work_out(self, node: Expr) -> FracElement:
        if isinstance(node, Rational):
            return self.field(QQ(node.p, node.q))
        if node.is_Add:
            return functools.reduce(lambda a, b: a + b, map(self.convert, node.args))
        if node.is_Mul:
            return functools.reduce(lambda a, b: a * b, map(self.convert, node.args))
        if isinstance(node, sympy.exp):
            return self.convert_exponential(node.args[0])
        if node.is_Pow:
            return self.convert_power(node)
        if isinstance(node, sympy.log):
            return self.convert_logarithm(node)
        hides = isinstance(node, sympy.tanh) and _grows(node.args[0])
        if hides or isinstance(node, (sympy.sinh, sympy.cosh)):
            return self.convert(_EXPONENTIAL_FORMS[node.func](node.args[0]))
        return self.take_whole(node)

    def take_whole(self, node: Expr) -> FracElement:
        """Take a quantity as it is, unless an exponential hides in it."""
        if _grows(node):
            raise _NotRational(f"{node} may overflow inside")
        return self.name_atom(node)

    def name_atom(self, node: Expr) -> FracElement:
        """Give a quantity a generator of its own."""
        key = node.xreplace({X: self.side * _P})
        negative = key.could_extract_minus_sign()
        key = -key if negative else key
        if key not in self.atoms:
            if not self.unused:
                raise _NotRational("too many different functions")
            self.atoms[key] = self.unused.pop(0)
        return -self.atoms[key] if negative else self.atoms[key]

    def convert_power(self, node: Expr) -> FracElement:
        base, exponent = node.args
        if not isinstance(exponent, Rational):
            return self.take_whole(node)
        root = self.convert(base) if exponent.q == 1 else self.take_whole(base ** Rational(1, exponent.q))
        if root == 0 and exponent.p < 0:
            raise _NotRational("division by zero")
        is_sum = len(root.numer) + len(root.denom) > 2
        if abs(exponent.p) > (_LARGEST_EXPANSION if is_sum else _LARGEST_POWER):
            raise _NotRational("too high a power")
        return root**exponent.p

    def convert_exponential(self, exponent: Expr) -> FracElement:
        linear, rest = _split_exponent(exponent)
        steps = -self.side * linear / self.rate
        if not isinstance(steps, Integer) or abs(steps) > _LARGEST_POWER:
            raise _NotRational("rates of growth without a common measure of their size")
        atoms = (self.name_atom(exponentiate(term)) for term in sympy.Add.make_args(rest) if term != 0)
        return functools.reduce(lambda a, b: a * b, atoms, self.t ** int(steps))

    def convert_logarithm(self, node: Expr) -> FracElement:
        if not _grows(node.args[0]):
            return self.name_atom(node)
        inside = self.convert(node.args[0])
        return self.convert_log_polynomial(inside.numer) - self.convert_log_polynomial(inside.denom)

    def convert_log_polynomial(self, polynomial: PolyElement) -> FracElement:
        """log(c t**k (1 + ...)) = log c - k rate p + log(1 + ...), all coefficients positive, in t alone."""
        terms = {monomial[1]: c for monomial, c in polynomial.terms() if not any(monomial[:1] + monomial[2:])}
        if len(terms) != len(polynomial.terms()) or any(c <= 0 for c in terms.values()):
            raise _NotRational("logarithm of more than a polynomial in t")
        lowest = min(terms)
        scale = _to_rational(terms[lowest])
        rest = sum(_to_rational(c) / scale * T ** (k - lowest) for k, c in terms.items())
        result = -lowest * self.convert(self.rate) * self.p
        result += self.name_atom(sympy.log(scale)) if scale != 1 else 0
        return result + (self.name_atom(sympy.log(rest)) if rest != 1 else 0)

    def write(self, element: FracElement) -> Expr:
        """Write a rational function as an expression in x, T and M, factored; M stands for T - 1."""
        scale, top = self.write_factors(element.numer)
        divisor, bottom = self.write_factors(element.denom)
        return scale / divisor * sympy.Mul(*top) / sympy.Mul(*bottom)

    def write_factors(self, polynomial: PolyElement) -> tuple[Expr, list[Expr]]:
        names = {atom: generator for generator, atom in self.atoms.items()}
        symbols = [self.side * X, T] + [
            names.get(g, Integer(0)).xreplace({_P: self.side * X}) for g in self.field.gens[2:]
        ]
        content, factors = polynomial.factor_list()
        scale, written = _to_rational(content), []
        for factor, power in factors:
            expression = M if factor == self.t.numer - 1 else factor.as_expr(*symbols)
            unit = _choose_unit(expression)
            scale *= unit**power
            written.append((expression / unit if unit == -1 else (expression / unit).expand()) ** power)
        return scale, written


_LARGE_COEFFICIENT = 100


def _choose_unit(polynomial: Expr) -> Expr:
    """Return the factor to take out of a polynomial so that it reads well: a common sign, a common size."""
    coefficients = [term.as_coeff_Mul()[0] for term in sympy.Add.make_args(polynomial)]
    sign = -1 if all(c < 0 for c in coefficients) else 1
    smallest = min(map(abs, coefficients))
    return sign * (smallest if smallest > _LARGE_COEFFICIENT else Integer(1))


_EXPONENTIAL_FORMS: Mapping[type, Callable[[Expr], Expr]] = MappingProxyType(
    {
        sympy.tanh: lambda u: (exponentiate(2 * u) - 1) / (exponentiate(2 * u) + 1),
        sympy.sinh: lambda u: (exponentiate(u) - exponentiate(-u)) / 2,
        sympy.cosh: lambda u: (exponentiate(u) + exponentiate(-u)) / 2,
    }
)


def _to_rational(number: object) -> Rational:
    return Rational(int(number.numerator), int(number.denominator))  # type: ignore[attr-defined]


@functools.lru_cache(maxsize=1024)
def _split_exponent(exponent: Expr) -> tuple[Expr, Expr]:
    """Split an exponent into the coefficient of x and the rest (constant and non-linear)."""
    linear, rest = Integer(0), Integer(0)
    for term in sympy.Add.make_args(sympy.expand_mul(exponent, deep=False)):
        slope = term / X
        if X in slope.free_symbols or term == 0:
            rest += term
        else:
            linear += slope
    return linear, rest


def _list_rates(expression: Expr) -> list[Expr]:
    """List the coefficients of x in the exponents of an expression (hyperbolic functions of x aside)."""
    exponents = [node.args[0] for node in expression.atoms(sympy.exp)]
    exponents += [node.args[0] for node in expression.atoms(sympy.sinh, sympy.cosh)]
    return [slope for slope in (_split_exponent(u)[0] for u in exponents) if slope != 0]


@functools.lru_cache(maxsize=1024)
def _grows(expression: Expr) -> bool:
    """Whether exp(c x) occurs, openly or as T: it needs the algebra, or it may overflow."""
    if expression.has(T, M):
        return True
    return bool(_list_rates(expression)) if expression.has(sympy.exp, sympy.sinh, sympy.cosh) else False


def _find_rate(expressions: tuple[Expr, ...]) -> Expr | None:
    """Return the largest rate c of which every exponent is a whole multiple; None without any."""
    rates = [rate for expression in expressions for rate in _list_rates(expression)]
    if not rates:
        return None
    multiples = [rate / rates[0] for rate in rates]
    if not all(isinstance(multiple, Rational) for multiple in multiples):
        return None
    measure = Rational(math.gcd(*(int(m.p) for m in multiples)), math.lcm(*(int(m.q) for m in multiples)))
    return abs(rates[0]) * measure


# ----------------------------------------------------------------------------------------- stable forms


@dataclass(frozen=True, slots=True)
class Branch:
    """f and f' on the stretch (lower, upper], in x, T = exp(-rate |x|) and M = T - 1."""

    lower: Expr
    upper: Expr
    value: Expr
    derivative: Expr


@dataclass(frozen=True, slots=True)
class StableForm:
    """Formulas for evaluation, branch by branch; `rate` is None where T and M do not occur.

    `proved` says that no exponential in the branches can overflow, and that the branches were proved equal to
    the definition; where it is False the branches are the definition itself.
    """

    rate: Expr | None
    branches: tuple[Branch, ...]
    proved: bool


def branches(activation: Activation) -> StableForm:
    """Return forms of f and f' in which nothing overflows, each proved equal to the definition.

    With t = exp(-c|x|) in (0, 1], f and f' become on either side of 0 rational functions of x, t, log(1 + t)
    and the like: sigmoid is 1/(1 + t) for x > 0 and t/(1 + t) for x <= 0.  Where there is no exponential of x
    nothing needs doing.  Where the rewriting does not apply (exp(x**3)) or a form does not stand its proof, the
    definition is returned, not `proved`.

    >>> [str(branch.value) for branch in branches(find("softplus")).branches]
    ['log(t + 1)', 'x + log(t + 1)']
    """
    return activation.stable


def _stabilise(activation: Activation) -> StableForm:
    pairs = list(zip(activation.pieces, activation.derivatives, strict=True))
    plain = tuple(Branch(p.lower, p.upper, p.expression, slope) for p, slope in pairs)
    everything = (*(p.expression for p in activation.pieces), *activation.derivatives)
    if not any(map(_grows, everything)):
        return StableForm(None, plain, proved=True)
    rate = _find_rate(everything)
    if rate is None:
        return StableForm(None, plain, proved=False)
    halves = [half for branch in plain for half in _cut_at_zero(branch)]
    try:
        return StableForm(rate, tuple(_stabilise_branch(half, rate) for half in halves), proved=True)
    except (_NotRational, ProofError):
        return StableForm(None, plain, proved=False)


def _list_sides(piece: Piece | Branch) -> list[int]:
    """List the sides of 0 that a stretch reaches: -1, 1 or both."""
    ends = ((-1, piece.lower), (1, -piece.upper))
    return [side for side, end in ends if end.is_extended_negative]


def _cut_at_zero(branch: Branch) -> list[Branch]:
    if len(_list_sides(branch)) == 1:
        return [branch]
    zero, same = Integer(0), (branch.value, branch.derivative)
    return [Branch(branch.lower, zero, *same), Branch(zero, branch.upper, *same)]


def _stabilise_branch(branch: Branch, rate: Expr) -> Branch:
    (side,) = _list_sides(branch)
    half = _HalfLine(side, rate)
    value, slope = _rewrite(branch.value, half), _rewrite(branch.derivative, half)
    prove_equal(branch.value, value, side, rate)
    prove_equal(branch.derivative, slope, side, rate)
    if half.convert(_differentiate_stable(value, side, rate)) != half.convert(slope):
        raise ProofError(f"{slope} is not the derivative of {value}")
    return Branch(branch.lower, branch.upper, value, slope)


def _rewrite(expression: Expr, half: _HalfLine) -> Expr:
    element = half.convert(expression)
    if all(monomial[1] for monomial, _ in element.denom.terms()):
        raise _NotRational("grows without bound")
    return half.write(element)


def _differentiate_stable(stable: Expr, side: int, rate: Expr) -> Expr:
    """d/dx of an expression in x, T and M; dT/dx = dM/dx = -side rate T."""
    return stable.diff(X) - side * rate * T * (stable.diff(T) + stable.diff(M))


def _expand_decay(stable: Expr, side: int, rate: Expr) -> Expr:
    """Put the definitions of T and M back."""
    decay = sympy.exp(-side * rate * X)
    return stable.xreplace({T: decay, M: decay - 1})


_WITNESS_AT = (Rational(3, 7), Rational(31, 9))


def prove_equal(definition: Expr, stable: Expr, side: int, rate: Expr) -> None:
    """Prove that a form in x, T and M equals a definition in x for all x of that side of 0.

    Two independent ways, both must agree: the difference cancels to zero as a rational function of |x|, T and
    atoms (exact, for all x), and the two sides agree to 30 digits at two points.

    Errors: `ProofError` if not.

    >>> prove_equal(find("sigmoid").expression, T / (1 + T), -1, sympy.Integer(1))
    >>> prove_equal(find("sigmoid").expression, T / (1 + T), 1, sympy.Integer(1))
    Traceback (most recent call last):
    theory.activations.ProofError: t/(t + 1) is not 1/(1 + exp(-x)) for x > 0
    """
    spelled = _expand_decay(stable, side, rate)
    try:
        half = _HalfLine(side, rate)
        cancels = half.convert(definition) - half.convert(spelled) == 0
    except _NotRational as reason:
        raise ProofError(f"{stable} could not be compared with {definition}: {reason}") from None
    points = [side * point / (rate if rate > 1 else 1) for point in _WITNESS_AT]
    if not cancels or any(_differ(definition, spelled, point) for point in points):
        raise ProofError(f"{stable} is not {definition} for x {'>' if side > 0 else '<='} 0")


# ------------------------------------------------------------------------------- identities f' = g(f(x))

_BASIS: tuple[Callable[[Expr], Expr], ...] = (
    lambda a: Integer(1),
    lambda a: a,
    lambda a: a**2,
    exponentiate,
    lambda a: exponentiate(-a),
)


def _find_identity(activation: Activation) -> Expr | None:
    """Find f' = g(a) on each piece by an ansatz with unknown coefficients, prove it, join the pieces by a."""
    everything = (*(p.expression for p in activation.pieces), *activation.derivatives)
    rate = _find_rate(everything) or Integer(1)
    found = []
    for piece, slope in zip(activation.pieces, activation.derivatives, strict=True):
        sides = _list_sides(piece)
        coefficients = _solve_ansatz(piece.expression, slope, sides[0], rate)
        if coefficients is None:
            return None
        claim = _write_identity(coefficients)
        try:
            for side in sides:
                prove_equal(slope, claim.subs(A, piece.expression), side, rate)
        except ProofError:
            return None
        found.append(claim)
    if len(found) > 1 and not _increases(activation, rate):
        return None
    edges = [p.upper if p.upper.is_infinite else p.expression.subs(X, p.upper) for p in activation.pieces]
    return _join(zip(found, edges, strict=True), A)


def _solve_ansatz(value: Expr, slope: Expr, side: int, rate: Expr) -> list[Rational] | None:
    """Return c with slope = sum of c_i basis_i(value), if there is such a c."""
    half = _HalfLine(side, rate)
    try:
        target = half.convert(slope)
        columns = [_convert_or_skip(half, make, value) for make in _BASIS]
    except _NotRational:
        return None
    known = [column for column in (*columns, target) if column is not None]
    common = functools.reduce(lambda a, b: a.lcm(b), (column.denom for column in known))
    polynomials = [column.numer * (common // column.denom) for column in known]
    monomials = sorted({monomial for one in polynomials for monomial in one.monoms()})
    rows = [[one.get(monomial, QQ(0)) for one in polynomials] for monomial in monomials]
    matrix = DomainMatrix(rows, (len(rows), len(polynomials)), QQ)
    for vector in matrix.nullspace().to_list():
        if vector[-1] != 0:
            solution = iter([_to_rational(-entry / vector[-1]) for entry in vector[:-1]])
            return [Integer(0) if column is None else next(solution) for column in columns]
    return None


def _convert_or_skip(half: _HalfLine, make: Callable[[Expr], Expr], value: Expr) -> FracElement | None:
    try:
        return half.convert(make(value))
    except (_NotRational, OverflowError):  # exp(a) itself may be too large to write down
        return None


def _write_identity(coefficients: list[Rational]) -> Expr:
    """Write c0 + c1 a + c2 a**2 + c3 exp(a) + c4 exp(-a), with a factored out where that is all."""
    one, first, second, *exponentials = coefficients
    if one == 0 and first != 0 and second != 0 and not any(exponentials):
        return sympy.Mul(A, first + second * A, evaluate=False)
    return sympy.Add(*(c * make(A) for c, make in zip(coefficients, _BASIS, strict=True)))


def _increases(activation: Activation, rate: Expr) -> bool:
    """Whether x <= kink can be read off a = f(x): f is continuous, f' >= 0, and > 0 right of a kink."""
    joints = itertools.pairwise(activation.pieces)
    if any(_differ(left.expression, right.expression, left.upper) for left, right in joints):
        return False
    signs = [
        _is_surely_positive(slope, side, rate)
        for piece, slope in zip(activation.pieces, activation.derivatives, strict=True)
        for side in _list_sides(piece)
    ]
    return all(signs[1:] if activation.derivatives[0] == 0 else signs)


def _is_surely_positive(slope: Expr, side: int, rate: Expr) -> bool:
    """Whether f' is a quotient of polynomials in p, t > 0 with positive coefficients only."""
    half = _HalfLine(side, rate)
    element = _convert_or_skip(half, lambda u: u, slope)
    if element is None or half.atoms or element == 0:
        return False
    return all(c > 0 for part in (element.numer, element.denom) for c in part.coeffs())
