"""Which equation is wrong: the first naming, from the pattern over tensors and a few probes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from backprop.examiner.judging.factor_findings import explain_factors, explain_shared, explain_whole
from backprop.examiner.judging.factors import find_factor
from backprop.examiner.judging.findings import (
    MOST_ENTRIES,
    make_finding,
    measure_gap,
    measure_sizes,
    name_tensors,
    worst_verdict,
)
from backprop.examiner.judging.patterns import describe_tensor, fit_factor
from backprop.examiner.judging.probes import Probes
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.saying.grounds import Said, say
from backprop.examiner.saying.report import Finding
from backprop.examiner.saying.sentences import (
    BESIDE_ERROR,
    BESIDE_OUTPUTS,
    BESIDE_RIGHT_ERROR,
    BESIDE_UNSEEN_ERROR,
    CHANGED_WEIGHTS,
    HIDDEN_ERROR,
    HIDDEN_ERROR_TOO,
    LAYER_ZERO,
    LAYERS_ZERO,
    MORE_THAN_OUTPUTS,
    OTHER_ACTIVATIONS,
    OUTPUT_ERROR,
    TOGETHER_BESIDE_RIGHT,
    name_them,
)

__all__ = ["localise"]


@dataclass(frozen=True)
class WrongLayer:
    """What is wrong in one layer: its multiplicative (W) and its additive (b) tensors."""

    number: int
    wrong_W: tuple[int, ...]
    wrong_b: tuple[int, ...]
    right: tuple[int, ...]
    silent: tuple[int, ...]

    @property
    def wrong(self) -> tuple[int, ...]:
        """All wrong tensors of the layer."""
        return self.wrong_W + self.wrong_b


def localise(examination: Examination) -> list[Finding]:
    """Name the equation and the topmost layer of every fault; the first finding is the root cause.

    A wrong output error δ^L spoils every tensor, a wrong recursion δ^l those of layers 1..l, a wrong BP4 only
    a W, a wrong BP3 only a b. A constant factor on everything belongs to the cost.
    """
    wrong = examination.wrong
    if not wrong:
        return []
    everywhere = explain_whole(examination, wrong)
    if everywhere is not None:
        return [everywhere]
    if not examination.depth:
        return [make_finding(examination, None, None, wrong, ())]
    shared = explain_shared(examination, wrong, localise) or explain_factors(examination, wrong)
    return shared or _explain_layers(examination, _sort_into_layers(examination))


def _sort_into_layers(examination: Examination) -> list[WrongLayer]:
    layers = []
    for number in range(examination.depth, 0, -1):
        mine = [i for i, leaf in enumerate(examination.leaves) if leaf.layer == number]
        wrong = [i for i in mine if examination.is_wrong(i)]
        layers.append(
            WrongLayer(
                number,
                tuple(i for i in wrong if examination.leaves[i].role != "b"),
                tuple(i for i in wrong if examination.leaves[i].role == "b"),
                tuple(i for i in mine if examination.is_right(i) and not examination.is_silent(i)),
                tuple(i for i in mine if examination.is_silent(i)),
            )
        )
    return layers


def _explain_layers(examination: Examination, layers: list[WrongLayer]) -> list[Finding]:
    """Go down from the output; everything below a wrong delta is its consequence."""
    probes = Probes(examination)
    findings: list[Finding] = []
    for position, layer in enumerate(layers):
        below = layers[position + 1 :]
        if not layer.wrong:
            continue
        if _is_ambiguous(examination, layer, probes):
            findings.append(_explain_alone(examination, layer))
            break
        if _is_delta_fault(examination, layer, below, probes) or _spoils_below(examination, layer, below, probes):
            consequence = [i for lower in [layer, *below] for i in lower.wrong]
            findings.append(_explain_delta(examination, layer, consequence, probes))
            break
        findings.append(_explain_local(examination, layer, below, probes))
    return _merge_same_equation(examination, findings)


def _is_delta_fault(examination: Examination, layer: WrongLayer, below: list[WrongLayer], probes: Probes) -> bool:
    """Whether the error of this layer is wrong, and not just what is made of it."""
    if any(lower.right and not lower.wrong for lower in below):
        return _is_branch_fault(examination, layer)
    leaves = probes.leaves
    # A right gamma or beta beside W says nothing: they are made from the error after the normalisation.
    right = [leaves[i].role for i in layer.right if leaves[i].dense]
    wrong = [leaves[i].role for i in layer.wrong if leaves[i].dense]
    if not wrong:
        return False
    if any(leaves[i].role == "b" and not leaves[i].dense for i in layer.wrong):
        return True
    if "b" in wrong:
        beside = any(leaves[i].role != "b" for i in layer.silent if leaves[i].dense)
        return not right and (set(wrong) != {"b"} or not beside)
    # Only W is wrong. Beside a right b that is BP4; without a b to ask, the rows and columns of W tell.
    if "b" in right or probes.spares_inputs(layer.wrong_W[0]):
        return False
    return probes.uses_right_activation(layer.wrong_W[0]) is not False


def _is_ambiguous(examination: Examination, layer: WrongLayer, probes: Probes) -> bool:
    """Whether the wrong matrix of the only layer has no bias beside it, and nothing in its rows that tells whether its
    error is wrong."""
    leaves = examination.leaves
    alone = all(leaf.role != "b" or not leaf.dense for leaf in leaves if leaf.layer == layer.number)
    if examination.depth > 1 or not alone or not layer.wrong_W or any(not leaves[i].dense for i in layer.wrong):
        return False
    return not probes.spares_inputs(layer.wrong_W[0]) and probes.uses_right_activation(layer.wrong_W[0]) is None


def _explain_alone(examination: Examination, layer: WrongLayer) -> Finding:
    """A wrong matrix of which the equation cannot be told."""
    wrong = list(layer.wrong)
    names, (largest, expected) = name_tensors(examination, wrong), measure_sizes(examination, wrong)
    zero = say(LAYERS_ZERO, layer=layer.number, tensors=names, largest=largest, expected=expected)
    if zero:
        return make_finding(examination, "update", layer.number, wrong, zero)
    said = say(BESIDE_UNSEEN_ERROR, layer=layer.number, off=measure_gap(examination, wrong), shown_by=[],
               kind=_name_kind(examination, layer))  # fmt: skip
    return make_finding(examination, None, layer.number, wrong, said + _describe(examination, layer))


def _spoils_below(examination: Examination, layer: WrongLayer, below: list[WrongLayer], probes: Probes) -> bool:
    """Whether a wrong W beside a right b and the wrong error of the layer below have one cause: an error of which only
    the sum over the batch is right, as when the samples are exchanged."""
    if not below or not layer.wrong_W or layer.wrong_b or not below[0].wrong_W or not below[0].wrong_b:
        return False
    if not _is_delta_fault(examination, below[0], below[1:], probes):
        return False
    # Where the cost reads more than the outputs, more than delta comes back, and a right b tells of delta alone.
    return probes.uses_right_activation(layer.wrong_W[0]) is True or probes.felt_derivatives > 1


def _is_branch_fault(examination: Examination, layer: WrongLayer) -> bool:
    """Whether the error of a layer is wrong though one below is right, as in one of two branches: W and b are wrong,
    and not by one factor."""
    wrong = [i for i in layer.wrong if examination.leaves[i].dense]
    both = {examination.leaves[i].role for i in wrong} == {"W", "b"}
    return both and fit_factor([worst_verdict(examination, i) for i in wrong]) is None


def _explain_delta(examination: Examination, layer: WrongLayer, wrong: list[int], probes: Probes) -> Finding:
    number, names = layer.number, name_tensors(examination, wrong)
    largest, expected = measure_sizes(examination, wrong)
    zero = say(LAYERS_ZERO, layer=number, tensors=names, largest=largest, expected=expected)
    if zero:
        return make_finding(examination, "update", number, wrong, zero)
    measured: dict[str, Any] = {"layer": number, "off": measure_gap(examination, wrong), "tensors": names}
    if number == examination.depth:
        other = _say_forward(examination, layer, probes)
        if other:
            return make_finding(examination, "forward", None, wrong, other)
        measured["right"] = name_tensors(examination, layer.right)
        text = say(OUTPUT_ERROR, **measured) or say(BESIDE_ERROR, moved=probes.felt_derivatives, **measured)
        text += say(MORE_THAN_OUTPUTS, moved=probes.feel_inputs() or 0.0) + _describe(examination, layer)
        return make_finding(examination, "BP1", number, wrong, text)
    changed = say(CHANGED_WEIGHTS, layer=number, **probes.measure_rates(number))
    if changed:
        return make_finding(examination, "update", number, wrong, changed)
    over = [i for i, leaf in enumerate(examination.leaves) if (leaf.layer or 0) > number]
    above = [] if any(map(examination.is_wrong, over)) else [i for i in over if examination.is_right(i)]
    right, moved = name_tensors(examination, layer.right), probes.felt_derivatives
    said = say(BESIDE_ERROR, right=right, moved=moved, **measured)
    hidden = say(HIDDEN_ERROR, above=name_tensors(examination, above), **measured) or say(HIDDEN_ERROR_TOO, **measured)
    more = say(MORE_THAN_OUTPUTS, moved=moved) + _describe(examination, layer)
    return make_finding(examination, "BP2", number, wrong, (said or hidden) + more)


def _say_forward(examination: Examination, layer: WrongLayer, probes: Probes) -> tuple[Said, ...]:
    """Other activations than the cost's, where they can be fitted and give every number of the output layer.

    Other activations give other errors: then no gradient below is right.
    """
    below = [i for i, leaf in enumerate(examination.leaves) if (leaf.layer or 0) < layer.number and leaf.dense]
    right = [i for i in below if examination.is_right(i) and not examination.is_silent(i)]
    if layer.number < 2 or not layer.wrong_W or not layer.wrong_b:
        return ()
    found = probes.fit_activations(layer.wrong_W[0], layer.wrong_b[0])
    if found is None:
        return ()
    return say(OTHER_ACTIVATIONS, layer=layer.number, right_below=name_tensors(examination, right), **found)


def _explain_local(examination: Examination, layer: WrongLayer, below: list[WrongLayer], probes: Probes) -> Finding:
    """A fault that does not travel down: the error is right, the gradient made of it is not."""
    number, leaves = layer.number, examination.leaves
    beside = [i for lower in below for i in lower.right]
    largest, expected = measure_sizes(examination, list(layer.wrong))
    names = name_tensors(examination, layer.wrong)
    if not layer.right:
        zero = say(LAYER_ZERO, layer=number, tensors=names, largest=largest, expected=expected,
                   beside=name_tensors(examination, beside))  # fmt: skip
        if zero:
            return make_finding(examination, "update", number, list(layer.wrong), zero)
    right = [i for i in layer.right if leaves[i].dense]
    roles = {leaves[i].role == "b" for i in layer.wrong if leaves[i].dense}
    if len(roles) == 2 and right:
        together = say(TOGETHER_BESIDE_RIGHT, off=measure_gap(examination, list(layer.wrong)), tensors=names,
                       right=name_tensors(examination, right))  # fmt: skip
        return make_finding(examination, None, number, list(layer.wrong), together + _describe(examination, layer))
    shown_by = ([i for i in layer.right if leaves[i].dense == leaves[layer.wrong[0]].dense] + beside)[:1]
    measured = {"layer": number, "off": measure_gap(examination, list(layer.wrong)),
                "kind": _name_kind(examination, layer), "shown_by": name_tensors(examination, shown_by)}  # fmt: skip
    moved = probes.felt_derivatives if layer.wrong_W else 0.0
    said = say(BESIDE_OUTPUTS, right=name_tensors(examination, right), moved=moved, **measured)
    said = said or say(BESIDE_RIGHT_ERROR, **measured) or say(BESIDE_UNSEEN_ERROR, **measured)
    said += say(MORE_THAN_OUTPUTS, moved=moved)
    equation = "BP4" if layer.wrong_W else "BP3"
    return make_finding(examination, equation, number, list(layer.wrong), said + _describe(examination, layer))


def _name_kind(examination: Examination, layer: WrongLayer) -> str:
    """ "bias gradient" for a vector that is added, "weight gradient" for what is multiplied, else the tensor's name."""
    leaves = [examination.leaves[i] for i in layer.wrong]
    if layer.wrong_W and all(leaf.dense and len(leaf.shape) == 2 for leaf in leaves if leaf.role == "W"):
        return "weight gradient"
    if not layer.wrong_W and all(leaf.dense and max(leaf.shape, default=1) == leaf.size for leaf in leaves):
        return "bias gradient"
    return f"gradient of {name_them([leaf.name for leaf in leaves])}"


def _describe(examination: Examination, layer: WrongLayer) -> tuple[Said, ...]:
    texts = [said for i in layer.wrong for said in describe_tensor(worst_verdict(examination, i), examination, i)]
    return tuple({said.text: said for said in texts}.values())


def _merge_same_equation(examination: Examination, findings: list[Finding]) -> list[Finding]:
    """The same fault in several layers is one finding, at its topmost layer; different factors are different faults."""
    merged: list[Finding] = []
    for finding in findings:
        same = next((k for k, m in enumerate(merged) if _is_same(examination, m, finding)), None)
        if same is None:
            merged.append(finding)
            continue
        top = merged[same]
        names = (*top.parameters, *(p for p in finding.parameters if p not in top.parameters))
        merged[same] = replace(top, parameters=names, entries=(top.entries + finding.entries)[:MOST_ENTRIES])
    return merged


def _is_same(examination: Examination, one: Finding, other: Finding) -> bool:
    index = {leaf.name: i for i, leaf in enumerate(examination.leaves)}
    factors = [find_factor(examination, [index[name] for name in f.parameters if name in index]) for f in (one, other)]
    laws = [factor and factor.law for factor in factors]
    return one.equation == other.equation and laws[0] == laws[1]
