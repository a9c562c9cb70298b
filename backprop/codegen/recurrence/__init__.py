"""A recurrent network as a module: loops over the steps of a sequence."""
