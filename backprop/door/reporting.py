"""`report`: one page about a network or about somebody's program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backprop.door.commands import EXIT, SIZES_OPTIONS, read_network, read_target
from backprop.door.verifying import MOST_VERIFIED, SIZES_PATTERN, check_target
from backprop.errors import UsageError

if TYPE_CHECKING:
    from backprop.examiner.saying.report import Report

__all__ = ["report"]

MOST_SHOWN = 100
"""Layers whose lines a person reads on one page."""


Hidden = Annotated[str, typer.Option("--activation", help="SIZES: of the hidden layers: a name, or one for each.")]
Output = Annotated[str, typer.Option("--output", help="SIZES: activation of the last layer.")]
Cost = Annotated[str, typer.Option("--cost", help="SIZES: the cost.")]
Hint = Annotated[str, typer.Option("--hint", help="FILE: how much is told: verdict, place, line or mend.")]
Timeout = Annotated[float | None, typer.Option("--timeout", help="FILE: seconds for its code.")]


def report(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="SIZES, FILE.json, FILE.py or FILE.ipynb.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The HTML file to write.")] = Path("report.html"),
    activation: Hidden = SIZES_OPTIONS["--activation"],
    output: Output = SIZES_OPTIONS["--output"],
    cost: Cost = SIZES_OPTIONS["--cost"],
    hint: Hint = "mend",
    timeout: Timeout = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Fixes every random draw.")] = 0,
) -> int:
    """Write one self-contained HTML page: a network from equations to evidence, or a program marked like homework.

    Examples:

    backprop report 2-2-1 --activation tanh -o network.html

    backprop report my_code.py -o marked.html
    """
    from backprop.files import write_atomically

    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"a report is an HTML page, got -o {str(out)!r}; give a name that ends in .html")
    if SIZES_PATTERN.fullmatch(target) or target.endswith(".json"):
        text, found = page_of_network(target, (activation, output, cost), seed)
    else:
        given = {"--activation": activation, "--output": output, "--cost": cost}
        if given != {name: SIZES_OPTIONS[name] for name in given}:
            raise UsageError(f"{' and '.join(given)} are for SIZES, got {target!r}; leave them out")
        text, found = page_of_program(target, hint, timeout, seed)
    write_atomically(out, text)
    typer.echo(f"{found.verdict}: wrote {out}")
    return EXIT[found.verdict]


def page_of_network(target: str, words: tuple[str, str, str], seed: int) -> tuple[str, Report]:
    """The page of SIZES or of a specification."""
    from backprop.reporting.pages.network_page import write_network_page
    from backprop.runtime.compiled import CompiledNetwork
    from backprop.verification.verify import verify_network

    network = read_target(target, *words) if target.endswith(".json") else read_network(target, *words)
    if network.size > MOST_VERIFIED or network.depth > MOST_SHOWN:
        raise UsageError(f"{target} has {network.size:,} parameters in {network.depth} layers; a page takes at most "
                         f"{MOST_VERIFIED:,} in {MOST_SHOWN}")  # fmt: skip
    net = CompiledNetwork(network)
    found = verify_network(net, seed)
    return write_network_page(net, found), found


def page_of_program(target: str, hint: str, timeout: float | None, seed: int) -> tuple[str, Report]:
    """The page of a file."""
    from backprop.reporting.pages.homework_page import mark_file
    from backprop.verification.submission import prepare

    check_target(target)
    with prepare():
        return mark_file(Path(target), hint=hint, timeout=timeout, seed=seed)
