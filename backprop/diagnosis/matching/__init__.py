"""Which mutated program makes exactly the subject's numbers."""
