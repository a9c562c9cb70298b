"""Code as it is: which of its arrays are parameters, what is their gradient, and of which cost."""
