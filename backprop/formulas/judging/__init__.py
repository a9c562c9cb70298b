"""Whether a formula holds, and what would be right: trials, small changes, other conventions."""
