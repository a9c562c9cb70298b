"""Whoever ends a verification, and whenever: the judge, the subject and what they started end within moments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit.combinations import combine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

PROC = Path("/proc")
PATIENCE = 60.0
MOMENTS = 20.0
"""Far more than the second or two that it takes, for machines with other work; a process that stays, stays for ever."""
MARK = "BACKPROP_TEST_OF_ORPHANS"
HOST, JUDGE, PREPARED = "host", "judge", "prepared"
ENDS = (signal.SIGTERM, signal.SIGKILL)
SIGNALS = (signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGINT)
GONE = ") ? 0 0"
DELAYS = (0.0, 0.05, 0.2)

NET = """
import os, sys, time
import numpy as np
HERE = os.path.dirname(os.path.abspath(__file__))
def tell(name): open(os.path.join(HERE, name), "a").close()
tell("loading")
def parameters(rng):
    tell("first message")
    return [(rng.normal(size=(3, 2)), rng.normal(size=2))]
def data(rng, n=4): return rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
def cost(params, X, Y):
    tell("cost")
    return np.sum((X @ params[0][0] + params[0][1] - Y) ** 2) / 2
def gradients(params, X, Y):
    tell("gradients")
    delta = X @ params[0][0] + params[0][1] - Y
    return [(X.T @ delta, delta.sum(axis=0))]
def step(params, X, Y, rate):
    tell("step")
    (W, b), (dW, db) = params[0], gradients(params, X, Y)[0]
    return [(W - rate * dW, b - rate * db)]
"""


def hang(text: str, place: str, line: str) -> str:
    """The subject with a line behind the one that tells where it is."""
    told = f'tell("{place}")'
    indent = " " * (len(text.partition(told)[0]) - text.partition(told)[0].rfind("\n") - 1)
    return text.replace(told, f"{told}\n{indent}{line}", 1)


SLEEP, IN_PYTHON, IN_C = "time.sleep(600)", "while True: pass", "sum(iter(int, 1))"
ASLEEP = hang(NET, "gradients", SLEEP)
STARTS = "import subprocess; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], process_group=0)"


def _hear_interruptions() -> None:
    """What is started from a shell's background does not hear them, and its children do not either."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Run:
    """One `backprop verify` with its family, which is known by a variable that all of them inherit."""

    def __init__(self, folder: Path, text: str, *options: str) -> None:
        self.folder, self.mark = folder, f"{MARK}={folder}"
        (folder / "net.py").write_text(text)
        command = [sys.executable, "-m", "backprop", "verify", *(options or (str(folder / "net.py"),))]
        environment = os.environ | {MARK: str(folder)}
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=_hear_interruptions,  # noqa: PLW1509
        )  # fmt: skip

    def list_family(self) -> list[int]:
        """All that are alive, the command itself not counted."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir(PROC))) if self._is_mine(pid)]

    def _is_mine(self, pid: int) -> bool:
        try:
            state, parent = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
            if pid == self.process.pid or state == "Z":
                return False
            # The judge keeps its environment to itself once it works: then its parent tells, or that it was seen.
            if pid in self.seen or int(parent) == self.process.pid:
                return True
            return self.mark.encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            return False

    seen: frozenset[int] = frozenset()

    def watch(self, reached: Callable[[Run], bool]) -> None:
        """Wait for an event, and remember every process met on the way."""
        end = time.monotonic() + PATIENCE
        while not reached(self):
            self.seen |= set(self.list_family())
            assert time.monotonic() < end, "the event did not come"
            if self.process.poll() is not None:
                break
        self.seen |= set(self.list_family())

    def find(self, who: str) -> list[int]:
        """The prepared process, its copy that judges, or the copy of the judge that runs the subject."""
        ours = {pid: _read(pid, "stat") for pid in self.list_family() if "apart.child" in _read(pid, "cmdline")}
        parents = {pid: int(stat.rpartition(")")[2].split()[1] or 0) for pid, stat in ours.items()}
        prepared = [pid for pid, parent in parents.items() if parent not in parents]
        judges = [pid for pid, parent in parents.items() if parent in prepared]
        found = {PREPARED: prepared, JUDGE: judges, HOST: [p for p, parent in parents.items() if parent in judges]}
        return found[who]

    def wrote(self, name: str) -> bool:
        """Whether the subject came to this place."""
        return (self.folder / name).exists()

    def wait_for_nobody(self) -> list[int]:
        """Who is left after some moments."""
        end = time.monotonic() + MOMENTS
        while (left := self.list_family()) and time.monotonic() < end:
            time.sleep(0.02)
        return left

    def clean(self) -> None:
        """End by their numbers those that should have ended by themselves."""
        for pid in [self.process.pid, *self.list_family()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        self.process.wait()


def _read(pid: int, name: str) -> str:
    """What the system says of a process; nothing believable of one that has ended meanwhile."""
    try:
        return (PROC / str(pid) / name).read_text() or GONE
    except OSError:
        return GONE


EVENTS: dict[str, Callable[[Run], bool]] = {
    "first child": lambda run: bool(run.list_family()),
    "judge": lambda run: bool(run.find(JUDGE)),
    "host": lambda run: bool(run.find(HOST)),
    "handshake": lambda run: run.wrote("loading"),
    "first message": lambda run: run.wrote("first message"),
    "in gradients": lambda run: run.wrote("gradients"),
    "last message": lambda run: run.wrote("step"),
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def begin(text: str, *options: str) -> Run:
        runs.append(Run(tmp_path, text, *options))
        return runs[-1]

    yield begin
    for run in runs:
        run.clean()


def end_at(start: Callable[..., Run], event: str, text: str, sent: signal.Signals, delay: float = 0.0) -> list[int]:
    """Who is left of a command that gets a signal some time after an event."""
    run = start(text)
    run.watch(EVENTS[event])
    time.sleep(delay)
    run.seen |= set(run.list_family())
    run.process.send_signal(sent)
    run.process.wait(PATIENCE)
    return run.wait_for_nobody()


PLACES = {"loading": "handshake", "gradients": "in gradients", "step": "last message"}
"""Where a subject may hang, and the event that tells that it came there."""


@pytest.mark.parametrize(("event", "delay", "sent"), combine(EVENTS, DELAYS, ENDS))
def test_a_command_that_is_ended_leaves_nobody(start, event: str, delay: float, sent: signal.Signals) -> None:
    text = ASLEEP if event != "last message" else NET
    assert end_at(start, event, text, sent, delay) == []


@pytest.mark.parametrize("event", ["first child", "host", "in gradients"])
@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGINT], ids=lambda sent: sent.name)
def test_a_closed_terminal_and_an_interruption_leave_nobody(start, event: str, sent: signal.Signals) -> None:
    assert end_at(start, event, ASLEEP, sent) == []


@pytest.mark.parametrize(("line", "place", "sent"), combine([IN_PYTHON, IN_C], PLACES, ENDS))
def test_a_subject_that_hangs_ends_with_the_command(start, line: str, place: str, sent: signal.Signals) -> None:
    assert end_at(start, PLACES[place], hang(NET, place, line), sent) == []


@pytest.mark.parametrize("sent", SIGNALS, ids=lambda sent: sent.name)
def test_what_a_subject_started_ends_with_the_command(start, sent: signal.Signals) -> None:
    assert end_at(start, "in gradients", hang(ASLEEP, "loading", STARTS), sent) == []


NO_LINES = ("--hint", "place")
"""No lines are read after the verdict, which takes until the time for that is over where the subject sleeps."""
ONCE = 'os.path.exists(HERE + "/slept") or (tell("slept"), time.sleep(600))'
"""Asleep for the judge; who reads the lines after the verdict need not wait."""
KILLED = [(who, event, NO_LINES) for who in (PREPARED, JUDGE, HOST) for event in ("host", "in gradients")]


@pytest.mark.parametrize(("who", "event", "options"), [*KILLED, (HOST, "in gradients", ())])
def test_whoever_of_the_family_is_killed_all_end_and_the_command_says_so(
    start, tmp_path: Path, who: str, event: str, options: tuple[str, ...]
) -> None:
    run = start(ASLEEP if options else hang(NET, "gradients", ONCE), str(tmp_path / "net.py"), *options)
    run.watch(EVENTS[event])
    killed = run.find(who)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert len(killed) == 1
    assert run.process.wait(PATIENCE) == 2
    assert run.wait_for_nobody() == []


@pytest.mark.parametrize("sent", SIGNALS, ids=lambda sent: sent.name)
def test_a_folder_graded_by_several_at_once_leaves_nobody(start, tmp_path: Path, sent: signal.Signals) -> None:
    (tmp_path / "other.py").write_text(ASLEEP)
    run = start(ASLEEP, str(tmp_path), "--jobs", "2")
    run.watch(EVENTS["in gradients"])
    run.process.send_signal(sent)
    run.process.wait(MOMENTS)
    assert run.wait_for_nobody() == []
