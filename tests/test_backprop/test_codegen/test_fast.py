"""The fast source: each pass does its one thing, and the whole is the readable program, exactly and in floats."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.codegen.functions.elementwise import write_functions
from backprop.codegen.lowering.load import load_functions
from backprop.codegen.passes.buffers import Home, place_apart, place_best
from backprop.codegen.passes.in_place import write_in_place
from backprop.codegen.passes.linearise import linearise
from backprop.codegen.passes.record import record
from backprop.codegen.passes.slopes import SLOPE, write_slope
from backprop.codegen.passes.steps import Unsupported, ValueKind
from backprop.codegen.passes.writing import Form
from backprop.examiner.wiring.exact import check_exact
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.specification.network import Network
from backprop.verification.strategies import batches, networks, parameters
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find

FORMS = [Form(), Form(turned=True), Form(folded=True), Form(folded=True, inputs_too=True)]
NAMES_OF_FORMS = ["rows", "turned", "folded", "inputs too"]
COSTS = [
    ("identity", "mse"), ("sigmoid", "binary-cross-entropy"), ("softmax", "cross-entropy"), ("sigmoid", "half-sse"),
    ("softmax", "mse"),
]  # fmt: skip
ROUNDING = {np.float64: 1e-12, np.float32: 1e-3}  # of the largest entry: sums added up in another order
POINTS = np.concatenate([np.linspace(-6, 6, 41), [0.0, -0.0, 1e-300, -1e-300, 30.0, -30.0]])
ULPS = 32  # the same formula, step by step
ELEMENTWISE = [name for name in NAMES if name not in ("softmax", "identity")]


@st.composite
def cases(draw):
    network = draw(networks())
    return network, draw(parameters(network)), *draw(batches(network)), draw(st.sampled_from(["fast", "full"]))


@given(cases(), st.sampled_from(FORMS), st.sampled_from(list(ROUNDING)))
def test_in_every_form_type_and_accuracy_it_computes_what_the_readable_module_computes(case, form, dtype):
    network, theta, X, Y, accuracy = case
    net = CompiledNetwork(network, accuracy)
    theta, X, Y = (array.astype(dtype) for array in (theta, X, Y))
    net.fast.choose = lambda n: form
    value, gradient = net.value_and_gradient(theta, X, Y)
    expected = net.layout.flatten(net.module.gradients(net.views(theta), X, Y))
    bound = ROUNDING[dtype] * (1 + np.abs(expected).max())
    assert gradient.dtype == dtype
    assert np.abs(gradient - expected).max() <= bound
    assert np.abs(net.gradient(theta, X, Y) - gradient).max() <= bound
    cost = net.cost(theta, X, Y)
    assert abs(value - cost) <= ROUNDING[dtype] * (1 + abs(cost))


@pytest.mark.parametrize("form", FORMS, ids=NAMES_OF_FORMS)
@pytest.mark.parametrize(("output", "cost"), COSTS)
def test_its_wiring_is_exact_over_a_prime_field(output, cost, form):
    for activation in ("tanh", "relu", "gelu"):
        for accuracy in ("fast", "full"):
            net = build("4-3-5-2", activation, output, cost, accuracy)
            result = check_exact(net.fast.write_exact_subject(form))
            assert result.ok, (activation, accuracy, result.reason)


@pytest.mark.parametrize("form", FORMS, ids=NAMES_OF_FORMS)
def test_the_exact_check_catches_every_line_that_is_left_out(form):
    net = build("3-4-3-2", "tanh", "softmax", "cross-entropy")
    head, wiring = net.fast.write_exact_subject(form).split("def weights(", 1)
    lines = set(re.findall(r"\n( {8}\w+\(.*)(?=\n)", wiring))
    assert len(lines) >= 20
    survivors = [line for line in lines if check_exact(f"{head}def weights({wiring.replace(line, '        pass')}").ok]
    assert survivors == []


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_recorded_activation_is_the_readable_one_also_over_its_own_argument(name):
    functions = load_functions(write_functions(find(name)).text, "one activation")
    slope = write_slope(find(name), "f")
    functions |= load_functions(slope, "its slope") if slope else {}
    for function in [key for key in ("f", "f_prime", f"f{SLOPE}") if key in functions]:
        form = write_in_place("into", record(functions[function]))
        text = "from numpy import *\nstep = heaviside\n" + form.text
        into = load_functions(text, "in place")["into"]
        numbers = [np.array(float(text)) for text in form.constants]
        expected = functions[function](POINTS)
        out, over = np.empty_like(POINTS), POINTS.copy()
        for z, target in ((POINTS, out), (over, over)):
            into(z, target, *(np.empty_like(POINTS) for _ in range(form.work)), *numbers)
            np.testing.assert_array_max_ulp(target, expected, ULPS)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_activation_recorded_with_its_derivative_is_both(name):
    functions = load_functions(write_functions(find(name)).text, "one activation")
    form = write_in_place("into", record(functions["f"], functions["f_prime"]))
    into = load_functions("from numpy import *\nstep = heaviside\n" + form.text, "in place")["into"]
    numbers = [np.array(float(text)) for text in form.constants]
    for over in (False, True):
        z = POINTS.copy()
        out, slope = z if over else np.empty_like(z), np.empty_like(z)
        into(z, out, slope, *(np.empty_like(z) for _ in range(form.work)), *numbers)
        np.testing.assert_array_max_ulp(out, functions["f"](POINTS), ULPS)
        np.testing.assert_array_max_ulp(slope, functions["f_prime"](POINTS), ULPS)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_slope_from_the_value_is_the_derivative(name):
    text = write_slope(find(name), "f")
    if text is None:
        assert name in ("gelu", "gelu_tanh", "silu", "mish", "softplus", "log_sigmoid")
        return
    functions = load_functions(write_functions(find(name), accuracy="full").text + "\n\n" + text, "slope")
    slopes = functions[f"f{SLOPE}"](functions["f"](POINTS))
    np.testing.assert_allclose(slopes, functions["f_prime"](POINTS), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "function",
    [np.cumsum, lambda z: z, lambda z: np.asarray(z) + 1, lambda z: z.astype(float), lambda z: z[0], len],
)
def test_what_cannot_be_recorded_is_refused(function):
    with pytest.raises(Unsupported):
        record(function)


def test_a_function_that_is_recorded_has_no_step_twice():
    functions = load_functions(write_functions(find("gelu")).text, "gelu")
    entries = record(functions["f_prime"]).entries
    assert len(entries) == len(set(entries)) > 50


def test_softmax_and_its_logarithm_share_their_steps():
    net = build("3-2", output="softmax", cost="cross-entropy")
    shapes = {block.name: block.shape for block in net.layout.blocks}
    flow = linearise(net.fast.program, shapes, net.fast.functions.expand, with_cost=True)
    made = [step.function for step in flow.steps]
    assert [made.count(name) for name in ("exp", "row_max", "sum_columns", "log")] == [1, 1, 1, 1]


def test_a_derivative_that_needs_z_is_computed_with_the_function_and_kept_in_its_place():
    net = build("4-3-2", "gelu")
    source = net.fast.emit(FORMS[0])
    run = source.wiring.split("def gradient(")[1].split("def ")[1]
    assert (run.count("f_both_into("), run.count("f_prime")) == (1, 0)
    alone = [len(record(net.fast.functions.module[name]).entries) for name in ("f", "f_prime")]
    both = len(net.fast.functions.record("f_both").entries)
    assert both < 0.7 * sum(alone)


def test_the_second_tanh_and_the_first_layers_way_back_are_not_computed():
    net = build("5-4-3-2", "tanh")
    wiring = net.fast.emit(FORMS[0]).wiring.split("def gradient(")[1].split("def ")[1]
    assert (wiring.count("f_into("), wiring.count("f_slope_into(")) == (2, 2)
    assert "W1T" not in wiring


def test_no_line_of_a_step_makes_an_array():
    for activation in ("tanh", "relu"):
        net = build("5-4-3-2", activation, "softmax", "cross-entropy")
        for form in FORMS:
            source = net.fast.emit(form)
            run = source.wiring.split("def gradient(")[1].split("def run(")[1].split("return run")[0]
            lines = [line.strip() for line in run.splitlines()[1:] if line.strip()]
            assert all(re.fullmatch(r"\w+\(.*\)|XT = X\.T", line) for line in lines)
            assert "where(" not in source.definitions
            assert "_new(" not in source.wiring


sizes = st.lists(st.integers(1, 60), min_size=2, max_size=12)


@given(sizes)
def test_deltas_of_a_chain_fit_in_the_memory_of_two_neighbours(widths):
    homes = [Home([f"delta{k}"], k, k + 1, width) for k, width in enumerate(widths)]
    place_apart(homes, 0, half=0)
    check_places(homes)
    assert max(home.stop for home in homes) <= max(a + b for a, b in pairwise(widths))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8), st.integers(1, 9)), max_size=14), st.integers(0, 20))
@settings(max_examples=200)
def test_what_is_needed_at_the_same_time_never_overlaps(intervals, half):
    homes = [Home([f"v{k}"], begin, begin + length, size) for k, (begin, length, size) in enumerate(sorted(intervals))]
    place_best(homes, 3, half)
    check_places(homes)
    assert all(home.offset >= 3 for home in homes)


def check_places(homes):
    for k, home in enumerate(homes):
        for other in homes[:k]:
            if home.overlaps(other):
                assert home.stop <= other.offset or other.stop <= home.offset


def test_both_functions_put_the_column_of_ones_in_the_same_places():
    for form in FORMS[2:]:
        wiring = build("4-3-5-2", "tanh", "softmax", "cross-entropy").fast.emit(form).wiring
        places = re.findall(r"(\w+_1) = (memory\[.*\])", wiring)
        assert len(places) == 2 * len(set(places)) > 0


def test_a_flow_names_every_value_once_and_says_what_it_is():
    net = build("4-3-2", "gelu", "softmax", "cross-entropy")
    shapes = {block.name: block.shape for block in net.layout.blocks}
    flow = linearise(net.fast.program, shapes, net.fast.functions.expand, with_cost=True)
    results = [step.result for step in flow.steps]
    assert len(results) == len(set(results))
    assert {flow.kinds[f"d{name}"] for name in shapes} == {ValueKind.RESULT}
    known = {name for name, kind in flow.kinds.items() if kind not in (ValueKind.VALUE, ValueKind.RESULT)}
    for step in flow.steps:
        assert known.issuperset(step.operands), "a value is read before it is computed"
        known |= {step.result, step.also}


def test_the_length_of_the_source_does_not_depend_on_widths():
    small, large = (CompiledNetwork(Network.parse(text, "tanh")) for text in ("4-3-2", "900-800-700"))
    texts = [net.fast.emit(FORMS[0]).text for net in (small, large)]
    assert texts[0].count("\n") == texts[1].count("\n")
