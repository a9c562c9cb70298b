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
# # From the equations to code
# Where does the transpose in the backward pass come from? Every step below is one named rule, and each is re-checked on
# random networks by a witness that knows no rule.

# %%
import backprop
from backprop.stories.story import tell
from theory.chapters.networks.four_equations import derive_matrix_form
from theory.witness import check

derivation = derive_matrix_form("BP2")
derivation

# %% [markdown]
# Nothing is believed because it was printed: the witness evaluates both sides of every step.

# %%
assert check(derivation) == []

# %% [markdown]
# The same steps in numbers, in a network 2-2-1: the value never changes.

# %%
story = tell(derivation)
for step in story.steps:
    print(f"{step.rule.name:28} {step.numbers('text')}")

# %% [markdown]
# The same objects print themselves as NumPy code.

# %%
net = backprop.build("2-2-1", activation="tanh")
net

# %%
report = backprop.verify(net)
assert report.ok
report

# %% [markdown]
# Activations are stated once, forward; their derivatives follow.

# %%
backprop.activation("gelu")
