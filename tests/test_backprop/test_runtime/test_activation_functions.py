"""`backprop.activation`: what other people's scripts get."""

from __future__ import annotations

import inspect
import subprocess
import sys
import traceback

import numpy as np
import pytest
import sympy

from backprop.errors import UsageError
from backprop.runtime.activation_functions import activation
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import find

Z = np.linspace(-3.0, 3.0, 25)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_gives_functions_and_the_mathematics_behind_them(name: str) -> None:
    found = activation(name)
    assert found.name == name
    assert found.expression == find(name).expression
    assert found.derivative == find(name).derivative
    assert found.kinks == find(name).kinks
    assert found.f(Z).shape == found.f_prime(Z).shape == Z.shape


def test_the_module_and_the_public_function_do_not_hide_one_another() -> None:
    code = "import backprop.runtime.activation_functions; import backprop; print(backprop.activation('gelu').name)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "gelu"


def test_an_expression_is_as_good_as_a_name() -> None:
    own, known = activation("x/(1 + exp(-x))"), activation("silu")
    assert np.array_equal(own.f(Z), known.f(Z))
    assert np.array_equal(own.f_prime(Z), known.f_prime(Z))


def test_an_alias_and_spaces_do_not_matter() -> None:
    assert activation(" swish ") is activation("silu")


def test_float32_stays_float32() -> None:
    assert activation("gelu").f_prime(Z.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("bad", ["rellu", "x +", "1/x", "3", "", "__import__('os')", None])
def test_what_cannot_be_used_is_a_usage_error_in_one_line(bad: str) -> None:
    with pytest.raises(UsageError) as caught:
        activation(bad)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_generated_source_can_be_inspected_and_shows_in_tracebacks() -> None:
    found = activation("sigmoid")
    assert inspect.getsource(found.f_prime) == found.source.derivative
    with pytest.raises(ValueError, match="not a number") as caught:
        found.f("not a number")  # type: ignore[arg-type]
    shown = "".join(traceback.format_tb(caught.tb))
    assert "as_double(z)" in shown
    assert "<generated activation sigmoid " in shown


def test_the_functions_of_two_activations_do_not_mix() -> None:
    first, second = activation("tanh"), activation("sigmoid")
    assert np.allclose(first.f(Z), np.tanh(Z), rtol=0, atol=0)
    assert first.f is not second.f
    assert second.expression == 1 / (1 + sympy.exp(-sympy.Symbol("x", real=True)))
