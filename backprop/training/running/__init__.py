"""A training run: checked inputs, epochs, records, and what is kept on disk."""
