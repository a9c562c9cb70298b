"""Examine in a child process: a time limit, a private verdict, and no way to pass by silence."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from backprop.examiner.report import VERDICTS, Report

__all__ = ["examine_file", "main"]

TIMEOUT = 60.0
MEMORY = 4 * 2**30
GRACE = 2.0
POLL = 0.05
KEPT_OUTPUT = 2000
JUDGE = "backprop.examiner.judge:judge"
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def examine_file(
    target: str | Path, *, seed: int = 0, timeout: float = TIMEOUT, memory: int = MEMORY, judge: str = JUDGE
) -> Report:
    """Judge a file (or "package.module:object") in a process of its own; never raises for what it does.

    Parameters: `timeout` in seconds, `memory` in bytes (kept where the system can), `judge` is the function
    that the child calls, "package.module:function" of (target, seed) with a `Report` as its result.

    The subject's code is run, not sandboxed. But printing, `sys.exit`, `os._exit`, a crash, a hang or silence
    never reads as a pass: the verdict comes back on a private pipe, with a number drawn for this call, and
    where it is missing the report says "unusable" and why. Processes it leaves behind are ended.
    """
    label, nonce = str(target), secrets.token_hex(16)
    request = {"target": label, "seed": seed, "memory": memory, "judge": judge, "nonce": nonce}
    process = _start()
    try:
        verdict, noise = _Listener(process.stdout, nonce), _Drain(process.stderr)
        _send(process, request)
        late = not verdict.wait(process, timeout)
    finally:
        _end(process)
    said = noise.last_line()
    if verdict.report is not None:
        return Report.from_dict(verdict.report, label)
    reason = f"it did not finish within {timeout:g} s" if late else _describe_end(process.returncode)
    note = f"{label}: {reason}" + (f"; its last output: {said}" if said else "")
    return Report("unusable", label, notes=(note,), reproduce=f"backprop verify {label} --seed {seed}")


def main() -> None:
    """The child's side: take the request from standard input, judge, write one line to the private pipe."""
    request = json.loads(sys.stdin.readline())
    # The pipe that was standard output becomes private; whatever the subject prints goes to standard error.
    private = os.dup(1)
    os.dup2(2, 1)
    _limit_memory(request["memory"])
    me = os.getpid()
    module, _, function = request["judge"].partition(":")
    try:
        judge = getattr(importlib.import_module(module), function)
        report = judge(request["target"], seed=request["seed"]).to_dict()
    except MemoryError:
        note = f"{request['target']}: it needs more memory than the limit of {request['memory'] >> 20} MiB"
        report = Report("unusable", request["target"], notes=(note,)).to_dict()
    # A forked copy of the subject comes here too; only the process that was asked may answer.
    if os.getpid() == me:
        line = json.dumps({"nonce": request["nonce"], "report": report}, allow_nan=False).encode() + b"\n"
        with os.fdopen(private, "wb") as pipe:
            pipe.write(line)
    # Not sys.exit: threads and exit handlers of the subject would run on.
    os._exit(0)


def _start() -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.append({root!r}); from backprop.examiner.child import main; main()"
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | dict.fromkeys(ONE_THREAD, "1"),
        **options,
    )


def _send(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError), process.stdin as pipe:
        pipe.write(json.dumps(request).encode() + b"\n")


class _Listener:
    """Waits for the one line that carries the number of this call."""

    def __init__(self, pipe: IO[bytes] | None, nonce: Any) -> None:
        self.report: dict[str, Any] | None = None
        self._nonce = nonce
        self._done = threading.Event()
        threading.Thread(target=self._listen, args=(pipe,), daemon=True).start()

    def wait(self, process: subprocess.Popen[bytes], timeout: float) -> bool:
        """Wait for the verdict or the end of the process; False if neither came in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and not self._done.wait(POLL):
            if process.poll() is not None:
                # A grandchild may hold the pipe open for ever, so the end of the pipe is not waited for.
                self._done.wait(GRACE)
                return True
        return self._done.is_set()

    def _listen(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        # The thread that reads a pipe closes it: a process that got away may hold the other end for ever.
        with contextlib.suppress(OSError, ValueError), pipe:
            for line in pipe:
                if self._accept(line):
                    break
        self._done.set()

    def _accept(self, line: bytes) -> bool:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            message = json.loads(line)
            if secrets.compare_digest(message["nonce"], self._nonce) and message["report"]["verdict"] in VERDICTS:
                self.report = message["report"]
                return True
        return False


class _Drain:
    """Empties the subject's own output, so that it cannot block, and keeps the end of it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        self._kept = b""
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def last_line(self) -> str:
        """The last line that is not empty, shortened."""
        self._thread.join(GRACE / 4)
        lines = [line for line in self._kept.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip()[:200] if lines else ""

    def _read(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        with contextlib.suppress(OSError, ValueError), pipe:
            while chunk := pipe.read1(65536):  # type: ignore[attr-defined]
                self._kept = (self._kept + chunk)[-KEPT_OUTPUT:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the child and what it started, as far as the system lets us."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        if process.poll() is None:
            process.wait(GRACE / 10)
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)


def _describe_end(status: int | None) -> str:
    if status is not None and status < 0:
        with contextlib.suppress(ValueError):
            return f"its process died ({signal.Signals(-status).name})"
    return f"its process left with exit status {status} before giving a verdict"


def _limit_memory(limit: int) -> None:
    """Limit the address space where the system can; elsewhere only the time is limited."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
