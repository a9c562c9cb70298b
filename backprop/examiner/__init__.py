"""The examiner: judges anybody's hand-written gradient, and knows neither the theory nor the generator."""

from __future__ import annotations

from backprop.examiner.child import examine_file
from backprop.examiner.exact import ExactResult, check_exact
from backprop.examiner.examination import Examination
from backprop.examiner.judge import examine, judge
from backprop.examiner.loading import load_subject
from backprop.examiner.report import Entry, Finding, Report
from backprop.examiner.subjects import Subject, Unusable

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
