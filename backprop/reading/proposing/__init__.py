"""Proposing: which value is at fault, and what could stand there instead."""
