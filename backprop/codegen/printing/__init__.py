"""From a program to source text: modules for reading and checking, flat forms, other targets."""
