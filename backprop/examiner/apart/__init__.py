"""The judge in one process, the subject's code in another, plain data between them."""
