"""Where frameworks mean different things by the same word: a table from runs of those that are installed."""

from backprop.frameworks.conventions import write_conventions

print(write_conventions())
