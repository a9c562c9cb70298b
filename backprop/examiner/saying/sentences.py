"""What the judge can say: every sentence beside the predicate that has to hold of the numbers.

`off` is the largest gap between two sides in units of the room that rounding and the oracle leave; `entries` how many
numbers were compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backprop.examiner.saying.grounds import Predicate
from backprop.examiner.tolerance import SAME

PARALLEL = 1e-4
"""Of a vector: what two that are called parallel may differ by."""
SAME_RATE = 1e-3
FEWEST_RATES = 3
FADES = 0.3
"""What is left of an effect of first order in the rate when the rate is divided by ten, at most."""


def explains(off: float, entries: int) -> bool:
    """Whether two sides agree in all numbers, of which there are some."""
    return entries > 0 and off <= 1


def differs(off: float) -> bool:
    """Whether a gap is more than its room."""
    return off > 1


def _is_beside_the_error(off: float, right: Sequence[str], moved: float, **more: Any) -> bool:
    """Whether a gap is more than its room, and the cost is seen to read more than the outputs."""
    return differs(off) and bool(right) and moved > 1


def name_them(names: Sequence[str]) -> str:
    """ "W1, b1 and W2"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def fits_factor(off: float, entries: int, number: float, power: int = 0, **more: object) -> bool:
    """A factor number·n^power that is neither 1 nor 0."""
    return explains(off, entries) and abs(number) > SAME and (power != 0 or abs(number - 1) > SAME)


# The whole network

WHOLE_FACTOR = Predicate(
    "factor_on_every_gradient",
    lambda off, entries, numbers, **more: explains(off, entries) and all(fits_factor(off, entries, x) for x in numbers),
    lambda factor, **more: (
        f"Every gradient is the derivative of the cost times {factor}: the scales of cost and gradient differ."
    ),
)
SHARED_FACTOR = Predicate(
    "factor_shared_by_every_gradient",
    lambda off, entries, number, power, tensors, **more: fits_factor(off, entries, number, power) and bool(tensors),
    lambda factor, tensors, **more: (
        f"Every gradient carries the factor {factor}; in {name_them(tensors)} it is the "
        "only difference from the derivative of the cost. The scales of cost and gradient differ."
    ),
)
BATCH_SIZE = Predicate(
    "factor_is_the_batch_size",
    lambda number, power, **more: abs(number - 1) < 1e-3 and abs(power) == 1,
    lambda power, **more: "n is the batch size: the cost averages over the batch, the gradient does not."
    if power > 0 else "n is the batch size: the gradient averages over the batch, the cost does not.",
)  # fmt: skip
OUTPUT_COUNT = Predicate(
    "factor_is_the_number_of_outputs",
    lambda number, outputs, **more: (
        outputs > 1 and number != 0 and min(abs(number - outputs), abs(1 / number - outputs)) < 1e-3
    ),
    lambda number, outputs, **more: (
        f"{outputs} is also the number of outputs."
        + (" So it may be the ½ of the squared error, or a mean over the outputs." if outputs == 2 else "")
    ),
)
OUTPUTS_OVER_BATCH = Predicate(
    "factor_is_outputs_over_batch",
    lambda number, power, outputs, rows, **more: (
        power == 0
        and outputs > 1
        and len(set(rows)) == 1
        and rows[0] > 1
        and number != 0
        and min(abs(number * rows[0] - outputs), abs(rows[0] / number - outputs)) < 1e-3
    ),
    lambda number, outputs, rows, **more: (
        f"That is {outputs}/{rows[0]} (or its inverse): outputs over samples, at the only batch size seen."
    ),
)
WHOLE_SIGN = Predicate(
    "every_gradient_has_the_other_sign",
    lambda off, entries, numbers, **more: explains(off, entries) and all(abs(x + 1) < 1e-3 for x in numbers),
    lambda **more: "Every gradient has the wrong sign: the output error is reversed (target minus output).",
)
WHOLE_ZERO = Predicate(
    "every_gradient_is_zero",
    lambda largest, expected, **more: largest == 0 < expected,
    lambda **more: "Every gradient is zero: it is never computed or never stored.",
)
DIFFERS = Predicate(
    "gradient_differs",
    lambda off, **more: differs(off),
    lambda tensors, **more: f"The gradient of {name_them(tensors)} differs from the derivative of the cost.",
)

# Layers

OUTPUT_ERROR = Predicate(
    "output_error_wrong",
    lambda off, tensors, right, **more: differs(off) and bool(tensors) and not right,
    lambda layer, tensors, **more: (
        f"The output error delta^{layer} is wrong, and with it the gradient of {name_them(tensors)}."
    ),
)
OTHER_ACTIVATIONS = Predicate(
    "other_activations_fitted",
    lambda layer, off, entries, away, moved, right_below, **more: (
        layer > 1 and explains(off, entries) and away > PARALLEL and moved <= 1 and not right_below
    ),
    lambda layer, entries, **more: (
        "The gradient is computed from another forward pass than the cost: already the "
        f"activations a^{layer - 1} that enter the output layer differ. Those that were fitted to single samples give "
        f"all {entries} numbers of the layer's gradient."
    ),
)
MORE_THAN_OUTPUTS = Predicate(
    "cost_reads_more_than_outputs",
    lambda moved, **more: moved > 1,
    lambda **more: (
        "Part of the cost does not depend on the outputs alone (or layer 1 is not dense): W1 acts beside z^1."
    ),
)
CHANGED_WEIGHTS = Predicate(
    "weights_changed_before",
    lambda rates, rate, spread, **more: rates >= FEWEST_RATES and abs(rate) > SAME_RATE
    and spread <= SAME_RATE * abs(rate),
    lambda layer, rate, **more: f"The weights of layer {layer + 1} are already updated (by {rate:.4g} times their "
    f"gradient) when the error goes back through them to layer {layer}: use the old weights for delta^{layer}, update "
    "afterwards.",
)  # fmt: skip
HIDDEN_ERROR = Predicate(
    "hidden_error_wrong",
    lambda off, above, **more: differs(off) and bool(above),
    lambda layer, above, **more: (
        f"Above it {name_them(above)} {'is' if len(above) == 1 else 'are'} right, but the "
        f"error delta^{layer} sent back into layer {layer} is wrong."
    ),
)
HIDDEN_ERROR_TOO = Predicate(
    "hidden_error_wrong_too",
    lambda off, **more: differs(off),
    lambda layer, **more: f"The error delta^{layer} sent back into layer {layer} is wrong.",
)
LAYERS_ZERO = Predicate(
    "layers_zero",
    lambda largest, expected, **more: largest == 0 < expected,
    lambda layer, tensors, **more: f"The gradient of {name_them(tensors)} is zero: never computed or never applied.",
)
LAYER_ZERO = Predicate(
    "layer_zero",
    lambda largest, expected, beside, **more: largest == 0 < expected and bool(beside),
    lambda tensors, beside, **more: (
        f"The gradient of {name_them(tensors)} is zero, though the error passes on (the "
        f"gradient of {name_them(beside)} is right): never computed or applied."
    ),
)
BESIDE_ERROR = Predicate(
    "wrong_beside_the_error",
    _is_beside_the_error,
    lambda layer, right, tensors, **more: (
        f"{name_them(right)} {'is' if len(right) == 1 else 'are'} right, but what the cost sends back beside "
        f"delta^{layer} is wrong, and with it the gradient of {name_them(tensors)}."
    ),
)
BESIDE_OUTPUTS = Predicate(
    "wrong_where_more_than_the_error_enters",
    _is_beside_the_error,
    lambda layer, kind, right, **more: (
        f"The error delta^{layer} is right (the gradient of {name_them(right)} is made from it), but the {kind} of the "
        f"layer is wrong: either the terms that it is made of, or what enters it beside delta^{layer}."
    ),
)
BESIDE_RIGHT_ERROR = Predicate(
    "wrong_beside_right_error",
    lambda off, shown_by, **more: differs(off) and bool(shown_by),
    lambda layer, kind, shown_by, **more: (
        f"The error delta^{layer} is right (the gradient of {name_them(shown_by)} is "
        f"made from it), but the {kind} made from it is wrong."
    ),
)
BESIDE_UNSEEN_ERROR = Predicate(
    "wrong_beside_unseen_error",
    lambda off, shown_by, **more: differs(off) and not shown_by,
    lambda layer, kind, **more: (
        f"The {kind} of layer {layer} is wrong; nothing else that is made from the error "
        f"delta^{layer} shows whether that is right."
    ),
)

TOGETHER_BESIDE_RIGHT = Predicate(
    "weight_and_bias_wrong_beside_right_ones",
    lambda off, right, **more: differs(off) and bool(right),
    lambda tensors, right, **more: (
        f"The gradient of {name_them(tensors)} is wrong, that of {name_them(right)} is right. Whether the error that "
        f"{name_them(tensors)} are made from is wrong, these numbers alone do not show."
    ),
)

BEYOND_KINK = Predicate(
    "slope_beyond_the_one_sided_ones",
    lambda part, **more: not 0 <= part <= 1,
    lambda case, tensors, part, **more: (
        f"At a kink of the cost ({case}) the gradient of {name_them(tensors)} lies beyond "
        f"the one-sided derivatives, at {part:.3g} of the way from the one behind the kink to the one ahead of it; "
        "only what lies between them (0 to 1) is a convention."
    ),
)

# One tensor

TENSOR_SHAPE = Predicate(
    "tensor_has_other_shape",
    lambda got, expected, **more: got != expected,
    lambda tensor, got, expected, **more: (
        f"The gradient of {tensor} has shape {tuple(got)}, the parameter has {tuple(expected)}."
    ),
)
TENSOR_MISSING = Predicate(
    "tensor_has_no_gradient",
    lambda given, entries, **more: given < entries,
    lambda tensor, **more: f"There is no gradient of {tensor}.",
)
TENSOR_NOT_FINITE = Predicate(
    "tensor_not_finite",
    lambda bad, **more: bad > 0,
    lambda tensor, **more: f"The gradient of {tensor} contains NaN or infinity.",
)
TENSOR_ZERO = Predicate(
    "tensor_zero",
    lambda largest, expected, **more: largest == 0 < expected,
    lambda tensor, **more: f"The gradient of {tensor} is zero.",
)
TENSOR_FACTOR = Predicate(
    "tensor_factor",
    fits_factor,
    lambda tensor, factor, **more: f"The gradient of {tensor} is {factor} times the right one.",
)
TENSORS_FACTOR = Predicate(
    "tensors_factor",
    fits_factor,
    lambda tensors, factor, **more: f"The gradient of {name_them(tensors)} is {factor} times the right one.",
)
TENSOR_TRANSPOSED = Predicate(
    "tensor_transposed",
    lambda off, entries, **more: explains(off, entries),
    lambda tensor, **more: f"The gradient of {tensor} is the transpose of the right one.",
)
TENSOR_PENALTY = Predicate(
    "tensor_penalty",
    lambda off, entries, number, **more: explains(off, entries) and number != 0,
    lambda tensor, number, **more: (
        f"The gradient of {tensor} differs from the right one by {number:.6g} times the "
        "parameter itself: a penalty term that cost and gradient do not share."
    ),
)

# Updates

STEP_DIFFERS = Predicate(
    "step_moves_otherwise",
    lambda off, **more: differs(off),
    lambda tensors, **more: f"step does not move {name_them(tensors)} by rate times the gradient.",
)
STEP_LATE = Predicate(
    "step_changes_with_the_rate",
    lambda wide, narrow, right, **more: bool(right) and 0 < narrow <= FADES * wide,
    lambda right, **more: (
        "What is wrong fades with the rate, and "
        f"{name_them(right)} {'is' if len(right) == 1 else 'are'} moved rightly: weights are changed while the error "
        "is still going back."
    ),
)

# Behaviour between calls

OWN_MASK = Predicate(
    "gradient_draws_its_own_mask",
    lambda change, seeded, **more: change > SAME and seeded <= SAME,
    lambda **more: "The gradient draws its own random mask, so it belongs to another forward pass than the cost's.",
)
ADDS_UP = Predicate(
    "gradient_adds_up",
    lambda change, off, **more: change > SAME and off <= 1,
    lambda **more: (
        "A second call with the same input gives a multiple of the first: gradients are added to what an "
        "earlier call left behind; set the accumulators to zero at the start."
    ),
)
KEEPS = Predicate(
    "gradient_changes_at_once",
    lambda change, **more: change > SAME,
    lambda **more: "A second call with the same input gives another gradient: something is kept between calls.",
)
KEEPS_EARLIER = Predicate(
    "gradient_keeps_earlier_call",
    lambda change, **more: change > SAME,
    lambda **more: "The gradient depends on what was computed before: something of an earlier call is used.",
)
WRITES_PARAMETERS = Predicate(
    "gradient_writes_parameters",
    lambda change, written, **more: change > SAME and bool(written),
    lambda **more: "The parameters are changed while the error is still going back (they are written in place).",
)
WRITES_INPUTS = Predicate(
    "gradient_writes_inputs",
    lambda change, written, **more: change > SAME and bool(written),
    lambda written, **more: f"gradients writes into {name_them(written)}, so that the next call sees other data.",
)
COST_WRITES = Predicate(
    "cost_writes_inputs",
    lambda change, written, **more: change > SAME and bool(written),
    lambda written, **more: (
        f"cost writes into {name_them(written)} it was given, so that the next call sees other "
        "values: what it says depends on how often it was called."
    ),
)
SHARES_CACHE = Predicate(
    "gradient_shares_cache",
    lambda change, **more: change > SAME,
    lambda **more: "After a call of cost the gradient differs from before: they share a cache that is not renewed.",
)
INTEGERS = Predicate(
    "gradient_truncated",
    lambda change, **more: change > SAME,
    lambda **more: (
        "The parameters are integers, and so is the gradient made like them: what follows the decimal "
        "point is cut off. Draw them as floats."
    ),
)
WIRING = Predicate(
    "wiring_wrong",
    lambda failed, **more: bool(failed),
    lambda reason, **more: f"the wiring of the source is wrong for arbitrary activations: {reason}",
)
