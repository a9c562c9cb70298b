"""Searches for a network near the target."""
