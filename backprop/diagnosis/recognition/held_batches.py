"""A batch that the subject keeps to itself, as it may be: pairs (X, Y) of the arrays that its `batches` offers.

Which pair it is decides itself: only with the true one a network gives the subject's costs at every case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product
from typing import Any

import numpy as np

from backprop.diagnosis.model.layout import list_layouts
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["show_batches"]

MOST_PAIRS = 4


def show_batches(examination: Examination) -> Iterator[Examination]:
    """The examination itself where its cases have a batch, else with what the batch may be in their place."""
    cases = [found.case for found in examination.cases]
    if any(case.rows for case in cases):
        yield examination
        return
    subject = cases[0].subject
    if subject.flat or not subject.has("batches"):
        return
    try:
        offered = [np.asarray(array) for array in subject.call("batches")]
    except (Unusable, TypeError, ValueError):
        return  # without a batch the cause stays unknown
    yield from islice(_show_pairs(examination, offered), MOST_PAIRS)


def _show_pairs(examination: Examination, offered: list[Any]) -> Iterator[Examination]:
    """Inputs are a matrix, nothing is the same number everywhere, the layers fit; smaller ones are cut from larger."""
    telling = [array for array in offered if np.ptp(array)]
    for X, Y in sorted(product(telling, telling), key=lambda pair: pair[0].size):
        shown = [replace(found, case=replace(found.case, X=X, Y=Y)) for found in examination.cases]
        if X.ndim == 2 and X is not Y and next(list_layouts(examination.leaves, shown[0].case), None) is not None:
            yield replace(examination, cases=shown)
