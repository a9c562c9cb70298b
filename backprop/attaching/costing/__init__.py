"""From one iteration to its gradient and its cost."""
