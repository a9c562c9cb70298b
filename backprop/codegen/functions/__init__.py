"""Functions of one variable as NumPy code: readable, and accurate to the last digits."""
