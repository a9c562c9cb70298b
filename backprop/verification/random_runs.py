"""Networks drawn at random, each verified, several at once; of a failure the smallest network that shows it."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from multiprocessing import get_context
from typing import Any

import hypothesis
import hypothesis.strategies
from hypothesis import HealthCheck, Phase

from backprop.errors import UsageError
from backprop.examiner.saying.report import Report
from backprop.processes import COPIES
from backprop.runtime.compiled import build
from backprop.specification.layers import Residual
from backprop.specification.network import Network, walk
from backprop.verification import strategies
from backprop.verification.verify import verify_network

__all__ = ["RandomRun", "verify_random"]

MAX_RANDOM = 100_000


@dataclass
class RandomRun:
    """N networks drawn at random, each verified; `failure` is the smallest that failed, after shrinking."""

    seed: int
    wanted: int
    networks: int = 0
    failure: Report | None = None
    smallest: Network | None = None
    covered: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Did every network pass?"""
        return self.failure is None and self.networks > 0

    def note(self, network: Network, report: Report) -> None:
        """Count what was covered."""
        self.networks += 1
        equal = any(a == b >= 2 for a, b in zip(network.sizes, network.sizes[1:], strict=False))
        kinds = dict.fromkeys(type(layer).__name__ for layer in walk(network.layers))
        options = {"l2": network.l2, "l1": network.l1, "weights of samples": network.weighted}
        seen = {
            "depth": [str(network.depth)],
            "layers": [*kinds, *(["Residual"] if any(isinstance(x, Residual) for x in network.layers) else [])],
            "options": [name for name, value in options.items() if value] or ["none"],
            "widest layer": [str(max(network.sizes))],
            "equal neighbouring widths": ["yes" if equal else "no"],
            "activation": list(network.activations),
            "output": [network.output],
            "cost": [network.cost],
            "batch size": [str(rows) for rows in report.evidence.get("rows", [])],
        }
        for what, values in seen.items():
            self.covered.setdefault(what, Counter()).update(values)

    @property
    def reproduce(self) -> str:
        """The command for the smallest failure, or for the whole run."""
        if self.failure is not None:
            return self.failure.reproduce
        return f"backprop verify --random {self.wanted} --seed {self.seed}"

    def to_dict(self) -> dict[str, Any]:
        """In the form of a report; what was covered is part of the evidence."""
        covered = {what: dict(sorted(counts.items())) for what, counts in self.covered.items()}
        evidence: dict[str, Any] = {"networks": self.networks, "seed": self.seed, "covered": covered}
        findings: list[Any] = []
        if self.failure is not None:
            failed = self.failure.to_dict()
            findings, evidence["smallest"] = failed["findings"], {"network": str(self.smallest), **failed["evidence"]}
        verdict = "verified" if self.ok else "undecided" if self.failure is None else self.failure.verdict
        return {"verdict": verdict, "findings": findings, "evidence": evidence, "reproduce": self.reproduce}

    def __str__(self) -> str:
        lines = []
        if self.failure is not None:
            lines += [f"FAILED after {self.networks} networks; the smallest that fails:", "", str(self.failure)]
        else:
            lines.append(
                f"VERIFIED  {self.networks} random networks (levels: exact for the wiring, tested for the values)."
            )
        lines += ["", "Covered:"]
        for what, counts in self.covered.items():
            shown = ", ".join(f"{value} ×{count}" for value, count in sorted(counts.items(), key=natural))
            lines.append(f"  {what}: {shown}")
        return "\n".join([*lines, "", f"To reproduce: {self.reproduce}"])


def natural(item: tuple[str, int]) -> tuple[int, str]:
    """Numbers in their order, then words."""
    value = item[0]
    return (int(value), "") if value.isdigit() else (10**9, value)


class FoundFailure(Exception):
    """A network fails: what its shrinking goes by."""


def verify_random(
    count: int,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    check: Callable[[Network, int], Report] | None = None,
    jobs: int = 1,
) -> RandomRun:
    """Draw `count` networks (any layers, widths, activations, outputs, costs), verify each, shrink a failure.

    `progress(done, count)` is called after each; `check(network, seed)` is what verifies one of them, in this process;
    `jobs` is how many are verified at once, which changes nothing of the result.
    Errors: UsageError if count is not between 1 and 100,000.

    >>> verify_random(3, seed=1).ok
    True
    """
    if not 1 <= count <= MAX_RANDOM:
        raise UsageError(f"--random needs a number of networks from 1 to {MAX_RANDOM:,}, got {count}")
    run, examine = RandomRun(seed, count), check or _verify
    for begin in range(0, count, PART):
        part = _list_drawn(min(PART, count - begin), seed + begin)
        # A process that has loaded jax has threads, which copies of it would lack.
        at_once = jobs if check is None and "jax" not in sys.modules else 1
        for network, report in _verify_each(part, seed, examine, at_once):
            run.note(network, report)
            if progress is not None:
                progress(min(run.networks, count), count)
            if not report.ok:
                known = {repr(one) for one in part[: part.index(network)]}
                run.failure, run.smallest = _shrink(len(part), seed + begin, known, lambda one: examine(one, seed))
                return run
    return run


PART = 500
"""Networks that are drawn together."""


def _verify(network: Network, seed: int) -> Report:
    return verify_network(build(network), seed)


def _verify_each(
    networks: Sequence[Network], seed: int, examine: Callable[[Network, int], Report], jobs: int
) -> Iterator[tuple[Network, Report]]:
    """Each network with its report, in their order, several at once; whoever stops asking stops them."""
    if jobs == 1:
        yield from ((network, examine(network, seed)) for network in networks)
        return
    with ProcessPoolExecutor(min(jobs, len(networks)), get_context("fork" if COPIES else None)) as pool:
        try:
            yield from zip(networks, pool.map(examine, networks, repeat(seed)), strict=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _draw(count: int, seed: int, take: Callable[[Network], None], *phases: Phase) -> None:
    """Hand over networks drawn from a seed, always the same ones."""
    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, *phases),
        suppress_health_check=list(HealthCheck),
    )
    drawn = hypothesis.strategies.one_of(strategies.networks(), strategies.stacks())
    hypothesis.seed(seed)(settings(hypothesis.given(drawn)(take)))()


def _list_drawn(count: int, seed: int) -> list[Network]:
    networks: list[Network] = []

    def take(network: Network) -> None:
        networks.append(network)

    _draw(count, seed, take)
    return networks


def _shrink(
    count: int, seed: int, known: Set[str], examine: Callable[[Network], Report]
) -> tuple[Report | None, Network | None]:
    """The smallest network that fails, of those drawn from a seed; those `known` to hold are not asked again."""
    last: list[tuple[Report, Network]] = []

    def take(network: Network) -> None:
        report = None if repr(network) in known else examine(network)
        if report is not None and not report.ok:
            last.append((report, network))
            raise FoundFailure

    with contextlib.suppress(FoundFailure):
        _draw(count, seed, take, Phase.shrink)
    return last[-1] if last else (None, None)
