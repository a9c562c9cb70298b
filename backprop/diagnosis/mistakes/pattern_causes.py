"""The entries of the table that are known by a pattern or by the behaviour between calls, without a rewrite."""

from __future__ import annotations

from backprop.diagnosis.model.cause import Cause

__all__ = ["PATTERNS"]

PATTERNS: tuple[Cause, ...] = (
    Cause("gradient_never_computed", "update", "Every gradient is zero: it is never computed, or never stored or "
          "applied."),
    Cause("gradient_has_wrong_shape", "any", "The gradient does not have the shape of its parameter, so that an update "
          "spreads it over entries it does not belong to.", chapter="BP4"),
    Cause("gradient_not_finite", "cost", "The gradient is NaN or infinite where the cost is finite: an overflow, a "
          "logarithm of 0 or a division by 0 in the backward pass."),
    Cause("gradient_clipped", "update", "The gradient is cut off (clipped) at a largest size, so it is not the "
          "derivative."),
    Cause("gradient_sign_only", "update", "Only the sign of each entry of the gradient is returned."),
    Cause("gradient_normalised", "update", "The gradient is divided by its own length: its direction is right, its "
          "size is "
          "always the same."),
    Cause("gradient_truncated_to_integers", "any", "The gradient holds whole numbers only: it is stored in an "
          "array of "
          "integers, which drops what follows the decimal point.", chapter="BP4"),
    Cause("gradients_of_layers_exchanged", "BP4", "The gradients of the layers are exchanged (the "
          "list is "
          "built from the output down and not turned round).", "collapse"),
    Cause("accumulator_shared", "any", "Several layers add their gradients into one and the same array (a list "
          "multiplied by a number, or one array of zeros with two names), so that each holds the sum of all.",
          chapter="BP4"),
    Cause("factor_per_unit_missing", "BP2", "The error of each unit is off by a constant factor of its own: the "
          "scale γ of a "
          "normalisation, or a factor per unit such as a dropout scale, is forgotten on the way back.", "elementwise "
          "chain"),
    Cause("inputs_scaled_differently", "BP4", "The weight gradient is made from other inputs than those of the forward "
          "pass: each input carries a factor (and a shift) of its own, as where raw inputs stand for standardised "
          "ones.", "definition"),
    Cause("samples_weighted_differently", "BP1", "The samples do not enter the output error with the weights that the "
          "cost gives them: some are left out, some count although the cost leaves them out, or their weights differ.",
          "definition", chapter="cost"),
    Cause("outputs_weighted_differently", "BP1", "The outputs do not enter the output error with the weights that the "
          "cost gives them: each carries a factor of its own.", "definition", chapter="cost"),
    Cause("error_at_target_wrong", "BP1", "The output error is wrong at the target's class only, and right at the "
          "others: what the other classes add to it is missing, say.", "definition", chapter="cost"),
    Cause("error_beside_target_wrong", "BP1", "The output error is right at the target's class only, and wrong at the "
          "others.", "definition", chapter="cost"),
    Cause("table_rows_overwritten", "BP4", "Rows of a table that several samples look up are overwritten by the last "
          "one instead of added up (E[i] += d with an index that repeats).", "collapse"),
    Cause("slope_gradient_wrong", "BP4", "The gradient of the learned slope is not the sum of ∂C/∂a · z over the "
          "samples with z < 0: another side, another factor, or a mean.", "product rule", chapter="prelu"),
    Cause("shared_weights_counted_once", "BP4", "These weights are used in two places, and the gradient holds the part "
          "of one of them only: both have to be added.", "linearity"),
    Cause("other_values_in_weight_gradient", "BP4", "The weight gradient is made from other values than those that "
          "enter through these weights in the forward pass (another layer's, another step's, or before a change).",
          "product rule"),
    Cause("accumulators_not_reset", "update", "Gradients are added to what an earlier call left behind: the "
          "accumulators are "
          "created once (or share one array) and never set to zero."),
    Cause("other_statistics_in_forward", "forward", "The gradient belongs to a forward pass with other statistics of "
          "the normalisation than the cost's: running ones instead of the batch's, say.", chapter="statistics"),
    Cause("stale_cache", "forward", "The backward pass uses values kept from an earlier call (its batch, its "
          "activations), not those of the present one."),
    Cause("inputs_overwritten", "forward", "The function writes into the batch it was given, so that the next call "
          "sees other "
          "data."),
    Cause("parameters_overwritten", "update", "The parameters are changed in place while the gradient is computed, "
          "so that "
          "what follows sees other parameters."),
    Cause("momentum_in_gradient", "update", "A share of earlier gradients is mixed in (momentum): what is returned "
          "is no longer "
          "the derivative at this point.", chapter="momentum"),
    Cause("step_sign_flipped", "update", "The update goes up instead of down: rate times gradient is added where it "
          "should "
          "be subtracted."),
    Cause("step_leaves_parameters_out", "update", "The update leaves some parameters as they are."),
    Cause("step_scaled", "update", "The update moves the parameters by a constant multiple of rate times gradient."),
    Cause("own_random_mask", "forward", "The backward pass draws its own random mask instead of using the one of the "
          "forward "
          "pass.", chapter="mask"),
    Cause("cost_writes_into_inputs", "cost", "The cost writes into what it is given (parameters or batch), so that it "
          "is another function at every call.", chapter="forward"),
)  # fmt: skip
