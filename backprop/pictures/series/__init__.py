"""Networks beside the sums of analysis."""
