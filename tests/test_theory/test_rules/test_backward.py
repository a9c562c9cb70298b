"""The adjoint engine on lists of definitions that are not dense layers: it has never heard of neurons."""

from __future__ import annotations

import pytest
from sympy import Rational

from theory.language.layer_sums import LayerTotal
from theory.language.notation import (
    Delta,
    Function,
    L,
    Partial,
    Width,
    l,
    n,
    nodes,
    same,
    sample,
    substitute,
    total,
    unit,
    var,
)
from theory.language.statement import Definition, System
from theory.layers.dense import batched, dense
from theory.rules.backward import derive_adjoint
from theory.rules.calculus import RULES, apply
from theory.witnesses.witness import agree, check

I, J, K, S = unit("i", l - 1), unit("j", l), unit("k", l + 1), sample()


def residual() -> System:
    """z^l = Σ w a^{l-1} + b,  a^l = f(z^l) + z^l: two ways from z to a, still one cut."""
    z, a = var("z", l, J), var("a", l, J)
    weighted = total(var("w", l, I, J) * var("a", l - 1, I), I) + var("b", l, J)
    return System((Definition("F1", z, weighted), Definition("F2", a, Function(l, 0, z) + z)), last=L)


def gated() -> System:
    """a^l = f(z^l) z^l: a product of two functions of the same cut."""
    z, a = var("z", l, J), var("a", l, J)
    weighted = total(var("w", l, I, J) * var("a", l - 1, I), I) + var("b", l, J)
    return System((Definition("F1", z, weighted), Definition("F2", a, Function(l, 0, z) * z)), last=L)


def centred() -> System:
    """a^l_sj = f(z_sj - (1/n) Σ_r z_rj): samples are coupled, as in a normalisation."""
    r = sample("r")
    z, a = var("z", l, S, J), var("a", l, S, J)
    weighted = total(var("w", l, I, J) * var("a", l - 1, S, I), I) + var("b", l, J)
    mean = total(var("z", l, r, J), r) / n
    return System((Definition("F1", z, weighted), Definition("F2", a, Function(l, 0, z - mean))), last=L)


def squared() -> System:
    """Powers and products of activations with rational factors."""
    z, a = var("z", l, J), var("a", l, J)
    weighted = total(var("w", l, I, J) * var("a", l - 1, I) ** 2, I) * Rational(1, 3) + var("b", l, J) ** 2
    return System((Definition("F1", z, weighted), Definition("F2", a, Function(l, 0, z))), last=L)


def skipping() -> System:
    """z^l reads a^{l-1} and the entries of a^{l-2} summed: two cuts consume each activation."""
    h = unit("h", l - 2)
    z, a = var("z", l, J), var("a", l, J)
    weighted = total(var("w", l, I, J) * var("a", l - 1, I), I) + total(var("a", l - 2, h), h) * var("b", l, J)
    return System((Definition("F1", z, weighted), Definition("F2", a, Function(l, 0, z))), last=L)


GATES = {
    "z": ("alpha", "w", "b"),  # what is written
    "g": ("mu", "v", "c"),  # forget
    "r": ("nu", "e", "beta"),  # write
    "u": ("rho", "omega", "gamma"),  # read
}
"""The weighted inputs of an LSTM: weights of what enters, weights of the step before, bias (letters as they come)."""


def lstm() -> System:
    """m^l = f(g) m^{l-1} + f(r) f(z), h^l = f(u) f(m): five cuts, and twelve parameters that all steps share."""
    s, i, k, j = sample(), unit("i", 0), unit("i", 1), unit("j", 1)
    z, g, r, u, m, h = (var(letter, l, s, j) for letter in "zgrumh")
    gates = []
    for letter, (enters, before, bias) in GATES.items():
        weighted = total(var(enters, None, i, j) * var("x", l, s, i), i)
        weighted += total(var(before, None, k, j) * var("h", l - 1, s, k), k) + var(bias, None, j)
        gates.append(Definition(letter, var(letter, l, s, j), weighted))
    cell = Function(l, 0, g) * var("m", l - 1, s, j) + Function(l, 0, r) * Function(l, 0, z)
    last = Function(l, 0, u) * Function(l, 0, m)
    definitions = (*gates, Definition("cell", m, cell), Definition("out", h, last))
    return System(definitions, last=L, cuts=(*GATES, "m"), adjoints=(), output="h")


@pytest.mark.parametrize("letter", ["m", "g", "v", "mu"])
def test_an_lstm_is_stated_forward_only_and_derived_right_through_time(letter):
    i, k, j = unit("i", 0), unit("i", 1), unit("j", 1)
    cuts = {name: var(name, l, S, j) for name in "mg"}
    derivation = derive_adjoint(
        lstm(), {**cuts, "v": var("v", None, k, j), "mu": var("mu", None, i, j)}[letter], "", ""
    )
    assert check(derivation) == []
    assert isinstance(derivation.result, LayerTotal) == (letter not in cuts)
    cells_above = [x for x in nodes(derivation.result) if isinstance(x, Partial) and x.x.family == ("m", l + 1)]
    assert len(cells_above) == (letter == "m")  # from cell to cell without a weight in between


@pytest.mark.parametrize("system", [residual(), gated(), squared()], ids=["residual", "gated", "squared"])
@pytest.mark.parametrize("letter", ["z", "b", "w"])
def test_other_layers_are_stated_forward_only_and_derived_right(system, letter):
    x = {"z": var("z", l, J), "b": var("b", l, J), "w": var("w", l, I, J)}[letter]
    assert check(derive_adjoint(system, x, letter, "adjoint")) == []


@pytest.mark.parametrize("letter", ["z", "b", "w"])
def test_a_layer_that_couples_its_samples_is_derived_right(letter):
    x = {"z": var("z", l, S, J), "b": var("b", l, J), "w": var("w", l, I, J)}[letter]
    assert check(derive_adjoint(centred(), x, letter, "adjoint")) == []


def test_a_quantity_with_two_consumers_sums_over_both():
    system = skipping()
    assert set(system.cut_consumers(("z", l))) == {("z", l + 1), ("z", l + 2)}


def test_a_derivative_that_no_rule_evaluates_is_an_error_with_the_equation():
    from sympy import Function as Named

    z, a = var("z", l, J), var("a", l, J)
    odd = System((Definition("F1", z, var("b", l, J)), Definition("F2", a, Named("g")(z, z))), last=L)
    with pytest.raises(ValueError, match="BP1: a derivative is left"):
        derive_adjoint(odd, var("z", L, unit("j", L)), "BP1", "no rule for g")


def test_collapsing_over_different_ranges_is_an_error():
    wrong = total(var("b", l, J) * Delta(J, K), J)
    with pytest.raises(ValueError, match="ranges"):
        apply("collapse", wrong, dense())


def test_substitution_never_captures_a_bound_index():
    inner = total(var("w", l, I, J), I)
    other = unit("i", l)
    moved = substitute(inner, {J: other})
    assert agree(dense(), moved, total(var("w", l, unit("k", l - 1), other), unit("k", l - 1)))


def test_linearity_renames_a_sum_that_would_capture_the_variable_of_differentiation():
    b = var("b", l, J)
    derivative = apply("linearity", Partial(total(var("b", l, J) ** 2, J), b), dense())
    assert agree(dense(), derivative, 2 * b)


def test_every_rule_states_its_law():
    assert all(len(rule.statement) > 20 and rule.kinds for rule in RULES.values())


def test_a_constant_summed_is_the_width_times_the_constant():
    assert same(
        apply("factor out", total(var("b", l, J) * var("b", l, J).at(J), K), dense()),
        Width(l + 1) * var("b", l, J) ** 2,
    )


def test_the_cost_may_be_stated_or_arbitrary():
    system = batched(dense())
    assert system.cost is None
    stated = system.with_definition(
        Definition("cost", var("C", None), total(var("a", L, S, unit("j", L)), S, unit("j", L)))
    )
    derivation = derive_adjoint(stated, var("a", L, S, unit("j", L)), "∂C/∂a", "a linear cost")
    assert derivation.result == 1
    assert check(derivation) == []
