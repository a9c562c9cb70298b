"""Printed elementwise functions: readable, right, and quiet everywhere they may be called."""

from __future__ import annotations

import ast
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.codegen.functions.elementwise import evaluate, merge_support, write_expression, write_functions
from backprop.codegen.functions.special import write_special
from backprop.codegen.lowering.load import load_functions
from backprop.errors import UsageError
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find
from theory.functions.expressions import parse
from theory.functions.values import evaluate_at, evaluate_precisely, real_symbol
from theory.language.tokens import ExpressionError

LARGEST = 1e4  # |z| up to which nothing may overflow, give NaN or warn
DIGITS = 60
ROUNDING = 4e-15  # |error| / max(1, |value|) of a printed function in float64
ERF_ULPS = 2.0
STEP = 1e-30  # of the complex step, far below the last digit of z
SAME_SLOPE = 1e-13
OF_USERS = [
    "x*tanh(x)",
    "x/(1 + abs(x))",
    "log(1 + abs(x))",
    "sqrt(1 + x**2) - 1",
    "x*sigmoid(1.702*x)",
    "1/cosh(x)",
    "log(cosh(x))",
    "tanh(x)*softplus(x)",
    "abs(x - 1)*sigmoid(x)",
    "max(0, min(6, x + 3))/6*x",
    "max(x, 0) + min(exp(x) - 1, 0)",
    "exp(-x**2)",
    "sin(x) + x/3",
    "exp(-sqrt(2)*x)/(1 + exp(-sqrt(2)*x))",
    "max(abs(x), 1/2)",
    "sign(x)*x**2",
]
EVERYTHING = [*NAMES, *OF_USERS]
SWEEP = np.unique(
    np.concatenate(
        [sign * part for sign in (-1.0, 1.0) for part in (np.geomspace(1e-300, LARGEST, 400), np.linspace(0, 50, 101))]
    )
)
NEAR = np.concatenate([np.linspace(-30, 30, 121), [1e-9, -1e-9, 1e-300, -1e-300]])


def load(name: str) -> dict[str, Any]:
    return load_functions(write_functions(find(name)).text, f"test of {name}")


@pytest.mark.parametrize("order", ["f", "f_prime"])
@pytest.mark.parametrize("name", EVERYTHING)
def test_nothing_overflows_or_warns_up_to_the_largest_argument(name: str, order: str) -> None:
    function = load(name)[order]
    for z in (SWEEP, SWEEP.astype(np.float32), SWEEP.reshape(-1, 1)):
        with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
            warnings.simplefilter("error")
            value = function(z)
        assert value.shape == z.shape
        assert value.dtype == z.dtype
        assert np.isfinite(value).all()


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("order", ["f", "f_prime"])
def test_values_match_the_expression_in_high_precision(name: str, order: str) -> None:
    activation = find(name)
    expression = activation.expression if order == "f" else activation.derivative
    for z, value in zip(NEAR, load(name)[order](NEAR), strict=True):
        expected = evaluate_precisely(expression, sympy.Rational(float(z)), DIGITS)
        terms = 1 if name in NAMES else abs(z)  # in a user's formula terms as large as z may cancel
        assert abs(mpmath.mpf(float(value)) - expected) <= ROUNDING * max(1, terms, abs(expected))


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_complex_step_through_f_gives_f_prime(name: str) -> None:
    functions = load(name)
    away = NEAR[np.all([np.abs(NEAR - float(kink)) > STEP for kink in (*find(name).kinks, 0, 1)], axis=0)]
    by_step = np.imag(functions["f"](away + 1j * STEP)) / STEP
    slope = functions["f_prime"](away)
    assert np.all(np.abs(by_step - slope) <= SAME_SLOPE * np.maximum(1, np.abs(slope)))


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name != "identity"])
@pytest.mark.parametrize("order", ["f", "f_prime"])
def test_nan_stays_nan_and_its_neighbours_keep_their_values(name: str, order: str) -> None:
    function = load(name)[order]
    value = function(np.array([1.5, np.nan, -1.5]))
    assert np.isnan(value[1])
    assert np.array_equal(value[[0, 2]], function(np.array([1.5, -1.5])))


@pytest.mark.parametrize("name", EVERYTHING)
def test_scalars_and_arrays_without_axes_are_welcome(name: str) -> None:
    functions = load(name)
    for order in ("f", "f_prime"):
        reference = functions[order](np.array([0.75]))[0]
        assert functions[order](np.array(0.75)) == reference
        assert functions[order](np.float64(0.75)) == reference
        assert functions[order](0.75) == reference


@pytest.mark.parametrize(("name", "slope"), [("relu", 0), ("leaky_relu", 0.01), ("abs(x)", -1), ("max(0, -x)", -1)])
def test_at_a_kink_the_slope_is_the_one_from_the_left(name: str, slope: float) -> None:
    f_prime = load(name)["f_prime"]
    assert f_prime(np.array([0.0]))[0] == slope
    assert f_prime(np.array([-0.0]))[0] == slope


@pytest.mark.parametrize("name", EVERYTHING)
def test_the_input_is_left_alone(name: str) -> None:
    z = np.linspace(-3, 3, 13)
    before = z.copy()
    functions = load(name)
    functions["f"](z)
    functions["f_prime"](z)
    assert np.array_equal(z, before)


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_printed_module_needs_numpy_and_its_own_names_only(name: str) -> None:
    source = write_functions(find(name))
    tree = ast.parse(source.text)
    compile(tree, name, "exec")
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    assert used <= {"np"} | stored | defined | arguments
    assert {"f", "f_prime"} <= defined
    assert {name for name, _ in source.support} <= stored | defined


SIGMOID = '''\
def f(z):
    """sigmoid: 1/(1 + exp(-z))"""
    t = np.exp(np.where(z > 0, -z, z))  # the exponent is -|z| <= 0: nothing overflows
    return np.where(z > 0, 1, t) / (1 + t)


def f_prime(z):
    """Derivative of sigmoid: a * (1 - a) with a = f(z)"""
    a = f(z)
    return a * (1 - a)
'''

SOFTPLUS = '''\
def f2(z):
    """softplus: log(exp(z) + 1)"""
    t = np.exp(np.where(z > 0, -z, z))  # the exponent is -|z| <= 0: nothing overflows
    return np.log1p(t) + np.maximum(z, 0)
'''

RELU_SLOPE = '''\
def f_prime(z):
    """Derivative of relu: 0 for z <= 0, 1 otherwise"""
    return np.where(z <= 0, 0, np.where(z > 0, 1, z))  # NaN stays NaN
'''


def test_the_source_reads_as_a_textbook_would_print_it() -> None:
    assert write_functions(find("sigmoid")).text == SIGMOID
    assert write_functions(find("softplus"), "f2").value == SOFTPLUS
    assert write_functions(find("relu")).derivative == RELU_SLOPE
    assert "return np.maximum(z, 0)" in write_functions(find("relu")).value


def test_helpers_of_several_activations_are_merged_by_name() -> None:
    first, second = write_functions(find("gelu"), "f1"), write_functions(find("x*erf(x)"), "f2")
    merged = merge_support([first.support, second.support, ()])
    assert [name for name, _ in merged] == ["ERF_INNER", "ERF_OUTER", "evaluate_polynomial", "erf"]
    assert "def f1_prime(z):" in first.derivative
    assert write_functions(find("relu")).support == ()


def test_erf_is_accurate_to_the_last_digits() -> None:
    erf = load_functions("".join(text for _, text in write_special("erf")), "test of erf")["erf"]
    z = np.concatenate([np.linspace(-7, 7, 2801), np.geomspace(1e-300, 30, 400), np.linspace(0.99, 1.01, 201)])
    with mpmath.workdps(DIGITS):
        for x, value in zip(z, erf(z), strict=True):
            exact = mpmath.erf(mpmath.mpf(float(x)))
            assert abs(mpmath.mpf(float(value)) - exact) <= ERF_ULPS * mpmath.mpf(float(np.spacing(abs(value))))
    ends = erf(np.array([np.inf, -np.inf, LARGEST, -LARGEST, 0.0, np.nan]))
    assert np.array_equal(ends, [1, -1, 1, -1, 0, np.nan], equal_nan=True)


@pytest.mark.parametrize("node", [sympy.zeta(real_symbol()), sympy.Function("g")(real_symbol()), sympy.I])
def test_an_unknown_node_is_an_error_that_names_it(node: sympy.Expr) -> None:
    with pytest.raises(UsageError, match=r"cannot print (zeta|g) in|the constant I is no finite real float"):
        write_expression(node)


def test_a_constant_beyond_all_floats_is_an_error() -> None:
    with pytest.raises(UsageError, match="no finite real float"):
        write_expression(parse("x*1e300*1e300"))


# -------------------------------------------------------------------------------------------- targets

TARGETS = ["|x-1/2|", "sqrt(x)", "1/(1+25*(2*x-1)**2)", "exp(-x)*sin(8*pi*x)", "x > 1/2", "x*tanh(x)", "3/7", "2**x"]
UNIT_INTERVAL = np.linspace(0, 1, 41)


@pytest.mark.parametrize("text", TARGETS)
def test_a_target_function_is_evaluated_on_arrays(text: str) -> None:
    values = evaluate(parse(text))(UNIT_INTERVAL)
    assert values.shape == UNIT_INTERVAL.shape
    for x, value in zip(UNIT_INTERVAL, values, strict=True):
        assert value == pytest.approx(evaluate_at(parse(text), float(x)), rel=ROUNDING, abs=ROUNDING)


def test_a_target_function_may_have_another_variable_and_name() -> None:
    source = write_expression(parse("t**2 + pi", variable="t"), "target", "t")
    assert source.value.startswith("def target(t):\n")
    assert load_functions(source.text, "test")["target"](np.array([2.0]))[0] == 4 + np.pi


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="x2. +-*/()|^", min_size=1, max_size=25), st.floats(0.1, 2))
def test_printing_keeps_the_value_of_any_expression(text: str, x: float) -> None:
    try:
        expression = parse(text)
        expected = evaluate_at(expression, x)
        size = max(abs(evaluate_at(term, x)) for term in (expression, *sympy.preorder_traversal(expression)))
    except (ExpressionError, ArithmeticError, ValueError):
        return
    found = float(np.asarray(evaluate(expression)(np.array(x))))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * size)
