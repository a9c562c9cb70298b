"""One door for numbers: what can be converted without a guess is, everything else is refused in one line."""

from __future__ import annotations

import datetime
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.refusals import refusal

import backprop
from backprop import Activation, BatchNorm, Dense, Dropout, Network, UsageError, build, training
from backprop.arrays import as_array, as_floats, as_whole
from backprop.data import batches, disturb, measure_scaling, one_hot, shift_images, split
from backprop.verification import strategies

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of matrices
NET = build("3-3-3", "tanh", "identity", "half-sse")  # batch and width may be equal: a matrix product then fits as well
STACK = build(Network(3, Dense(3, "tanh"), BatchNorm(), Dropout(0.5), Dense(3), weighted=True))
RNG = np.random.default_rng(0)
THETA, X, Y = np.arange(24.0) / 8 - 1, RNG.normal(size=(3, 3)), RNG.integers(0, 3, size=(3, 3)).astype(float)
CONTEXT = STACK.context(np.random.default_rng(1), 3)
STATE = STACK.statistics()
STACK_THETA = STACK.initial(np.random.default_rng(2))

HOSTILE = [
    None, b"2-3-1", bytearray(b"x"), "3", {1, 2}, frozenset([1]), {"a": 1}, object(), object, datetime.date(2000, 1, 1),
    [None], [[1], [1, 2]], np.array(["1", "2"]), np.array([b"1"]), np.array([None, 1.0]), np.array([{1}, 2], object),
    np.array(["2000-01-01"], "datetime64[D]"), np.zeros(3, [("a", float)]), np.ma.array([1.0, 2.0], mask=[True, False]),
    np.ma.masked, iter([1.0]), lambda: 0, np.zeros(0), np.zeros((2, 2, 2)), True, float("nan"), -1, 1e400, 1j,
]  # fmt: skip
hostile = st.sampled_from(HOSTILE)


def is_refused_or_done(call, *arguments, **keywords):
    """Whatever comes in: an answer, or one line."""
    said = refusal(call, *arguments, **keywords)
    assert "\n" not in said
    assert len(said) < 400


# ----------------------------------------------------------------------------------------- what is converted


def as_matrix(values):
    return np.asmatrix(values) if values.ndim == 2 else values


CONVERTED = {
    "matrix": as_matrix,
    "unmasked": np.ma.array,
    "subclass": lambda values: values.view(type("Own", (np.ndarray,), {})),
    "integers": lambda values: values.astype(np.int8),
    "unsigned": lambda values: np.abs(values).astype(np.uint64),
    "truth values": lambda values: values > 0,
    "other byte order": lambda values: values.astype(">f8"),
}


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("kind", CONVERTED)
@pytest.mark.parametrize(("net", "theta", "context"), [(NET, THETA, {}), (STACK, STACK_THETA, CONTEXT)])
def test_what_means_the_same_numbers_gives_the_same_results(net, theta, context, kind, which):
    given_ = [theta, X, Y]
    given_[which] = CONVERTED[kind](given_[which])
    plain = [np.asarray(values, dtype=float) for values in given_]
    np.testing.assert_allclose(net.gradient(*given_, **context).astype(float), net.gradient(*plain, **context), 1e-12)
    value, gradient = net.value_and_gradient(*given_, **context)
    np.testing.assert_allclose(float(value), net.value_and_gradient(*plain, **context)[0], 1e-12)
    assert gradient.dtype.kind in "fO"
    assert type(gradient) is np.ndarray
    assert float(net.cost(*given_, **context)) == pytest.approx(float(net.cost(*plain, **context)))


@pytest.mark.parametrize("kind", [int, bool, np.uint8])
def test_integer_and_boolean_parameters_give_gradients_of_floats(kind):
    theta = np.ones(24, kind)
    gradient = NET.gradient(theta, X, Y)
    assert gradient.dtype == np.float64
    np.testing.assert_array_equal(gradient, NET.gradient(np.ones(24), X, Y))
    assert gradient.tolist() != np.round(gradient).tolist()


def test_the_squared_error_of_a_matrix_is_taken_entry_by_entry():
    net, theta = build("2-2", cost="half-sse"), np.zeros(6)
    targets = np.array([[1.0, 2.0], [-3.0, 0.5]])
    for values in (targets, np.asmatrix(targets)):
        assert net.cost(theta, np.ones((2, 2)), values) == pytest.approx(np.sum(targets**2) / 2)


def test_masked_entries_are_refused_wherever_they_stand():
    masked = np.ma.array(Y, mask=Y.max() == Y)
    calls = [
        lambda: NET.cost(THETA, X, masked),
        lambda: NET.gradient(THETA, np.ma.array(X, mask=X > 0), Y),
        lambda: NET.forward(np.ma.array(THETA, mask=THETA > 0), X),
        lambda: training.fit(NET, X, masked, epochs=1),
        lambda: one_hot(np.ma.array([0, 1], mask=[0, 1])),
        lambda: measure_scaling(np.ma.array(X, mask=X > 0)),
        lambda: split(X, masked),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="masked entries"):
            call()


def test_views_are_views_or_an_error():
    views = NET.views(THETA)
    assert all(np.shares_memory(array, THETA) for pair in views for array in pair)
    for theta in (np.ones(24, int), np.ma.array(THETA), [0.0] * 24):
        with pytest.raises(UsageError):
            NET.views(theta)


def test_what_is_filled_must_hold_floats_of_the_right_type():
    for out in (np.empty(24, int), np.ma.empty(24), np.empty(24, np.float32), [0.0] * 24):
        for net, theta, context in ((NET, THETA, {}), (STACK, STACK_THETA, CONTEXT), (NET, np.ones(24, int), {})):
            with pytest.raises(UsageError, match="out must be"):
                net.gradient(theta, X, Y, out=out, **context)


@pytest.mark.parametrize("name", ["x*tanh(x)", "relu", "gelu"])
@pytest.mark.parametrize("kind", CONVERTED)
def test_an_activation_takes_every_kind_of_number_entry_by_entry(name, kind):
    for accuracy in ("fast", None):
        found, values = backprop.activation(name, accuracy), CONVERTED[kind](X)
        for function in (found.f, found.f_prime):
            result = function(values)
            assert (type(result), result.dtype.kind) == (np.ndarray, "f")
            np.testing.assert_array_equal(result, function(np.asarray(values, float)))


# ----------------------------------------------------------------------------------------- what is refused


@given(hostile, st.integers(0, 2), st.sampled_from(["gradient", "value_and_gradient", "cost", "learn"]))
def test_a_hostile_array_is_refused_by_every_function_of_a_network(value, which, name):
    for net, theta, context in ((NET, THETA, {}), (STACK, STACK_THETA, CONTEXT)):
        arguments = [theta, X, Y]
        arguments[which] = value
        with pytest.raises(UsageError) as caught:
            getattr(net, name)(*arguments, **context)
        assert "\n" not in str(caught.value)


@given(hostile)
def test_hostile_values_meet_one_line_in_every_other_function_of_a_network(value):
    calls = [
        lambda: NET.forward(value, X), lambda: NET.forward(THETA, value), lambda: NET.views(value),
        lambda: NET.initial(value), lambda: NET.memory(value), lambda: STACK.context(value, 3),
        lambda: STACK.context(RNG, value), lambda: STACK.blend(STATE, STATE, value),
        lambda: STACK.measure_statistics(value, X), lambda: STACK.measure_statistics(STACK_THETA, value),
        lambda: NET.weigh(value, [1, 1, 1]), lambda: NET.weigh(Y, value),
        lambda: STACK.gradient(STACK_THETA, X, Y, **{**CONTEXT, "mask1": value}),
        lambda: STACK.gradient(STACK_THETA, X, Y, **CONTEXT, weights=value),
        lambda: STACK.forward(STACK_THETA, X, **{**STATE, "mean1": value}),
    ]  # fmt: skip
    for call in calls:
        is_refused_or_done(call)


@given(hostile)
def test_hostile_specifications_meet_one_line(value):
    for name in ("activation", "output", "cost", "accuracy"):
        is_refused_or_done(build, "3-4-2", **{name: value})
    is_refused_or_done(build, value)
    is_refused_or_done(build, [value, 2])
    is_refused_or_done(backprop.activation, value)
    is_refused_or_done(backprop.activation, "relu", value)
    if isinstance(value, np.ndarray):
        is_refused_or_done(backprop.activation("gelu_tanh", "fast").f, value)
    for layer in (Dense, Activation, Dropout, BatchNorm, backprop.Gated, backprop.PReLU, backprop.LayerNorm):
        is_refused_or_done(layer, value)
    for keyword in ("cost", "l2", "l1", "weighted"):
        is_refused_or_done(Network, 3, Dense(2), **{keyword: value})
    is_refused_or_done(Network, value, Dense(2))
    is_refused_or_done(Network, 3, value)


@pytest.mark.parametrize("sizes", [None, b"2-3-1", {2, 3, 1}, frozenset([2, 1]), {2: 3}, 5, 2.5, [2, True], [2, 3.0]])
def test_sizes_that_have_no_order_or_are_no_numbers_are_refused(sizes):
    with pytest.raises(UsageError, match="sizes must be"):
        build(sizes)


def test_sizes_may_be_an_array():
    assert build(np.array([2, 3, 1])).network == build("2-3-1").network
    assert build((np.int64(2), 1)).network == build("2-1").network


@pytest.mark.parametrize("names", [None, b"relu", {"relu", "tanh"}, {"relu": 1}, 3, ["relu", None]])
def test_activations_that_are_no_list_of_names_are_refused(names):
    with pytest.raises(UsageError, match="activation"):
        build("2-3-3-1", names)


SETTINGS = (
    "optimiser", "rate", "epochs", "batch", "seed", "validation", "theta", "initialiser", "augment", "clip_norm",
    "clip_value", "average", "patience", "callbacks",
)  # fmt: skip


@given(hostile, st.sampled_from(SETTINGS))
def test_hostile_settings_of_a_training_meet_one_line(value, name):
    if not callable(value):  # a function of the user's is called, and its errors are the user's
        is_refused_or_done(training.fit, NET, X, Y, **{"epochs": 1, name: value})


@given(hostile)
def test_hostile_data_of_a_training_meet_one_line(value):
    for call in (training.fit, training.fit_whole):
        for arguments in ((value, X, Y), (NET, value, Y), (NET, X, value)):
            with pytest.raises(UsageError) as caught:
                call(*arguments)
            assert "\n" not in str(caught.value)
    calls = [
        lambda: training.accuracy(NET, THETA, value, [0, 1, 2]), lambda: training.accuracy(NET, THETA, X, value),
        lambda: training.accuracy(NET, value, X, [0, 1, 2]), lambda: training.classify(NET, THETA, value),
        lambda: training.find_labels(value), lambda: training.draw_parameters(NET, value),
        lambda: training.draw_parameters(NET, RNG, value), lambda: training.draw_parameters(NET, RNG, "he", value),
        lambda: training.on_weights(NET, value), lambda: training.find_optimiser(value),
        lambda: training.clip_by_norm(value, 1.0), lambda: training.clip_by_norm(THETA.copy(), value),
        lambda: training.clip_by_value(value, 1.0), lambda: training.clip_by_value(THETA.copy(), value),
        lambda: training.Adam().update_change(value), lambda: training.AdamW().step(value, THETA),
        lambda: training.Adam(value), lambda: training.Momentum(momentum=value), lambda: training.cosine(value),
        lambda: training.step(0.1, value, value),
    ]  # fmt: skip
    for call in calls:
        is_refused_or_done(call)


@pytest.mark.parametrize("optimiser", [None, 3, b"adam", {"adam"}, training.Adam, "adem"])
def test_an_optimiser_that_is_none_is_refused_with_the_choices(optimiser):
    with pytest.raises(UsageError, match="choose from: gradient-descent"):
        training.fit(NET, X, Y, optimiser=optimiser)


@given(hostile)
def test_hostile_data_meet_one_line_in_the_room_of_data(value):
    calls = [
        lambda: one_hot(value), lambda: one_hot([0, 1], value), lambda: split(value, Y), lambda: split(X, value),
        lambda: split(X, Y, value), lambda: split(X, Y, stratify=value), lambda: split(X, Y, seed=value),
        lambda: batches(value, 3, 1), lambda: batches(RNG, value, 1), lambda: batches(RNG, 3, value),
        lambda: measure_scaling(value), lambda: measure_scaling(X).apply(value), lambda: measure_scaling(X).undo(value),
        lambda: disturb(value, np.ones((2, 4))), lambda: disturb(RNG, value),
        lambda: disturb(RNG, np.ones((2, 4)), shift=value), lambda: disturb(RNG, np.ones((2, 4)), noise=value),
        lambda: shift_images(value, np.ones((2, 4))), lambda: shift_images(RNG, value),
        lambda: shift_images(RNG, np.ones((2, 4)), value),
    ]  # fmt: skip
    for call in calls:
        is_refused_or_done(call)


@given(st.data(), hostile)
def test_hostile_arguments_of_strategies_meet_one_line(data, value):
    kept = Network.parse("2-1")
    for strategy in (
        lambda: strategies.sizes(value), lambda: strategies.sizes(2, value), lambda: strategies.networks(value),
        lambda: strategies.networks(2, 2, value), lambda: strategies.networks(2, 2, ["relu"], value),
        lambda: strategies.parameters(value), lambda: strategies.batches(value),
        lambda: strategies.batches(kept, value),
    ):  # fmt: skip
        is_refused_or_done(lambda made: data.draw(made()), strategy)


# ----------------------------------------------------------------------------------------- the door by itself


@given(st.sampled_from([np.int8, np.uint64, np.bool_, np.float16, np.float32, np.longdouble, np.complex64, ">i4"]))
def test_every_kind_of_number_becomes_an_array_that_computes(dtype):
    made = as_array(np.ones(3, dtype), "x")
    assert made.dtype.kind in "fc"
    assert made.tolist() == [1.0] * 3


def test_floats_are_not_copied_and_keep_their_precision():
    for kind in (np.float32, np.float64):
        array = np.ones(2, kind)
        assert as_array(array, "x") is array
        assert as_floats(array, "x") is array


@pytest.mark.parametrize("values", [[1, np.nan], [np.inf], [1j], ["1"], [Fraction(1), None]])
def test_what_is_not_finite_or_not_real_is_no_float(values):
    with pytest.raises(UsageError, match=r"x (must be|holds)"):
        as_floats(np.array(values), "x")


@pytest.mark.parametrize("value", [True, 1.0, "1", None, np.float64(1), [1], -1])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(UsageError, match="count must be"):
        as_whole("count", value)
