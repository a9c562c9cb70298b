"""What the letters and signs of a formula stand for: declared by keys, or inferred."""
