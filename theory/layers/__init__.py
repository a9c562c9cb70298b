"""One file a layer kind: its forward definitions, and nothing else."""
