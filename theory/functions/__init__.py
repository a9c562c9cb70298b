"""Functions of one variable: the catalogue of activations, their derivatives, and forms proved equal to them."""
