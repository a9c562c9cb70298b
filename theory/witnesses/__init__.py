"""Witnesses: evaluate both sides of a step on random networks over a prime field, and know no rule."""
