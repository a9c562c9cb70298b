"""Whatever the text, the parser ends: with a tree, or with the column at which it stopped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.errors import UsageError
from backprop.formulas.check import check_formula
from backprop.formulas.text.lexicon import Lexicon
from backprop.formulas.text.parser import parse, parse_formula
from backprop.formulas.text.tokens import LONGEST
from backprop.formulas.text.tree import NotUnderstood, Sym

FRAGMENTS = [
    "\\frac", "{", "}", "(", ")", "[", "]", "^", "_", "=", "+", "-", "*", "/", "x", "y", "W", "w", "a", "f", "'",
    "\\sigma", "\\delta", "\\partial", "C", "L", "l", "i", "j", "k", "1", "2", "0.5", "\\sum", "sum_i", " ", "|",
    "\\|", ",", ";",
    "\\odot", "T", "if", "d", "dx", "dW", "\\hat", "\\begin{cases}", "\\end{cases}", "&", "\\\\", "...", "~", "<", "E[",
    "\\nabla", "é", "∂", "²", "e", "10^{10}", "\\sqrt", "\\max", "softmax(", "\\tanh", ":=", "\\", "!", "\"", "@", "#",
]  # fmt: skip
texts = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))


@given(texts)
@settings(max_examples=300, deadline=None)
def test_the_parser_ends_and_says_where_it_stopped(text):
    stopped: int | None = None
    try:
        nodes = parse_formula(text, Lexicon(latex="\\" in text))
    except NotUnderstood as error:
        nodes, stopped = [], error.position
    assert nodes or stopped is None or 0 <= stopped <= len(text)


@given(texts, st.sampled_from(["", "z = W x + b", "C: cost; y = f(x)", "L: cost; x: input; samples: rows"]))
@settings(max_examples=60, deadline=None)
def test_any_text_gets_an_answer_that_is_json(text, where):
    answer = check_formula(f"x = {text}", where=where)
    assert json.loads(json.dumps(answer.to_dict(), allow_nan=False))["holds"] in (True, False, None)
    assert answer.understood == (answer.holds is not None)
    assert str(answer)


@given(st.dictionaries(st.sampled_from(["cost", "samples", "letters", "definitions", "shapes", "domain", "products"]),
                       st.one_of(texts, st.lists(texts, max_size=2), st.dictionaries(texts, texts, max_size=2)),
                       max_size=2))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_conventions_get_an_answer_or_one_line(raw):
    said = ""
    try:
        answer = check_formula("y = x", raw)
    except UsageError as error:
        said = str(error)
    assert "\n" not in said
    assert said or answer.understood == (answer.holds is not None)


@pytest.mark.parametrize(
    "text", ["(" * 500, "{" * 3000, "x" * (LONGEST + 1), "\\frac{" * 300, "-" * 2000, "x^" * 900, "\\sum" * 600]
)
def test_what_is_too_deep_or_too_long_is_refused(text):
    with pytest.raises(NotUnderstood):
        parse_formula(text, Lexicon(latex=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\delta_j^l \\odot f'(z)", "δ_j^l ⊙ f′(z)"),
        ("\\frac{\\partial C}{\\partial w_{ij}}", "∂C/∂w_{ij}"),
        ("x^2", "x²"),
        ("W^T x", "Wᵀ x"),
        ("\\mathbf{W}^{\\top} x", "W^⊤ x"),
        ("\\sum_{i=1}^{n} x_i", "∑_{i=1}^n x_i"),
        ("\\left( a + b \\right)", "(a + b)"),
        ("\\dfrac{a}{b}", "\\frac a b"),
        ("w^l_j", "w_j^l"),
        ("\\sigma^{\\prime}(z)", "σ'(z)"),
    ],
)
def test_two_ways_to_print_the_same_are_one_tree(one, other):
    assert parse(one, Lexicon(latex=True)) == parse(other, Lexicon(latex=True))


def test_every_node_knows_its_place_in_the_text():
    text = "a = \\sum_k \\delta_k^{l+1} w_{kj}"
    relation = parse(text, Lexicon(latex=True))
    product = relation.right.body
    assert text[product.right.start : product.right.end] == "w_{kj}"
    assert [text[s.start : s.end] for s in product.right.subs] == ["k", "j"]


def test_a_name_with_an_underscore_is_a_letter_with_a_word():
    assert parse("h_prev", Lexicon()) == Sym("h", (Sym("prev"),))
    assert parse("w_ij", Lexicon()).subs == (Sym("i"), Sym("j"))
