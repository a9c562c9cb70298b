"""The door: the commands, words in, numbers and pictures out.

Exit status: 0 holds, 1 does not hold, 2 unusable input or undecided (one line on standard error).
The rooms behind the door are imported by the command that needs them, so that `--help` is quick.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from backprop.door.approximating import find_network, finish_approximation, write_page
from backprop.door.commands import (
    FAILS,
    HOLDS,
    SIZES_OPTIONS,
    UNUSABLE,
    check_folder_name,
    print_result,
    read_accuracy,
    read_target,
    write_source,
)
from backprop.door.drawing import draw
from backprop.door.explaining import explain
from backprop.door.files import Telling, finish_attach, is_file, refuse_for_files_only
from backprop.door.formulas import check_formula
from backprop.door.notations import Notation, list_topics, read_notation
from backprop.door.reporting import report
from backprop.door.verifying import (
    Wanted,
    finish_causes,
    finish_random,
    finish_target,
)
from backprop.errors import INTERRUPTED, UsageError
from backprop.version import VERSION

__all__ = ["app", "main"]


THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""The matrices of the commands are small: threads would wait for each other (ten times slower was measured)."""

app = typer.Typer(
    name="backprop",
    help="Derive the backpropagation equations, generate the code, verify it: yours too.",
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
FileCost = Annotated[
    str | None,
    typer.Option(
        "--cost",
        help="SIZES: half-sse, mse, binary-cross-entropy or cross-entropy. FILE: a name in it, or one of these.",
    ),
]
Owner = Annotated[str | None, typer.Option("--class", help="FILE: the class that is meant.")]
FunctionName = Annotated[str | None, typer.Option("--function", help="FILE: the function in which it trains.")]
DataNames = Annotated[str | None, typer.Option("--data", help="FILE: names of inputs and targets in it, e.g. X,Y.")]
Begin = Annotated[int | None, typer.Option("--begin", min=1, help="FILE: first line of the iteration.")]
End = Annotated[int | None, typer.Option("--end", min=1, help="FILE: last line of the iteration.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Fixes every random draw.")]
Accuracy = Annotated[
    str, typer.Option("--accuracy", help="Of the activations: fast, or full (every digit, several times slower).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def show_version(wanted: bool) -> None:
    """--version"""
    if wanted:
        typer.echo(f"backprop {VERSION}")
        raise typer.Exit


def leave(status: int, **_: Any) -> None:
    """A command returns its status; here it becomes that of the program."""
    raise typer.Exit(status)


@app.callback(result_callback=leave)
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
) -> int:
    """Everything once: derive, generate, verify, train on real digits, approximate; leaves a folder to open.

    Example: backprop demo --out my-demo
    """
    from backprop.progress import show_stages
    from backprop.reporting.demo import run_demo

    check_folder_name(out)
    with show_stages() as stages:
        summary = run_demo(out, seed=seed, stages=stages)
    typer.echo(str(summary))
    return HOLDS if summary.ok else FAILS


@app.command()
def derive(
    topics: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TOPIC]...", help="Chapters; all if none.", autocompletion=list_topics),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="For a terminal, a paper or a page.")] = Format.text,
    standalone: Annotated[
        bool, typer.Option("--standalone", help="--format latex: a whole document, not a fragment for amsmath.")
    ] = False,
    notation: Notation = None,
) -> int:
    """Print the derivations. Topics: rules, four_equations, costs, softmax, activations, batch_norm, layer_norm,
    gates, prelu, dropout, residual, penalties, recurrent, lstm, gru, derivatives, initialisation, optimisers,
    universal_approximation, lecture.

    Example: backprop derive four_equations --format latex --standalone > book.tex

    Example: backprop derive four_equations --notation nielsen
    """
    from theory.chapters.book import TopicError, render

    read_notation(notation or "lecture")
    if standalone and form is not Format.latex:
        raise UsageError(f"--standalone is for --format latex, got --format {form.value}; leave it out")
    try:
        text = render(topics or (), form.value, standalone=standalone, notation=notation)
    except TopicError as error:
        raise UsageError(str(error)) from None
    typer.echo(text, nl=False)
    return HOLDS


@app.command()
def generate(
    sizes: Annotated[
        str, typer.Argument(metavar="SIZES", help="Units of every layer, e.g. 784-100-100-10, or FILE.json.")
    ],
    activation: Activation = SIZES_OPTIONS["--activation"],
    output: Output = SIZES_OPTIONS["--output"],
    cost: Cost = SIZES_OPTIONS["--cost"],
    accuracy: Accuracy = SIZES_OPTIONS["--accuracy"],
    target: Annotated[
        str, typer.Option("--target", help="numpy, jax; for sequences recurrent, lstm, gru, gru_before.")
    ] = "numpy",
    file: Annotated[Path | None, typer.Option("-o", help="File to write; standard output if not given.")] = None,
) -> int:
    """Print the module of a network, for NumPy or JAX, or of one over time: forward pass, cost, gradients.

    Example: backprop generate 4-3-2 --activation tanh -o network.py
    """
    from backprop.files import write_atomically

    source = write_source(read_target(sizes, activation, output, cost), read_accuracy(accuracy), target)
    if file is None:
        typer.echo(source, nl=False)
    else:
        write_atomically(file, source)
        typer.echo(f"wrote {file}; check it with: backprop verify {shlex.quote(str(file))}", err=True)
    return HOLDS


@app.command()
def verify(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[TARGET]", help="SIZES, FILE.json, FILE.py, a folder, or package.module[:object]."),
    ] = None,
    activation: Activation = SIZES_OPTIONS["--activation"],
    output: Output = SIZES_OPTIONS["--output"],
    cost: FileCost = None,
    owner: Owner = None,
    function: FunctionName = None,
    data: DataNames = None,
    begin: Begin = None,
    end: End = None,
    random: Annotated[int | None, typer.Option("--random", help="Verify this many random networks instead.")] = None,
    accuracy: Accuracy = SIZES_OPTIONS["--accuracy"],
    certify: Annotated[
        bool, typer.Option("--certify", help="SIZES: bound the error of the gradient in ball arithmetic as well.")
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            help="Seconds for the code of a file or module; a minute without waiting for a processor if not said.",
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Subjects or networks that run at once; usually all processors.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Folder: graded by the workers of this Dask scheduler, HOST:PORT."),
    ] = None,
    list_causes: Annotated[bool, typer.Option("--list-causes", help="Print the mistakes it names.")] = False,
    hint: Annotated[str, typer.Option("--hint", help="How much is told: verdict, place, line or mend.")] = "mend",
    annotate: Annotated[
        bool, typer.Option("--annotate", help="FILE.py: print the backward pass, each line with what its value is.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="FILE.py: print the mend as a unified diff only.")] = False,
    mend: Annotated[Path | None, typer.Option("--mend", help="FILE.py: write a mended copy to this new file.")] = None,
    form: Annotated[
        str, typer.Option("--format", help="text, json, sarif, junit, github, csv or gradescope.")
    ] = "text",
    rubric: Annotated[
        Path | None,
        typer.Option("--rubric", help="FILE, folder: a TOML file of points; see backprop/reporting/README.md."),
    ] = None,
    feedback: Annotated[
        Path | None, typer.Option("--feedback", help="Folder: write an HTML page for each program into this one.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> int:
    """Say whether a backward pass is right and, if not, which equation in which layer is wrong.

    Examples:

    backprop verify my_code.py

    backprop verify 64-32-10 --activation relu --output softmax --cost cross-entropy

    backprop verify submissions/ --rubric rubric.toml --feedback pages

    A FILE.py or FILE.ipynb is taken as it is: the iteration by which it trains is found and examined (attach writes
    that down). A subject has the functions parameters, data, cost and gradients (or fun, grad, theta0); torch modules,
    JAX functions, scikit-learn networks and network classes are wrapped by backprop.subject_from_torch, _jax, _sklearn
    and _network, functions of your own by subject_from_functions. Its code is run, not sandboxed, in a process of its
    own with a time limit. FILE.json states a network: {"format": "backprop network 1", "inputs": 4,
    "layers": [{"kind": "Dense", "units": 3, "activation": "relu"}], "cost": "mse"};
    backprop.specification.json_form writes it.
    """
    if list_causes:
        return finish_causes(as_json)
    words = {"cost": cost, "owner": owner, "function": function, "data": data, "begin": begin, "end": end}
    attaching = {name: word for name, word in words.items() if word is not None} if is_file(target) else {}
    if not is_file(target):
        refuse_for_files_only({name: word for name, word in words.items() if name != "cost"}, target)
    cost = SIZES_OPTIONS["--cost"] if cost is None or is_file(target) else cost
    options = {"--activation": activation, "--output": output, "--cost": cost, "--accuracy": accuracy}
    telling = Telling(hint, "json" if as_json else form, annotate, diff, mend, rubric, feedback)
    telling.check(target)
    about_sizes = {k: v for k, v in options.items() if v != SIZES_OPTIONS[k]}
    asked = Wanted(seed, telling.form == "json", timeout, jobs, certify, about_sizes, telling, attaching, cluster)
    if random is not None:
        return finish_random(random, target, asked)
    return finish_target(target, accuracy, asked)


@app.command()
def attach(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .py file or a notebook, as it is.")],
    out: Annotated[Path, typer.Option("-o", help="The subject to write: a new file.")],
    cost: FileCost = None,
    owner: Owner = None,
    function: FunctionName = None,
    data: DataNames = None,
    begin: Begin = None,
    end: End = None,
) -> int:
    """Write down what verify takes for what in a file as it is: a short subject, to be read and edited.

    Example: backprop attach train.py -o subject.py
    """
    options = {"cost": cost, "owner": owner, "function": function, "data": data, "begin": begin, "end": end}
    return finish_attach(file, out, options)


@app.command()
def approximate(
    expression: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A function of x, e.g. 'sin(2*pi*x)', of x and y, of x, y, z …; a name, e.g. runge; or data.csv.",
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
    domain: Annotated[
        tuple[float, float] | None,
        typer.Option("--domain", help="Ends of the interval, for x and y alike; 0 1 or that of the data if not given."),
    ] = None,
    certify: Annotated[
        bool | None,
        typer.Option(
            "--certify/--no-certify",
            help="Prove the error on the whole domain; so it is if not said for a function with an epsilon.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="JSON file for the proof; see check-certificate.")
    ] = None,
    continued: Annotated[
        bool, typer.Option("--continue", help="Where F has no value, as sin(x)/x at 0, its limit is meant.")
    ] = False,
    derivative: Annotated[
        bool, typer.Option("--derivative", help="Prove a bound of |F' - f'| too, on the whole domain.")
    ] = False,
    measure: Annotated[
        str | None, typer.Option("--measure", help="A density p(x): fit and prove the root of the mean square error.")
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Picture to write (.png, .pdf, .svg).")] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="HTML page to write: drag the width or the error (functions of x).")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> int:
    """Fit a network of one hidden layer to a function of one variable or more, or to data; with an epsilon
    it grows until its error is proved to be below, at every point. Other errors are measured on a dense grid (at the
    data) unless --certify is given; data prove nothing.

    Example: backprop approximate "sin(2*pi*x)" --epsilon 1e-3 --plot sine.png
    """
    from backprop.files import write_atomically

    asked: dict[str, Any] = {"width": width, "epsilon": epsilon, "seed": seed, "activation": activation}
    asked |= {"domain": domain, "certify": certify, "certificate": certificate, "continued": continued}
    asked |= {"derivative": derivative, "measure": measure, "method": method, "plot": plot, "page": page}
    result = find_network(expression, asked)
    if certificate is not None:
        write_atomically(certificate, json.dumps(result.to_dict(), allow_nan=False, indent=1) + "\n")
    if page is not None:
        write_page(result, page, seed)
    return finish_approximation(result, plot, as_json)


@app.command(name="check-certificate")
def check_certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What approximate --certificate wrote.")],
    timeout: Annotated[
        float | None, typer.Option("--timeout", help="Seconds that the check may take; a minute if not said.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Check a saved proof again, in other arithmetic and with nothing of the prover.

    Example: backprop check-certificate proof.json
    """
    from backprop.approximation.checking import SECONDS
    from backprop.approximation.checking import check_certificate as check
    from backprop.progress import show_count

    with show_count("boxes", plain=False) as progress:
        verdict = check(file, progress, SECONDS if timeout is None else timeout)
    print_result(verdict, as_json)
    return HOLDS if verdict.holds else FAILS


@app.command()
def figures(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="What is drawn: approximation.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the pictures; made if it is missing.")] = Path(
        "backprop-figures"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Few and small networks: seconds instead of minutes.")] = False,
) -> int:
    """Compute and draw the figures of universal approximation: errors, bounds, limits, least widths, an animation.

    Example: backprop figures approximation --quick --out figures
    """
    from backprop.errors import unknown_name
    from backprop.progress import show_stages
    from backprop.reporting.gallery import FULL, QUICK, draw_approximation_figures

    if topic != "approximation":
        raise unknown_name("topic", topic, ["approximation"])
    with show_stages() as stages:
        files = draw_approximation_figures(out, QUICK if quick else FULL, stages)
    for file in files:
        typer.echo(file)
    return HOLDS


app.command(name="check-formula")(check_formula)
app.command()(draw)
app.command()(explain)
app.command()(report)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; every expected failure is one line on standard error and a status."""
    for variable in THREADS:
        os.environ.setdefault(variable, "1")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code: Any = app(args=argv, standalone_mode=False, prog_name="backprop")
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
