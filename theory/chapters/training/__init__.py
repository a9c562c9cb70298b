"""Chapters on training: initial weights from the variance condition, and optimisers as equations."""
