"""The door: seven commands, words in, numbers and pictures out.

Exit status: 0 holds, 1 does not hold, 2 unusable input or undecided (one line on standard error).
The rooms behind the door are imported by the command that needs them, so that `--help` is quick.
"""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backprop import __version__
from backprop.errors import UsageError

if TYPE_CHECKING:
    from backprop.examiner.report import Report
    from backprop.network import Network

__all__ = ["app", "main"]

HOLDS, FAILS, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
MOST_VERIFIED = 10_000_000
"""Parameters of a network that `verify SIZES` takes on."""
EXIT = {"verified": HOLDS, "wrong": FAILS, "undecided": UNUSABLE, "unusable": UNUSABLE}
SIZES_PATTERN = re.compile(r"\s*\d[\d\s]*(-[\d\s]*)*")
MODULE_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_][\w.]*)?")

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""The matrices of the commands are small: threads would wait for each other (ten times slower was measured)."""

app = typer.Typer(
    name="backprop",
    help="Derive the backpropagation equations, generate the code, verify it: yours too.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """How derivations are printed."""

    text = "text"
    latex = "latex"
    markdown = "markdown"


Activation = Annotated[
    str,
    typer.Option(
        "--activation", help="Of the hidden layers: a name, an expression in x, or one for each, with commas."
    ),
]
Output = Annotated[str, typer.Option("--output", help="Activation of the last layer; softmax is possible here.")]
Cost = Annotated[str, typer.Option("--cost", help="half-sse, mse, binary-cross-entropy or cross-entropy.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Fixes every random draw.")]
Accuracy = Annotated[
    str, typer.Option("--accuracy", help="Of the activations: fast, or full (every digit, several times slower).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def show_version(wanted: bool) -> None:
    """--version"""
    if wanted:
        typer.echo(f"backprop {__version__}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Derive the backpropagation equations, generate the code, verify it: yours too."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the report; made if it is missing.")] = Path(
        "backprop-demo"
    ),
    seed: Seed = 0,
) -> None:
    """Everything once: derive, generate, verify, train on real digits, approximate; leaves a folder to open."""
    from backprop.reporting.demo import run_demo
    from backprop.reporting.progress import show_stages

    with show_stages() as stages:
        summary = run_demo(out, seed=seed, stages=stages)
    typer.echo(str(summary))
    raise typer.Exit(HOLDS if summary.ok else FAILS)


@app.command()
def derive(
    topics: Annotated[list[str] | None, typer.Argument(metavar="[TOPIC]...", help="Chapters; all if none.")] = None,
    form: Annotated[Format, typer.Option("--format", help="For a terminal, a paper or a page.")] = Format.text,
) -> None:
    """Print the derivations: the four equations, costs, softmax, activations."""
    from theory.book import TopicError, render

    try:
        text = render(topics or (), form.value)
    except TopicError as error:
        raise UsageError(str(error)) from None
    typer.echo(text, nl=False)


@app.command()
def generate(
    sizes: Annotated[
        str, typer.Argument(metavar="SIZES", help="Units of every layer, e.g. 784-100-100-10, or FILE.json.")
    ],
    activation: Activation = "sigmoid",
    output: Output = "identity",
    cost: Cost = "half-sse",
    accuracy: Accuracy = "fast",
    target: Annotated[str, typer.Option("--target", help="numpy or jax.")] = "numpy",
    file: Annotated[Path | None, typer.Option("-o", help="File to write; standard output if not given.")] = None,
) -> None:
    """Print the module of a network, for NumPy or for JAX: forward pass, cost, gradients."""
    from backprop.files import write_atomically

    source = write_source(read_target(sizes, activation, output, cost), read_accuracy(accuracy), target)
    if file is None:
        typer.echo(source, nl=False)
    else:
        write_atomically(file, source)
        typer.echo(f"wrote {file}; check it with: backprop verify {file}", err=True)


@app.command()
def verify(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[TARGET]", help="SIZES, FILE.json, FILE.py, a folder, or package.module[:object]."),
    ] = None,
    activation: Activation = "sigmoid",
    output: Output = "identity",
    cost: Cost = "half-sse",
    random: Annotated[int | None, typer.Option("--random", help="Verify this many random networks instead.")] = None,
    accuracy: Accuracy = "fast",
    certify: Annotated[
        bool, typer.Option("--certify", help="SIZES: bound the error of the gradient in ball arithmetic as well.")
    ] = False,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that one subject may take.")] = 60.0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Subjects of a folder that run at once.")] = 1,
    list_causes: Annotated[bool, typer.Option("--list-causes", help="Print the mistakes it names.")] = False,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Say whether a backward pass is right and, if not, which equation in which layer is wrong.

    The code of a FILE or module is run, not sandboxed, in a process of its own with a time limit.
    """
    if list_causes:
        finish_causes(as_json)
    if random is not None:
        if target is not None:
            raise UsageError(f"--random draws its own networks, got TARGET {target!r} as well; leave one of them out")
        finish_random(random, seed, as_json)
    if not target:
        raise UsageError("no TARGET; give SIZES such as 64-32-10, a FILE.py, package.module, or --random N")
    if not 0 < timeout < math.inf:
        raise UsageError(f"--timeout must be a positive number of seconds, got {timeout:g}")
    if SIZES_PATTERN.fullmatch(target) or target.endswith(".json"):
        network = read_target(target, activation, output, cost)
        finish_sizes(network, seed, as_json, target, read_accuracy(accuracy), certify)
    if certify:
        raise UsageError(f"--certify needs SIZES such as 64-32-10 with known activations, got {target!r}")
    if Path(target).is_dir():
        finish_folder(Path(target), seed, timeout, jobs, as_json)
    check_target(target)
    from backprop.explanation import verify_file

    finish_report(verify_file(target, seed=seed, timeout=timeout), as_json)


@app.command()
def approximate(
    expression: Annotated[
        str,
        typer.Argument(
            metavar="EXPRESSION", help="A function of x, e.g. 'sin(2*pi*x)', or a name, e.g. runge, planck."
        ),
    ],
    width: Annotated[int | None, typer.Option("--width", help="Number of hidden units.")] = None,
    epsilon: Annotated[float | None, typer.Option("--epsilon", help="Grow until the error is below this.")] = None,
    activation: Annotated[
        str | None,
        typer.Option("--activation", help="A name or an expression in x; left out: tanh, sigmoid for constructive."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="fit; constructive: the network of the proof; adam: plain training.")
    ] = "fit",
    domain: Annotated[tuple[float, float], typer.Option("--domain", help="Ends of the interval.")] = (0.0, 1.0),
    certify: Annotated[bool, typer.Option("--certify", help="Prove the error on the whole interval.")] = False,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="JSON file for the proof; see check-certificate.")
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Picture to write (.png, .pdf, .svg).")] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit a network of one hidden layer to a function of one variable; the error is measured on a dense grid, or
    proved with --certify."""
    from backprop.approximation import approximate_by
    from backprop.files import write_atomically

    result = approximate_by(
        method,
        expression,
        width=width,
        activation=activation,
        domain=domain,
        seed=seed,
        epsilon=epsilon,
        certify=certify or certificate is not None,
    )
    if certificate is not None:
        write_atomically(certificate, json.dumps(result.to_dict(), allow_nan=False, indent=1) + "\n")
    if plot is not None:
        from backprop.plots import plot_approximation

        plot_approximation(result, plot)
    typer.echo(json.dumps(result.to_dict(), allow_nan=False) if as_json else str(result))
    raise typer.Exit(HOLDS if result.reached else FAILS)


@app.command(name="check-certificate")
def check_certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What approximate --certificate wrote.")],
    as_json: Json = False,
) -> None:
    """Check a saved proof again, in other arithmetic and with nothing of the prover."""
    from backprop.approximation.checking import check_certificate as check
    from backprop.reporting.progress import show_count

    with show_count("boxes", plain=False) as progress:
        verdict = check(file, progress)
    typer.echo(json.dumps(verdict.to_dict(), allow_nan=False) if as_json else str(verdict))
    raise typer.Exit(HOLDS if verdict.ok else FAILS)


@app.command()
def figures(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="What is drawn: approximation.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures; made if it is missing.")] = Path(
        "backprop-figures"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Few and small networks: seconds instead of minutes.")] = False,
) -> None:
    """Compute and draw the figures of universal approximation: errors, bounds, limits, least widths, an animation."""
    from backprop.errors import unknown_name
    from backprop.reporting.gallery import FULL, QUICK, draw_approximation_figures
    from backprop.reporting.progress import show_stages

    if topic != "approximation":
        raise unknown_name("topic", topic, ["approximation"])
    with show_stages() as stages:
        files = draw_approximation_figures(out, QUICK if quick else FULL, stages)
    for file in files:
        typer.echo(file)


def read_network(sizes: str, activation: str, output: str, cost: str) -> Network:
    """The specification from the words of the command line."""
    from backprop.network import Network

    names = split_names(activation)
    return Network.parse(sizes, names[0] if len(names) == 1 else names, output, cost)


def read_target(target: str, activation: str, output: str, cost: str) -> Network:
    """The specification from SIZES and options, or from a JSON file, which states everything itself."""
    if not target.endswith(".json"):
        return read_network(target, activation, output, cost)
    if (activation, output, cost) != ("sigmoid", "identity", "half-sse"):
        raise UsageError(f"{target!r} states its activations and its cost itself; leave --activation, --output and "
                         "--cost out")  # fmt: skip
    from backprop.specification import read_specification_file

    return read_specification_file(target)


def split_names(text: str) -> list[str]:
    """Split at commas outside parentheses: "relu,max(x,0)" has two parts."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def check_target(target: str) -> None:
    """A file that exists, or a name that can be a module."""
    looks_like_file = target.endswith(".py") or "/" in target or os.sep in target
    if Path(target).is_file():
        return
    if looks_like_file or not MODULE_PATTERN.fullmatch(target):
        shown = target if len(target) <= 80 else target[:77] + "..."
        raise UsageError(
            f"no file {shown!r} to verify; give SIZES such as 64-32-10, an existing FILE.py or package.module[:object]"
        )


def finish_report(report: Report, as_json: bool) -> None:
    """Print a report and leave with its status."""
    if as_json:
        typer.echo(json.dumps(report.to_dict(), allow_nan=False))
    elif report.verdict != "unusable":
        typer.echo(str(report))
    if report.verdict == "unusable":
        typer.echo(f"error: {' '.join(' '.join(report.notes).split()) or report.subject}", err=True)
    elif report.verdict == "undecided":
        typer.echo(f"undecided: {report.subject}: the oracle could not measure the derivative sharply enough", err=True)
    raise typer.Exit(EXIT[report.verdict])


def write_source(network: Network, accuracy: Any, target: str) -> str:
    """The module's text for an array library."""
    from backprop.errors import unknown_name
    from backprop.runtime.compiled import build

    net = build(network, accuracy=accuracy)
    if target == "numpy":
        return net.source
    if target != "jax":
        raise unknown_name("target", target, ["numpy", "jax"])
    if accuracy != "fast":
        raise UsageError(f"--target jax has the fast formulas only, got --accuracy {accuracy}; leave it out")
    from backprop.codegen.emit_jax import emit_jax

    return emit_jax(network, net.program)


def read_accuracy(word: str) -> Any:
    """The choice of formulas from the words of the command line."""
    from backprop.codegen.elementwise import check_accuracy

    return check_accuracy(word)


def finish_sizes(network: Network, seed: int, as_json: bool, target: str, accuracy: Any, certify: bool) -> None:
    """Verify the generated code of a network."""
    from backprop.runtime.compiled import CompiledNetwork
    from backprop.verification import add_certificates, verify_network

    net = CompiledNetwork(network, accuracy)
    if net.size > MOST_VERIFIED:
        raise UsageError(f"{target} has {net.size:,} parameters; at most {MOST_VERIFIED:,} are verified; use smaller "
                         "layers: the wiring does not depend on their sizes")  # fmt: skip
    report = verify_network(net, seed)
    if certify:
        report = add_certificates(report, net, seed)
    if target.endswith(".json"):
        report = replace(report, reproduce=shlex.join(["backprop", "verify", target, "--seed", str(seed)]))
    finish_report(report, as_json)


def finish_random(count: int, seed: int, as_json: bool) -> None:
    """Verify random networks, with progress."""
    from backprop.reporting.progress import show_count
    from backprop.verification import verify_random

    with show_count("networks") as progress:
        run = verify_random(count, seed=seed, progress=progress)
    typer.echo(json.dumps(run.to_dict(), allow_nan=False) if as_json else str(run))
    raise typer.Exit(HOLDS if run.ok else FAILS)


def finish_causes(as_json: bool) -> None:
    """Print the table of mistakes."""
    from backprop.diagnosis.catalogue import list_causes

    rows = [cause.to_dict() for cause in list_causes()]
    if as_json:
        typer.echo(json.dumps({"causes": rows}))
    else:
        for row in rows:
            typer.echo(f"{row['identifier']}  ({row['equation']})\n    {row['sentence']}")
    raise typer.Exit(HOLDS)


def finish_folder(folder: Path, seed: int, timeout: float, jobs: int, as_json: bool) -> None:
    """Grade every submission of a folder; 1 if one is wrong, 2 if one is unusable or undecided and none is wrong."""
    from backprop.grading import grade_folder
    from backprop.reporting.grades import print_grades
    from backprop.reporting.progress import show_count

    with show_count("subjects", plain=False) as progress:
        grades = grade_folder(folder, seed=seed, timeout=timeout, jobs=jobs, progress=progress)
    if as_json:
        typer.echo(json.dumps(grades.to_dict(), allow_nan=False))
    else:
        print_grades(grades)
    codes = {EXIT[report.verdict] for report in grades.reports.values()}
    raise typer.Exit(FAILS if FAILS in codes else max(codes, default=UNUSABLE))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; every expected failure is one line on standard error and a status."""
    for variable in THREADS:
        os.environ.setdefault(variable, "1")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code: Any = app(args=argv, standalone_mode=False)
    except UsageError as error:
        return complain(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return HOLDS
    except MemoryError:
        return complain("not enough memory for this; use smaller layers or a smaller batch")
    except OSError as error:
        return complain(
            f"{error.strerror or error}: {error.filename or 'output'}; choose another place or free some space"
        )
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is None:
            if type(error).__name__ == "Abort":
                sys.stderr.write("interrupted\n")
                return INTERRUPTED
            raise
        return complain(f"{message()} Try 'backprop --help'.")
    if code == INTERRUPTED:
        sys.stderr.write("interrupted\n")
    return code if isinstance(code, int) else HOLDS


def complain(message: str) -> int:
    """One line on standard error; exit status 2."""
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return UNUSABLE
