"""The door to the four equations: `derive_matrix_form` gives one of them as a derivation."""

from theory.chapters.networks.four_equations import derive_matrix_form

__all__ = ["derive_matrix_form"]
