"""A mutation campaign: every mistake of the table planted in random networks, judged and explained.

More than 500 cases: `HYPOTHESIS_PROFILE=thorough pytest` and the path of this file.
"""

from __future__ import annotations

import os

import pytest
from planted import count_entries, plant

from backprop.explanation import judge_and_explain

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
EACH = 5
GROUPS = 8 * EACH
LOCATED, NAMED = 0.95, 0.80
pytestmark = pytest.mark.skipif(not THOROUGH, reason="takes many minutes: HYPOTHESIS_PROFILE=thorough runs it")


@pytest.mark.parametrize("group", range(GROUPS))
def test_planted_mistakes_are_detected_located_and_named(group):
    total = EACH * count_entries()
    seeds = range(group * total // GROUPS, (group + 1) * total // GROUPS)
    undetected, misplaced, misnamed = [], [], []
    for seed in seeds:
        planted = plant(seed)
        report = judge_and_explain(planted.subject)
        if report.verdict != "wrong":
            undetected.append(f"{planted.label}: {report.verdict}")
            continue
        found = report.findings[0]
        said = f"{planted.label}: named {found.cause} ({found.equation}, layer {found.layer})"
        if (found.equation, found.layer) != (planted.equation, planted.layer):
            misplaced.append(said)
        if found.cause != planted.identifier:
            misnamed.append(said)
    print(f"planted {len(seeds)}, undetected {len(undetected)}, misplaced {len(misplaced)}, misnamed {len(misnamed)}")
    assert undetected == []
    assert len(misplaced) <= (1 - LOCATED) * len(seeds), "\n".join(misplaced)
    assert len(misnamed) <= (1 - NAMED) * len(seeds), "\n".join(misnamed)
