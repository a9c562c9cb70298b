"""The book in other people's notation: the same expressions with rows and columns, and who is transposed, exchanged."""
