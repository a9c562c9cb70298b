"""Copies: a process that has imported what many will need becomes each of them, in milliseconds.

A Python that starts anew and imports NumPy and the judge takes a fifth of a second; a verdict with a mended line
needs five. On Linux a `prepared` process imports once and is copied before it knows anything; elsewhere each
starts anew.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from typing import IO, Any

from backprop.processes import (
    COPIES,
    FAMILY,
    KILL,
    follow_parent,
    start_python,
    widen,
)

__all__ = ["Copy", "prepared", "serve", "start"]

NO_FAMILY = "0" * 32
MOST_ORDER = 2**16
MOST_OPEN = 2**16
CHUNK = 2**16


def start(
    entry: str, *, stderr: int | None = None, family: str, last_word: int = KILL, **options: Any
) -> subprocess.Popen[bytes] | Copy:
    """A process in a session of its own that runs "package.module:function", with pipes for input and output.

    A copy of the prepared one where there is one; `options` are those of a process that starts anew.
    """
    if _Nursery.now is not None:
        with contextlib.suppress(OSError):
            return _Nursery.now.start(entry, stderr, family, last_word)
    return start_python(entry, stderr=stderr, family=family, last_word=last_word, **options)


@contextlib.contextmanager
def prepared(modules: Sequence[str]) -> Iterator[None]:
    """While this lasts, processes are copies of one that has imported these modules. It begins to import at once."""
    before = _Nursery.now
    if COPIES:
        _Nursery.now = _Nursery(modules)
    try:
        yield
    finally:
        if _Nursery.now is not before and _Nursery.now is not None:
            _Nursery.now.close()
        _Nursery.now = before


class _Nursery:
    """This side of the prepared process: asks it for copies, from any thread."""

    now: _Nursery | None = None

    def __init__(self, modules: Sequence[str]) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = start_python(
                f"{__name__}:serve", theirs.fileno(), *modules,
                family=NO_FAMILY, start_new_session=True, pass_fds=(theirs.fileno(),),
            )  # fmt: skip
        self._lock = threading.Lock()

    def start(self, entry: str, stderr: int | None, family: str, last_word: int) -> Copy:
        """A copy that runs one function; raises OSError where the prepared process is gone."""
        order = json.dumps({"entry": entry, "family": family, "last_word": int(last_word)}).encode()
        given, taken = os.pipe()
        answer_out, answer_in = os.pipe()
        told_out, told_in = os.pipe()
        noise, theirs = _open_errors(stderr)
        mine = (taken, answer_out, told_out)
        try:
            with self._lock:
                socket.send_fds(self._orders, [order], [given, answer_in, theirs, told_in])
        finally:
            for fd in (given, answer_in, theirs, told_in):
                os.close(fd)
        try:
            return Copy(*mine, noise)
        except OSError:
            for fd in (*mine, *(() if noise is None else (noise,))):
                os.close(fd)
            raise

    def close(self) -> None:
        """End the prepared process; copies that are still there end with it."""
        self._orders.close()
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


def _open_errors(stderr: int | None) -> tuple[int | None, int]:
    """What is read here of a copy's standard error, and what it writes to."""
    if stderr == subprocess.PIPE:
        return os.pipe()
    return None, os.dup(2) if stderr is None else os.open(os.devnull, os.O_WRONLY)


class Copy:
    """A copy of the prepared process, asked and ended like a process that was started (`subprocess.Popen`)."""

    def __init__(self, stdin: int, stdout: int, told: int, stderr: int | None) -> None:
        self.returncode: int | None = None
        self._told = told
        said = _read_line(told)
        if not said:
            raise OSError("the prepared process is gone")
        self.pid = int(said)
        self.stdin: IO[bytes] | None = os.fdopen(stdin, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(stdout, "rb")
        self.stderr: IO[bytes] | None = None if stderr is None else os.fdopen(stderr, "rb")
        self._lock = threading.Lock()
        for pipe in (self.stdin, self.stdout):
            widen(pipe)

    def poll(self) -> int | None:
        """The exit status, a signal as a negative number, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; raises `subprocess.TimeoutExpired`."""
        with self._lock:
            if self.returncode is None:
                if not select.select([self._told], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("a copy of a prepared process", timeout or 0.0)
                said = _read_line(self._told)
                # Where nobody is left to say it, it went as the prepared one did.
                self.returncode = int(said) if said else -KILL
                os.close(self._told)
        return self.returncode

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, KILL)

    def communicate(self, given: bytes, timeout: float) -> tuple[bytes, None]:
        """Write all, then read to the end; raises `subprocess.TimeoutExpired`."""
        assert self.stdin is not None
        assert self.stdout is not None
        last, said = time.monotonic() + timeout, b""
        with contextlib.suppress(BrokenPipeError), self.stdin:
            self.stdin.write(given)
        with self.stdout:
            while select.select([self.stdout], [], [], max(0.0, last - time.monotonic()))[0]:
                some = os.read(self.stdout.fileno(), CHUNK)
                if not some:
                    return said, None
                said += some
        raise subprocess.TimeoutExpired("a copy of a prepared process", timeout)


def _read_line(fd: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        some = os.read(fd, 1)
        if not some:
            return b""
        line += some
    return line


def serve(orders: int, *modules: str) -> None:
    """The prepared process: import ("package.module:function" is called as well), then become a copy at every order,
    and tell how each one ended."""
    for entry in modules:
        module, _, function = entry.partition(":")
        found = importlib.import_module(module)
        if function:
            getattr(found, function)()
    gc.collect()
    gc.freeze()
    ended_out, ended_in = os.pipe()
    os.set_blocking(ended_in, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ended_in, warn_on_full_buffer=False)
    watched: dict[int, int] = {}
    with socket.socket(fileno=orders) as asked:
        while True:
            ready, _, _ = select.select([asked.fileno(), ended_out], [], [])
            if ended_out in ready:
                os.read(ended_out, CHUNK)
                _tell_ended(watched)
            if asked.fileno() in ready and not _copy(asked, watched):
                return


def _copy(asked: socket.socket, watched: dict[int, int]) -> bool:
    """Become a copy at an order; False where nobody is left to give one."""
    order, fds, _, _ = socket.recv_fds(asked, MOST_ORDER, 4)
    if order:
        me, pid = os.getpid(), os.fork()
        if not pid:
            _become(json.loads(order), fds, me)
        watched[pid] = fds.pop()
        os.write(watched[pid], b"%d\n" % pid)
        for fd in fds:
            os.close(fd)
    return bool(order)


def _tell_ended(watched: dict[int, int]) -> None:
    """Say to whoever waits how the copies ended that have."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            told = watched.pop(ended[0])
            with contextlib.suppress(BrokenPipeError):
                os.write(told, b"%d\n" % os.waitstatus_to_exitcode(ended[1]))
            os.close(told)


def _become(order: dict[str, Any], fds: Sequence[int], parent: int) -> None:
    """In the copy: a session, pipes, a family and random numbers of its own, then the function; it never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for here, fd in enumerate(fds[:3]):
            os.dup2(fd, here)
        os.closerange(3, MOST_OPEN)
        follow_parent(parent, order["last_word"])
        _take_family(order["family"])
        _draw_anew()
        module, _, function = order["entry"].partition(":")
        getattr(importlib.import_module(module), function)()
        status = 0
    except BaseException:  # as an interpreter would at its end
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(status)


def _take_family(family: str) -> None:
    """Carry the name of a family where the system shows it: in the memory that the prepared one got at its start."""
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    place = libc.getenv(FAMILY.encode())
    if place and len(family) == len(NO_FAMILY):
        ctypes.memmove(place, family.encode(), len(family))
    os.environ[FAMILY] = family


def _draw_anew() -> None:
    """Random numbers as a process has them that starts anew: copies must not draw the same."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
