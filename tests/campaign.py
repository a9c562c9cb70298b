"""The mutation campaign: every mistake of the table planted in random networks, judged and explained.

`python tests/campaign.py [--cases N] [--seed S] [--verbose]` prints the figures and lists every wrong attribution.
A case counts as located where equation and layer of the first finding are the planted ones, as named where its cause
is. Two mistakes may give the same numbers on a network; then naming one and mentioning the other is all that numbers
can tell, and such cases are counted beside the strict figures, not among them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from kit.planted import count_entries, plant

from backprop.examiner.saying.report import Report
from backprop.verification.explanation import judge_and_explain

__all__ = ["Outcome", "Tally", "run_case", "run_cases"]

SAME_NUMBERS = "same numbers would come from"


@dataclass(frozen=True)
class Outcome:
    """What was said about one planted mistake."""

    label: str
    detected: bool
    located: bool
    named: bool
    mentioned: bool
    """Named, or given beside the first as a mistake with the same numbers."""
    said: str
    planting: float
    judging: float


@dataclass
class Tally:
    """The outcomes of a campaign."""

    outcomes: list[Outcome] = field(default_factory=list)

    def share(self, *words: str) -> float:
        """The part of the cases of which one of the words is true."""
        return sum(any(getattr(o, w) for w in words) for o in self.outcomes) / max(1, len(self.outcomes))

    def list_wrong(self) -> list[str]:
        """Every case that is undetected, misplaced or misnamed."""
        lines = []
        for o in self.outcomes:
            faults = [w for w, good in (("undetected", o.detected), ("misplaced", o.located), ("misnamed", o.named))
                      if not good]  # fmt: skip
            if faults:
                twin = ", the same numbers" if o.mentioned and not o.named else ""
                lines.append(f"{' '.join(faults)}{twin}: {o.label}: {o.said}")
        return lines

    def __str__(self) -> str:
        both = self.share("named", "mentioned")
        judging = sorted(o.judging for o in self.outcomes) or [0.0]
        return (
            f"{len(self.outcomes)} planted mistakes: detected {self.share('detected'):.1%}, located "
            f"{self.share('located'):.1%} ({self.share('located', 'mentioned'):.1%} with those mentioned), "
            f"named {self.share('named'):.1%} ({both:.1%} with those mentioned)\n"
            f"judging and explaining: median {judging[len(judging) // 2]:.2f} s, longest {judging[-1]:.2f} s"
        )


def run_case(seed: int) -> Outcome:
    """Plant, judge, explain, compare."""
    start = time.perf_counter()
    planted = plant(seed)
    middle = time.perf_counter()
    report: Report = judge_and_explain(planted.subject)
    end = time.perf_counter()
    first = report.findings[0] if report.findings else None
    if first is None:
        return Outcome(planted.label, False, False, False, False, report.verdict, middle - start, end - middle)
    located = (first.equation, first.layer) == (planted.equation, planted.layer)
    named = first.cause == planted.identifier
    beside = first.explanation.partition(SAME_NUMBERS)[2]
    mentioned = named or planted.identifier in beside
    said = f"planted ({planted.equation}, layer {planted.layer}), said {first.cause} ({first.equation}, {first.layer})"
    return Outcome(
        planted.label, report.verdict == "wrong", located, named, mentioned, said, middle - start, end - middle
    )


def run_cases(first: int, count: int) -> Iterator[Outcome]:
    """The cases of consecutive seeds; the table is gone through once in `count_entries()` seeds."""
    return (run_case(seed) for seed in range(first, first + count))


def main(arguments: list[str]) -> int:
    """Run, with a progress line, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=4 * count_entries())
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--verbose", action="store_true", help="one line for each case with its seconds")
    chosen = parser.parse_args(arguments)
    tally = Tally()
    for outcome in run_cases(chosen.seed, chosen.cases):
        tally.outcomes.append(outcome)
        if chosen.verbose:
            marks = "".join(
                l if good else "-"
                for l, good in zip("DLN", (outcome.detected, outcome.located, outcome.named), strict=True)
            )
            print(f"{marks} {outcome.planting:6.2f} {outcome.judging:6.2f}  {outcome.label}", flush=True)
        elif sys.stderr.isatty():
            print(f"\r{len(tally.outcomes)} of {chosen.cases}", end="", file=sys.stderr, flush=True)
    print("\n".join(["", *tally.list_wrong(), "", str(tally)]))
    return 0 if tally.share("detected") == 1 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
