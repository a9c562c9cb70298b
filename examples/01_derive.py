"""Derive BP2 step by step, then ask the witness whether each step holds."""

from theory.chapters.networks.four_equations import derive_matrix_form
from theory.witnesses.witness import check

derivation = derive_matrix_form("BP2")
print(derivation.to_text())
wrong = check(derivation)
print(f"\n{len(derivation.steps)} steps, {len(wrong)} refuted by the witness")
assert not wrong
