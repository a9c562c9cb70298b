"""Chapters on networks: letters and rules, the four equations, costs, activations, layers."""
