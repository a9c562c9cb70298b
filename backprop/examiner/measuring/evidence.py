"""The evidence of an examination as plain types: what was compared where, how sharply, and what would escape."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop.examiner.measuring.examination import CaseExamination, Examination

__all__ = ["gather_evidence"]

LEVEL = "tested"


def gather_evidence(examination: Examination, seed: int) -> dict[str, Any]:
    """Cases, tensors, oracles, noise and the number of evaluations, as plain types."""
    tensors = {}
    for i, leaf in enumerate(examination.leaves):
        found = examination.verdicts(i)
        if found:
            tensors[leaf.name] = _summarise(examination, i)
    cases = [c.case.label for c in examination.cases]
    evidence: dict[str, Any] = {"level": LEVEL, "seed": seed, "cases": cases, "tensors": tensors}
    evidence["oracles"] = sorted({c.oracle.name for c in examination.cases})
    evidence["declined"] = {name: why for c in examination.cases for name, why in c.oracle.declined.items()}
    evidence["rows"] = [c.case.rows for c in examination.cases]
    evidence["noise"] = [_relative_noise(c) for c in examination.cases]
    evidence["evaluations"] = sum(c.case.evaluations for c in examination.cases)
    return evidence


def _relative_noise(case: CaseExamination) -> float:
    return case.oracle.noise / max(abs(case.oracle.center), np.finfo(float).tiny)


def _summarise(examination: Examination, tensor: int) -> dict[str, Any]:
    leaf, found = examination.leaves[tensor], examination.verdicts(tensor)
    sharp = min((v for v in found), key=lambda v: v.uncertainty / (v.scale or 1.0))
    verdict = "wrong" if examination.is_wrong(tensor) else "right" if examination.is_right(tensor) else "undecided"
    return {
        "verdict": verdict,
        "shape": list(leaf.shape),
        "layer": leaf.layer,
        "entries": sum(len(v.entries) for v in found),
        "directions": sum(v.directions for v in found),
        "scale": sharp.scale,
        "uncertainty": sharp.uncertainty if np.isfinite(sharp.uncertainty) else None,
        "escapes": sharp.escape,
    }
