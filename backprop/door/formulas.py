"""`check-formula`: a printed equation, judged; 0 it holds, 1 it does not, 2 it is not understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backprop.door.commands import FAILS, HOLDS, UNUSABLE
from backprop.errors import UsageError

if TYPE_CHECKING:
    from backprop.formulas.answer import Answer

__all__ = ["check_formula"]


def check_formula(
    formula: Annotated[
        str, typer.Argument(metavar="FORMULA", help="An equation as it is printed, in LaTeX or plain text.")
    ],
    where: Annotated[
        str,
        typer.Option("--where", help="Definitions and roles, with semicolons: 'z = W x + b; C: cost; samples: rows'."),
    ] = "",
    conventions: Annotated[
        Path | None,
        typer.Option("--conventions", help="FILE.json with conventions as keys; see backprop/formulas/README.md."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> int:
    """Say whether a printed formula holds, and if not, which term differs and what would be right.

    What is not declared is inferred from the letters and reported.  Examples:

    backprop check-formula "\\delta^l = (W^{l+1})^T \\delta^{l+1} \\odot f'(z^l)"

    backprop check-formula "dz_j/da_i = w_ji" --where "z_j = sum_i w_ij a_i + b_j"

    backprop check-formula "dW = X.T @ dY" --where "Y = X @ W + b; samples: rows"
    """
    from backprop.formulas.check import check_formula as check

    answer = check(formula, read_file(conventions), where=where)
    if as_json:
        typer.echo(json.dumps(answer.to_dict(), allow_nan=False))
    return finish(answer, as_json)


def finish(answer: Answer, quiet: bool) -> int:
    """Print an answer; its status."""
    if not answer.understood:
        place = f" at column {answer.stopped_at + 1}" if answer.stopped_at is not None else ""
        if not quiet:
            typer.echo("\n".join(str(answer).splitlines()[1:]))
        typer.echo(f"error: not understood{place}: {answer.reason}", err=True)
        return UNUSABLE
    if not quiet:
        typer.echo(str(answer))
    return HOLDS if answer.holds else FAILS


def read_file(file: Path | None) -> dict[str, Any] | None:
    """The conventions of a file."""
    if file is None:
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {error}; see backprop/formulas/README.md") from None
    if not isinstance(found, dict):
        raise UsageError(f"{file} holds no JSON object of conventions, got {type(found).__name__}")
    return found
