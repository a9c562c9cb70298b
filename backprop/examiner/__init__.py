"""The examiner: judges anybody's hand-written gradient, and knows neither the theory nor the generator.

Its names are loaded when they are first used: who only asks for a verdict needs no NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backprop.examiner.apart.asking import examine_file
    from backprop.examiner.judging.judge import examine, judge
    from backprop.examiner.measuring.examination import Examination
    from backprop.examiner.saying.report import Entry, Finding, Report
    from backprop.examiner.subject.loading import load_subject
    from backprop.examiner.subject.protocol.subjects import Subject, Unusable
    from backprop.examiner.wiring.exact import check_exact
    from backprop.examiner.wiring.result import ExactResult

PLACES = {
    "Entry": "saying.report",
    "ExactResult": "wiring.result",
    "Examination": "measuring.examination",
    "Finding": "saying.report",
    "Report": "saying.report",
    "Subject": "subject.protocol.subjects",
    "Unusable": "subject.protocol.subjects",
    "check_exact": "wiring.exact",
    "examine": "judging.judge",
    "examine_file": "apart.asking",
    "judge": "judging.judge",
    "load_subject": "subject.loading",
}
"""Name -> the module that holds it."""

__all__ = [
    "Entry",
    "ExactResult",
    "Examination",
    "Finding",
    "Report",
    "Subject",
    "Unusable",
    "check_exact",
    "examine",
    "examine_file",
    "judge",
    "load_subject",
]


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
    globals()[name] = value
    return value
