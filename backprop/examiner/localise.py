"""Which equation is wrong: the first naming, from the pattern over tensors and a few probes."""

from __future__ import annotations

from dataclasses import dataclass

from backprop.examiner.examination import CaseExamination, Examination, TensorVerdict
from backprop.examiner.patterns import common_factor, describe_tensor, is_zero
from backprop.examiner.probes import Probes
from backprop.examiner.report import Entry, Finding

__all__ = ["list_entries", "localise"]

MOST_ENTRIES = 12


@dataclass(frozen=True)
class Layer:
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
    wrong = [i for i in range(len(examination.leaves)) if examination.is_wrong(i)]
    if not wrong:
        return []
    everywhere = _explain_whole(examination, wrong)
    if everywhere is not None:
        return [everywhere]
    if not examination.depth:
        return [_find(examination, None, None, wrong, "The gradient differs from the derivative of the cost.")]
    return _explain_layers(examination, _sort_into_layers(examination))


def list_entries(examination: Examination, tensors: list[int]) -> tuple[Entry, ...]:
    """List wrong entries of some tensors, the clearest mismatch of each tensor first."""
    out: list[Entry] = []
    share = max(2, MOST_ENTRIES // max(1, len(tensors)))
    for i in tensors:
        verdict = worst_verdict(examination, i)
        found = sorted((r for r in verdict.entries if r.state == "differs"), key=lambda r: -abs(r.yours - r.expected))
        name = verdict.leaf.name
        out += [Entry(name, r.index or (), r.yours, r.expected, r.uncertainty) for r in found[:share]]
    return tuple(out[:MOST_ENTRIES])


def worst_verdict(examination: Examination, tensor: int) -> TensorVerdict:
    """The case at which a tensor is most plainly wrong (at a place made smooth, if there is one)."""
    faulty = [(c.case.jittered, v) for c, v in zip(examination.cases, examination.verdicts(tensor), strict=True)]
    order = sorted(faulty, key=lambda p: (not p[1].faulty, -len(p[1].entries), not p[0]))
    return order[0][1]


def _explain_whole(examination: Examination, wrong: list[int]) -> Finding | None:
    """A fault of the whole network: one factor on everything that can be seen."""
    if len(wrong) + sum(examination.is_silent(i) for i in range(len(examination.leaves))) < len(examination.leaves):
        return None
    faulty = [case for case in examination.cases if any(case.tensors[i].faulty for i in wrong)]
    factors = [common_factor([case.tensors[i] for i in wrong]) for case in faulty]
    known = [f for f in factors if f is not None]
    if len(known) < len(faulty):
        return None
    depth = examination.depth or None
    if all(abs(f + 1) < 1e-3 for f in known):
        text = "Every gradient has the wrong sign: the output error is reversed (target minus output)."
        return _find(examination, "BP1" if depth else "cost", depth, wrong, text)
    if all(f == 0 for f in known):
        return _find(
            examination,
            "update",
            None,
            wrong,
            "Every gradient is zero: it is never computed or never stored.",
        )
    return _find(examination, "cost", None, wrong, _describe_factors(faulty, known))


def _describe_factors(cases: list[CaseExamination], factors: list[float]) -> str:
    rows = [case.case.rows or 0 for case in cases]
    text = " and ".join(dict.fromkeys(f"{f:.6g}" for f in factors))
    hint = ""
    if all(n and abs(f / n - 1) < 1e-3 for f, n in zip(factors, rows, strict=False)):
        hint = " (the batch size n: the cost averages over the batch, the gradient does not)"
    elif all(n and abs(f * n - 1) < 1e-3 for f, n in zip(factors, rows, strict=False)):
        hint = " (1/n: the gradient averages over the batch, the cost does not)"
    scales = "the scales of cost and gradient differ"
    return f"Every gradient is the derivative of the cost times {text}{hint}: {scales}."


def _sort_into_layers(examination: Examination) -> list[Layer]:
    layers = []
    for number in range(examination.depth, 0, -1):
        mine = [i for i, leaf in enumerate(examination.leaves) if leaf.layer == number]
        wrong = [i for i in mine if examination.is_wrong(i)]
        layers.append(
            Layer(
                number,
                tuple(i for i in wrong if examination.leaves[i].role != "b"),
                tuple(i for i in wrong if examination.leaves[i].role == "b"),
                tuple(i for i in mine if examination.is_right(i) and not examination.is_silent(i)),
                tuple(i for i in mine if examination.is_silent(i)),
            )
        )
    return layers


def _explain_layers(examination: Examination, layers: list[Layer]) -> list[Finding]:
    """Go down from the output; everything below a wrong delta is its consequence."""
    probes = Probes(examination)
    findings: list[Finding] = []
    for position, layer in enumerate(layers):
        below = layers[position + 1 :]
        if not layer.wrong:
            continue
        if _is_delta_fault(examination, layer, below, probes) or _spoils_below(examination, layer, below, probes):
            consequence = [i for lower in [layer, *below] for i in lower.wrong]
            findings.append(_explain_delta(examination, layer, consequence, probes))
            break
        findings.append(_explain_local(examination, layer))
    return _merge_same_equation(findings)


def _is_delta_fault(examination: Examination, layer: Layer, below: list[Layer], probes: Probes) -> bool:
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


def _spoils_below(examination: Examination, layer: Layer, below: list[Layer], probes: Probes) -> bool:
    """Whether a wrong W beside a right b and the wrong error of the layer below have one cause: an error of which only
    the sum over the batch is right, as when the samples are exchanged."""
    if not below or not layer.wrong_W or layer.wrong_b or not below[0].wrong_W or not below[0].wrong_b:
        return False
    if not _is_delta_fault(examination, below[0], below[1:], probes):
        return False
    return probes.uses_right_activation(layer.wrong_W[0]) is True


def _is_branch_fault(examination: Examination, layer: Layer) -> bool:
    """Whether the error of a layer is wrong though one below is right, as in one of two branches: W and b are wrong,
    and not by one factor."""
    wrong = [i for i in layer.wrong if examination.leaves[i].dense]
    both = {examination.leaves[i].role for i in wrong} == {"W", "b"}
    return both and common_factor([worst_verdict(examination, i) for i in wrong]) is None


def _explain_delta(examination: Examination, layer: Layer, wrong: list[int], probes: Probes) -> Finding:
    number = layer.number
    if all(is_zero(worst_verdict(examination, i)) for i in wrong):
        text = f"The gradient of layer {number} and below is zero: never computed or never applied."
        return _find(examination, "update", number, wrong, text)
    if number == examination.depth:
        if _is_forward_fault(layer, probes):
            text = (
                "The gradient is computed from another forward pass than the cost: already the activations "
                f"a^{number - 1} that enter the output layer differ."
            )
            return _find(examination, "forward", None, wrong, text)
        text = f"The output error delta^{number} is wrong, and with it every gradient below."
        return _find(examination, "BP1", number, wrong, text + _describe(examination, layer))
    if probes.has_changed_weights(number):
        text = (
            f"The weights of layer {number + 1} are already updated when the error goes back through them to "
            f"layer {number}: use the old weights for delta^{number}, update afterwards."
        )
        return _find(examination, "update", number, wrong, text)
    text = f"The layers above are right, but the error delta^{number} sent back into layer {number} is wrong."
    return _find(examination, "BP2", number, wrong, text + _describe(examination, layer))


def _is_forward_fault(layer: Layer, probes: Probes) -> bool:
    if not layer.wrong_W or not layer.wrong_b:
        return False
    other = probes.has_other_activations(layer.wrong_W[0], layer.wrong_b[0])
    return probes.uses_right_activation(layer.wrong_W[0]) is False if other is None else other


def _explain_local(examination: Examination, layer: Layer) -> Finding:
    """A fault that does not travel down: the error is right, the gradient made of it is not."""
    number = layer.number
    if not layer.right and all(is_zero(worst_verdict(examination, i)) for i in layer.wrong):
        text = f"The gradient of layer {number} is zero, though the error passes it: never computed or applied."
        return _find(examination, "update", number, list(layer.wrong), text)
    if layer.wrong_W:
        known = "is right" if layer.right else "is not shown to be wrong"
        text = f"The error delta^{number} {known}, but the weight gradient made from it is wrong."
        return _find(examination, "BP4", number, list(layer.wrong), text + _describe(examination, layer))
    text = f"The error delta^{number} is right, but the bias gradient made from it is wrong."
    return _find(examination, "BP3", number, list(layer.wrong), text + _describe(examination, layer))


def _describe(examination: Examination, layer: Layer) -> str:
    texts = [describe_tensor(worst_verdict(examination, i), examination, i) for i in layer.wrong]
    known = [t for t in dict.fromkeys(texts) if t]
    return f" {' '.join(known)}" if known else ""


def _find(
    examination: Examination, equation: str | None, layer: int | None, tensors: list[int], explanation: str
) -> Finding:
    ordered = sorted(set(tensors))
    names = tuple(examination.leaves[i].name for i in ordered)
    return Finding(equation, layer, names, explanation, entries=list_entries(examination, tensors))


def _merge_same_equation(findings: list[Finding]) -> list[Finding]:
    """The same fault in several layers is one finding, at its topmost layer."""
    merged: list[Finding] = []
    for finding in findings:
        same = next((k for k, m in enumerate(merged) if m.equation == finding.equation), None)
        if same is None:
            merged.append(finding)
            continue
        top = merged[same]
        names = (*top.parameters, *(p for p in finding.parameters if p not in top.parameters))
        entries = (top.entries + finding.entries)[:MOST_ENTRIES]
        merged[same] = Finding(top.equation, top.layer, names, top.explanation, top.cause, entries)
    return merged
