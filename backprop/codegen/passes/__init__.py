"""Passes: a program made quick, step by step."""
