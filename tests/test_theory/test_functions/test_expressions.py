"""The reader of expressions: right on what it accepts, and closed to everything else."""

from __future__ import annotations

import math
import operator
from typing import Any

import mpmath
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from theory.functions.elementary import MAX_BITS
from theory.functions.elementwise import parse as parse_with_activations
from theory.functions.expressions import MAX_DEPTH, MAX_NODES, MAX_TEXT, parse
from theory.functions.values import evaluate_at, evaluate_precisely, real_symbol
from theory.language.tokens import ExpressionError

X = real_symbol("x")
DIGITS = 60  # of both evaluations of a random tree
AGREE = mpmath.mpf(10) ** -40  # relative; leaves a third of the digits to cancellation
TOO_LARGE = 100  # magnitudes inside a random tree, so that exp of them stays ordinary
LONGEST_MESSAGE = 900  # characters: the list of names is long, the quoted text is not

TARGETS = {
    "|x-1/2|": lambda x: abs(x - 0.5),
    "sqrt(x)": math.sqrt,
    "1/(1+25*(2*x-1)**2)": lambda x: 1 / (1 + 25 * (2 * x - 1) ** 2),
    "exp(-x)*sin(8*pi*x)": lambda x: math.exp(-x) * math.sin(8 * math.pi * x),
    "x*tanh(x)": lambda x: x * math.tanh(x),
    "x > 1/2": lambda x: float(x > 0.5),
    "1/2 >= x": lambda x: float(x <= 0.5),
    "max(x, 1 - x, 1/3)": lambda x: max(x, 1 - x, 1 / 3),
    "e^-x + 2**-x": lambda x: math.exp(-x) + 2**-x,
    "-x^2": lambda x: -(x**2),
    "2**3**x": lambda x: 2**3**x,
    "8/4/x": lambda x: 2 / x,
    "1 - 2 - x": lambda x: -1 - x,
    "||x| - 1|": lambda x: abs(abs(x) - 1),
    "1.5e-1*x + .25": lambda x: 0.15 * x + 0.25,
    "ln(x) + arctan(x)": lambda x: math.log(x) + math.atan(x),
}
POINTS = (0.1, 0.3, 0.5, 0.7, 0.95)
CLOSE = 1e-14


@pytest.mark.parametrize("text", TARGETS)
def test_a_target_function_has_the_values_it_says(text: str) -> None:
    expression = parse(text)
    for point in POINTS:
        assert evaluate_at(expression, point) == pytest.approx(TARGETS[text](point), rel=CLOSE, abs=CLOSE)


def test_numbers_are_exact_and_the_variable_is_real() -> None:
    assert parse("0.1 + 0.2") == sympy.Rational(3, 10)
    assert parse("x").is_real
    assert parse("t**2", variable="t") == real_symbol("t") ** 2


def test_several_variables_are_read_by_the_same_rules():
    x, y = real_symbol("x"), real_symbol("y")
    assert parse("x*y^2 + |x - y|", ("x", "y")) == x * y**2 + abs(x - y)
    assert parse("sin(x)", ("x", "y")) == sympy.sin(x)
    with pytest.raises(ExpressionError, match="unknown name 'z'; allowed: x, y, pi"):
        parse("x*z", ("x", "y"))
    with pytest.raises(ExpressionError, match=r"'sin' is a function: write sin\(x\)"):
        parse("sin*y", ("x", "y"))
    with pytest.raises(ExpressionError, match="exponent is too large"):
        parse("(x*y)^33", ("x", "y"))
    with pytest.raises(ExpressionError, match="unknown name 'y'"):
        parse("x*y")


def test_activations_are_functions_where_the_catalogue_is_given() -> None:
    assert parse_with_activations("swish(x)") == X / (1 + sympy.exp(-X))
    with pytest.raises(ExpressionError, match="unknown name 'swish'"):
        parse("swish(x)")


HOSTILE = [
    "__import__('os').system('echo hacked')",
    "__import__",
    "x.__class__.__mro__",
    "().__class__",
    "lambda: x",
    "(y := x)",
    "f'{x}'",
    "'x'",
    "x; x",
    "x\nx",
    "x\x00",
    "\x00",
    "x if x else x",
    "[x for x in x]",
    "[x]",
    "{x}",
    "x@x",
    "x//2",
    "x%2",
    "~x",
    "x!",
    "x == 1",
    "x = 1",
    "x and x",
    "not x",
    "None",
    "True",
    "import",
    "eval(x)",
    "exec(x)",
    "open(x)",
    "Symbol(x)",
    "Integer(1)",
    "S(1)",
    "I",
    "oo",
    "nan",
    "zoo",
    "inf",
    "ｘ",  # a full-width x
    "х",  # a Cyrillic x
    "ｓｉｎ(x)",
    "x²",
    "x − 1",
    "√x",
    "π",
    "x\u200b",
    "x\u202e",
    "１",
    "1_000",
    "0x10",
    "1j",
    "1e",
    "1..2",
    ".",
    "",
    "   ",
    "+",
    "*x",
    "x*",
    "x**",
    "()",
    "(x",
    "x)",
    "sin",
    "sin()",
    "sin x",
    "sin(x, x)",
    "max(x)",
    "max(" + ",".join("x" * 9) + ")",
    "sin(x,)",
    "2x",
    "x x",
    "x(2)",
    "pi(2)",
    "where(x, x, x)",
    "|x",
    "||",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_refused_in_one_line_with_its_place(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    message = str(caught.value)
    assert message.isascii()
    assert message.isprintable()
    assert len(message) <= LONGEST_MESSAGE
    assert 0 <= caught.value.column <= len(text) + 1


EXPLOSIVE = {
    "9**9**9**9": "exponent is too large",
    "(9**999)**999": "too large",
    "2**(-9999)": "exponent is too large",
    "x**1001": "exponent is too large",
    "1e9999999999": "exponent is too large",
    "1e400": "too large",
    "9" * 41: "digits",
    "(" * 10_000: "characters",
    "(" * (MAX_DEPTH + 1) + "x" + ")" * (MAX_DEPTH + 1): "nested too deeply",
    "-" * (MAX_DEPTH + 1) + "x": "nested too deeply",
    "|" * (MAX_DEPTH + 1) + "x": "nested too deeply",
    "x**" * (MAX_DEPTH + 1) + "x": "nested too deeply",
    "sin(" * (MAX_DEPTH + 1) + "x": "nested too deeply",
    "+".join("x" * MAX_NODES): "too many parts",
    "x" * (MAX_TEXT + 1): "characters",
    "(99999999999999999999/99999999999999999998)**70": f"more than {MAX_BITS} bits",
    "exp(exp(exp(9)))": "too large",
    "exp(1000)": "too large",
    "x*sinh(711)": "too large",
}


@pytest.mark.parametrize("text", EXPLOSIVE, ids=lambda text: text[:30])
def test_text_that_would_explode_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(ExpressionError, match=EXPLOSIVE[text]):
        parse(text)


# Each of these once kept SymPy busy for seconds to minutes: it multiplied out a power nobody asked it to.
SLOW = {
    "min((((x*1e5 + 1e5**(22/7)))**30)**32, 7)": "too many parts",
    "(x**32)**32": "exponent is too large",
    "tan(cosh(log(x)**64))": "exponent is too large",
    "sinh(sinh((exp(64 - e)*x - ((x + 1/2)**(-3/2) + min(12345678901234567890**x, -62)))**31))": "too many parts",
    "((x + 1)**30 + 3)**30": "too many parts",
    "(1 + x + x**2 + x**3)**31": "too many parts",
    "sqrt(((x**2 + 1)**32*(x + 1)**32)/(x**2 + x + 7)**31)": "too many parts",
}


@pytest.mark.parametrize("text", SLOW, ids=lambda text: text[:30])
def test_text_that_would_keep_sympy_busy_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(ExpressionError, match=SLOW[text]):
        parse(text)


NOT_REAL = {
    "1/0": "division by zero",
    "x/(x - x)": "division by zero",
    "0**-1": "division by zero",
    "1/(sqrt(2)**2 - 2)": "division by zero",
    "log(0)": "finite real",
    "log(-1)": "finite real",
    "sqrt(-1)": "finite real",
    "sqrt(-x**2)": "finite real",
    "(-8)**(1/3)": "finite real",
    "asin(2)": "finite real",
    "x + acos(-3/2)": "finite real",
}


@pytest.mark.parametrize("text", NOT_REAL)
def test_a_constant_that_is_no_finite_real_number_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=NOT_REAL[text]):
        parse(text)


@pytest.mark.parametrize(("text", "column"), [("1/0", 2), ("x + foo", 5), ("x + sin(x", 8), ("x*é", 3), ("2 x", 3)])
def test_the_message_points_at_the_column(text: str, column: int) -> None:
    with pytest.raises(ExpressionError, match=f"at column {column}:") as caught:
        parse(text)
    assert caught.value.column == column


def test_an_unknown_name_comes_with_the_nearest_spelling_and_the_choices() -> None:
    with pytest.raises(ExpressionError, match=r"unknown name 'sni' \(did you mean 'sin'\?\); allowed: x, pi, e and"):
        parse("sni(x)")


def test_only_text_is_read() -> None:
    with pytest.raises(ExpressionError, match="expected text, got bytes"):
        parse(b"x")  # type: ignore[arg-type]


@given(st.text(max_size=60) | st.text(alphabet="x123.+-*/^()|,<>= esincoplghabmrtq", max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    complaint, symbols = "", set()
    try:
        symbols = parse(text).free_symbols
    except ExpressionError as error:
        complaint = str(error)
    assert "\n" not in complaint
    assert symbols <= {X}


# A second reader that shares nothing with the first: trees are drawn, printed with the fewest brackets, and
# evaluated on their own.

BINARY = {"+": (1, operator.add), "-": (1, operator.sub), "*": (2, operator.mul), "/": (2, operator.truediv)}
UNARY = {
    "exp": mpmath.exp,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tanh": mpmath.tanh,
    "atan": mpmath.atan,
    "erf": mpmath.erf,
    "abs": abs,
    "sign": mpmath.sign,
}
SIGN, POWER, ATOM = 3, 4, 5  # how tightly they bind, after the two levels in BINARY

leaves = st.sampled_from(["x", "pi", "e"]) | st.decimals(0, 9, places=2).map(str) | st.integers(0, 12).map(str)


def grow(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.tuples(st.sampled_from(sorted(BINARY)), children, children)
        | st.tuples(st.just("neg"), children)
        | st.tuples(st.just("power"), children, st.integers(-3, 4))
        | st.tuples(st.sampled_from(sorted(UNARY)), children)
        | st.tuples(st.sampled_from(["min", "max"]), children, children)
    )


trees = st.recursive(leaves, grow, max_leaves=8)


def show(tree: Any, level: int = 0) -> str:
    """Print a tree with brackets only where the grammar needs them."""
    if isinstance(tree, str):
        return tree
    head, *parts = tree
    if head in BINARY:
        own = BINARY[head][0]
        text = f"{show(parts[0], own)} {head} {show(parts[1], own + 1)}"
    elif head == "neg":
        own, text = SIGN, f"-{show(parts[0], SIGN)}"
    elif head == "power":
        own, text = POWER, f"{show(parts[0], ATOM)}**{parts[1]}"
    else:
        own, text = ATOM, f"{head}({', '.join(map(show, parts))})"
    return f"({text})" if own < level else text


def work_out(tree: Any, x: Any) -> Any:
    """Evaluate a tree; the draw is given up where a value is not an ordinary number."""
    if isinstance(tree, str):
        return {"x": x, "pi": mpmath.pi, "e": mpmath.e}[tree] if tree in ("x", "pi", "e") else mpmath.mpf(tree)
    head, *parts = tree
    values = [work_out(part, x) for part in parts if not isinstance(part, int)]
    if head == "/" or (head == "power" and parts[1] < 0):
        assume(abs(values[-1]) > 1 / mpmath.mpf(TOO_LARGE))
    if head in BINARY:
        result = BINARY[head][1](*values)
    elif head == "neg":
        result = -values[0]
    elif head == "power":
        result = values[0] ** parts[1]
    elif head == "sign":
        assume(values[0] == 0 or abs(values[0]) > AGREE)
        result = mpmath.sign(values[0])
    else:
        result = {"min": min, "max": max, **UNARY}[head](*values)
    assume(abs(result) < TOO_LARGE)
    return result


@given(trees, st.fractions(-3, 3, max_denominator=50))
def test_a_random_expression_keeps_its_value(tree: Any, point: Any) -> None:
    with mpmath.workdps(DIGITS):
        expected = work_out(tree, mpmath.mpf(point.numerator) / point.denominator)
        work_out(tree, mpmath.mpf(3) / 7)  # no division by zero at a second point either: not one for every x
        try:
            expression = parse(show(tree))
        except ExpressionError as error:
            assume("too large" not in str(error))
            raise
        found = evaluate_precisely(expression, sympy.Rational(point.numerator, point.denominator), DIGITS)
        assert abs(found - expected) <= AGREE * max(1, abs(expected))
