"""Checks saved certificates: other arithmetic, an own reader of expressions, nothing shared with the prover."""

from backprop.approximation.checking.check import SECONDS, check_certificate
from backprop.approximation.checking.verdict import Verdict

__all__ = ["SECONDS", "Verdict", "check_certificate"]
