"""One hidden layer for a given function: the error at growing widths; leaves approximation.png."""

import backprop
from backprop.pictures import plot_approximation

for width in (2, 4, 8, 16):
    result = backprop.approximate("sin(2*pi*x)", width=width, activation="tanh")
    print(result)
plot_approximation(result, "approximation.png")
assert result.sup_error < 1e-6
