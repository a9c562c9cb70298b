"""The demo: one real network from equations to a verified, trained classifier, and one fitted function."""

from __future__ import annotations

import inspect
import json
import re
import time
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from backprop.approximation import Approximation, approximate
from backprop.codegen.lowering.lower import output_error_of
from backprop.data import digits, disturb, one_hot, split
from backprop.examiner.saying.report import Report
from backprop.files import make_folder, write_atomically
from backprop.pictures import plot_approximation, plot_training
from backprop.progress import Stages
from backprop.reporting.page import (
    Picture,
    fold,
    write_assurance,
    write_equations,
    write_page,
    write_picture,
    write_section,
    write_sentence,
    write_text,
)
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.training import accuracy, classify, cosine, fit
from backprop.verification.verify import verify_network
from backprop.version import VERSION
from theory.chapters.chapter import Chapter
from theory.chapters.networks import costs, four_equations, softmax
from theory.language.derivation import Derivation
from theory.language.printing import show
from theory.witnesses.witness import check

__all__ = ["Summary", "run_demo"]

SIZES, ACTIVATION, OUTPUT, COST = "64-32-10", "relu", "softmax", "cross-entropy"
TARGET, WIDTH, SIGMA = "exp(-x)*sin(8*pi*x)", 16, "tanh"
EPOCHS, RATE = 200, 0.01
CHAPTERS: tuple[Chapter, ...] = (four_equations.CHAPTER, costs.CHAPTER, softmax.CHAPTER)


@dataclass
class Summary:
    """What the demo did, in figures."""

    folder: Path
    files: list[str] = field(default_factory=list)
    steps: int = 0
    equations: int = 0
    verification: Report | None = None
    test_accuracy: float = 0.0
    test_rows: int = 0
    approximation: Approximation | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Did every derivation and the network hold?"""
        return self.verification is not None and self.verification.ok

    def __str__(self) -> str:
        assert self.verification is not None
        assert self.approximation is not None
        exact = self.verification.evidence["exact"]
        lines = [
            f"derived   {self.equations} equations in {self.steps} steps, each re-checked by the witness",
            f"exact     the wiring of network.py: {exact['parameters']} parameters, for arbitrary f and f'; "
            f"false pass <= {exact['false_pass_bound']:.0e}",
            f"tested    the gradient of {SIZES} against differences and complex step: {self.verification.verdict}",
            f"trained   {self.test_accuracy:.2%} of {self.test_rows} held-out digits read correctly (observed)",
            f"fitted    {TARGET}: {WIDTH} {SIGMA} units, largest error {self.approximation.sup_error:.1e} "
            "on a dense grid (not a bound)",
            f"wrote     {len(self.files)} files in {self.seconds:.0f} s; open {self.folder / 'index.html'}",
        ]
        return "\n".join(lines)


def run_demo(folder: Path, *, seed: int, stages: Stages) -> Summary:
    """Do everything and fill the folder; files that are there already are replaced.

    Errors: UsageError if the folder cannot be made or written.
    """
    began = time.perf_counter()
    make_folder(folder)
    summary = Summary(folder)
    derivations = derive(summary, stages)
    stages.start("generate: 64-32-10 as NumPy source")
    net = build(SIZES, activation=ACTIVATION, output=OUTPUT, cost=COST)
    save(summary, "network.py", net.source)
    stages.start("verify: exact over a prime field, then numerically")
    summary.verification = verify_network(net, seed)
    report = {"network": SIZES, "version": VERSION, **summary.verification.to_dict()}
    save(summary, "verification.json", json.dumps(report, indent=2, allow_nan=False) + "\n")
    save(summary, "verification.txt", f"{summary.verification}\n")
    train(net, summary, seed, stages)
    stages.start(f"approximate: {TARGET} by {WIDTH} {SIGMA} units")
    summary.approximation = approximate(TARGET, width=WIDTH, activation=SIGMA, seed=seed)
    plot_approximation(summary.approximation, folder / "approximation.png")
    summary.files.append("approximation.png")
    stages.start("report: index.html")
    save(summary, "index.html", make_page(summary, net, derivations))
    summary.seconds = time.perf_counter() - began
    return summary


def save(summary: Summary, name: str, text: str) -> None:
    """Write one file of the folder."""
    write_atomically(summary.folder / name, text)
    summary.files.append(name)


def derive(summary: Summary, stages: Stages) -> list[str]:
    """Derive, re-check every step, write derivation.md; returns the chapters as HTML."""
    stages.start("derive: the four equations, costs, softmax; every step re-checked by the witness")
    derivations = [s for chapter in CHAPTERS for s in chapter.sections() if isinstance(s, Derivation)]
    for done, derivation in enumerate(derivations, start=1):
        wrong = check(derivation)
        if wrong:
            raise RuntimeError(f"the witness refutes {derivation.label}, step {wrong[0].rule!r}")
        summary.steps += len(derivation.steps)
        stages.advance(done, len(derivations), derivation.label)
    summary.equations = len(derivations)
    head = f"# The derivation\n\nAll {summary.steps} steps were re-checked by the witness over GF(2^61 - 1).\n\n"
    save(summary, "derivation.md", head + "\n".join(chapter.render("markdown") for chapter in CHAPTERS))
    return [demote(chapter.render("html")) for chapter in CHAPTERS]


def demote(html: str) -> str:
    """A chapter that can be unfolded."""
    title = re.search(r"<h2[^>]*>(.*?)</h2>", html)
    name = unescape(title.group(1)) if title else "all"
    return fold(f"Derivation: {name}", html[title.end() :] if title else html)


def train(net: CompiledNetwork, summary: Summary, seed: int, stages: Stages) -> None:
    """Train on the digits: the test part is looked at once, at the end."""
    stages.start("train: 64-32-10 on 1,797 real handwritten digits")
    X, labels = digits()
    parts = split(X, one_hot(labels), seed=seed, stratify=labels)

    def progress(done: int, whole: int, cost: float, share: float | None) -> None:
        note = f"cost {cost:.4f}" + ("" if share is None else f", validation {share:.1%}")
        stages.advance(done, whole, note)

    history = fit(
        net, parts.train.X, parts.train.Y, rate=cosine(RATE), epochs=EPOCHS, seed=seed,
        validation=(parts.validation.X, parts.validation.Y), augment=disturb, progress=progress,
    )  # fmt: skip
    test_labels: Any = labels[parts.test.rows]
    summary.test_accuracy = accuracy(net, history.theta, parts.test.X, test_labels)
    summary.test_rows = len(test_labels)
    plot_training(
        history, summary.folder / "training.png", title=f"{SIZES} on real handwritten digits",
        cost="cross-entropy, mean over samples", test_accuracy=summary.test_accuracy, images=parts.test.X,
        labels=test_labels, predictions=classify(net, history.theta, parts.test.X),
    )  # fmt: skip
    summary.files.append("training.png")


def make_page(summary: Summary, net: CompiledNetwork, chapters: list[str]) -> str:
    """index.html"""
    assert summary.verification is not None
    assert summary.approximation is not None
    facts = [
        (f"{summary.steps}", f"steps in {summary.equations} derivations, each re-checked"),
        (f"{net.size:,}", "parameters, their wiring checked exactly"),
        (f"{summary.test_accuracy:.1%}", f"of {summary.test_rows} held-out digits read correctly"),
        (f"{summary.approximation.sup_error:.1e}", f"largest grid error of {WIDTH} {SIGMA} units"),
    ]
    training = Picture("The training", "training.png", "The gradient above in use. The test digits were read once.")
    fitted = Picture("The approximation", "approximation.png", f"{summary.approximation}.")
    sections = [
        write_section(
            "1. The equations",
            write_sentence(
                "Derived for any depth, width, activation and cost; here for a batch of n samples. "
                "Every step was re-checked on random networks by a witness that knows no rule.", "derivation.md"
            ),
            write_equations(list_equations()),
            *chapters,
        ),
        write_section(
            "2. The code",
            write_sentence("Printed from those equations; this very text was verified.", "network.py"),
            write_text(inspect.getsource(net.module.gradients)),
            fold("The whole module", write_text(net.source)),
        ),
        write_section(
            "3. The verification",
            write_sentence("The examiner shares no code with the generator.", "verification.json", "verification.txt"),
            write_text(str(summary.verification)),
        ),
        write_picture(4, training),
        write_picture(5, fitted),
        write_section("6. What each word claims", write_assurance()),
    ]  # fmt: skip
    lead = (
        f"A network {SIZES} ({ACTIVATION}, {OUTPUT}, {COST}): its equations derived, its code generated from them, "
        "the code verified, then trained on real digits."
    )
    return write_page("From equations to a verified classifier", lead, facts, sections)


def list_equations() -> list[tuple[str, str]]:
    """F1 to BP4 for this network's batch as (label, MathML)."""
    forward = four_equations.forward_matrix_form()
    left = {
        "F1": "Z", "F2": "A", "BP1": "Δ", "BP2": "Δ", "BP3": "∂C/∂b", "BP4": "∂C/∂W",
    }  # fmt: skip
    right = {
        **forward,
        "BP1": output_error_of(OUTPUT, COST),
        **{label: four_equations.derive_matrix_form(label).result.matrix for label in ("BP2", "BP3", "BP4")},
    }
    layer = {label: "L" if label == "BP1" else "l" for label in left}
    return [
        (label, f"<msup><mi>{left[label]}</mi><mi>{layer[label]}</mi></msup><mo>=</mo>{show(value, 'mathml')}")
        for label, value in right.items()
    ]
