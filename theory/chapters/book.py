"""The table of contents; `python -m theory` prints the book, `python -m theory TOPIC …` single chapters."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Iterator, Sequence

from theory.chapters.approximation import universal_approximation
from theory.chapters.chapter import FORMATS, Chapter, Format, write
from theory.chapters.networks import activations, batch_norm, costs, four_equations, layer_chapters, lecture, softmax
from theory.chapters.networks import letters_and_rules as rules
from theory.chapters.networks.recurrent import CHAPTERS as OVER_TIME
from theory.chapters.networks.tangents import CHAPTER as DERIVATIVES
from theory.chapters.notations import introduce
from theory.chapters.training import initialisation, optimisers
from theory.language.latex_text import wrap_document
from theory.notations.choices import LECTURE, NOTATIONS, NotationError, find_notation

__all__ = ["CHAPTERS", "TITLE", "TopicError", "main", "render", "tell_chapters"]

TITLE = "Backpropagation, derived step by step"

FIRST = (rules, four_equations, costs, softmax, activations, batch_norm)
LAST = (initialisation, optimisers, universal_approximation, lecture)
CHAPTERS: dict[str, Chapter] = {
    chapter.name: chapter
    for chapter in (
        *(module.CHAPTER for module in FIRST),
        *layer_chapters.CHAPTERS,
        *OVER_TIME,
        DERIVATIVES,
        *(module.CHAPTER for module in LAST),
    )
}


class TopicError(ValueError):
    """A chapter that the book does not have."""


def render(
    topics: Sequence[str] = (), form: Format = "text", *, standalone: bool = False, notation: str | None = None
) -> str:
    """Chapters by name, or the whole book; LaTeX is a fragment for a document with amsmath, or `standalone`.  With a
    notation (`theory.notations.choices`) all is printed in it, after a chapter that says what it is.

    Errors: TopicError, NotationError with the choices and the nearest spelling.

    >>> render(["four_equation"])
    Traceback (most recent call last):
    theory.chapters.book.TopicError: unknown topic 'four_equation' (did you mean 'four_equations'?); choose from: \
rules, four_equations, costs, softmax, activations, batch_norm, layer_norm, gates, prelu, dropout, residual, \
penalties, recurrent, lstm, gru, derivatives, initialisation, optimisers, universal_approximation, lecture
    """
    body = "".join(tell_chapters(topics, form, notation))
    return wrap_document(body, TITLE) if standalone and form == "latex" else body


def tell_chapters(topics: Sequence[str] = (), form: Format = "text", notation: str | None = None) -> Iterator[str]:
    """The text of `render` piece by piece, each as soon as its chapter is derived.  Errors: as for `render`, before
    the first piece.

    >>> "".join(tell_chapters(["rules", "costs"])) == render(["rules", "costs"])
    True
    """
    for topic in topics:
        if topic not in CHAPTERS:
            near = difflib.get_close_matches(topic, CHAPTERS, n=1)
            guess = f" (did you mean '{near[0]}'?)" if near else ""
            raise TopicError(f"unknown topic {topic[:60]!r}{guess}; choose from: {', '.join(CHAPTERS)}")
    choice = LECTURE if notation is None else find_notation(notation)
    chapters = [CHAPTERS[topic] for topic in topics or CHAPTERS]
    chapters = chapters if notation is None else [introduce(choice), *chapters]
    for number, chapter in enumerate(chapters):
        yield ("\n\n" if number else "") + chapter.render(form, choice)


def main(argv: Sequence[str] | None = None) -> int:
    """Print; exit status 2 for an unknown topic."""
    parser = argparse.ArgumentParser(prog="python -m theory", description="Print the book or some of its chapters.")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=", ".join(CHAPTERS))
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--standalone", action="store_true", help="with --format latex: a document that compiles")
    parser.add_argument("--notation", help=f"one of: {', '.join(NOTATIONS)}")
    options = parser.parse_args(argv)
    try:
        if options.standalone:
            write(render(options.topics, options.format, standalone=True, notation=options.notation))
        else:
            for piece in tell_chapters(options.topics, options.format, options.notation):
                write(piece)
    except (TopicError, NotationError) as error:
        parser.exit(2, f"error: {error}\n")
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        discard_output()
        parser.exit(2, f"error: {error.strerror}: standard output; choose another place or free some space\n")
    return 0


def discard_output() -> None:
    """What is left in the buffer of a pipe that closed, or of a full disk, goes nowhere: no second failure at the
    end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
