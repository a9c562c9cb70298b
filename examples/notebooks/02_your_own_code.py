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
# # Check your own backward pass
# A subject is an object with four functions. Here the slope of tanh is taken at a instead of z.

# %%
import numpy as np

import backprop


def parameters(rng):
    return [(rng.normal(size=(3, 5)), rng.normal(size=5)), (rng.normal(size=(5, 2)), rng.normal(size=2))]


def data(rng, n=8):
    return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))


def cost(params, X, Y):
    (W1, b1), (W2, b2) = params
    return 0.5 * np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2)


def gradients(params, X, Y, at_a=True):
    (W1, b1), (W2, b2) = params
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    delta2 = a1 @ W2 + b2 - Y
    delta1 = (delta2 @ W2.T) * (1 - np.tanh(a1 if at_a else z1) ** 2)
    return [(X.T @ delta1, delta1.sum(axis=0)), (a1.T @ delta2, delta2.sum(axis=0))]


# %%
subject = {"parameters": parameters, "data": data, "cost": cost, "gradients": gradients}
report = backprop.verify(subject)
assert [(finding.equation, finding.layer) for finding in report.findings] == [("BP2", 1)]
report

# %% [markdown]
# After the change it is verified.

# %%
mended = subject | {"gradients": lambda params, X, Y: gradients(params, X, Y, at_a=False)}
assert backprop.verify(mended).ok

# %% [markdown]
# Is a printed formula right? Which term is not, and what would be?

# %%
from backprop.formulas.check import check_formula

check_formula(r"\delta^l = (W^{l+1})^T \delta^{l+1} \odot f'(a^l)")
