# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A network for a function and an epsilon
# The theorem says that a network exists. Here one is found, and its error is proved at every point of the interval.

# %%
import backprop

found = backprop.approximate("sin(2*pi*x)", epsilon=1e-3, activation="tanh", certify=True)
assert found.certificate.verdict == "proved"
found

# %%
found.certificate

# %% [markdown]
# For ReLU the number of units is proved from both sides: as many suffice, and no network has fewer.

# %%
hinges = backprop.approximate("x**2", epsilon=1e-2, activation="relu", certify=True)
hinges

# %% [markdown]
# A polynomial activation makes polynomials only, however wide the network is.

# %%
cubes = backprop.approximate("sin(2*pi*x)", epsilon=0.1, activation="x**3")
assert cubes.error_lower_bound > 0.1
cubes
