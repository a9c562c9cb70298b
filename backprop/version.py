"""The version, stated once: the package and its build read it here."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"
