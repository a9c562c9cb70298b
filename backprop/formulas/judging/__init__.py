"""Whether a formula holds: trials, how much of it is explained, other conventions."""
