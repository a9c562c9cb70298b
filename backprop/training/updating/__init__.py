"""How a step is taken: optimisers, schedules, clipping."""
