"""Formulas within sentences are found, and nothing is lost; a fragment of LaTeX is plain ASCII and compiles."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.chapters.book import CHAPTERS, render
from theory.language.latex_text import escape_latex
from theory.language.prose import split_prose, typeset

PDFLATEX = shutil.which("pdflatex")
COMPLAINTS = re.compile(r"^(?:! .*|Overfull .*|Missing character.*|LaTeX Warning: Reference.*)$", re.MULTILINE)
FORMULAS = ["δ", "z_j^l", "a^0", "l = 1..L", "∂C/∂w_ij", "f'(z)", "γ ρ", "M_{l-1}", "|x - y| <= d", "t**2", "E(z^2)",
            "delta^2", "beta_1"]  # fmt: skip


@given(st.text(max_size=60))
def test_the_pieces_of_a_sentence_are_the_sentence(text):
    assert "".join(piece for piece, _ in split_prose(text)) == text


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("sentence", ["Here {} is meant.", "the value of {}, and no more", "({})", "It is {}."])
def test_a_formula_in_a_sentence_is_set_whole_and_the_words_stay(sentence, formula):
    found = split_prose(sentence.format(formula))
    assert any(formula in piece for piece, atoms in found if atoms)
    words = re.findall(r"[a-z]{2,}", sentence)
    assert re.findall(r"[a-z]{2,}", "".join(piece for piece, atoms in found if not atoms)) == words


@pytest.mark.parametrize(
    "sentence",
    ["K. He, X. Zhang, S. Ren", "a half of it", "I saw A and then nothing", "leaky_relu", "e.g. this, i.e. that",
     "Bélisle's", "layer 3", "F1 and BP2 of L2"],
)  # fmt: skip
def test_a_word_is_no_formula(sentence):
    assert [piece for piece, atoms in split_prose(sentence) if atoms] == []


def test_each_alphabet_sets_the_same_formula():
    assert typeset("with w_ij^l", "latex") == "with $w_{ij}^{l}$"
    assert typeset("with w_ij^l", "mathml").startswith("with <math><msubsup><mi>w</mi>")
    assert typeset("x <= kink & so on", "mathml").endswith("≤ kink &amp; so on")


def test_a_character_without_a_sign_is_refused_not_lost():
    with pytest.raises(ValueError, match="no LaTeX for the character '漢'"):
        escape_latex("漢")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_in_latex_is_ascii_with_numbered_sections_and_no_numbered_step(name):
    text = CHAPTERS[name].render("latex")
    assert text.isascii()
    assert text.count(r"\section{") == 1
    assert not re.search(r"\\begin\{(align|equation|gather|multline)\}", text)
    assert not re.search(r"(?<!\\)\\(left|right)(?=[(|.\[])", re.sub(r"\$\\displaystyle .*?\$", "", text))


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed (Debian: texlive-latex-base)")
def test_the_whole_book_compiles_without_error_lost_symbol_or_line_in_the_margin(tmp_path):
    (tmp_path / "book.tex").write_text(render((), "latex", standalone=True), encoding="ascii")
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "book.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    log = (tmp_path / "book.log").read_text(encoding="latin-1")
    assert COMPLAINTS.findall(log) == []
    assert result.returncode == 0
    assert (tmp_path / "book.pdf").stat().st_size > 100_000
