"""What `approximate` does: one function at every point or in the mean, two variables, three and more, data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from backprop.door.commands import FAILS, HOLDS, UNUSABLE, print_result
from backprop.errors import UsageError

if TYPE_CHECKING:
    from backprop.approximation import Approximation, SurfaceApproximation
    from backprop.approximation.measures import MeanApproximation
    from backprop.approximation.spaces import SpaceApproximation

    Found: TypeAlias = Approximation | SurfaceApproximation | SpaceApproximation | MeanApproximation

__all__ = ["find_network", "finish_approximation", "write_page"]

SEVERAL = "functions of one variable; leave it out for a function of several"


def find_network(expression: str, asked: dict[str, Any]) -> Found:
    """The network that is asked for by the options of the command, with its proof.

    Errors: UsageError for options that do not go together, and for what the approximation refuses.
    """
    from backprop.approximation import approximate_by
    from backprop.approximation.ground.table_file import is_table_file
    from backprop.approximation.spaces.target import find_variables
    from backprop.approximation.surfaces import is_surface

    how = dict(asked)
    measure, plot, certificate = how.pop("measure"), how.pop("plot"), how.pop("certificate")
    page = how.pop("page") is not None
    variables = find_variables(expression) or (("x", "y") if is_surface(expression) else ())
    _refuse({"--page": page and bool(variables)})
    if measure is not None:
        _refuse({"--page": page}, "errors at every point; leave it out with --measure")
        return _find_in_mean(expression, measure, certificate, len(variables), how)
    if len(variables) > 2:
        unproved = {"--certify": bool(how["certify"]), "--certificate": certificate is not None}
        unproved["--plot"] = plot is not None
        _refuse(
            unproved,
            "functions of one or two variables; with three and more the error is measured on a grid: leave it out",
        )
    if variables:
        return _find_surface(expression, len(variables), certificate, how)
    grows = how["epsilon"] is not None and how["width"] is None and how["method"] == "fit"
    proved = grows and not is_table_file(expression) if how["certify"] is None else how["certify"]
    how["certify"] = proved or certificate is not None
    with _show_proofs():
        return approximate_by(how.pop("method"), expression, **how)


def _find_surface(
    expression: str, dimensions: int, certificate: Path | None, how: dict[str, Any]
) -> SurfaceApproximation | SpaceApproximation:
    """Of two variables with a proof, of three and more without."""
    from backprop.approximation import approximate_2d
    from backprop.approximation.spaces import approximate_nd

    method, certify = how.pop("method"), how.pop("certify")
    words = {"--continue": how.pop("continued"), "--derivative": how.pop("derivative")}
    _refuse(words | {f"--method {method}": method != "fit"})
    how |= {"domain": (how["domain"] or (0.0, 1.0),) * dimensions, "activation": how["activation"] or "tanh"}
    if dimensions > 2:
        return approximate_nd(expression, **how)
    grows = how["epsilon"] is not None and how["width"] is None
    with _show_proofs():
        proved = grows if certify is None else certify
        return approximate_2d(expression, certify=proved or certificate is not None, **how)


def _find_in_mean(
    expression: str, measure: str, certificate: Path | None, dimensions: int, how: dict[str, Any]
) -> MeanApproximation:
    """Near in the mean square, with its proof unless that is not wanted."""
    from backprop.approximation.measures import approximate_in_mean

    _refuse({"--measure": dimensions > 1})
    if how.pop("derivative"):
        raise UsageError("--derivative is about every point, --measure about a mean; leave one of them out")
    certify = how.pop("certify") is not False
    if certificate is not None and not certify:
        raise UsageError("--no-certify and --certificate: without a proof there is no certificate; leave one out")
    return approximate_in_mean(expression, measure, certify=certify, **how)


def _refuse(words: dict[str, bool], kind: str = SEVERAL) -> None:
    """What such functions have not."""
    for name in (name for name, given in words.items() if given):
        raise UsageError(f"{name} is for {kind}")


@contextmanager
def _show_proofs() -> Iterator[None]:
    """Which share of the domain is proved so far, at a terminal, while something is proved."""
    from backprop.approximation.proving.bisection import telling
    from backprop.progress import show_count

    with show_count("% of the domain proved", plain=False) as count, telling(lambda part: count(int(part * 100), 100)):
        yield


def write_page(result: Found, file: Path, seed: int) -> None:
    """The page of an approximation."""
    from backprop.approximation import Approximation
    from backprop.files import write_atomically
    from backprop.progress import show_count
    from backprop.reporting.pages.approximation_page import write_approximation_page

    if file.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--page writes an HTML page, got {str(file)!r}; give a name that ends in .html")
    assert isinstance(result, Approximation)
    with show_count("widths", plain=False) as progress:
        write_atomically(file, write_approximation_page(result, seed, progress))


def finish_approximation(result: Found, plot: Path | None, as_json: bool) -> int:
    """Draw and print it; the status says reached, not reached, or a proof given up."""
    if plot is not None:
        from backprop.approximation import SurfaceApproximation
        from backprop.approximation.measures import MeanApproximation
        from backprop.approximation.spaces import SpaceApproximation
        from backprop.pictures import plot_approximation
        from backprop.pictures.surface_fit import plot_surface_approximation

        shown = result.approximation if isinstance(result, MeanApproximation) else result
        if isinstance(shown, SurfaceApproximation):
            plot_surface_approximation(shown, plot)
        elif not isinstance(shown, SpaceApproximation):
            plot_approximation(shown, plot)
    print_result(result, as_json)
    if result.undecided:
        typer.echo(f"undecided: {result.target}: {result.describe_proof()}", err=True)
        return UNUSABLE
    return HOLDS if result.reached else FAILS
