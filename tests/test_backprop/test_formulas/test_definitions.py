"""A formula that comes with its own definitions is judged by them alone, in the notations that people print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.formulas.check import check_formula, is_idle, refute
from backprop.formulas.conventions.guessing import guess
from backprop.formulas.judging.claims import read_claim
from backprop.formulas.judging.explained import differential, unexplained
from backprop.formulas.meaning.numbers import NoPoint, precise
from backprop.formulas.text.tree import NotUnderstood

SAMPLES = Path(__file__).resolve().parents[2] / "kit" / "samples" / "formulas_with_definitions.json"
SCENES = json.loads(SAMPLES.read_text(encoding="utf-8"))
RIGHT = [(scene["where"], formula) for scene in SCENES for formula in scene["right"]]
WRONG = [(scene["where"], formula) for scene in SCENES for formula in scene["wrong"]]


def verdict(formula: str, where: str) -> bool | None:
    """Whether a formula holds, without the search for what would be right; None where nothing may be said."""
    guessed = guess(formula, {}, where)
    understood = False
    for choice in guessed.readings:
        try:
            with precise():
                claim = read_claim(formula, {**guessed.base, **choice.raw})
                difference = refute(claim, 4)
                if difference is None and not is_idle(claim):
                    return True
                clear = difference is not None and unexplained(claim) is None and differential(claim) is None
                understood = understood or (clear and not choice.tentative)
        except (NotUnderstood, NoPoint, RecursionError):
            continue
    return False if understood else None


@pytest.mark.parametrize(("where", "formula"), RIGHT, ids=[formula[:60] for _, formula in RIGHT])
def test_a_right_formula_holds_by_its_definitions(where, formula):
    assert verdict(formula, where) is True


@pytest.mark.parametrize(("where", "formula"), WRONG, ids=[formula[:60] for _, formula in WRONG])
def test_a_wrong_formula_is_refuted_by_its_definitions(where, formula):
    assert verdict(formula, where) is False


PAIRS = st.permutations(["i", "j", "k", "m", "n"])
SHORT = st.sampled_from(["d{}", "d_{}", "grad_{}", "dL_d{}", "dL/d{}"])


@given(PAIRS, st.booleans(), st.sampled_from(["o", "y", "z"]), st.sampled_from(["net", "a", "s"]))
@settings(max_examples=4, deadline=None)
def test_index_letters_tell_layers_where_nothing_else_does(letters, first_is_source, output, inner):
    i, j, k = letters[:3]

    def weight(source: str, target: str) -> str:
        return f"w_{{{source}{target}}}" if first_is_source else f"w_{{{target}{source}}}"

    where = rf"{inner}_{j} = \sum_{i} {weight(i, j)} {output}_{i}; {output}_{j} = \phi({inner}_{j})"
    where += rf"; \delta_{j} = \frac{{\partial E}}{{\partial {inner}_{j}}}"
    right = rf"\delta_{j} = \phi'({inner}_{j}) \sum_{k} {weight(j, k)} \delta_{k}"
    assert verdict(right, where) is True
    assert verdict(right.replace("'", ""), where) is False
    left = rf"\frac{{\partial E}}{{\partial {weight(i, j)}}}"
    assert verdict(rf"{left} = {output}_{i} \delta_{j}", where) is True
    assert verdict(rf"{left} = {output}_{j} \delta_{j}", where) is False


@given(SHORT, st.sampled_from([("X", "W", "Y"), ("x", "w", "out"), ("h1", "W2", "scores")]), st.booleans())
@settings(max_examples=8, deadline=None)
def test_every_short_name_of_a_gradient_is_one(short, names, method):
    x, w, y = names
    product = f"{x}.dot({w})" if method else f"{x} @ {w}"
    where = f"{y} = {product} + b; samples: rows"
    down = f"{x}.T.dot({short.format(y)})" if method else f"{x}.T @ {short.format(y)}"
    assert verdict(f"{short.format(w)} = {down}", where) is True
    assert verdict(f"{short.format('b')} = np.sum({short.format(y)}, axis=0)", where) is True
    assert verdict(f"{short.format('b')} = np.sum({short.format(y)}, axis=1)", where) is False


@given(st.sampled_from(["t", "k", "n", "s"]), st.booleans(), st.sampled_from(["m", "v", "u"]))
@settings(max_examples=8, deadline=None)
def test_a_letter_counts_time_where_a_quantity_is_defined_by_itself_one_step_earlier(step, ahead, name):
    now, before = (f"{{{step}+1}}", step) if ahead else (step, f"{{{step}-1}}")
    where = rf"{name}_{now} = \rho {name}_{before} + (1-\rho) g_{step}; {name}_0 = 0"
    last = f"{step}-1" if not ahead else step
    twice = rf"{name}_{now} = \rho^2 {name}_{{{last}-1}} + (1-\rho)\rho g_{{{step}-1}} + (1-\rho) g_{step}"
    assert verdict(twice, where) is True
    assert verdict(twice.replace(r"(1-\rho)\rho", r"(1-\rho)"), where) is False


@pytest.mark.parametrize(
    "dress", ["{}", "${}$", "$$ {} $$", r"\[ {} \]", r"\begin{{align*}} {} \tag{{3}} \end{{align*}}", "{}."]
)
def test_what_dresses_a_formula_for_the_page_says_nothing(dress):
    formula = dress.format(r"\frac{\partial z}{\partial w} = x").replace(" =", " &=" if "align" in dress else " =")
    assert verdict(formula, "z = w x + b") is True
    assert verdict(formula.replace("x", "w", 1).replace("= x", "= w"), "z = w x + b") is not True


@pytest.mark.parametrize(
    ("formula", "where", "reason"),
    [
        ("dA = dS * A * (1 - A)", "A = 1/(1+np.exp(-S))", "a gradient or a differential"),
        (r"\frac{\partial L}{\partial q} = p - y", r"p_i = e^{z_i} / \sum_k e^{z_k}; L = -\sum_k y_k \log p_k", "q"),
        (r"g \leftarrow g \odot f'(a)", "h = f(a)", "nothing says"),
    ],
)
def test_where_the_conventions_leave_it_open_nothing_is_said(formula, where, reason):
    answer = check_formula(formula, where=where)
    assert answer.holds is None
    assert re.search(reason, answer.reason)


@pytest.mark.parametrize(("wrong", "mend"), [("2.0", None), ("2.4", None), ("3", None)])
def test_a_wrong_threshold_is_met_and_no_wrong_mend_is_offered(wrong, mend):
    where = r"f(x) = \max(0, \min(1, 0.2 x + 0.5))"
    formula = r"f'(x) = \begin{{cases}} 0 & |x| > {0} \\ 0.2 & |x| < {0} \end{{cases}}"
    assert check_formula(formula.format("2.5"), where=where).holds
    answer = check_formula(formula.format(wrong), where=where)
    assert answer.holds is False
    assert answer.nearest is mend


@pytest.mark.parametrize("penalty", [r"\frac{\lambda}{2n}\sum_w w^2", r"\frac{\lambda}{n}\sum_w |w|"])
def test_a_cost_inside_a_cost_is_any_cost(penalty):
    where = f"C = C_0 + {penalty}"
    term = r"\frac{\lambda}{n} w" if "w^2" in penalty else r"\frac{\lambda}{n} \mathrm{sgn}(w)"
    left, inner = r"\frac{\partial C}{\partial w}", r"\frac{\partial C_0}{\partial w}"
    assert verdict(f"{left} = {inner} + {term}", where) is True
    assert verdict(f"{left} = {term}", where) is False
    assert verdict(rf"{left} = \frac{{1}}{{2}} {inner} + {term}", where) is False
