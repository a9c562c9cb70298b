"""Activations to the last digits: tested against balls, bounded by numbers that carry their rounding errors."""

from __future__ import annotations

import os
import warnings

import flint
import numpy as np
import pytest
from flint import arb
from kit.accuracy import Reference, choose_points, largest_error, reference
from kit.rounding import ASSUMED, load_rounded, prove_bound

from backprop.errors import UsageError
from backprop.examiner.certifying.balls import precision
from backprop.runtime.activation_functions import activation
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find

POINTS = 100_000 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1_500
VALUE_ULPS, SLOPE_ULPS = 4.0, 8.0  # what the full forms promise
FAST_ULPS = {"f": 4.0, "f_prime": 24.0}  # what the fast forms promise, in ulps of the largest |f'| or of max(1, |f|)
KINDS = (np.float64, np.float32)
BOUNDS = {"f": VALUE_ULPS, "f_prime": SLOPE_ULPS}
OF_USERS = ["x*sigmoid(1.702*x)", "x*tanh(x)", "1/cosh(x)", "x/(1 + exp(-3*x))", "x*(1 + erf(x/2))/2"]


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_the_full_forms_keep_every_digit_over_the_whole_range(name: str, dtype: type) -> None:
    points, *truths = reference(name, POINTS, dtype)
    for order, truth in zip(BOUNDS, truths, strict=True):
        error, where = largest_error(getattr(activation(name), order), points, truth)
        assert error <= BOUNDS[order], f"{name} {order} at {where!r}: {error:.2f} ulps"


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_the_fast_forms_are_right_against_the_largest_slope(name: str, dtype: type) -> None:
    points, *truths = reference(name, POINTS, dtype)
    for order, truth in zip(BOUNDS, truths, strict=True):
        slopes = np.max(np.abs(truths[1].nearest))
        size = slopes if order == "f_prime" else np.maximum(1, np.abs(truth.nearest))
        against = Reference(
            truth.nearest, truth.missing * truth.ulp / (size * np.finfo(dtype).eps), size * np.finfo(dtype).eps
        )
        error, where = largest_error(getattr(activation(name, "fast"), order), points, against)
        assert error <= FAST_ULPS[order], f"{name} {order} at {where!r}: {error:.2f} ulps of the largest"


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_the_ends_of_the_range_have_their_limits_without_a_warning(name: str, dtype: type) -> None:
    info = np.finfo(dtype)
    ends = np.array([-np.inf, -info.max, -3e4, -0.0, 0.0, info.smallest_subnormal, 3e4, info.max, np.inf], dtype)
    found = activation(name)
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        values, slopes = found.f(ends), found.f_prime(ends)
        undefined = np.array([np.nan, 1.0, -np.nan], dtype)
        for function in (found.f, found.f_prime):
            if name != "identity" or function is found.f:
                assert np.isnan(function(undefined)[[0, 2]]).all()
    assert values.dtype == slopes.dtype == dtype
    assert not np.isnan(values).any()
    assert np.all(np.diff(values[4:].astype(float)[:-1]) >= 0)
    assert slopes[0] == slopes[1]
    assert slopes[-1] == slopes[-2]
    assert slopes[3] == slopes[4]


@pytest.mark.parametrize("name", OF_USERS)
def test_the_forms_of_users_functions_agree_with_balls(name: str) -> None:
    found = activation(name)
    points = choose_points(200, np.float64)
    points = points[np.abs(points) < 700]
    with precision(3000), np.errstate(all="ignore"):
        values, slopes = found.f(points), found.f_prime(points)
        for x, value, slope in zip(points, values, slopes, strict=True):
            for computed, true in zip((value, slope), USERS_IN_BALLS[name](arb(float(x))), strict=True):
                unit = float(np.spacing(max(abs(float(true)), 2.3e-308)))
                assert float(abs(arb(float(computed)) - true) / arb(unit)) <= 2 * SLOPE_ULPS, (name, x)


def by_series(definition, x):
    """Value and slope of a definition, by a power series of two terms."""
    with_slope = definition(flint.arb_series([x, 1], 2))
    return with_slope[0], with_slope[1]


USERS_IN_BALLS = {
    "x*sigmoid(1.702*x)": lambda x: by_series(lambda s: s / (1 + (s * arb("-1.702")).exp()), x),
    "x*tanh(x)": lambda x: by_series(lambda s: s * (1 - 2 / (1 + (2 * s).exp())), x),
    "1/cosh(x)": lambda x: by_series(lambda s: 2 / (s.exp() + (-s).exp()), x),
    "x/(1 + exp(-3*x))": lambda x: by_series(lambda s: s / (1 + (-3 * s).exp()), x),
    "x*(1 + erf(x/2))/2": lambda x: by_series(lambda s: s * (1 + (s / 2).erf()) / 2, x),
}


def test_an_unknown_accuracy_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown accuracy 'ful' "):
        activation("gelu", "ful")  # type: ignore[arg-type]


def test_complex_numbers_are_refused_instead_of_losing_their_imaginary_part() -> None:
    with pytest.raises(TypeError, match="accurate forms are for real numbers"):
        activation("gelu").f(np.array([1j]))


# ------------------------------------------------------------------------------------- bounds that are proved


@pytest.mark.parametrize("name", ASSUMED)
def test_numpys_own_functions_are_within_what_the_proofs_assume(name: str) -> None:
    rng = np.random.default_rng(1)
    points = np.concatenate([-rng.uniform(0, 745, 1500), -(10.0 ** rng.uniform(-300, 1, 1500))])
    points = np.exp(points[points > -700]) if name == "log1p" else points
    values = getattr(np, name)(points)
    with precision(200):
        for x, value in zip(points, values, strict=True):
            true = getattr(arb(float(x)), name)()
            unit = float(np.spacing(max(abs(float(true)), 2.3e-308)))
            assert float(abs(arb(float(value)) - true) / arb(unit)) <= ASSUMED[name]


PROVED = {  # bounds in ulps of f and f', given `ASSUMED`; the tests above find less than 4 and 8 everywhere
    "sigmoid": (5.0, 8.5),
    "tanh": (4.0, 8.5),
    "elu": (3.0, 2.0),
    "selu": (5.0, 5.0),
    "softplus": (4.0, 8.0),
    "log_sigmoid": (4.0, 8.0),
    "silu": (6.0, 12.5),
    "mish": (8.5, 15.0),
    "gelu": (7.0, 10.0),
    "gelu_tanh": (8.0, 18.0),
}
ENDS = {"gelu": 39.0, "gelu_tanh": 22.0, "tanh": 380.0}
PLACES = 2.0 ** np.arange(-60, 10)  # the cells begin at these |z|; below, f and f' are linear to all digits
NEAR_ROOT = 2.0 ** -np.arange(2.0, 46.0)
ENDS_OF_A_QUICK_RUN = {**ENDS, "gelu": 3.0}  # its tables are slow on rounded numbers; the thorough run goes on
QUICK = 8
DEEP = 12 if POINTS > 10_000 else QUICK


def list_places(name: str) -> list[float]:
    """Where cells begin: powers of two, fine around the root of f', up to where the exponential has vanished."""
    end = (ENDS_OF_A_QUICK_RUN if DEEP == QUICK else ENDS).get(name, 760.0) * (1 - 2.0**-20)
    form = find(name).accurate
    assert form is not None
    factors = form.derivative[0].product.top
    roots = [float(f.root.place) for f in factors if f.root is not None and f.root.place > 0]
    fine = [root + sign * near for root in roots for sign in (-1, 1) for near in NEAR_ROOT]
    steps = np.arange(1, 8 * end) / 8 if name in ENDS and end < 100 else []
    return sorted({float(p) for p in (*PLACES, *fine, *steps, end) if 0 < p <= end})


@pytest.mark.parametrize("order", ["f", "f_prime"])
@pytest.mark.parametrize("name", PROVED)
def test_rounding_errors_stay_within_the_proved_bounds(name: str, order: str) -> None:
    places, bound = list_places(name), PROVED[name][order == "f_prime"]
    if name == "tanh" and order == "f":
        assert ASSUMED["tanh"] <= bound
        return
    function = load_rounded(name, order)
    for sides in (places, [-p for p in places[::-1]]):
        assert prove_bound(function, sides, bound, DEEP) <= bound
