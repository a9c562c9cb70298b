"""The generator of update programs: what it prints, where results go, what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integer, Rational

from backprop.codegen.lowering.load import load_functions
from backprop.codegen.printing.updates import UpdateLowering, compile_rule, write_update
from theory.chapters.training.optimisers import GRADIENT, RATE, RULES, Update, before, now

ROUNDING = 1e-12
M, V = before("m"), before("v")
ATOMS = st.sampled_from([GRADIENT, M, V])
NUMBERS = st.sampled_from([Integer(2), Rational(1, 3), Integer(-1), RATE, 1 - RATE, 1 / (1 + RATE)])
FORMULAS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] - pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
        st.tuples(NUMBERS, inner).map(lambda pair: pair[0] * pair[1]),
        inner.map(lambda e: e**2),
        inner.map(lambda e: sympy.sqrt(e**2 + 1)),
        st.tuples(inner, inner).map(lambda pair: pair[0] / (pair[1] ** 2 + 1)),
    ),
    max_leaves=6,
)


def reads_vectors(e) -> bool:
    return bool(e.free_symbols & {GRADIENT, M, V})


@given(FORMULAS, FORMULAS, FORMULAS)
def test_any_equations_are_computed_in_place_as_sympy_computes_them(first, second, change):
    if not all(map(reads_vectors, (first, second, change))) or any(e.is_Symbol for e in (first, second)):
        return
    change = change.xreplace({M: now("m"), V: now("v")})
    rule = replace(
        RULES["adam"], equations=(Update("m", first), Update("v", second.xreplace({M: now("m")}))), change=change,
        settings=(),
    )  # fmt: skip
    source, work = write_update(rule)
    update = load_functions(source, "any rule")["update"]
    rng = np.random.default_rng(0)
    g, m, v = rng.uniform(0.5, 2, size=(3, 4))
    kept = g.copy()
    known = [{GRADIENT: g[k], M: m[k], V: v[k], RATE: 0.25} for k in range(4)]
    wanted = []
    for values in known:
        values[now("m")] = first.subs(values)
        values[now("v")] = second.xreplace({M: now("m")}).subs(values)
        wanted.append([float(values[now("m")]), float(values[now("v")]), float(change.subs(values))])
    buffers = [np.empty(4) for _ in range(1 + work)]
    found = update(g, None, m, v, *buffers, 0.25, 1)
    scale = 1 + np.max(np.abs(wanted))
    assert np.array_equal(g, kept)
    assert np.column_stack([m, v, found]) == pytest.approx(np.array(wanted), rel=ROUNDING, abs=ROUNDING * scale)


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_line_is_one_ufunc_into_a_vector_that_is_there(name):
    rule = compile_rule(name).rule
    lines = compile_rule(name).source.splitlines()[2:-1]
    vectors = {*rule.memory, "change", *(f"work{k + 1}" for k in range(compile_rule(name).work))}
    for line in lines:
        (target,) = re.fullmatch(r"    np\.\w+\(.*, out=(\w+)\)\s*(?:#.*)?", line).groups()
        assert target in vectors


@pytest.mark.parametrize("name", sorted(RULES))
def test_two_work_vectors_are_enough(name):
    assert compile_rule(name).work <= 2


def test_a_function_without_a_ufunc_in_the_table_is_an_error_that_names_it():
    with pytest.raises(TypeError, match="log"):
        UpdateLowering(replace(RULES["gradient-descent"], change=sympy.log(GRADIENT))).run()
