"""The book in other notations: every line keeps its value when it is read under the notation's own choice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from theory.chapters.book import CHAPTERS, render
from theory.chapters.networks.four_equations import TITLES, derive_matrix_form
from theory.chapters.notations import explain_side, side_by_side, sides
from theory.language import matrices as mf
from theory.language.derivation import Derivation
from theory.language.notation import Variable, nodes
from theory.language.printing import show
from theory.notations.choices import NOTATIONS, NotationError
from theory.notations.rewriting import rewritten, rewritten_derivation
from theory.notations.wording import PHRASES
from theory.witnesses.readings import misfits, says_the_same

OTHERS = [name for name in NOTATIONS if name != "lecture"]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "pages" / "notations.md"
UNJUDGED = ("rules", "activations", "initialisation", "optimisers", "universal_approximation", "lecture")
"""Chapters without a line of a network, and means over random weights, which have no value in one network."""
JUDGED = [name for name in CHAPTERS if name not in UNJUDGED]


def lines(chapter):
    """The matrix lines of a chapter and the results of its derivations, each with its system."""
    for section in CHAPTERS[chapter].sections():
        if isinstance(section, Derivation) and not section.real:
            wanted = [s.after for s in section.steps if s.after.has(mf.MatrixEntry)] or [section.result]
            yield from ((section.system, line) for line in wanted)


@pytest.mark.parametrize("label", TITLES)
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("name", OTHERS)
def test_every_line_of_the_four_equations_keeps_its_value(label, batch, name):
    choice, book = NOTATIONS[name], derive_matrix_form(label, batch)
    other = rewritten_derivation(book, choice)
    for before, after in zip(book.steps, other.steps, strict=True):
        assert says_the_same(book.system, before.after, after.after, choice.exchanges, trials=2), show(after.after)


@pytest.mark.parametrize("chapter", JUDGED)
def test_the_matrix_lines_of_every_chapter_keep_their_value(chapter):
    for system, line in lines(chapter):
        for name in OTHERS:
            choice = NOTATIONS[name]
            other = rewritten(line, choice)
            assert says_the_same(system, line, other, choice.exchanges, trials=1), (name, show(other))


@pytest.mark.parametrize("name", ["nielsen", "columns"])
@pytest.mark.parametrize(("label", "batch"), [("BP2", False), ("BP2", True), ("BP4", True)])
def test_a_line_that_was_not_rewritten_is_told(name, label, batch):
    book = derive_matrix_form(label, batch)
    assert not says_the_same(book.system, book.result, book.result, NOTATIONS[name].exchanges)


def test_a_product_whose_inner_lengths_differ_is_told():
    matrix = derive_matrix_form("BP2", batch=True).result.matrix
    wrong = matrix.xreplace({node: node.args[0] for node in nodes(matrix) if isinstance(node, mf.Transposed)})
    assert not list(misfits(matrix))
    assert list(misfits(wrong))


@pytest.mark.parametrize("name", NOTATIONS)
@pytest.mark.parametrize(
    ("label", "batch"), [("F1", False), ("F1", True), ("BP2", False), ("BP2", True), ("BP4", True)]
)
def test_what_is_said_of_a_transpose_is_what_is_printed(name, label, batch):
    choice = NOTATIONS[name]
    letter = "a" if label == "BP4" else "w"
    turned = any(
        isinstance(node, mf.Transposed) and any(isinstance(x, Variable) and x.name == letter for x in nodes(node))
        for node in nodes(rewritten(sides(label, batch)[1], choice))
    )
    assert explain_side(label, batch, choice).endswith("ᵀ.") == turned


def test_the_phrases_that_depend_on_a_notation_stand_in_the_book():
    book = render(["rules", "four_equations"])
    missing = [phrase for phrases in PHRASES.values() for phrase in phrases if phrase not in book]
    assert missing == []


@pytest.mark.parametrize("name", ["nielsen", "columns"])
def test_no_word_of_the_other_choice_is_left(name):
    text = render(["rules", "four_equations"], notation=name)
    assert not any(phrase in text for phrases in PHRASES.values() for phrase in phrases)
    assert not re.search(r"w_(ij|jk|ik|mk)\b", text)


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html"])
def test_the_notation_is_named_at_the_head_of_every_form(form):
    text = render(["costs"], form, notation="nielsen")
    assert "Notation: nielsen" in text.split("\n\n")[0]
    assert form != "latex" or text.isascii()


def test_the_lecture_s_own_notation_is_the_book_as_it_stands():
    plain = render(["four_equations", "softmax"])
    assert render(["four_equations", "softmax"], notation="lecture").endswith(plain)
    assert render(["four_equations", "softmax"]) == plain


def test_a_chapter_that_quotes_keeps_its_notation_and_says_so():
    text = render(["lecture"], notation="columns")
    assert "keeps the notation of the lecture" in text
    assert "as printed, w_ji^l" in text


def test_the_page_has_the_tables_that_the_rule_prints():
    page = PAGE.read_text(encoding="utf-8")
    block = page.split("<!-- side by side: begin -->")[1].split("<!-- side by side: end -->")[0]
    for batch in (False, True):
        assert side_by_side(batch) in block


def test_an_unknown_notation_is_refused_with_the_choices():
    with pytest.raises(NotationError, match="did you mean 'columns'"):
        render(["costs"], notation="colums")
