"""The term that a teacher would circle, kind by kind, and the form that is right: what is named is what is changed."""

from __future__ import annotations

import pytest

from backprop.formulas.check import check_formula

SOFTMAX = r"p_i = e^{z_i}/\sum_k e^{z_k}"
CELL = r"c_t = f_t \odot c_{t-1} + i_t \odot g_t"
NORM = (
    r"\hat x_i = (x_i - \mu)/\sqrt{v + \epsilon}; y_i = \gamma \hat x_i + \beta; "
    r"\mu = \frac{1}{m}\sum_i x_i; v = \frac{1}{m}\sum_i (x_i-\mu)^2"
)
ATTENTION = r"S = Q K^T / \sqrt{d_k}; A = softmax(S); O = A V"
LAYER = r"z_j^l = \sum_k w_{jk}^l a_k^{l-1} + b_j^l; a_j^l = f(z_j^l); \delta_j^l = \partial C/\partial z_j^l"
KINDS = [
    ("letter behind a function", r"\delta^L = \nabla_a C \odot \sigma'(a^L)", "", r"\sigma'(a^L)", r"\sigma'(z^{L})"),
    ("number of a layer", r"dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[2]T}", "", "A^{[2]T}", "A^{[1]T}"),
    ("indices exchanged", r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_j \delta^l_k", LAYER,
     r"a^{l-1}_j, \delta^l_k", r"a^{l-1}_k \delta^l_j"),
    ("product turned", "dW = dY.T @ X", "Y = X @ W", "dY.T @ X", "X.T @ dY"),
    ("matrix turned", r"\frac{\partial L}{\partial K} = \frac{1}{\sqrt{d_k}}\frac{\partial L}{\partial S} Q", ATTENTION,
     r"\frac{\partial L}{\partial S}", r"\left(\frac{\partial L}{\partial S}\right)^T"),
    ("root", r"\frac{\partial L}{\partial Q} = \frac{1}{d_k}\frac{\partial L}{\partial S} K", ATTENTION,
     r"\frac{1}{d_k}", r"\sqrt{d_k}"),
    ("factor of a definition", r"\frac{\partial L}{\partial Q} = \frac{\partial L}{\partial S} K", ATTENTION,
     r"missing \frac{1}{\sqrt{d_k}}", r"\frac{1}{\sqrt{d_k}} \frac{\partial L}{\partial S}"),
    ("letter of a definition", r"\frac{\partial L}{\partial g_t} = \frac{\partial L}{\partial c_t} \odot f_t", CELL,
     "f_t", r"\odot i_t"),
    ("axis", "db = dout.sum(axis=1)", "out = x @ w + b", "axis=1", "axis=0"),
    ("comparison", "dx = dout * (out < 0)", "out = np.maximum(0, x)", "out < 0", "out > 0"),
    ("branch", r"\frac{\partial p_i}{\partial z_j} = \begin{cases} p_i(1-p_j) & \text{if } i = j \\ p_i p_j & "
     r"\text{if } i \neq j \end{cases}", SOFTMAX, "sign of p_i p_j", "-p_i p_j"),
    ("branches exchanged", r"f'(x) = \begin{cases} a & x > 0 \\ 1 & x < 0\end{cases}", "f(x) = max(x, a x); a < 1",
     "a and 1", r"\begin{cases} 1 & x > 0 \\ a & x < 0"),
    ("Kronecker delta", r"\frac{\partial p_i}{\partial z_j} = p_i(1 - p_j)", SOFTMAX, r"\delta_{ij}",
     r"p_i(\delta_{ij} - p_j)"),
    ("logarithm", r"\log p_i = z_i - \sum_k e^{z_k}", SOFTMAX, r"missing \log", r"\log(\sum_k e^{z_k})"),
    ("exponent", r"\sigma'(x) = \frac{e^{x}}{(1+e^{-x})^2}", "", "e^{x}", "e^{-x}"),
    ("square", r"\tanh'(z) = 1 - \tanh(z)", "", r"\tanh(z)", r"\tanh^2(z)"),
    ("slope of another function", r"\tanh'(x) = \tanh(x)(1-\tanh(x))", "", r"\tanh(x)(1-\tanh(x))", r"(1-\tanh^2(x))"),
    ("slope twice", r"\frac{\partial L}{\partial z} = a(1-a)(a - y)", "L = -(y log(a) + (1-y) log(1-a)); "
     "a = sigmoid(z)", "a(1-a)", "= (a - y)"),
    ("slope missing", "dz = a - y", "L = (a-y)^2/2; a = sigmoid(z)", "missing a (1 - a)", "a (1 - a) (a - y)"),
    ("upside down", r"\tanh(x) = \frac{e^x + e^{-x}}{e^x - e^{-x}}", "", "upside down",
     r"\frac{e^x - e^{-x}}{e^x + e^{-x}}"),
    ("index of a sum", r"\frac{\partial L}{\partial \beta_j} = \sum_j \frac{\partial L}{\partial y_{ij}}",
     r"y_{ij} = \gamma_j x_{ij} + \beta_j", r"\sum_j", r"\sum_i"),
    ("index below", r"\frac{\partial L}{\partial \gamma} = \sum_i \frac{\partial L}{\partial y_i} x_i", NORM, "x_i",
     r"\hat x_i"),
    ("ways held constant",
     r"\frac{\partial L}{\partial x_i} = \frac{\gamma}{\sqrt{v+\epsilon}} \frac{\partial L}{\partial y_i}",
     NORM, r"those through \mu and v", None),
    ("layout of the reading", r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1-h_t) W",
     r"h_t = \tanh(W h_{t-1} + U x_t)", "h_t", r"\mathrm{diag}(1-h_t^2) W"),
    ("expectation of a square", "Var(z) = n Var(w) E[x]^2", r"z = \sum_{i=1}^n w_i x_i; independent(w, x); E[w] = 0",
     "E[x]^2", "E[x^2]"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "where", "differs", "right"), [k[1:] for k in KINDS], ids=[k[0] for k in KINDS])
def test_the_smallest_change_is_named(formula, where, differs, right):
    answer = check_formula(formula, where=where)
    assert answer.understood, answer.reason
    assert answer.holds is False
    assert differs in (answer.differs or "")
    if right is None:
        assert answer.nearest is None
    else:
        assert right in (answer.nearest or "")
        assert check_formula(str(answer.nearest), where=where).holds


CIRCLED = [
    ("with its difference", r"\frac{\partial \log p_i}{\partial z_j} = \delta_{ij} - p_i", SOFTMAX,
     r"p_i in \delta_{ij} - p_i"),
    ("with its denominator", "f'(x) = -1 / (a x)", "f(x) = 1 / (a x)", "a x"),
    ("with its fraction", r"\frac{\partial L}{\partial Q} = \frac{1}{d_k} \frac{\partial L}{\partial S} K", ATTENTION,
     r"\frac{1}{d_k}"),
    ("with its bracket", "dz = (1 - a) * da", "a = tanh(z)", "(1 - a)"),
    ("the sign with its first factor", "f'(x) = -a x", "f(x) = a x^2 / 2", "sign of the right side, -a"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "where", "differs"), [c[1:] for c in CIRCLED], ids=[c[0] for c in CIRCLED])
def test_a_letter_is_named_with_the_factor_that_holds_it_and_the_right_form_is_tidy(formula, where, differs):
    answer = check_formula(formula, where=where)
    assert (answer.understood, answer.holds, answer.differs) == (True, False, differs), answer.reason
    assert "--" not in str(answer.nearest).replace(" ", "")
    assert check_formula(str(answer.nearest), where=where).holds


@pytest.mark.parametrize("formula", ["Var(w) = 2/n", "E[x] = 0", r"\mathrm{Var}[U(-a,a)] = \frac{a^2}{12}"])
def test_of_what_nobody_calls_random_nothing_is_said(formula):
    answer = check_formula(formula)
    assert not answer.understood
    assert "distributed" in str(answer.reason)


@pytest.mark.parametrize(
    ("formula", "where"),
    [
        (r"dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}", ""),
        (r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1-h_t^2) W", r"h_t = \tanh(W h_{t-1} + U x_t)"),
        (r"\frac{\partial h_t}{\partial h_{t-1}} = W^T \mathrm{diag}(1-h_t^2)", r"h_t = \tanh(W h_{t-1} + U x_t)"),
        (r"\frac{\partial L}{\partial \hat x_i} = \gamma \frac{\partial L}{\partial y_i}", NORM),
        (r"\frac12 \frac{d}{dx} x^2 = x", ""),
    ],
)
def test_a_right_formula_holds_under_the_convention_that_it_is_printed_in(formula, where):
    answer = check_formula(formula, where=where)
    assert answer.holds, answer.reason or answer.differs
