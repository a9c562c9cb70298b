"""The table of mistakes, as rewrites of program nodes."""
