"""Pictures: figures for slides in one style, each one file; they are given numbers and compute none."""

from backprop.pictures.approximation import plot_approximation
from backprop.pictures.classes import plot_classes
from backprop.pictures.gates import Gate, plot_gates
from backprop.pictures.ranking import plot_ranking
from backprop.pictures.signals import Signal, plot_signals
from backprop.pictures.slopes import plot_slopes
from backprop.pictures.style import FAINT, INK, STYLE, Floats, Palette, open_figure, save_figure
from backprop.pictures.surfaces import plot_surfaces
from backprop.pictures.training import plot_training

__all__ = [
    "FAINT", "INK", "STYLE", "Floats", "Gate", "Palette", "Signal", "open_figure", "plot_approximation", "plot_classes",
    "plot_gates", "plot_ranking", "plot_signals", "plot_slopes", "plot_surfaces", "plot_training", "save_figure",
]  # fmt: skip
