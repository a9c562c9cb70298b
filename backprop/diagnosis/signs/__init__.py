"""Mistakes that show without the network being known."""
