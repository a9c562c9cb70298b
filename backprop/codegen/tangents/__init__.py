"""A network with its first and second derivative by the input, as a module."""
