"""What a user declares is applied, however it is written; what nobody declared is searched before it is held against
anybody.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.errors import UsageError
from backprop.formulas.check import is_idle, refute
from backprop.formulas.conventions.guessing import guess
from backprop.formulas.judging.claims import read_claim
from backprop.formulas.meaning.numbers import precise

DELTA = "\\delta"
LAYERS = st.sampled_from(["", "l", "(l)"])
PAIRS = st.sampled_from([("j", "k"), ("i", "j"), ("k", "m"), ("m", "i")])


def holds(formula: str, where: str) -> bool:
    """Whether a formula holds in any of the ways in which it can be read, without a search for what would be right."""
    guessed, seen = guess(formula, {}, where), []
    for choice in guessed.readings:
        if choice.raw in seen:
            continue
        seen.append(choice.raw)
        try:
            with precise():
                claim = read_claim(formula, {**guessed.base, **choice.raw})
                if refute(claim, 4) is None and not is_idle(claim):
                    return True
        except UsageError:
            continue
    return False


def written(letter: str, subs: str, sup: str, first: bool) -> str:
    """A letter with its scripts, the upper one first or last."""
    if not sup:
        return f"{letter}_{{{subs}}}"
    plain = sup in ("l",)
    above = f"^{sup}" if plain else f"^{{{sup}}}"
    below = f"_{subs}" if len(subs) == 1 else f"_{{{subs}}}"
    return letter + (above + below if first else below + above)


@st.composite
def layers(draw: st.DrawFn) -> dict[str, str]:
    """One declared definition and the derivative by its weight, each piece with its scripts in an order of its own."""
    layer = draw(LAYERS)
    before = layer.replace("l", "l-1")
    here, inner = draw(PAIRS), draw(PAIRS)
    source = "a" if layer else "x"
    order = draw(st.sampled_from(["rows", "columns"]))

    def put(letter: str, subs: str, sup: str) -> str:
        return written(letter, subs, sup, draw(st.booleans()))

    out, into = inner
    weight = put("w", out + into if order == "rows" else into + out, layer)
    where = f"{put('z', out, layer)} = \\sum_{into} {weight} {put(source, into, before)} + {put('b', out, layer)}"
    if draw(st.booleans()):
        where += f"; {put(DELTA, out, layer)} = \\partial C/\\partial {put('z', out, layer)}"
    one, two = here
    left = f"\\frac{{\\partial C}}{{\\partial {put('w', one + two, layer)}}}"
    rows = f"{left} = {put(source, two, before)} {put(DELTA, one, layer)}"
    columns = f"{left} = {put(source, one, before)} {put(DELTA, two, layer)}"
    right, wrong = (rows, columns) if order == "rows" else (columns, rows)
    return {"where": where, "right": right, "wrong": wrong}


@given(layers())
@settings(max_examples=8, deadline=None)
def test_a_formula_and_its_twin_with_exchanged_indices_never_both_hold(drawn):
    assert holds(drawn["right"], drawn["where"])
    assert not holds(drawn["wrong"], drawn["where"])


@pytest.mark.parametrize("by", ["z", "a"])
def test_an_error_that_is_declared_goes_before_the_usual_one(by):
    network = r"z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j; a^l_j = \sigma(z^l_j)"
    where = rf"{network}; \delta^l_j = \partial C/\partial {by}^l_j"
    assert holds(r"\frac{\partial C}{\partial b^l_j} = \delta^l_j", where) is (by == "z")
    assert holds(r"\frac{\partial C}{\partial b^l_j} = \delta^l_j \sigma'(z^l_j)", where) is (by == "a")


@pytest.mark.parametrize(
    ("x", "w", "y", "product", "turn", "biased"),
    [("X", "W", "Y", " ", "^T", "+ b; samples: rows"), ("A", "V", "H", " @ ", ".T", "")],
)
def test_capitals_are_matrices_and_their_products_have_an_order(x, w, y, product, turn, biased):
    where = f"{y} = {x}{product}{w} {biased}"
    assert holds(f"d{w} = {x}{turn}{product}d{y}", where)
    assert holds(f"d{x} = d{y}{product}{w}{turn}", where)


@pytest.mark.parametrize("network", ["", r"z^l = W^l a^{l-1} + b^l; a^l = \sigma(z^l)"])
@pytest.mark.parametrize("by", ["a", "{a^L}"])
def test_a_gradient_without_a_layer_is_by_the_last_one(network, by):
    right = rf"\delta^L = \nabla_{by} C \odot \sigma'(z^L)"
    assert holds(right, network)
    assert not holds(right.replace("'", ""), network)
    if by == "a":
        assert not holds(right.replace("^L", "^l"), network)


@pytest.mark.parametrize("cost", ["L", "C", "E"])
def test_the_numerator_layout_turns_the_derivative_by_a_vector(cost):
    where = "z = W x + b; layout: numerator; vectors: columns"
    left, last = (rf"\frac{{\partial {cost}}}{{\partial {letter}}}" for letter in "Wz")
    assert holds(f"{left} = x {last}", where)
    assert not holds(f"{left} = {last} x", where)


@pytest.mark.parametrize(("whole", "part"), [("J", "L"), ("C", "E")])
@pytest.mark.parametrize(("factor", "right"), [("", True), ("2", False), (r"\frac{1}{2}", False)])
def test_a_small_weight_is_a_vector_where_only_that_is_right(whole, part, factor, right):
    where = rf"{whole}(w) = {part}(w) + \frac{{\lambda}}{{2}} w^T w"
    assert holds(rf"\nabla_w {whole}(w) = \nabla_w {part}(w) + {factor} \lambda w", where) is right
