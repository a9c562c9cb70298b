"""What is approximated and by what: targets, tables, activations, least squares."""
