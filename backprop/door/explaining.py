"""`explain`: a derivation one step at a time, or one rule."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from backprop.door.commands import HOLDS
from backprop.door.notations import Notation, read_notation

__all__ = ["explain"]


def explain(
    topic: Annotated[
        str,
        typer.Argument(metavar="TOPIC", help="A chapter (see derive --help), an equation (BP1 to BP4), or a rule."),
    ],
    whole: Annotated[
        bool, typer.Option("--all", help="Everything at once; so it is where the output goes to a file or a pipe.")
    ] = False,
    notation: Notation = None,
) -> int:
    """Tell a derivation one step at a time: Enter for the next step, b for back, why, numbers, shapes, q.

    Examples:

    backprop explain BP2

    backprop explain BP2 --notation nielsen

    backprop explain "chain over the cut"

    backprop explain softmax --all > softmax.txt
    """
    from backprop.stories.rules import RuleStory
    from backprop.stories.telling import Teller, choose, describe_rule, tell_all
    from theory.notations.rewriting import printed_in

    choice = read_notation(notation or "lecture")
    found = choose(topic, choice)
    with printed_in(choice):
        if isinstance(found, RuleStory):
            typer.echo(describe_rule(found))
        elif whole or not sys.stdin.isatty() or not sys.stdout.isatty():
            for line in tell_all(found):
                typer.echo(line)
        else:
            Teller(found).listen(ask(), typer.echo)
    return HOLDS


def ask() -> Iterator[str]:
    """What is typed, until the end of the input."""
    while True:
        try:
            yield input("> ")
        except EOFError:
            return
