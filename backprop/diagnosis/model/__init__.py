"""A recognised network: its parts by short names, its program run on arrays, what a mistake is."""
