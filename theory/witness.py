"""The door to the witness: `check` whether a statement holds."""

from theory.witnesses.witness import check

__all__ = ["check"]
