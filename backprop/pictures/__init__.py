"""Pictures: one style, plots of runs and of approximations."""
