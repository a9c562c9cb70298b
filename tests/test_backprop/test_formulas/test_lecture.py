"""Where the lecture contradicts itself, found from its own definitions."""

from __future__ import annotations

import pytest

from backprop.formulas.check import check_formula

NETWORK = r"z_j^l = \sum_i w_{ij}^l a_i^{l-1} + b_j^l; a_j^l = f(z_j^l)"
MEAN = r"C = \frac{1}{n}\sum_{i=1}^n (y_i - \tilde{y}_i)^2; n: number of samples; y: target; \tilde{y}: output"

CONTRADICTIONS = {
    "derivative of z by a": (r"\frac{\partial z_j^l}{\partial a_i^{l-1}} = w_{ji}^l", NETWORK, "w_{ji}^l", "w_{ij}^l"),
    "final equation": (
        r"\delta_j^l = \sum_k \delta_k^{l+1} w_{kj}^{l+1} f'(z_j^l)", NETWORK, "w_{kj}^{l+1}", "w_{jk}^{l+1}",
    ),
    "gradient of a weight": (
        r"\frac{\partial C}{\partial w_{jk}^L} = \delta_j^L a_k^{L-1}", NETWORK, "a_k^{L-1}", r"\delta_k^L a_j^{L-1}",
    ),
    "update that leaves the output layer out": (
        r"b_j^l \leftarrow b_j^l - \eta \delta_j^l, \quad l = L-1, L-2, \dots, 1", NETWORK, "last layer", "l = L,",
    ),
    "half a sum in one place, a mean in the other": (
        r"\frac{\partial C}{\partial \tilde{y}_i} = (\tilde{y}_i - y_i)", MEAN, r"\frac{2}{n}", r"\frac{2}{n}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_a_contradiction_is_found_with_its_term_and_its_mend(what):
    formula, where, term, mend = CONTRADICTIONS[what]
    answer = check_formula(formula, where=where)
    assert answer.understood
    assert answer.holds is False
    assert term in answer.differs
    assert mend in answer.nearest


def test_index_orders_are_said_to_hold_under_the_other_convention():
    answer = check_formula(CONTRADICTIONS["final equation"][0], where=NETWORK)
    assert any("other order of the indices" in text for text in answer.would_hold)


@pytest.mark.parametrize(
    "formula",
    [
        r"\frac{\partial z_j^l}{\partial w_{ij}^l} = a_i^{l-1}",
        r"\delta_j^L = f'(z_j^L) \frac{\partial C}{\partial (a_j^L)}",
        r"\delta_j^l = \frac{\partial C}{\partial b_j^l}",
        r"\delta_j^l = \sum_k \frac{\partial C}{\partial z_k^{l+1}} \frac{\partial z_k^{l+1}}{\partial z_j^l}",
        r"b_j^l \leftarrow b_j^l - \eta \frac{\partial C}{\partial b_j^l} = b_j^l - \eta \delta_j^l",
        r"w_{ij}^l \leftarrow= w_{ij}^l - \eta \delta_j^l a_i^{l-1}",
    ],
)
def test_what_the_lecture_has_right_holds(formula):
    assert check_formula(formula, where=NETWORK).holds
