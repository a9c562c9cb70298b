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
# # Write BP2
# The network, its cost, BP1, BP3 and BP4 are given. Write the error of a layer from the error of the next.

# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

import backprop

SIZES = (3, 5, 4, 2)


def parameters(rng):
    pairs = zip(SIZES, SIZES[1:], strict=False)
    return [(rng.normal(size=(m, k)) / np.sqrt(m), rng.normal(size=k) / 10) for m, k in pairs]


def data(rng, n=6):
    return rng.normal(size=(n, SIZES[0])), rng.normal(size=(n, SIZES[-1]))


def forward(params, X):
    zs, activations = [], [X]
    for layer, (W, b) in enumerate(params, start=1):
        zs.append(activations[-1] @ W + b)
        activations.append(np.tanh(zs[-1]) if layer < len(params) else zs[-1])
    return zs, activations


def cost(params, X, Y):
    return 0.5 * np.sum((forward(params, X)[1][-1] - Y) ** 2)


# %% nbgrader={"grade": false, "grade_id": "bp2", "locked": false, "schema_version": 3, "solution": true, "task": false}
def error_of_layer_below(delta, W, z):
    """BP2: the error of a layer, (n, M_l), from that of the next, (n, M_(l+1)), its W, (M_l, M_(l+1)), and z."""
    ### BEGIN SOLUTION
    return (delta @ W.T) * (1 - np.tanh(z) ** 2)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "around", "locked": true, "schema_version": 3, "solution": false, "task": false}
def gradients(params, X, Y):
    zs, activations = forward(params, X)
    delta = activations[-1] - Y  # BP1
    found = []
    for layer in reversed(range(len(params))):
        found.insert(0, (activations[layer].T @ delta, delta.sum(axis=0)))  # BP4, BP3
        if layer:
            delta = error_of_layer_below(delta, params[layer][0], zs[layer - 1])
    return found


# %% nbgrader={"grade": true, "grade_id": "shape", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
found = error_of_layer_below(np.ones((6, 2)), np.ones((4, 2)), np.zeros((6, 4)))
assert found.shape == (6, 4), f"an error of shape (6, 4) is wanted, got {found.shape}"

# %% nbgrader={"grade": true, "grade_id": "judge", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
report = backprop.verify({"parameters": parameters, "data": data, "cost": cost, "gradients": gradients})
assert report.ok, str(report.tell("place"))
### END HIDDEN TESTS
