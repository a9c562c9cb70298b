"""A gradient that vanishes in the arithmetic before it does in the mathematics; leaves slopes.png."""

import numpy as np

import backprop
from backprop.pictures.slopes import plot_slopes

z = np.array([10.0, 30.0, 40.0])
for accuracy in ("fast", "full"):
    sigmoid = backprop.activation("sigmoid", accuracy)
    print(f"sigmoid'({z}), {accuracy}: {sigmoid.f_prime(z)}")
assert sigmoid.f_prime(z)[-1] > 0
plot_slopes("slopes.png")
