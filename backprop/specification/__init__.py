"""What a network is: layers, sizes, functions and costs, the names of its parameters, and its form in JSON."""
