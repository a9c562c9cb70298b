"""Looking at a file without running it, and its text with hooks."""
