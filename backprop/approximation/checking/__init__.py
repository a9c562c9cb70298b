"""Checks saved certificates: other arithmetic, an own reader of expressions, nothing shared with the prover."""

from backprop.approximation.checking.boxes import Verdict
from backprop.approximation.checking.check import SECONDS, check_certificate

__all__ = ["SECONDS", "Verdict", "check_certificate"]
