"""The examiner: judges anybody's hand-written gradient, and knows neither the theory nor the generator."""

from __future__ import annotations

from backprop.examiner.apart.child import examine_file
from backprop.examiner.judging.judge import examine, judge
from backprop.examiner.measuring.examination import Examination
from backprop.examiner.saying.report import Entry, Finding, Report
from backprop.examiner.subject.loading import load_subject
from backprop.examiner.subject.protocol.subjects import Subject, Unusable
from backprop.examiner.wiring.exact import ExactResult, check_exact

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
