"""Examine in processes of their own: a time limit, a private verdict, and no way to pass by silence."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import secrets
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from backprop.examiner.pace import Pace
from backprop.examiner.processes import describe_end, end_family, limit_memory, seal, start_python
from backprop.examiner.remote import RemoteSubject
from backprop.examiner.report import VERDICTS, Report
from backprop.examiner.subjects import Unusable

__all__ = ["examine_file", "main"]

TIMEOUT = 60.0
MEMORY = 4 * 2**30
GRACE = 2.0
POLL = 0.05
KEPT_OUTPUT = 2000
JUDGE = "backprop.examiner.judge:judge"


def examine_file(
    target: str | Path, *, seed: int = 0, timeout: float = TIMEOUT, memory: int = MEMORY, judge: str = JUDGE
) -> Report:
    """Judge a file (or "package.module:object") in a process of its own; never raises for what it does.

    Parameters: `timeout` in seconds, `memory` in bytes (kept where the system can), `judge` is the function
    that the child calls, "package.module:function" of (subject, seed, pace, early) with a `Report` as its result. A
    verdict that was known when the time was over stands, without a cause.

    The subject's code is run, not sandboxed. But the judge is in a process of its own, and the subject in a third one
    that is only asked for numbers: printing, `sys.exit`, `os._exit`, a crash, a hang, silence, changed libraries or a
    walk over its frames never read as a pass. The verdict comes back on a private pipe, with a number drawn for this
    call; where it is missing the report says "unusable" and why. Processes left behind are ended.
    """
    label, nonce, family = str(target), secrets.token_hex(16), secrets.token_hex(16)
    request = {"target": label, "seed": seed, "memory": memory, "judge": judge, "nonce": nonce, "seconds": timeout}
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    code = "from backprop.examiner.child import main; main()"
    process = start_python(code, stderr=subprocess.PIPE, family=family, **options)
    try:
        verdict, noise = _Listener(process.stdout, nonce), _Drain(process.stderr)
        _send(process, request)
        late = not verdict.wait(process, timeout)
    finally:
        end_family(process, family)
    said = noise.last_line()
    if verdict.report is not None:
        report = replace(Report.from_dict(verdict.report, label), reproduce=reproduce(label, seed))
        unexplained = f"no cause was found within {timeout:g} s"
        return report if verdict.final else replace(report, notes=(*report.notes, unexplained))
    reason = f"it did not finish within {timeout:g} s" if late else describe_end(process.returncode)
    note = f"{label}: {reason}" + (f"; its last output: {said}" if said else "")
    return Report("unusable", label, notes=(note,), reproduce=reproduce(label, seed))


def main() -> None:
    """The judge's side: take the request from standard input, judge, write one line to the private pipe.

    The subject's code runs in yet another process, which is asked for numbers. This one never imports it.
    """
    request = json.loads(sys.stdin.readline())
    private = os.dup(1)
    os.dup2(2, 1)
    seal()
    limit_memory(request["memory"])
    with os.fdopen(private, "wb") as pipe:

        def tell(report: Report, *, final: bool = False) -> None:
            message = {"nonce": request["nonce"], "final": final, "report": report.to_dict()}
            pipe.write(json.dumps(message, allow_nan=False).encode() + b"\n")
            pipe.flush()

        tell(_judge(request, tell), final=True)
    os._exit(0)


def _judge(request: dict[str, Any], tell: Callable[[Report], None]) -> Report:
    target = request["target"]
    subject = RemoteSubject(target, seed=request["seed"], memory=request["memory"])
    module, _, function = request["judge"].partition(":")
    try:
        # Imported while the other process loads the subject.
        judge: Callable[..., Report] = getattr(importlib.import_module(module), function)
        return judge(subject.load(), seed=request["seed"], pace=Pace(request["seconds"]), early=tell)
    except Unusable as error:
        return Report("unusable", target, notes=(str(error),), reproduce=reproduce(target, request["seed"]))
    except MemoryError:
        note = f"{target}: it needs more memory than the limit of {request['memory'] >> 20} MiB"
        return Report("unusable", target, notes=(note,), reproduce=reproduce(target, request["seed"]))
    finally:
        subject.close()


def reproduce(label: str, seed: int) -> str:
    """The command that repeats an examination."""
    return f"backprop verify {shlex.quote(label)} --seed {seed}"


def _send(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError), process.stdin as pipe:
        pipe.write(json.dumps(request).encode() + b"\n")


class _Listener:
    """Waits for the line that carries the number of this call and the last word; an earlier one is kept till then."""

    def __init__(self, pipe: IO[bytes] | None, nonce: Any) -> None:
        self.report: dict[str, Any] | None = None
        self.final = False
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
                self.report, self.final = message["report"], message["final"] is True
                return self.final
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
