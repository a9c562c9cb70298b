"""Diagnosis: explains a wrong verdict by mutated programs; it does not judge."""
