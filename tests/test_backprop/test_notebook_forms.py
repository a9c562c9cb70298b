"""What a notebook shows of an object is what it says, not its fields."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

import backprop
from backprop.approximation.checking.boxes import Verdict
from backprop.examiner.saying.report import Report
from backprop.formulas.check import check_formula
from backprop.verification.verify import certify_network
from theory.chapters.book import CHAPTERS
from theory.chapters.networks.four_equations import derive
from theory.language.derivation import Derivation
from theory.language.latex_text import wrap_document

PDFLATEX = shutil.which("pdflatex")


def test_a_report_and_an_answer_are_their_text_with_html_signs_escaped():
    report = Report("unusable", "a<b.py", notes=("no function 'cost'",))
    assert "a&lt;b.py" in report._repr_html_()
    answer = check_formula("tanh'(x) = 1 - tanh(x)^2")
    assert "holds" in answer._repr_html_()
    assert answer._repr_markdown_().startswith("```text\nholds")


def test_a_chapter_and_its_derivations_are_typeset():
    chapter = CHAPTERS["four_equations"]
    assert chapter._repr_html_() == chapter.render("html")
    assert chapter._repr_markdown_().startswith("## ")
    derivation = next(section for section in chapter.sections() if isinstance(section, Derivation))
    assert derivation._repr_html_() == derivation.to_html()
    assert derivation._repr_markdown_() == derivation.to_markdown()
    assert derivation._repr_latex_() == f"${derivation.equation('latex')}$"


def test_a_network_is_its_source_and_an_activation_its_formulas():
    network = backprop.build("2-2-1")
    assert network.source in network._repr_markdown_()
    assert r"\tanh" in backprop.activation("tanh")._repr_latex_()


def test_an_approximation_is_its_text():
    found = backprop.approximate("x", width=2, activation="relu", certify=True)
    assert escape(str(found)) in found._repr_html_()


SHOWN = {
    "report": lambda: Report("unusable", "a<b.py", notes=("no function 'cost'",)),
    "answer": lambda: check_formula("tanh'(x) = 1 - tanh(x)^2"),
    "network": lambda: backprop.Network.parse("2-2-1"),
    "compiled network": lambda: backprop.build("2-2-1"),
    "approximation": lambda: backprop.approximate("x", width=2, activation="relu"),
    "proof": lambda: backprop.approximate("x", width=2, activation="relu", certify=True).certificate,
    "certificate of a gradient": lambda: certify_network(backprop.build("2-2-1")),
    "checked certificate": lambda: Verdict(True, 1e-3, 1e-4, 3, subject="|F - f|"),
    "history": lambda: backprop.fit(backprop.build("2-2-1"), *backprop.build("2-2-1").module.data(RNG, 8), epochs=2),
    "activation": lambda: backprop.activation("gelu"),
    "chapter": lambda: CHAPTERS["costs"],
    "derivation": lambda: derive()["BP2"],
}
RNG = np.random.default_rng(0)


FORMS = ("_repr_html_", "_repr_markdown_", "_repr_latex_")


@pytest.mark.parametrize("what", SHOWN)
def test_a_notebook_never_shows_fields_of_a_class_or_the_address_of_a_function(what):
    shown = SHOWN[what]()
    for text in (getattr(shown, name)() for name in FORMS):
        assert text.strip()
        assert " at 0x" not in text
        plain = text.removeprefix("<pre>").removeprefix("```text\n")
        assert not plain.startswith((f"{type(shown).__name__}(verdict", "ElementwiseActivation(", "History("))


class Balanced(HTMLParser):
    """Every tag that is opened is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("what", SHOWN)
def test_every_form_is_one_that_its_reader_takes(what):
    shown = SHOWN[what]()
    html, markdown, latex = (getattr(shown, name)() for name in FORMS)
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    assert markdown.count("```") % 2 == 0
    bare = "" if latex.startswith(r"\begin{verbatim}") else re.sub(r"\\\\|\\[{}$]", "", latex)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert bare.count(r"\begin") == bare.count(r"\end")


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed (Debian: texlive-latex-base)")
def test_the_latex_forms_compile(tmp_path):
    body = "\n\n".join(
        SHOWN[what]()._repr_latex_() for what in ("network", "compiled network", "activation", "derivation", "report")
    )
    assert body.isascii()
    (tmp_path / "forms.tex").write_text(wrap_document(body, "Forms"), encoding="utf-8")
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "forms.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-800:]
