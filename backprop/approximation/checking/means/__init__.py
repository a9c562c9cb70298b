"""Checks what a file claims of a mean."""
