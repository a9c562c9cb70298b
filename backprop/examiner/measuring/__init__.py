"""Measuring a derivative: points, oracles that know their error, noise, kinks, and the one comparison."""
