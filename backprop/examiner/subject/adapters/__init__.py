"""Adapters: one file for each kind of code that is not written as parameters, data, cost and gradients."""
