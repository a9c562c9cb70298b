"""The line of a file as it is, and its mend: the reading room's work on one iteration of a program."""
