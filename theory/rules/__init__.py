"""The rules of derivation and the engine that applies them to any list of definitions."""
