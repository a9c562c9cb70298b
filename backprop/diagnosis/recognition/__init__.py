"""From a subject's arrays to a network: forward pass, hidden activations, cost."""
