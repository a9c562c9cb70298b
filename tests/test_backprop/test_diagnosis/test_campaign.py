"""The mutation campaign in the tests: half of the table by default, more than 500 cases with the thorough profile.

`python tests/campaign.py` prints the figures with every wrong attribution.
"""

from __future__ import annotations

import os

import pytest
from campaign import Tally, run_case
from kit.planted import count_entries

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
LOCATED, NAMED = 0.95, 0.80
GROUPS = 8 if THOROUGH else 2


def list_seeds(group):
    """Every second entry of the table in two groups; with the thorough profile all entries, four times each."""
    if THOROUGH:
        half = count_entries() // 2
        return range(group * half, (group + 1) * half)
    return range(2 * group, count_entries(), 2 * GROUPS)


@pytest.mark.parametrize("group", range(GROUPS))
def test_planted_mistakes_are_detected_located_and_named(group):
    tally = Tally([run_case(seed) for seed in list_seeds(group)])
    print("\n".join([str(tally), *tally.list_wrong()]))
    assert tally.share("detected") == 1
    assert tally.share("located") >= LOCATED
    assert tally.share("named") >= NAMED
