"""Processes: started with one thread and a clean path, limited, described and ended with all that they left."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol

if sys.platform == "linux":
    import fcntl

__all__ = [
    "COPIES",
    "Forked",
    "Running",
    "Started",
    "Stopwatch",
    "count_processors",
    "describe_end",
    "end_family",
    "follow_parent",
    "leave",
    "limit_memory",
    "seal",
    "start_python",
    "widen",
]

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
FAMILY = "BACKPROP_EXAMINATION"
"""Variable that every process of one examination inherits, however it leaves its group."""
FOLLOW = "from backprop.processes import follow_parent; follow_parent"
GRACE = 2.0
PAUSE = 0.01
NOT_DUMPABLE = (4, 0)
SIGNAL_WITH_PARENT = 1
KILL = int(getattr(signal, "SIGKILL", 9))
MOST_WAITING = 10.0
"""Times a limit that does not count the waiting for a processor: then it ends as well."""
PIPE_BYTES = 2**20
PROC = Path("/proc")
COPIES = sys.platform == "linux"
"""Sound copies of a process are made there only."""


class Running(Protocol):
    """A process that can be ended: started (`subprocess.Popen`), or copied."""

    @property
    def pid(self) -> int:
        """Its number."""

    def wait(self, timeout: float) -> int:
        """Wait until it has ended."""

    def kill(self) -> None:
        """End it at once."""


class Started(Running, Protocol):
    """One that is asked over two pipes as well."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    returncode: int | Any


def start_python(
    entry: str,
    *arguments: Any,
    stderr: int | None = None,
    family: str | None = None,
    last_word: int = KILL,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start this Python with the house at the end of its path, pipes for input and output, and a function to run.

    `entry` is "package.module:function"; its arguments are plain numbers and words.

    It gets the signal `last_word` when this process, or the thread that calls, ends (Linux).
    """
    root = str(Path(__file__).resolve().parents[1])
    module, _, function = entry.partition(":")
    begin = f"import sys; sys.path.append({root!r}); {FOLLOW}({os.getpid()}, {int(last_word)})"
    named = {} if family is None else {FAMILY: family}
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", f"{begin}; from {module} import {function}; {function}(*{arguments!r})"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=os.environ | dict.fromkeys(ONE_THREAD, "1") | named,
        **options,
    )
    for pipe in (process.stdin, process.stdout):
        widen(pipe)
    return process


class Forked:
    """A copy of this process that runs one function, with pipes of its own; it is asked and ended like a started one.

    What was imported is there. It shares no open file but standard error; call this before secrets are known.
    """

    def __init__(self, run: Callable[[], None]) -> None:
        self.returncode: int | None = None
        theirs, mine = os.pipe(), os.pipe()
        me = os.getpid()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.dup2(theirs[0], 0)
                os.dup2(mine[1], 1)
                os.closerange(3, max(*theirs, *mine) + 1)
                follow_parent(me)
                run()
            finally:
                os._exit(1)
        os.close(theirs[0])
        os.close(mine[1])
        self.stdin: IO[bytes] | None = os.fdopen(theirs[1], "wb")
        self.stdout: IO[bytes] | None = os.fdopen(mine[0], "rb")
        for pipe in (self.stdin, self.stdout):
            widen(pipe)

    def wait(self, timeout: float) -> int:
        """Wait until it has ended; raises `subprocess.TimeoutExpired`."""
        last = time.monotonic() + timeout
        while self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
            if not pid and time.monotonic() > last:
                raise subprocess.TimeoutExpired("a copy of this process", timeout)
            time.sleep(0 if pid else PAUSE / 10)
        return self.returncode

    def kill(self) -> None:
        """End it at once."""
        if self.returncode is None:
            os.kill(self.pid, KILL)


def widen(pipe: IO[bytes] | None) -> None:
    """A pipe that holds a matrix: fewer turns between the processes, where the system can (Linux)."""
    if sys.platform == "linux" and pipe is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def end_family(process: Running, family: str) -> None:
    """End a process, its group and whatever carries the name of its family, as far as the system lets us."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE / 10)
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        last = time.monotonic() + GRACE
        while _end_members(f"{FAMILY}={family}".encode()) and time.monotonic() < last:
            time.sleep(PAUSE)  # a process that is told to end may still be on its way out
    with contextlib.suppress(OSError):
        process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)


def leave() -> None:
    """End everything that carries the name of this process's family, its group, and itself: whoever asked is gone."""
    family = os.environ.get(FAMILY)
    last = time.monotonic() + GRACE
    while family and _end_members(f"{FAMILY}={family}".encode()) and time.monotonic() < last:
        time.sleep(PAUSE)
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(os.getpid())], capture_output=True, check=False)
    elif os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _end_members(mark: bytes) -> int:
    """End the other processes whose environment carries a mark, where the system shows it; how many there were."""
    found = 0
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if int(folder.name) != os.getpid() and mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                found += 1
    return found


class Stopwatch:
    """Seconds that an examination had: all of them, or (`fair`) those in which a process of it could run.

    On a busy machine processes wait for a processor, and a limit of a minute would mean less work than elsewhere. The
    system counts that waiting for each process (Linux); elsewhere, and beyond ten times as long, all seconds count.
    """

    def __init__(self, pid: int, *, fair: bool) -> None:
        self._pid, self._fair = pid, fair
        self._began = self._last = time.monotonic()
        self._excused = self._waited = 0.0

    def read(self) -> float:
        """The seconds until now."""
        now = time.monotonic()
        if self._fair:
            waited = _read_waiting(self._pid)
            self._excused += min(now - self._last, max(0.0, waited - self._waited))
            self._last, self._waited = now, waited
        whole = now - self._began
        return max(whole - self._excused, whole / MOST_WAITING)


def _read_waiting(pid: int) -> float:
    """How long a process and its children were ready to run and had no processor, in seconds; 0 where it is not said.

    >>> _read_waiting(2**31)
    0.0
    """
    total = 0.0
    with contextlib.suppress(OSError, ValueError, IndexError):
        children = (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
        for one in (pid, *children):
            total += int((PROC / str(one) / "schedstat").read_text().split()[1]) / 1e9
    return total


def count_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_end(status: int | None) -> str:
    """How a process ended, for a report."""
    if status is not None and status < 0:
        with contextlib.suppress(ValueError):
            return f"its process died ({signal.Signals(-status).name})"
    if status is None:
        return "its process gave no answer"
    return f"its process left with exit status {status} before giving a verdict"


def limit_memory(limit: int) -> None:
    """Limit the address space where the system can; elsewhere only the time is limited."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))


def follow_parent(parent: int, last_word: int = KILL) -> None:
    """End with the process that started this one, where the system can (Linux): a killed command leaves nothing.

    The signal never comes if that process was gone before it was asked for: then its end of the pipe is closed as well.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(SIGNAL_WITH_PARENT, last_word)
        if os.getppid() != parent and _is_hung_up():
            os._exit(1)


def _is_hung_up() -> bool:
    """Whether nobody can write to standard input any more; a starter between (a wrapper of Python) still can."""
    poll = select.poll()
    poll.register(0, 0)
    return bool(poll.poll(1000 * GRACE / 2))


def seal() -> None:
    """Keep other processes of the same user out of this one's memory and files, where the system can (Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(*NOT_DUMPABLE)
