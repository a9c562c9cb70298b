"""Whether as many ReLU units as there are forced kinks are enough: decided, with a network or a proof."""
