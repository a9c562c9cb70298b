"""Workspaces: per thread, per batch size, per type; results that alias nothing; memory that is reported and bounded."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.errors import UsageError
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.runtime.workspace import KEPT, SCRATCH
from backprop.specification.network import Network

NETS = {"few parameters": ("3-4-2", 5), "many parameters": ("40-60-60-3", 30)}
THREADS, CALLS = 4, 60
ROUNDING = 1e-12
OBJECTS = 60_000  # bytes of Python objects: views, closures
ITERATOR = 70_000  # bytes that NumPy's own iterator takes for a moment where shapes differ, whatever they are


def make(key="few parameters", activation="tanh"):
    sizes, n = NETS[key]
    net = build(sizes, activation, "softmax", "cross-entropy")
    rng = np.random.default_rng(0)
    return net, net.initial(rng), *net.module.data(rng, n)


def readable(net, theta, X, Y):
    return net.layout.flatten(net.module.gradients(net.views(theta), X, Y))


def is_near(gradient, expected):
    return np.abs(gradient - expected).max() <= ROUNDING * (1 + np.abs(expected).max())


def test_both_kinds_of_networks_are_among_the_tested():
    assert make("few parameters")[0].size <= SCRATCH < make("many parameters")[0].size


@pytest.mark.parametrize("key", NETS)
def test_results_alias_neither_a_workspace_nor_each_other(key):
    net, theta, X, Y = make(key)
    first, (_, second) = net.gradient(theta, X, Y), net.value_and_gradient(theta, X, Y)
    kept = first.copy()
    third = net.gradient(2 * theta, X, Y)
    space = net.spaces.last
    buffers = [a for a in (*space.buffers, *space.value_buffers) if isinstance(a, np.ndarray)]
    results = (first, second, third)
    assert not any(np.shares_memory(result, array) for result in results for array in (*buffers, theta, X, Y))
    assert not any(np.shares_memory(a, b) for a, b in pairwise(results))
    np.testing.assert_array_equal(first, kept)
    assert not any(np.shares_memory(result, space.scratch) for result in results)


@pytest.mark.parametrize("key", NETS)
def test_out_is_filled_and_returned_whatever_was_in_it(key):
    net, theta, X, Y = make(key)
    expected = readable(net, theta, X, Y)
    for out in (np.full_like(theta, np.nan), np.full_like(theta, 7)):
        assert net.gradient(theta, X, Y, out=out) is out
        assert is_near(out, expected)
        out[:] = np.nan
        value, again = net.value_and_gradient(theta, X, Y, out=out)
        assert again is out
        assert is_near(out, expected)
        assert np.isclose(value, net.cost(theta, X, Y))


def test_an_out_is_looked_at_anew_for_every_theta():
    net, theta, X, Y = make()
    out = np.empty_like(theta)
    for factor in (1.0, 2.0, 3.0):
        other = factor * theta
        assert is_near(net.gradient(other, X, Y, out=out), readable(net, other, X, Y))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda out: out[:-1], "numbers of type float64"),
        (lambda out: out.astype(np.float32), "of type float64, got ndarray .* float32"),
        (list, "list"),
        (lambda out: np.repeat(out, 2)[::2], "contiguous"),
        (lambda out: np.broadcast_to(out[:1], out.shape), "contiguous"),
    ],
)
def test_an_out_that_does_not_fit_is_a_usage_error(change, what):
    net, theta, X, Y = make()
    for call in (net.gradient, net.value_and_gradient):
        with pytest.raises(UsageError, match=what):
            call(theta, X, Y, out=change(np.empty_like(theta)))


def test_an_out_that_is_memory_of_an_input_is_a_usage_error():
    net, theta, X, Y = make()
    big = np.zeros(200)
    x = big[: X.size].reshape(X.shape)
    x[...] = X
    for arguments, out in (
        ((theta, X, Y), theta),
        ((theta, x, Y), big[: theta.size]),
        ((theta, X, Y), theta[:]),
    ):
        for call in (net.gradient, net.value_and_gradient):
            with pytest.raises(UsageError, match="shares memory"):
                call(*arguments, out=out)
    owner = np.zeros(theta.size)
    inside = owner[: X.size].reshape(X.shape)
    net.gradient(theta, X, Y, out=owner)
    with pytest.raises(UsageError, match="shares memory"):
        net.gradient(theta, inside, Y, out=owner)


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from([np.float32, np.float64])), min_size=2, max_size=12))
def test_batch_size_and_type_may_change_from_call_to_call(calls):
    net, theta, *_ = make("few parameters", "relu")
    rng = np.random.default_rng(1)
    for n, dtype in calls:
        x, y = (array.astype(dtype) for array in net.module.data(rng, n))
        gradient = net.gradient(theta.astype(dtype), x, y)
        expected = readable(net, theta.astype(dtype), x, y)
        assert gradient.dtype == dtype
        assert np.abs(gradient - expected).max() <= 1e-5 * (1 + np.abs(expected).max())
    assert len(net.spaces.all) <= KEPT


def test_theta_that_changes_in_place_is_seen():
    net, theta, X, Y = make()
    for _ in range(3):
        gradient = net.gradient(theta, X, Y)
        assert is_near(gradient, readable(net, theta, X, Y))
        theta -= 0.5 * gradient


@pytest.mark.parametrize("key", NETS)
def test_inputs_may_lie_in_memory_as_they_like(key):
    net, theta, X, Y = make(key)
    expected = readable(net, theta, X, Y)
    ways = [np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[::-1].copy()[::-1]]
    for way in ways:
        assert is_near(net.gradient(theta, way(X), way(Y)), expected)
    assert is_near(net.gradient(np.repeat(theta, 3)[::3], X, Y), expected)
    for array in (theta, X, Y):
        array.flags.writeable = False
    assert is_near(net.gradient(theta, X, Y), expected)


def test_mixed_types_and_subclasses_run_too():
    net, theta, X, Y = make()
    expected = readable(net, theta, X, Y)
    assert is_near(net.gradient(theta, X, Y.astype(np.int64)), expected)
    assert net.gradient(theta, X.astype(np.float32), Y).dtype == np.float64

    class Marked(np.ndarray):
        """A subclass, as memory maps are."""

    assert is_near(net.gradient(theta.view(Marked), X.view(Marked), Y.view(Marked)), expected)
    out = np.empty_like(theta)
    assert net.gradient(theta, X, Y.astype(np.int64), out=out) is out
    assert is_near(out, expected)


def test_arrays_of_objects_stay_exact():
    net = build("2-3-1", "x**2", "identity", "half-sse")
    rng = np.random.default_rng(0)

    def draw(*shape):
        return np.array([Fraction(int(v), 7) for v in rng.integers(-9, 9, size=np.prod(shape))], object).reshape(shape)

    theta, X, Y = draw(net.size), draw(4, 2), draw(4, 1)
    value, gradient = net.value_and_gradient(theta, X, Y)
    assert value == net.cost(theta, X, Y)
    assert (gradient == readable(net, theta, X, Y)).all()
    assert all(type(entry) is Fraction for entry in gradient)


@pytest.mark.parametrize("key", NETS)
def test_several_threads_use_one_network(key):
    net, theta, *_ = make(key)
    rng = np.random.default_rng(2)
    inputs = [(theta * (1 + k), *net.module.data(rng, 3 + k % 2)) for k in range(THREADS)]
    expected = [readable(net, *arrays) for arrays in inputs]
    begin = threading.Barrier(THREADS)

    def work(k):
        begin.wait()
        out = np.empty_like(theta)
        for call in range(CALLS):
            gradient = net.gradient(*inputs[k], out=out if call % 2 else None)
            value, again = net.value_and_gradient(*inputs[k])
            if not (is_near(gradient, expected[k]) and is_near(again, expected[k])):
                return False
        return bool(np.isclose(value, net.cost(*inputs[k])))

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(work, range(THREADS))) == [True] * THREADS


def test_threads_never_share_a_workspace():
    net, theta, X, Y = make()
    begin, spaces = threading.Barrier(2), []

    def work():
        begin.wait()
        net.gradient(theta, X, Y)
        spaces.append(net.spaces.last)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    net.gradient(theta, X, Y)
    assert len({id(space) for space in (*spaces, net.spaces.last)}) == 3


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_network_in_use_can_be_copied_and_pickled(copier):
    net, theta, X, Y = make()
    before = net.gradient(theta, X, Y)
    other = copier(net)
    np.testing.assert_array_equal(other.gradient(theta, X, Y), before)
    assert other.spaces.last is not net.spaces.last


def test_a_network_that_is_gone_leaves_nothing_behind():
    net, theta, X, Y = make()
    net.gradient(theta, X, Y)
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


widths = st.lists(st.integers(1, 90), min_size=2, max_size=6)


@given(widths, st.integers(1, 300), st.sampled_from(["tanh", "relu", "identity"]), st.booleans())
def test_memory_is_at_most_activations_two_neighbouring_deltas_and_the_gradient(sizes, n, activation, classes):
    head = ("softmax", "cross-entropy") if classes and sizes[-1] > 1 else ("identity", "mse")
    net = CompiledNetwork(Network.parse("-".join(map(str, sizes)), activation, *head))
    folded = net.fast.choose(n).folded
    activations = sum(sizes[1:]) + (len(sizes) + sizes[0] if folded else 1)  # a^0 and the columns of ones where folded
    deltas = max(a + b for a, b in pairwise([*sizes[1:], 0]))
    memory = net.memory(n)
    assert memory.gradient == 8 * net.size
    assert memory.buffers <= 8 * (n * (activations + deltas) + sizes[-1])


def test_the_report_of_memory_is_what_is_allocated():
    net = build("100-80-80-10", "tanh", "softmax", "cross-entropy")
    rng = np.random.default_rng(0)
    theta, n = net.initial(rng), 2000
    X, Y = net.module.data(rng, n)
    net.fast.module(net.fast.choose(n))
    net.gradient(theta, X[:1], Y[:1])  # everything but the buffers is there
    tracemalloc.start()
    net.gradient(theta, X, Y)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    expected = net.memory(n)
    assert expected.buffers <= held <= expected.buffers + OBJECTS
    assert peak <= expected.total + OBJECTS + ITERATOR


def test_a_step_allocates_no_array():
    net = build("40-100-100-3", "tanh", "softmax", "cross-entropy")
    rng = np.random.default_rng(0)
    theta, n = net.initial(rng), 500
    X, Y = net.module.data(rng, n)
    out = np.empty_like(theta)
    net.value_and_gradient(theta, X, Y, out=out)
    tracemalloc.start()
    for _ in range(5):
        net.value_and_gradient(theta, X, Y, out=out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * ITERATOR < n * 100 * theta.itemsize


def test_memory_where_nothing_is_kept_is_none():
    assert build("2-3-1").memory(4, complex) is None
    assert build("2-3-1").memory(4).buffers > 0


@pytest.mark.parametrize("n", [1, 2, 500])
def test_nan_and_inf_come_through_as_in_the_readable_module(n):
    for activation in ("tanh", "relu", "sigmoid", "gelu", "elu"):
        net = build("3-4-2", activation, "softmax", "cross-entropy")
        rng = np.random.default_rng(0)
        theta = net.initial(rng)
        X, Y = net.module.data(rng, n)
        X[0, 1] = np.nan
        with np.errstate(invalid="ignore"):
            gradient, expected = net.gradient(theta, X, Y), readable(net, theta, X, Y)
        np.testing.assert_array_equal(np.isnan(gradient), np.isnan(expected))
        assert np.isnan(gradient).any()


def test_what_does_not_fit_is_an_error_after_a_call_that_fitted():
    net, theta, X, Y = make()
    net.gradient(theta, X, Y)
    for arguments in (
        (theta, X[:, :2], Y),
        (theta, X, Y[:3]),
        (theta[:-1], X, Y),
        (theta, X.tolist(), Y),
        (theta, X, None),
    ):
        for call in (net.gradient, net.value_and_gradient):
            with pytest.raises(UsageError):
                call(*arguments)
    assert is_near(net.gradient(theta, X, Y), readable(net, theta, X, Y))
