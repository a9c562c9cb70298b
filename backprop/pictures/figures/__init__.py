"""Figures of what was learned: classes, gates, gradients through the layers, surfaces. Each is one file for a slide."""

from backprop.pictures.figures.classes import plot_classes
from backprop.pictures.figures.gates import Gate, plot_gates
from backprop.pictures.figures.signals import Signal, plot_signals
from backprop.pictures.figures.surfaces import plot_surfaces

__all__ = ["Gate", "Signal", "plot_classes", "plot_gates", "plot_signals", "plot_surfaces"]
