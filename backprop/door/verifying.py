"""What `verify` and `attach` do once their words are read: check, call the rooms, print, return the exit status."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from backprop.door.commands import EXIT, FAILS, HOLDS, SIZES_OPTIONS, print_result, read_accuracy, read_target
from backprop.door.files import Telling, tell_file
from backprop.door.grading import finish_folder
from backprop.errors import UsageError
from backprop.processes import count_processors

if TYPE_CHECKING:
    from backprop.examiner.saying.report import Report
    from backprop.specification.network import Network

__all__ = [
    "Wanted",
    "finish_causes",
    "finish_random",
    "finish_target",
]

MOST_VERIFIED = 10_000_000
"""Parameters of a network that `verify SIZES` takes on."""

SIZES_PATTERN = re.compile(r"\s*\d[\d\s]*(-[\d\s]*)*")

MODULE_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_][\w.]*)?")


@dataclass(frozen=True)
class Wanted:
    """The options of `verify` beside its target; `about_sizes`: those that were given and say how SIZES are meant."""

    seed: int
    as_json: bool
    timeout: float | None
    jobs: int | None
    certify: bool
    about_sizes: dict[str, str]
    telling: Telling
    attaching: dict[str, Any] = field(default_factory=dict)
    """What a file as it is is to be taken for, as far as that was said."""
    cluster: str | None = None

    def refuse(self, what: str, *, timed: bool = False) -> None:
        """Options that mean nothing for this target are refused, not ignored."""
        if self.about_sizes:
            raise UsageError(f"{' and '.join(self.about_sizes)} say how SIZES such as 64-32-10 are meant; {what} "
                             "states its own; leave them out")  # fmt: skip
        if self.certify:
            raise UsageError(f"--certify needs SIZES such as 64-32-10 with known activations, got {what}")
        if not timed:
            self.refuse_timeout(what)

    def refuse_timeout(self, what: str) -> None:
        """A time limit is for code that is not ours."""
        if self.timeout is not None:
            raise UsageError(f"--timeout is for the code of a file or module, got {what}; leave it out")


def finish_target(target: str | None, accuracy: str, asked: Wanted) -> int:
    """Verify what was named: SIZES, a specification, a folder, a file, a module."""
    if not target:
        raise UsageError("no TARGET; give SIZES such as 64-32-10, a FILE.py, package.module, or --random N")
    if asked.timeout is not None and not 0 < asked.timeout < math.inf:
        raise UsageError(f"--timeout must be a positive number of seconds, got {asked.timeout:g}")
    if SIZES_PATTERN.fullmatch(target) or target.endswith(".json"):
        asked.refuse_timeout(repr(target))
        words = {name.removeprefix("--"): asked.about_sizes.get(name, usual) for name, usual in SIZES_OPTIONS.items()}
        network = read_target(target, words["activation"], words["output"], words["cost"])
        return finish_sizes(network, asked, target, read_accuracy(accuracy))
    asked.refuse(repr(target), timed=True)
    is_folder = Path(target).is_dir()
    if not is_folder:
        check_target(target)
        if asked.cluster is not None:
            raise UsageError(f"--cluster grades a folder of submissions, got {target!r}; leave it out")
    from backprop.verification.submission import prepare

    with prepare(many=is_folder):
        if is_folder:
            jobs = asked.jobs or count_processors()
            how = {"seed": asked.seed, "timeout": asked.timeout, "jobs": jobs, "cluster": asked.cluster}
            return finish_folder(Path(target), asked.telling, how)
        report = tell_file(target, asked.telling, seed=asked.seed, timeout=asked.timeout, options=asked.attaching)
    return finish_status(report)


def check_target(target: str) -> None:
    """A file that exists, or a name that can be a module."""
    looks_like_file = target.endswith(".py") or "/" in target or os.sep in target
    if Path(target).is_file():
        return
    if looks_like_file or not MODULE_PATTERN.fullmatch(target):
        shown = target if len(target) <= 80 else target[:77] + "..."
        raise UsageError(
            f"no file {shown!r} to verify; give SIZES such as 64-32-10, an existing FILE.py or package.module[:object]"
        )


def finish_report(report: Report, as_json: bool) -> int:
    """Print a report; its status."""
    if as_json:
        typer.echo(json.dumps(report.to_dict(), allow_nan=False))
    elif report.verdict != "unusable":
        typer.echo(str(report))
    return finish_status(report)


def finish_status(report: Report) -> int:
    """The status of a report; what could not be decided is said in one line."""
    if report.verdict == "unusable":
        typer.echo(f"error: {' '.join(' '.join(report.notes).split()) or report.subject}", err=True)
    elif report.verdict == "undecided":
        typer.echo(f"undecided: {report.subject}: the oracle could not measure the derivative sharply enough", err=True)
    return EXIT[report.verdict]


def finish_sizes(network: Network, asked: Wanted, target: str, accuracy: Any) -> int:
    """Verify the generated code of a network."""
    from backprop.runtime.compiled import CompiledNetwork
    from backprop.verification.verify import add_certificates, verify_network

    net = CompiledNetwork(network, accuracy)
    if net.size > MOST_VERIFIED:
        raise UsageError(f"{target} has {net.size:,} parameters; at most {MOST_VERIFIED:,} are verified; use smaller "
                         "layers: the wiring does not depend on their sizes")  # fmt: skip
    report = verify_network(net, asked.seed)
    if asked.certify:
        report = add_certificates(report, net, asked.seed)
    if target.endswith(".json"):
        report = replace(report, reproduce=shlex.join(["backprop", "verify", target, "--seed", str(asked.seed)]))
    return finish_report(report, asked.as_json)


def finish_random(count: int, target: str | None, asked: Wanted) -> int:
    """Verify random networks, with progress."""
    if target is not None:
        raise UsageError(f"--random draws its own networks, got TARGET {target!r} as well; leave one of them out")
    asked.refuse("--random")
    from backprop.progress import show_count
    from backprop.verification.random_runs import verify_random

    with show_count("networks") as progress:
        run = verify_random(count, seed=asked.seed, progress=progress, jobs=asked.jobs or count_processors())
    print_result(run, asked.as_json)
    return HOLDS if run.ok else FAILS


def finish_causes(as_json: bool) -> int:
    """Print the table of mistakes."""
    from backprop.diagnosis.mistakes.catalogue import list_causes

    rows = [cause.to_dict() for cause in list_causes()]
    if as_json:
        typer.echo(json.dumps({"causes": rows}))
    else:
        for row in rows:
            typer.echo(f"{row['identifier']}  ({row['equation']})\n    {row['sentence']}")
    return HOLDS
