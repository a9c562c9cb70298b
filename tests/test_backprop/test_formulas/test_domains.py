"""A condition lets its letter take all that it allows: what is true in a part of it only does not hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.errors import UsageError
from backprop.formulas.check import check_formula
from backprop.formulas.conventions.keys import check_keys, read_conventions

NOT_EQUAL = ("\\neq", "\\ne", "!=", "≠")
ROLES = ("weight", "scalar", "bias", "scale")
ends = st.integers(-12, 12).map(lambda n: n / 2)


def holds(formula, domain, role="scalar"):
    return check_formula(formula, {"letters": {"x": role}, "domain": domain}).holds


@given(st.sampled_from(NOT_EQUAL), st.sampled_from(ROLES), st.booleans())
@settings(max_examples=12, deadline=None)
def test_all_but_zero_has_two_signs(sign, role, turned):
    domain = [f"0 {sign} x" if turned else f"x {sign} 0"]
    assert holds("|x| = x", domain, role) is False
    assert holds("|x| = -x", domain, role) is False
    assert holds("|x| = \\mathrm{sgn}(x) x", domain, role) is True


@given(ends, st.sampled_from(["{a} < x", "x > {a}", "x >= {a}", "x \\in ({a}, \\infty)"]))
@settings(max_examples=20, deadline=None)
def test_a_lower_limit_lets_all_above_it_in(end, form):
    assert holds("|x| = x", [form.format(a=end)]) is (end >= 0)
    assert holds(f"|x - ({end})| = x - ({end})", [form.format(a=end)]) is True


@given(ends, st.sampled_from(["{a} > x", "x < {a}", "x <= {a}", "x \\in (-\\infty, {a})"]))
@settings(max_examples=20, deadline=None)
def test_an_upper_limit_lets_all_below_it_in(end, form):
    assert holds("|x| = -x", [form.format(a=end)]) is (end <= 0)
    assert holds(f"|x - ({end})| = ({end}) - x", [form.format(a=end)]) is True


@given(ends, ends, st.sampled_from([["{a} < x < {b}"], ["x > {a}", "x < {b}"], ["x \\in ({a}, {b})"]]))
@settings(max_examples=20, deadline=None)
def test_two_limits_let_all_between_them_in(one, two, forms):
    low, high = min(one, two), max(one, two) + 1
    domain = [form.format(a=low, b=high) for form in forms]
    assert holds("|x| = x", domain) is (low >= 0)
    assert holds(f"|x - ({low})| + |x - ({high})| = {high - low}", domain) is True


def test_whole_numbers_are_drawn_where_they_are_meant():
    assert holds("\\cos(2 \\pi x) = 1", ["x \\in \\mathbb{Z}"]) is True
    assert holds("\\cos(\\pi x) = 1", ["x \\in \\mathbb{N}"]) is False
    assert holds("|x| = x", ["x \\in \\mathbb{N}"]) is True
    assert holds("|x| = x", ["x \\in \\mathbb{Z}"]) is False


def test_a_step_with_an_absolute_value_needs_the_sign():
    conventions = {
        "products": {"juxtaposition": "scalar"}, "cost": "any", "definitions": {"C": "D + a |w|"},
        "left_side": "w - r \\frac{\\partial C}{\\partial w}", "domain": ["w \\neq 0"],
        "letters": {"D": "any cost", "C": "penalised cost", "w": "weight", "r": "learning rate", "a": "parameter"},
    }  # fmt: skip
    assert check_formula("w - r a - r \\frac{\\partial D}{\\partial w}", conventions).holds is False
    step = "w - r a \\mathrm{sgn}(w) - r \\frac{\\partial D}{\\partial w}"
    assert check_formula(step, conventions).holds is True


BETWEEN_LAYERS = {
    "products": {"juxtaposition": "scalar"}, "layers": {"subscript": "layer"},
    "assumptions": ["Var[s_l] = k_l Var[v_l] E[x_l^2]", "E[x_l^2] = \\frac{1}{c} Var[s_{l-1}]",
                    "Var[s_l] = Var[s_{l-1}]", "Var[s_l] > 0"],
    "letters": {"s": "preactivation", "x": "activation", "v": "weight", "k_l": "number of inputs", "l": "layer",
                "c": "parameter"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "holds"),
    [
        ("Var[v_l] = \\frac{c}{k_l}", True),
        ("k_l Var[v_l] = c", True),
        ("Var[v_l] = \\frac{1}{k_l}", False),
        ("Var[v_l] = c k_l", False),
    ],
)
def test_equations_between_variances_are_solved(formula, holds):
    assert check_formula(formula, BETWEEN_LAYERS).holds is holds


@pytest.mark.parametrize(("right", "holds"), [("\\sqrt{c / k_l}", True), ("\\frac{\\sqrt{c}}{k_l}", False)])
def test_a_deviation_that_the_equations_give_is_solved(right, holds):
    more = [*BETWEEN_LAYERS["assumptions"], "Var[v_l] = q_l^2"]
    letters = {**BETWEEN_LAYERS["letters"], "q_l": "standard deviation"}
    conventions = {**BETWEEN_LAYERS, "assumptions": more, "letters": letters}
    assert check_formula(f"q_l = {right}", conventions).holds is holds


@pytest.mark.parametrize("key", ["\\mathrm{diag}", "diag", "\\operatorname{diag}", "diag(v)"])
def test_the_sign_of_a_diagonal_matrix_may_be_declared_bare(key):
    conventions = {
        "samples": "one", "vectors": "columns", "layout": "numerator", "products": {"juxtaposition": "matrix"},
        "definitions": {"h": "\\tanh(W x)"}, "letters": {"h": "output", "x": "input", "W": "weight",
                                                        key: "diagonal matrix"},
    }  # fmt: skip
    left = "\\frac{\\partial h}{\\partial x}"
    assert check_formula(f"{left} = \\mathrm{{diag}}(1 - h^2) W", conventions).holds is True
    assert check_formula(f"{left} = \\mathrm{{diag}}(1 - h) W", conventions).holds is False


def test_a_sign_that_is_not_recognised_refutes_nothing():
    conventions = {
        "samples": "one", "vectors": "columns", "layout": "numerator", "products": {"juxtaposition": "matrix"},
        "definitions": {"h": "\\tanh(W x)"}, "letters": {"h": "output", "x": "input", "W": "weight",
                                                        "D": "diagonal matrix"},
    }  # fmt: skip
    answer = check_formula("\\frac{\\partial h}{\\partial x} = D_{1 - h^2} W", conventions)
    assert answer.understood is False


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("derivative", "total"),
        ("derivative", {"dL/dx": "total"}),
        ("precedence", ["juxtaposition", "*"]),
        ("precedence", "juxtaposition, *"),
        ("fixed", ["x"]),
        ("domain", "x > 0"),
        ("assumptions", "E[x] = 0"),
    ],
)
def test_a_key_may_be_written_in_every_clear_way(key, value):
    check_keys({key: value})


@pytest.mark.parametrize(("key", "value"), [("derivative", "y"), ("shapes", ["n"]), ("precedence", 3), ("domain", 1)])
def test_a_key_of_another_kind_is_shown_its_form(key, value):
    with pytest.raises(UsageError, match=f"the convention '{key}' has the form .+, got "):
        check_keys({key: value})


def test_the_order_of_signs_is_the_same_in_both_ways_of_writing_it():
    text, words = (read_conventions({"precedence": one}) for one in ("juxtaposition, *", ["juxtaposition", "*"]))
    assert text.lexicon.precedence == words.lexicon.precedence == {"juxtaposition": 0, "*": 1}


BATCH = {
    "samples": "rows", "layers": {"subscript": "sample"}, "products": {"juxtaposition": "scalar"}, "cost": "any L(y)",
    "layout": "gradient has the shape of its variable", "definitions": {"u": "\\frac{1}{m} \\sum_{i=1}^m x_i",
                                                                        "y_i": "c (x_i - u)"},
    "letters": {"L": "cost", "x": "input", "y": "output", "u": "mean", "c": "scale", "m": "number of samples",
                "i": "sample", "j": "sample"},
}  # fmt: skip


@pytest.mark.parametrize(("below", "holds"), [("m", True), ("2", False)])
def test_in_a_batch_a_sample_may_be_one_number(below, holds):
    mean = f"\\frac{{1}}{{{below}}} \\sum_{{j=1}}^m \\frac{{\\partial L}}{{\\partial y_j}}"
    formula = f"\\frac{{\\partial L}}{{\\partial x_i}} = c (\\frac{{\\partial L}}{{\\partial y_i}} - {mean})"
    assert check_formula(formula, BATCH).holds is holds


ONE = {
    "products": {"juxtaposition": "scalar"},
    "letters": {"x": "scalar", "p": "parameter", "q_1": "scalar", "q_2": "scalar"},
}


@pytest.mark.parametrize(
    ("left", "wrong", "term"),
    [
        ("\\tanh'(x)", "(1 - \\tanh(x))^2", "(1 - \\tanh(x))^2"),
        ("\\frac{p q_1}{1 + q_2 q_2}", "p \\frac{q_2}{1 + q_1^2}", "q_2, q_1^2"),
        ("p + x x", "x^2 + 1", "1"),
    ],
)
def test_a_mistake_of_a_known_kind_is_named_at_its_term(left, wrong, term):
    answer = check_formula(wrong, {**ONE, "left_side": left})
    assert (answer.holds, answer.differs) == (False, term)
    assert check_formula(answer.nearest, {**ONE, "left_side": left}).holds
