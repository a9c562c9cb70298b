"""The demo: one real network from equations to a verified, trained classifier, and one fitted function."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from markupsafe import Markup
from PIL import Image

from backprop.approximation import Approximation, approximate
from backprop.data import digits, disturb, one_hot, split
from backprop.examiner.saying.report import Report
from backprop.files import make_folder, write_atomically
from backprop.pictures import plot_approximation, plot_training
from backprop.progress import Stages
from backprop.reporting.pages.network_page import write_network_page
from backprop.reporting.pages.template import PagePart, fill
from backprop.runtime.compiled import CompiledNetwork, build
from backprop.training import accuracy, classify, cosine, fit
from backprop.verification.verify import verify_network
from backprop.version import VERSION
from theory.chapters.chapter import Chapter
from theory.chapters.networks import costs, four_equations, softmax
from theory.language.derivation import Derivation
from theory.witnesses.witness import check

__all__ = ["OVER_SPLITS", "Summary", "run_demo"]

SIZES, ACTIVATION, OUTPUT, COST = "64-32-10", "relu", "softmax", "cross-entropy"
TARGET, EPSILON, SIGMA = "exp(-x)*sin(8*pi*x)", 1e-6, "tanh"
OVER_SPLITS = "98.5 % of the held-out digits on average over 20 random splits, 97.2 % at worst"
"""One split proves little; measured by `python tests/benchmarks/digits_over_seeds.py`."""
EPOCHS, RATE = 200, 0.01
COLOURS = 128
"""Of a picture inside the page."""
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
            f"trained   reads {OVER_SPLITS};",
            f"          of the {self.test_rows} of this split {self.test_accuracy:.1%} (observed, not a result)",
            f"fitted    {self.approximation}".replace("\n", "\n          "),
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
    derive(summary, stages)
    stages.start("generate: 64-32-10 as NumPy source")
    net = build(SIZES, activation=ACTIVATION, output=OUTPUT, cost=COST)
    save(summary, "network.py", net.source)
    stages.start("verify: exact over a prime field, then numerically")
    summary.verification = verify_network(net, seed)
    report = {"network": SIZES, "version": VERSION, **summary.verification.to_dict()}
    save(summary, "verification.json", json.dumps(report, indent=2, allow_nan=False) + "\n")
    save(summary, "verification.txt", f"{summary.verification}\n")
    train(net, summary, seed, stages)
    stages.start(f"approximate: {TARGET} within {EPSILON:g}, proved")
    summary.approximation = approximate(TARGET, epsilon=EPSILON, activation=SIGMA, seed=seed, certify=True)
    plot_approximation(summary.approximation, folder / "approximation.png")
    summary.files.append("approximation.png")
    stages.start("report: index.html")
    save(summary, "index.html", make_page(summary, net))
    summary.seconds = time.perf_counter() - began
    return summary


def save(summary: Summary, name: str, text: str) -> None:
    """Write one file of the folder."""
    write_atomically(summary.folder / name, text)
    summary.files.append(name)


def derive(summary: Summary, stages: Stages) -> None:
    """Derive, re-check every step, write derivation.md."""
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


def make_page(summary: Summary, net: CompiledNetwork) -> str:
    """index.html: the page of the network, with its training and the approximation."""
    assert summary.verification is not None
    assert summary.approximation is not None
    this = f"of the {summary.test_rows} of this split it reads {summary.test_accuracy:.1%}"
    learned = f"The recipe reads {OVER_SPLITS}; {this}. The test digits were looked at once."
    pictures = [
        PagePart("training", "The training", show_picture(summary, "training.png", learned)),
        PagePart(
            "approximation", "The approximation", show_picture(summary, "approximation.png", str(summary.approximation))
        ),
        PagePart("files", "Files", list_files(summary)),
    ]
    lead = (
        f"A network {SIZES} ({ACTIVATION}, {OUTPUT}, {COST}): its equations derived, its code generated from them, "
        "the code verified, then trained on real digits."
    )
    return write_network_page(net, summary.verification, pictures, lead)


def show_picture(summary: Summary, file: str, says: str) -> Markup:
    """A picture of the folder inside the page, in fewer colours."""
    stream = BytesIO()
    Image.open(summary.folder / file).convert("RGB").quantize(COLOURS).save(stream, format="PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return fill("image", f"data:image/png;base64,{data}", says)


def list_files(summary: Summary) -> Markup:
    """Links to what else lies in the folder."""
    items: Iterator[Markup] = (Markup('<li><a href="{}">{}</a></li>').format(name, name) for name in summary.files)
    return Markup("<ul>{}</ul>").format(Markup("").join(items))
