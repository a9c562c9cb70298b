"""The language of the book: letters and indices, statements, matrix nodes, and how all of it is printed."""
