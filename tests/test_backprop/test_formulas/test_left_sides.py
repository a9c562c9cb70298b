"""Whatever a definition has on its left is a symbol; indices in brackets, sets of vectors, domains with `or`."""

import pytest

from backprop.formulas.check import check_formula
from backprop.formulas.conventions.conditions import alternatives
from backprop.formulas.conventions.words import called_name, is_pair

SHAPED = "gradient has the shape of its variable"
LAYERS = {
    "layers": {"w": "out,in", "superscript": "layer", "W_named_by": "target_layer"}, "samples": "one",
    "vectors": "columns", "layout": SHAPED, "products": {"juxtaposition": "matrix", "\\odot": "elementwise"},
    "letters": {"C": "cost", "w": "weight", "T": "transpose", "diag(v)": "diagonal matrix", "L": "last layer",
                "\\delta^l": "dC/dz^l", "\\delta^L": "dC/dz^L", "\\nabla_a C": "dC/da^L"},
}  # fmt: skip
UNITS = {
    "layers": {"w": "out,in"}, "products": {"juxtaposition": "scalar"}, "activation": {"h": "any"},
    "definitions": {"a_j": "\\sum_i w_{ji} z_i", "z_j": "h(a_j)", "a_k": "\\sum_j w_{kj} z_j"}, "cost": "any E(a_k)",
    "letters": {"E": "cost", "w": "weight", "\\delta_j": "dE/da_j", "\\delta_k": "dE/da_k"},
}  # fmt: skip


def with_keys(base, **more):
    """Conventions with more entries in their objects."""
    return base | {k: {**base.get(k, {}), **v} if isinstance(v, dict) else v for k, v in more.items()}


@pytest.mark.parametrize(
    ("formula", "holds"),
    [("\\delta^L = S'(z^L) \\nabla_a C", True), ("\\delta^L = \\nabla_a C S'(z^L)", False)],
)
def test_a_primed_function_and_a_gradient_may_have_definitions(formula, holds):
    conventions = with_keys(LAYERS, cost="any C(a^L)", activation={"s": "any"},
                            definitions={"a^L": "s(z^L)", "S'(z^L)": "diag(s'(z^L))"})  # fmt: skip
    assert check_formula(formula, conventions).holds is holds


@pytest.mark.parametrize(("inner", "holds"), [("f^{l-1}", True), ("f^l", False)])
def test_functions_of_other_layers_are_other_functions(inner, holds):
    conventions = with_keys(LAYERS, cost="any", activation={"f^l": "any", "f^{l-1}": "any"},
                            definitions={"z^l": "w^l a^{l-1}", "a^l": "f^l(z^l)"},
                            letters={"\\delta^{l-1}": "dC/dz^{l-1}"})  # fmt: skip
    formula = f"\\delta^{{l-1}} = {inner}'(z^{{l-1}}) \\odot ((w^l)^T \\delta^l)"
    assert check_formula(formula, conventions).holds is holds


@pytest.mark.parametrize(("weight", "holds"), [("w_{kj}", True), ("w_{jk}", False)])
def test_index_letters_may_tell_the_layers(weight, holds):
    assert check_formula(f"\\delta_j = h'(a_j) \\sum_k {weight} \\delta_k", UNITS).holds is holds


@pytest.mark.parametrize(("step", "holds"), [("n", True), ("n - 1", False)])
def test_an_index_may_stand_in_round_brackets(step, holds):
    conventions = {
        "layers": {"brackets": "time"}, "products": {"juxtaposition": "scalar"}, "vectors": "scalars",
        "definitions": {"v(n)": "w x(n)", "y(n)": "\\tanh(v(n))"}, "cost": "any E(y(n))",
        "letters": {"E": "cost", "w": "weight", "x": "input"},
    }  # fmt: skip
    formula = f"\\frac{{\\partial E}}{{\\partial w}} = \\frac{{\\partial E}}{{\\partial v(n)}} x({step})"
    assert check_formula(formula, conventions).holds is holds


@pytest.mark.parametrize(
    ("text", "parts"),
    [("y = 1 or y = -1", 2), ("y \\in \\{0, 1, 2\\}", 3), ("y = \\pm 1", 2), ("0 < y < 1", 1)],
)
def test_a_domain_may_be_a_few_values(text, parts):
    assert len(alternatives(text)) == parts
    formula = "\\max_k x_k = \\max_j x_j"
    assert check_formula(formula, {"domain": [text], "letters": {"x": "input", "y": "target"}}).holds


def test_a_loss_of_labels_of_both_signs_is_one_number():
    conventions = {"samples": "one", "vectors": "columns", "layout": SHAPED, "products": {"juxtaposition": "matrix"},
                   "cost": "L = \\log(1 + e^{-y w^T x})", "domain": ["y = 1 or y = -1"],
                   "activation": {"\\sigma": "logistic"},
                   "letters": {"L": "cost", "w": "weight", "x": "input", "y": "target", "T": "transpose"}}  # fmt: skip
    assert check_formula("\\nabla_w L = -\\sigma(-y w^T x) y x", conventions).holds
    assert check_formula("\\nabla_w L = -\\sigma(y w^T x) y x", conventions).holds is False


@pytest.mark.parametrize(("sign", "holds"), [("+", True), ("-", False)])
def test_a_set_of_vectors_is_summed_over(sign, holds):
    conventions = {"samples": "one", "vectors": "columns", "layout": SHAPED, "products": {"juxtaposition": "matrix"},
                   "cost": "J = \\sum_{k=1}^K \\exp(u_k^T v)", "shapes": {"v": "d,1", "u_k": "d,1"},
                   "letters": {"J": "cost", "v": "input", "K": "number of samples", "T": "transpose"}}  # fmt: skip
    formula = f"\\nabla_v J = 0 {sign} \\sum_{{k=1}}^K \\exp(u_k^T v) u_k"
    assert check_formula(formula, conventions).holds is holds


@pytest.mark.parametrize(("power", "holds"), [("T-i", True), ("i-t", False)])
def test_a_power_of_a_square_weight_is_a_product_of_matrices(power, holds):
    conventions = {
        "layers": {"W": "out,in", "V": "out,in", "subscript": "time", "superscript": "power"}, "samples": "one",
        "vectors": "columns", "layout": SHAPED, "products": {"juxtaposition": "matrix"}, "cost": "any L(o_1, ..., o_T)",
        "definitions": {"h_t": "x_t + W h_{t-1}", "o_t": "V h_t"}, "domain": ["1 <= t <= T"],
        "letters": {"L": "cost", "x": "input", "W": "weight", "V": "weight", "T": "number of time steps",
                    "\\top": "transpose", "i": "index"},
    }  # fmt: skip
    right = f"\\sum_{{i=t}}^T (W^\\top)^{{{power}}} V^\\top \\frac{{\\partial L}}{{\\partial o_{{T+t-i}}}}"
    assert check_formula(f"\\frac{{\\partial L}}{{\\partial h_t}} = {right}", conventions).holds is holds


def test_keys_of_products_and_of_functions():
    assert [is_pair(key) for key in ("P V", "\\odot V", "*")] == [True, False, False]
    assert called_name("\\tanh^2(c)", set()) == "\\tanh"
    assert called_name("e_j(n)", {"n"}) == ""
