"""What universal approximation has in common with polynomials and waves, and what not."""
