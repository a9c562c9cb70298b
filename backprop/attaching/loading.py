"""From a file as it is to a reading and a subject: in the process that runs its code, and nowhere else."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backprop.attaching.advising.habits import list_habits
from backprop.attaching.advising.naming import name_rule
from backprop.attaching.advising.rules import compare_rule
from backprop.attaching.handing import Attached
from backprop.attaching.looking.documents import Document, missing_packages, read_document
from backprop.attaching.looking.driving import list_drivers, name_model
from backprop.attaching.looking.refusals import Refused
from backprop.attaching.looking.rewriting import rewrite
from backprop.attaching.looking.surveying import choose_loops, describe, mark_piece
from backprop.attaching.nesting import tidy
from backprop.attaching.pieces import attach
from backprop.attaching.running.privacy import in_private_copy
from backprop.attaching.running.program import HookedProgram
from backprop.attaching.words import CHOICE, HABIT, IDLE, LEFT_OUT, MARK, OTHERS, RULE, STEP, TAKEN
from backprop.examiner.subject.loading import name_reason
from backprop.examiner.subject.protocol.subjects import Subject, describe_error

__all__ = ["attach_file", "make_subject"]

MOST_DRIVERS = 40


def make_subject(attached: Attached, label: str, reading: int = 0) -> Subject:
    """The subject of a reading, with what was taken for what as its notes."""
    subject = Subject(attached.functions(), label, str(attached.document.path.resolve()))
    subject.notes += [f"{TAKEN}{line}" for line in attached.describe()]
    subject.notes += [f"{HABIT}{said}" for said in list_habits(attached.document, attached.flow)]
    subject.notes += _compare_step(attached)
    if attached.left_out:
        subject.notes.append(f"{LEFT_OUT}{', '.join(attached.left_out)}")
    if attached.idle:
        subject.notes.append(f"{IDLE}{', '.join(attached.idle)} (the cost does not depend on "
                             f"{'it' if len(attached.idle) == 1 else 'them'})")  # fmt: skip
    if attached.apart:
        subject.notes.append(f"{IDLE}{', '.join(attached.apart)} (changed by training by a rule of "
                             f"{'its' if len(attached.apart) == 1 else 'their'} own, not by a gradient)")  # fmt: skip
    if attached.others:
        subject.notes.append(f"{OTHERS}{', '.join(map(str, attached.others))}")
    if attached.others or reading:
        subject.notes.append(f"{CHOICE}{attached.say_choice()}")
    true = attached.chosen.true_cost
    if true is not None:
        subject.notes.append(f"{MARK}{true.name}")
    return subject


def _compare_step(attached: Attached) -> list[str]:
    """What is said of a step that is named after a rule, or that is more than a rate times a gradient."""
    flow = attached.flow
    rule = name_rule(flow)
    if rule is None:
        return [f"{STEP}named after no one rule, compared with none"] if flow.adaptive else []
    found = compare_rule(flow, rule)
    if found.broken:
        return [f"{RULE}{rule}: {found.broken}"]
    if found.turns:
        return [f"{STEP}its first {found.turns} turns are a published variant of {rule}"]
    return [f"{STEP}named after {rule}, not compared with it: there is more in it, or too little of it was seen"]


def attach_file(
    path: Path,
    text: str | None = None,
    *,
    cost: str | None = None,
    owner: str | None = None,
    function: str | None = None,
    data: str | None = None,
    begin: int | None = None,
    end: int | None = None,
    line: int | None = None,
    reading: int = 0,
    parameters: Sequence[str] | None = None,
) -> Attached:
    """The reading of a file.

    Parameters: `cost` is a name of the file or of the table; `owner` a class and `function` a function in which the
    training stands; `begin`, `end` its lines; `line` is that of its loop; `data` are names of the batch, for a class
    that nobody trains; `reading` is which of several trainings, by number; `parameters`, if
    given, must be what is found. Errors: `Refused`.
    """
    where = {"owner": owner, "function": function, "line": line}
    found = _attach_file(path, text, (cost, data, reading), where, begin, end)
    names = [tidy(found.flow.leaves[k]) for k in found.order]
    if parameters is not None and sorted(parameters) != sorted(names):
        raise Refused(f"{path}: its parameters are {', '.join(names)}, not {', '.join(parameters)}", "nothing")
    return found


def _attach_file(
    path: Path, text: str | None, meant: tuple[Any, Any, int], where: dict[str, Any], begin: Any, end: Any
) -> Attached:
    """Look, refuse what cannot run, run, read."""
    cost, data, reading = meant
    document = _read_marked(path, text, begin, end)
    program = HookedProgram(document, rewrite(document.tree, cost))
    only = choose_loops(program.rewritten, document, **where)
    with at_home(path.resolve()):
        try:
            return attach(program, cost=cost, only=only, reading=reading)
        except Refused as refusal:
            untrained = refusal.reason == "nothing" and not program.trained and begin is None
            found = _read_interpreted(document, refusal, (cost, reading), where)
            if found is None and untrained:
                found = drive(document, cost=cost, owner=where["owner"], data=data)
            if found is None:
                raise Refused(tell_missing(document, str(refusal), untrained=untrained), refusal.reason) from None
            return found
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            said = describe_error(error, str(path.resolve()))
            raise Refused(f"{path}: it stopped before it trained: {said}", name_reason(error)) from error


def _read_marked(path: Path, text: str | None, begin: Any, end: Any) -> Document:
    document = read_document(path, text)
    refuse_without_packages(document)
    return Document(document.path, document.text, document.cells, mark_piece(document, begin, end))


def _read_interpreted(
    document: Document, refusal: Refused, meant: tuple[Any, int], where: dict[str, Any]
) -> Attached | None:
    """The reading of a program whose step JAX compiles, with that run line by line; None where there is none."""
    if refusal.reason != "nothing" or "jax" not in sys.modules or "jax" not in document.text:
        return None
    cost, reading = meant
    program = HookedProgram(document, rewrite(document.tree, cost))
    program.is_interpreted = True
    with contextlib.suppress(Exception):  # then the first refusal stands
        return attach(program, cost=cost, only=choose_loops(program.rewritten, document, **where), reading=reading)
    return None


def tell_missing(document: Document, said: str, *, untrained: bool) -> str:
    """Why a file was refused, with what was seen in it and what to give."""
    held, path = name_model(document.tree), document.path
    if held is not None and untrained:
        model, loss = held
        return (f"{path}: it holds the model {model} and the loss {loss} and trains nothing; missing are the names of "
                f"its data, inputs and targets: backprop verify {shlex.quote(str(path))} --data X,Y")  # fmt: skip
    return said + describe(document.tree)


def refuse_without_packages(document: Document) -> None:
    """Errors: `Refused` where the file imports outright what is not installed."""
    gone = missing_packages(document.tree, document.path.resolve().parent)
    if gone:
        raise Refused(f"{document.path}: it imports {', '.join(gone)}, which {'is' if len(gone) == 1 else 'are'} not "
                      f"installed; python -m pip install {' '.join(gone)}", "package")  # fmt: skip


def drive(document: Document, *, cost: str | None, owner: str | None, data: str | None) -> Attached | None:
    """The reading of a file that trains nothing itself: an object of its class, trained by lines put behind it."""
    text = document.text if document.text.endswith("\n") else document.text + "\n"
    for driver in itertools.islice(list_drivers(document.tree, owner, data), MOST_DRIVERS):
        longer = Document(document.path, text + driver.text + "\n", document.cells)
        with contextlib.suppress(Exception):  # what does not fit is not the way
            program = HookedProgram(longer, rewrite(longer.tree, cost))
            return replace(attach(program, cost=cost), document=document, driven=driver.said)
    return None


@contextlib.contextmanager
def at_home(program: Path) -> Iterator[None]:
    """Modules and files beside the program are found, whoever runs it; nothing is written beside it."""
    written, argv = sys.dont_write_bytecode, sys.argv
    limit = sys.getrecursionlimit()
    with in_private_copy(program.parent) as folder:
        sys.path.insert(0, str(folder))
        sys.dont_write_bytecode, sys.argv = True, [str(folder / program.name)]
        sys.setrecursionlimit(max(limit, 10_000))
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)
            sys.dont_write_bytecode, sys.argv = written, argv
            with contextlib.suppress(ValueError):
                sys.path.remove(str(folder))
