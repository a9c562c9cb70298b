"""`draw`: the picture of a network, with a sample in it where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backprop.door.commands import HOLDS, SIZES_OPTIONS, read_target

__all__ = ["draw"]


def draw(
    target: Annotated[str, typer.Argument(metavar="SIZES", help="Units of every layer, e.g. 2-3-1, or FILE.json.")],
    out: Annotated[Path, typer.Option("-o", help="File to write: svg, pdf, png, or gif for one step.")] = Path(
        "network.svg"
    ),
    activation: Annotated[
        str, typer.Option("--activation", help="Of the hidden layers: a name, or one for each, with commas.")
    ] = SIZES_OPTIONS["--activation"],
    output: Annotated[str, typer.Option("--output", help="Activation of the last layer.")] = SIZES_OPTIONS["--output"],
    cost: Annotated[str, typer.Option("--cost", help="The cost, for the errors.")] = SIZES_OPTIONS["--cost"],
    values: Annotated[
        bool, typer.Option("--values", help="Colour values and errors of one random sample, at random parameters.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Fixes every random draw.")] = 0,
) -> int:
    """Draw the layers, units and shapes of a network; with --values what one sample does in it, forward and backward.

    A name that ends in .gif is an animation of one step of gradient descent. Example:

    backprop draw 2-3-1 --activation tanh --values -o step.svg
    """
    from backprop.drawing.sample import draw as draw_network

    network = read_target(target, activation, output, cost)
    typer.echo(f"wrote {draw_network(network, out, seed=seed, values=values)}")
    return HOLDS
