"""Which chapters of the book are printed, and `--notation`: in whose rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backprop.errors import UsageError

if TYPE_CHECKING:
    from theory.notations.choices import NotationChoice

__all__ = ["Notation", "list_topics", "read_notation"]


def list_topics() -> list[str]:
    """For the shell's completion."""
    from theory.chapters.book import CHAPTERS

    return list(CHAPTERS)


def list_notations() -> list[str]:
    """For the shell's completion."""
    from theory.notations.choices import NOTATIONS

    return list(NOTATIONS)


def read_notation(name: str) -> NotationChoice:
    """A notation by its name.  Errors: UsageError with the choices."""
    from theory.notations.choices import NotationError, find_notation

    try:
        return find_notation(name)
    except NotationError as error:
        raise UsageError(str(error)) from None


Notation = Annotated[
    str | None,
    typer.Option(
        "--notation", help="Whose rows and columns: lecture, nielsen, rows, columns.", autocompletion=list_notations
    ),
]
