"""Derivations told step by step: rule, why, numbers, shapes."""
