"""Hypothesis profiles: dev (quick), ci (the default of a full run), thorough; chosen by HYPOTHESIS_PROFILE."""

from __future__ import annotations

import importlib.util
import os

# Several workers with several threads each would fight for the cores; set before NumPy is first imported.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
settings.register_profile("dev", max_examples=15, **COMMON)
settings.register_profile("ci", max_examples=40, derandomize=True, **COMMON)
settings.register_profile("thorough", max_examples=1000, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

PEERS = {"jax_functions.py": "jax", "scikit.py": "sklearn", "torch_modules.py": "torch"}
"""Files whose doctests need an optional library."""


def pytest_collection_modifyitems(items):
    """Skip the doctests of an adapter whose library is not installed."""
    for item in items:
        peer = PEERS.get(item.path.name)
        if peer is not None and importlib.util.find_spec(peer) is None:
            item.add_marker(pytest.mark.skip(reason=f"{peer} is not installed"))
