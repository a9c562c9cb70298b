"""Data that ships with the package; what it is and whose it is stands in NOTICE."""
