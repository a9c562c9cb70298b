"""Right programs drawn at random: none may be called wrong, and hardly any may stay undecided.

`python tests/right_campaign.py [--cases N] [--seed S]` draws networks with people's conventions and habits (float32 in
one place, lists, buffers, saturation, blank inputs, zero biases …), judges each as `verify` does, and prints how often
each verdict was given, with a line for every one that is not "verified". Exit status 1 if one was called wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from kit.right_habits import draw_right

from backprop.verification.explanation import judge_and_explain

__all__ = ["Verdicts", "judge_right"]


@dataclass
class Verdicts:
    """How often each verdict was given, and what was not verified."""

    counts: Counter[str] = field(default_factory=Counter)
    others: list[str] = field(default_factory=list)

    def share(self, verdict: str) -> float:
        """The part of the programs with a verdict."""
        return self.counts[verdict] / max(1, self.counts.total())

    def __str__(self) -> str:
        said = ", ".join(
            f"{verdict} {self.counts[verdict]}" for verdict in ("verified", "undecided", "wrong", "unusable")
        )
        return "\n".join([*self.others, f"{self.counts.total()} right programs: {said}"])


def judge_right(first: int, count: int) -> Iterator[tuple[str, str]]:
    """(verdict, label and what was said) for the programs of consecutive seeds."""
    for seed in range(first, first + count):
        label, subject = draw_right(seed)
        report = judge_and_explain(subject, seed=seed)
        said = "; ".join([*(finding.explanation for finding in report.findings), *report.notes])
        yield report.verdict, f"{label}: {said}"


def main(arguments: list[str]) -> int:
    """Run, with a progress line, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    chosen = parser.parse_args(arguments)
    verdicts = Verdicts()
    for verdict, line in judge_right(chosen.seed, chosen.cases):
        verdicts.counts[verdict] += 1
        if verdict != "verified":
            verdicts.others.append(f"{verdict}: {line}")
        if sys.stderr.isatty():
            print(f"\r{verdicts.counts.total()} of {chosen.cases}", end="", file=sys.stderr, flush=True)
    print(verdicts)
    return int(verdicts.counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
