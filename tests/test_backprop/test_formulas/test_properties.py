"""Right formulas hold in every notation; mistakes that people print are refuted in every notation."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from kit.samples.formula_texts import equations, formulas, mistakes

from backprop.formulas.check import check_formula, refute
from backprop.formulas.judging.claims import read_claim
from backprop.formulas.meaning.numbers import precise


def is_refuted(text, conventions, trials):
    with precise():
        return refute(read_claim(text, conventions), trials) is not None


@given(formulas)
@settings(max_examples=50, deadline=None)
def test_the_four_equations_hold_in_every_notation(drawn):
    notation, name = drawn
    left, factors = equations(notation)[name]
    assert not is_refuted(f"{left} = {' '.join(factors)}", notation.conventions(), 6)


@given(formulas, st.data())
@settings(max_examples=60, deadline=None)
def test_a_mistake_is_refuted_in_every_notation(drawn, data):
    notation, name = drawn
    left, factors = equations(notation)[name]
    wrong = data.draw(st.sampled_from(sorted(mistakes(notation, name, factors).items())))[1]
    assert is_refuted(f"{left} = {' '.join(wrong)}", notation.conventions(), 6)


@given(formulas)
@settings(max_examples=12, deadline=None)
def test_a_formula_without_declarations_is_read_so_that_it_holds(drawn):
    notation, name = drawn
    left, factors = equations(notation)[name]
    answer = check_formula(f"{left} = {' '.join(factors)}")
    assert answer.holds
    assert answer.inferred["errors"] == "delta is the derivative of the cost by z"


@given(formulas)
@settings(max_examples=8, deadline=None)
def test_the_term_that_lost_its_derivative_is_named_and_mended(drawn):
    notation, _ = drawn
    left, factors = equations(notation)["BP2"]
    wrong = mistakes(notation, "BP2", factors)["value for derivative"]
    answer = check_formula(f"{left} = {' '.join(wrong)}", notation.conventions())
    assert answer.holds is False
    assert answer.differs == f"{notation.activation}(z{notation.at()})"
    assert answer.nearest == f"{left} = {' '.join(factors)}"
