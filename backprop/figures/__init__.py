"""Figures of what was learned: classes, gates, gradients through the layers, surfaces. Each is one file for a slide."""

from backprop.figures.classes import plot_classes
from backprop.figures.gates import Gate, plot_gates
from backprop.figures.signals import Signal, plot_signals
from backprop.figures.surfaces import plot_surfaces

__all__ = ["Gate", "Signal", "plot_classes", "plot_gates", "plot_signals", "plot_surfaces"]
