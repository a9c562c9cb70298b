"""The exact check: the wiring of a generated source over a prime field."""
