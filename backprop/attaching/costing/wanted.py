"""The cost that was asked for by name: one of the table, or the file's own, of the rows of the step."""

from __future__ import annotations

from collections.abc import Sequence

from backprop.attaching.costing.choices import Choice, choose_known, list_choices
from backprop.attaching.costing.choosing import choose_fitting
from backprop.attaching.costing.fitting import CandidateFit, Chosen
from backprop.attaching.costing.rows import compare_rows
from backprop.attaching.looking.refusals import Refused

__all__ = ["choose_wanted"]


def choose_wanted(choice: Choice, wanted: str) -> Chosen:
    """Errors: `Refused` where there is no such number, or where it is of other rows of the data than the gradient."""
    known = choose_known(choice, wanted)
    if known is not None:
        return known
    named = [fit for fit in choice.fits if _is_named(fit, wanted)]
    if not named:
        raise Refused(f"{_path(choice)}: --cost {wanted}: no such number depends on the parameters; there are "
                      f"{', '.join(list_choices(choice)) or 'none with a name, and none in the table'}",
                      "nothing")  # fmt: skip
    fit = max(named, key=lambda one: (choice.whole(one), len(choice.support(one))))
    if not choice.whole(fit):
        fit = _find_of_same_rows(choice, named, wanted)
    return Chosen(fit.candidate, 1.0, choice.best_scale(fit), f"--cost {wanted}")


def _is_named(fit: CandidateFit, wanted: str) -> bool:
    name = fit.candidate.name
    called = name.partition("(")[0]
    return wanted in (name, called, called.split(".")[-1]) or name.startswith(f"what {wanted} ")


def _find_of_same_rows(choice: Choice, named: Sequence[CandidateFit], wanted: str) -> CandidateFit:
    """Of numbers of one name of which none has the whole gradient, one of the rows that the gradient is of: a function
    may be called for a validation set as well. Of several the one of the gradient's own arguments goes first."""
    beyond, short = compare_rows(choice.flow, [fit.candidate for fit in named])
    several = len({fit.candidate.key for fit in named}) > 1
    kept = [fit for i, fit in enumerate(named) if i not in beyond and not (several and i in short)]
    if not kept:
        raise Refused(f"{_path(choice)}: --cost {wanted}: {wanted} is computed for other rows of the data than the "
                      f"gradient{_say_known(choice)}", "ambiguous")  # fmt: skip
    beside = choice.flow.iteration.program.rewritten.beside
    return max(kept, key=lambda one: (
        len(choice.support(one)), one.candidate.key is not None and one.candidate.key[0] in beside))  # fmt: skip


def _say_known(choice: Choice) -> str:
    found = choose_fitting(choice, known=True)
    if found is None or found.candidate.table is None:
        return "; compute it for the gradient's own in the iteration, too"
    return f"; the gradient is that of a known cost: give --cost {found.candidate.table}"


def _path(choice: Choice) -> str:
    return str(choice.flow.iteration.program.document.path)
