"""Notes of a report: every remark beside the predicate that has to hold of the numbers."""

from __future__ import annotations

from collections.abc import Iterable

from backprop.examiner.saying.grounds import Predicate, tell
from backprop.examiner.saying.sentences import name_them
from backprop.examiner.tolerance import SAME

ANOTHER_SLOPE = Predicate(
    "convention_at_a_kink",
    lambda tensors, low, high, **more: bool(tensors) and 0 <= low <= high <= 1,
    lambda case, tensors, taken, **more: (
        f"at a kink of the cost ({case}) the gradient of {', '.join(tensors)} takes "
        f"another slope than the central difference{taken and f', {taken}'}; that is a convention, not a fault"
    ),
)
UNSEEN_SLOPE = Predicate(
    "slope_at_a_kink_unseen",
    lambda tensors, measured, **more: bool(tensors) and not measured,
    lambda case, tensors, **more: (
        f"at a kink of the cost ({case}) the gradient of {', '.join(tensors)} takes another "
        "slope than the central difference; whether it lies between the one-sided ones could not be measured"
    ),
)
SILENT = Predicate(
    "gradient_silent",
    lambda tensors, share, limit, **more: bool(tensors) and share <= limit,
    lambda tensors, **more: (
        f"{', '.join(tensors)}: zero or negligible beside the largest gradient at every point visited"
    ),
)
GUARDED = Predicate(
    "guard_explains",
    lambda explained, mismatches, **more: explained == mismatches > 0,
    lambda guard, **more: (
        f"the cost guards its logarithm by {guard}, the gradient does not: the difference where "
        "outputs saturate is explained by that, entry by entry, and it is gone at a point that does not saturate"
    ),
)
LOSS_SLOPE = Predicate(
    "loss_slope_of_its_own",
    lambda wrong, theirs, true, **more: wrong > 0 and theirs != true,
    lambda loss, version, wrong, output, theirs, true, **more: (
        f"{loss} of torch {version} gives another gradient than the derivative of its value, at {wrong} outputs: at "
        f"{output:.3g} it gives {theirs:.3g}, its value has the slope {true:.3g}. That is the library's, not the "
        "module's: the module was examined with the slope of the value; in training saturated outputs get torch's"
    ),
)
LEFT_OUT = Predicate(
    "case_left_out",
    lambda reason, **more: bool(reason),
    lambda case, reason, **more: f"left out ({case}): {reason}",
)
OWN_SIZE = Predicate(
    "data_takes_no_n",
    lambda takes_rows, **more: not takes_rows,
    lambda **more: "the batch is its own: no other number of samples was tried",
)
IMPLIED = Predicate(
    "gradients_implied_by_step",
    lambda gradients, step, **more: step and not gradients,
    lambda **more: "there is no gradients: what step implies, for a rate that goes to zero, was examined",
)
STEP_FAILED = Predicate(
    "step_not_examined",
    lambda reason, **more: bool(reason),
    lambda reason, **more: f"step could not be examined: {reason}",
)
RESTARTED = Predicate(
    "generators_restarted",
    lambda repeats, **more: not repeats,
    lambda **more: "the cost draws from a global generator, which was restarted before every call",
)
DRAWS = Predicate(
    "gradient_draws",
    lambda states_equal, **more: not states_equal,
    lambda **more: "gradients draws from a global random generator",
)
WRITES_IDLY = Predicate(
    "gradient_writes_idly",
    lambda written, change, **more: bool(written) and change <= SAME,
    lambda **more: "gradients writes into its inputs, without consequences",
)
COST_WRITES_IDLY = Predicate(
    "cost_writes_idly",
    lambda written, change, **more: bool(written) and change <= SAME,
    lambda written, **more: f"cost writes into {name_them(written)} it was given, without consequences here",
)
NO_DIAGNOSIS = Predicate(
    "diagnosis_failed",
    lambda error, **more: bool(error),
    lambda error, **more: f"no diagnosis: {error}",
)


def read_notes(texts: Iterable[object]) -> list[str]:
    """What a subject in another process noted about itself, with its grounds where it is known."""
    notes: list[str] = []
    for text in map(str, texts):
        if text == IMPLIED.words():
            tell(notes, IMPLIED, gradients=False, step=True)
        else:
            notes.append(text)
    return notes
