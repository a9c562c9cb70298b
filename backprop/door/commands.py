"""What several commands share: a network from words, statuses, printing; what `approximate` and `generate` do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from backprop.errors import UsageError

if TYPE_CHECKING:
    from backprop.specification.network import Network

__all__ = [
    "EXIT",
    "FAILS",
    "HOLDS",
    "SIZES_OPTIONS",
    "UNUSABLE",
    "check_folder_name",
    "print_result",
    "read_accuracy",
    "read_network",
    "read_target",
    "split_names",
    "write_source",
]

HOLDS, FAILS, UNUSABLE = 0, 1, 2
EXIT = {"verified": HOLDS, "wrong": FAILS, "undecided": UNUSABLE, "unusable": UNUSABLE}
SIZES_OPTIONS = {"--activation": "sigmoid", "--output": "identity", "--cost": "half-sse", "--accuracy": "fast"}
"""What says how the network of SIZES is made, and what it is if nothing is said."""


class Printable(Protocol):
    """What a command can print."""

    def to_dict(self) -> dict[str, Any]: ...


def check_folder_name(folder: Path) -> None:
    """An empty name would be the current folder, which nobody wants filled unasked."""
    if folder == Path():
        raise UsageError("--out needs the name of a folder to make or to fill, got the current one")


def read_network(sizes: str, activation: str, output: str, cost: str) -> Network:
    """The specification from the words of the command line."""
    from backprop.specification.network import Network

    names = split_names(activation)
    return Network.parse(sizes, names[0] if len(names) == 1 else names, output, cost)


def read_target(target: str, activation: str, output: str, cost: str) -> Network:
    """The specification from SIZES and options, or from a JSON file, which states everything itself."""
    if not target.endswith(".json"):
        return read_network(target, activation, output, cost)
    usual = tuple(SIZES_OPTIONS[name] for name in ("--activation", "--output", "--cost"))
    if (activation, output, cost) != usual:
        raise UsageError(f"{target!r} states its activations and its cost itself; leave --activation, --output and "
                         "--cost out")  # fmt: skip
    from backprop.specification.json_form import read_specification_file

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


def print_result(result: Printable, as_json: bool) -> None:
    """As one JSON object or as text."""
    typer.echo(json.dumps(result.to_dict(), allow_nan=False) if as_json else str(result))


def write_source(network: Network, accuracy: Any, target: str) -> str:
    """The module's text for an array library."""
    from backprop.errors import unknown_name
    from backprop.runtime.compiled import build

    net = build(network, accuracy=accuracy)
    if target == "numpy":
        return net.source
    from backprop.specification.recurrent import KINDS, RecurrentNetwork

    if target not in ("jax", *KINDS):
        raise unknown_name("target", target, ["numpy", "jax", *KINDS])
    if accuracy != "fast":
        raise UsageError(f"--target {target} has the fast formulas only, got --accuracy {accuracy}; leave it out")
    from backprop.codegen.printing.emit_jax import emit_jax
    from backprop.runtime.recurrent import CompiledRecurrent

    return (
        emit_jax(network, net.program)
        if target == "jax"
        else CompiledRecurrent(RecurrentNetwork(network, target)).source
    )


def read_accuracy(word: str) -> Any:
    """The choice of formulas from the words of the command line."""
    from backprop.codegen.functions.elementwise import check_accuracy

    return check_accuracy(word)
