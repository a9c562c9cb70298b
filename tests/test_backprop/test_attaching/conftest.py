"""Files as they are, judged one after the other: what every judge imports is imported once."""

from __future__ import annotations

import pytest

from backprop.verification.submission import prepare


@pytest.fixture(scope="package", autouse=True)
def prepared():
    """Judges and readers are copies of one prepared process, as where a folder is graded."""
    with prepare(many=True):
        yield
