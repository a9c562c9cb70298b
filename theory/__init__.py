"""The book: backpropagation derived in small named steps, every step re-checked.

Begin with `theory.chapters.networks.four_equations`."""
