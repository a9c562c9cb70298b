"""Running: a subject with probes around its values, or with a piece of its text replaced."""
