"""From equations to source: readable lines, exact wiring, safe numbers, golden files, the budget of names."""

from __future__ import annotations

import ast
import inspect
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from kit.golden_files import GOLDEN, golden_source

from backprop.codegen.lowering.load import load
from backprop.codegen.lowering.lower import lower
from backprop.codegen.lowering.names import name_functions
from backprop.codegen.lowering.nodes import (
    Add,
    Call,
    Divide,
    MatMul,
    Multiply,
    Name,
    Negate,
    Number,
    Power,
    Subtract,
    Transpose,
)
from backprop.codegen.printing.emit import write_expression
from backprop.examiner.wiring.exact import check_exact
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.specification.network import OUTPUTS, Network
from backprop.verification.strategies import networks
from theory.chapters.networks.costs import COSTS
from theory.functions.activation_catalogue import NAMES

EXTREME = 1e4
BODIES = ("forward_pass", "forward", "cost", "gradients")
LARGEST_FALSE_PASS = 1e-9


@pytest.mark.parametrize("name", list(GOLDEN))
def test_the_golden_sources_have_not_changed(name):
    path = Path(__file__).resolve().parents[2] / "golden" / name
    assert golden_source(name) == path.read_text(encoding="utf-8"), "regenerate with: python tests/kit/golden_files.py"


def test_a_line_looks_like_the_equation_it_is():
    source = build("64-32-10", "relu", "softmax", "cross-entropy").source
    lines = [" ".join(line.split()) for line in source.splitlines()]
    assert "delta1 = (delta2 @ W2.T) * f_prime(z1) # BP2 (n, 32)" in lines
    assert "delta2 = (a2 - Y) / n # BP1 (n, 10)" in lines
    assert "dW1 = X.T @ delta1 # BP4 (64, 32)" in lines
    assert "db2 = np.sum(delta2, axis=0) # BP3 (10,)" in lines


def test_every_line_of_the_backward_pass_names_its_equation():
    program = lower(Network.parse("5-4-3-2"))
    assert [line.label for line in program.backward] == ["BP1", "BP4", "BP3", "BP2", "BP4", "BP3", "BP2", "BP4", "BP3"]
    assert [line.label for line in program.forward] == ["F1", "F2"] * 3


@given(networks())
def test_generated_shapes_are_the_shapes_that_come_out(network):
    net = CompiledNetwork(network)
    rng = np.random.default_rng(0)
    params, (X, Y) = net.module.parameters(rng), net.module.data(rng, 3)
    for pair, gradient in zip(params, net.module.gradients(params, X, Y), strict=True):
        assert [p.shape for p in pair] == [g.shape for g in gradient]
    for line in (*net.program.forward, *net.program.backward):
        assert line.value.shape == line.target.shape


@given(networks())
def test_the_wiring_of_any_generated_source_is_exact(network):
    result = check_exact(CompiledNetwork(network).source)
    assert result.ok, str(result)
    assert result.false_pass < LARGEST_FALSE_PASS


@pytest.mark.parametrize("cost", list(COSTS))
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_with_every_cost_is_exact_or_refused(output, cost):
    if output in (COSTS[cost].outputs or OUTPUTS):
        assert check_exact(build("3-3-3-3", "tanh", output, cost).source).ok
    else:
        with pytest.raises(ValueError, match="needs outputs between 0 and 1"):
            build("3-3-3-3", "tanh", output, cost)


def body_nodes(source: str):
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name in BODIES]
    assert len(functions) == len(BODIES)
    for function in functions:
        for statement in function.body[1:]:
            yield from ast.walk(statement)


@given(networks())
def test_bodies_hold_no_float_literal_no_cast_and_no_validation(network):
    for node in body_nodes(CompiledNetwork(network).source):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not isinstance(node, ast.If | ast.Raise | ast.Assert | ast.Try)
        if isinstance(node, ast.Attribute):
            assert node.attr in {"T", "sum", "shape"}


@given(networks())
def test_every_function_a_body_calls_is_in_the_table_or_made_of_it(network):
    net = CompiledNetwork(network)
    called = {n.func.id for n in body_nodes(net.source) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    for name in called - {"forward_pass"} - set(net.module.TABLE):
        inner = inspect.getsource(getattr(net.module, name))
        assert "np." not in inner.replace("np.sum", "")


def test_a_module_imports_numpy_only():
    source = build("3-2-1", "gelu").source
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import numpy as np"]


@pytest.mark.parametrize("activation", NAMES)
def test_nothing_overflows_warns_or_turns_nan_for_large_inputs(activation):
    net = build("1-1-1", activation)
    z = np.concatenate([np.linspace(-EXTREME, EXTREME, 2001), [0.0, -0.0, 1e-300, -1e-300, 700.0, -700.0, 40.0, -40.0]])
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        if activation != "identity":
            assert np.isfinite(net.module.f(z)).all()
            assert np.isfinite(net.module.f_prime(z)).all()


@pytest.mark.parametrize(
    ("output", "cost"),
    [("softmax", "cross-entropy"), ("sigmoid", "cross-entropy"), ("sigmoid", "binary-cross-entropy")],
)
def test_costs_and_gradients_survive_logits_up_to_ten_thousand(output, cost):
    net = build("2-2", output=output, cost=cost)
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]) * EXTREME
    Y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    for signs in ((1, -1), (-1, 1), (1, 1)):
        theta = net.layout.flatten([(np.diag(np.array(signs, dtype=float)), np.zeros(2))])
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            value, gradient = net.value_and_gradient(theta, X, Y)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


def test_a_users_expression_goes_the_whole_way():
    net = build("3-4-4-2", "x*tanh(x)", "x**2/2", "mse")
    assert "x*tanh(x)" in net.source.splitlines()[0]
    assert check_exact(net.source).ok
    rng = np.random.default_rng(0)
    theta, (X, Y) = net.initial(rng), net.module.data(rng)
    u, h = rng.normal(size=theta.size), 1e-30
    assert net.cost(theta + 1j * h * u, X, Y).imag / h == pytest.approx(net.gradient(theta, X, Y) @ u, rel=1e-12)


def test_one_hidden_activation_is_f_and_several_have_their_names():
    assert name_functions(Network.parse("3-3-3-1", "relu")) == ("f", "f", "identity")
    assert name_functions(Network.parse("3-3-3-1", ("relu", "tanh"), "relu")) == ("relu", "tanh", "relu")
    names = name_functions(Network.parse("3-3-3-1", ("softplus", "x*tanh(x)"), "sigmoid", "binary-cross-entropy"))
    assert "softplus" not in names
    assert len(set(names)) == 3


def test_the_writer_puts_parentheses_where_they_change_the_value():
    a, b, n = Name("a", ("n", 2)), Name("b", ("n", 2)), Name("n", ())
    assert write_expression(Subtract(a, Subtract(a, b))) == "a - (a - b)"
    assert write_expression(Subtract(a, Add(a, b))) == "a - (a + b)"
    assert write_expression(Divide(Subtract(a, b), Multiply(n, Number(10)))) == "(a - b) / (n * 10)"
    assert write_expression(Divide(a, Divide(b, n))) == "a / (b / n)"
    assert write_expression(Power(Subtract(a, b), 2)) == "(a - b) ** 2"
    assert write_expression(Power(Negate(a), 2)) == "(-a) ** 2"
    assert write_expression(MatMul(Transpose(Add(a, b)), a)) == "(a + b).T @ a"
    assert write_expression(MatMul(MatMul(a, b), a)) == "(a @ b) @ a"
    assert write_expression(Call("f", Add(a, b))) == "f(a + b)"


def test_tracebacks_and_inspect_show_the_generated_lines():
    net = build("3-2-1")
    assert "# BP2" in inspect.getsource(net.module.gradients)
    try:
        net.module.gradients(net.module.parameters(np.random.default_rng(0)), np.ones((2, 5)), np.ones((2, 1)))
    except ValueError:
        assert "z1 = X @ W1 + b1" in traceback.format_exc()
    else:
        pytest.fail("a batch of the wrong width must not pass")


def test_loading_leaves_nothing_behind_in_the_interpreter():
    import sys

    before = set(sys.modules)
    load("x = 1\n", "left_alone")
    assert set(sys.modules) == before


def test_the_docstring_carries_the_equations():
    doc = build("64-32-10", "relu", "softmax", "cross-entropy").module.__doc__
    for equation in ("Δ^l = (Δ^(l+1) (W^(l+1))ᵀ) ∘ f'_l(Z^l)", "∂C/∂W^l = (A^(l-1))ᵀ Δ^l", "A^l = f_l(Z^l)"):
        assert equation in doc
