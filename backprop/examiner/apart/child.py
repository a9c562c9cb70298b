"""Examine in processes of their own: a time limit, a private verdict, and no way to pass by silence."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from backprop.examiner.apart.processes import (
    Stopwatch,
    describe_end,
    end_family,
    leave,
    limit_memory,
    seal,
    start_python,
)
from backprop.examiner.apart.remote import LOADER, RemoteSubject
from backprop.examiner.pace import Pace
from backprop.examiner.saying.report import VERDICTS, Report
from backprop.examiner.subject.protocol.subjects import Unusable

__all__ = ["examine_file", "main"]

TIMEOUT = 60.0
"""Seconds, where no limit is asked for; those in which a busy machine had no processor for it do not count."""
LAST_WORD = 0.9
"""Part of the time after which the judge is told to stop and say how far it came."""
MEMORY = 4 * 2**30
GRACE = 2.0
POLL = 0.05
KEPT_OUTPUT = 2000
JUDGE = "backprop.examiner.judging.judge:judge"


def examine_file(
    target: str | Path,
    *,
    seed: int = 0,
    timeout: float | None = None,
    memory: int = MEMORY,
    judge: str = JUDGE,
    abandon: threading.Event | None = None,
    text: str | None = None,
    loader: str = LOADER,
    options: Mapping[str, Any] | None = None,
) -> Report:
    """Judge a file (or "package.module:object") in a process of its own; never raises for what it does.

    Parameters: `timeout` in seconds (a minute without the waiting for a processor if not said), `memory` in bytes (kept
    where the system can), `judge` is the function that the child calls, "package.module:function" of (subject, seed,
    pace, early) with a `Report` as its result; `abandon` ends everything from another thread,
    `text` is judged in place of what the file holds; `loader` is what makes a subject of the target in its own
    process, "package.module:function" of (target, text) and `options`. How much is examined does
    not depend on time; what is cut off by the limit is "undecided", and `limits` says what that was.

    The subject's code is run, not sandboxed. But the judge is in a process of its own, and the subject in a third one
    that is only asked for numbers: printing, `sys.exit`, `os._exit`, a crash, a hang, silence, changed libraries or a
    walk over its frames never read as a pass. The verdict comes back on a private pipe, with a number drawn for this
    call; where it is missing the report says "unusable" and why. Processes left behind are ended, whoever ends first.
    """
    label, nonce, family = str(target), secrets.token_hex(16), secrets.token_hex(16)
    request = {"target": label, "seed": seed, "memory": memory, "judge": judge, "nonce": nonce, "text": text}
    request |= {"loader": loader, "options": dict(options or {})}
    started: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        started = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    code = "from backprop.examiner.apart.child import main; main()"
    limit = TIMEOUT if timeout is None else timeout
    process = start_python(code, stderr=subprocess.PIPE, family=family, last_word=signal.SIGTERM, **started)
    try:
        watch = Stopwatch(process.pid, fair=timeout is None)
        verdict, noise = _Listener(process.stdout, nonce), _Drain(process.stderr)
        _send(process, request)
        late = stopped = not verdict.wait(process, watch, LAST_WORD * limit, abandon)
        if stopped:
            _send(process, STOP)
            late = not verdict.wait(process, watch, limit, abandon)
    finally:
        end_family(process, family)
        _close(process.stdin)
    said = noise.last_line()
    if verdict.report is not None:
        report = replace(Report.from_dict(verdict.report, label), reproduce=reproduce(label, seed))
        cut = not verdict.final or (stopped and report.verdict == "undecided" and report.limits)
        return report.cut_short(f"the time limit of {limit:g} s was reached; --timeout sets another") if cut else report
    reason = f"it did not finish within {limit:g} s" if late else describe_end(process.returncode)
    note = f"{label}: {reason}" + (f"; its last output: {said}" if said else "")
    why = "time" if late else "crashed"
    return Report("unusable", label, notes=(note,), reproduce=reproduce(label, seed), reason=why)


STOP = "stop"


def main() -> None:
    """The judge's side: take the request from standard input, judge, write one line to the private pipe.

    The subject's code runs in yet another process, which is asked for numbers. This one never imports it. Its input
    stays open as long as the process that asked is there.
    """
    signal.signal(signal.SIGTERM, lambda *_: leave())
    line = sys.stdin.buffer.readline()
    if not line:
        leave()
    request, pace = json.loads(line), Pace()
    private = os.dup(1)
    os.dup2(2, 1)
    seal()
    limit_memory(request["memory"])
    threading.Thread(target=_obey, args=(sys.stdin.buffer, pace), daemon=True).start()
    with os.fdopen(private, "wb") as pipe:

        def tell(report: Report, *, final: bool = False) -> None:
            message = {"nonce": request["nonce"], "final": final, "report": report.to_dict()}
            pipe.write(json.dumps(message, allow_nan=False).encode() + b"\n")
            pipe.flush()

        tell(_judge(request, pace, tell), final=True)
    os._exit(0)


def _obey(orders: IO[bytes], pace: Pace) -> None:
    """Stop where that is asked for; leave with the one who could ask."""
    for _ in orders:
        pace.stop()
    leave()


def _judge(request: dict[str, Any], pace: Pace, tell: Callable[[Report], None]) -> Report:
    target = request["target"]
    how = {name: request[name] for name in ("seed", "memory", "text", "loader", "options")}
    subject = RemoteSubject(target, **how)
    module, _, function = request["judge"].partition(":")
    try:
        # Imported while the other process loads the subject.
        judge: Callable[..., Report] = getattr(importlib.import_module(module), function)
        return judge(subject.load(), seed=request["seed"], pace=pace, early=tell)
    except Unusable as error:
        again = reproduce(target, request["seed"])
        return Report("unusable", target, notes=(str(error),), reproduce=again, reason=error.reason)
    except MemoryError:
        note = f"{target}: it needs more memory than the limit of {request['memory'] >> 20} MiB"
        return Report("unusable", target, notes=(note,), reproduce=reproduce(target, request["seed"]))
    finally:
        subject.close()


def reproduce(label: str, seed: int) -> str:
    """The command that repeats an examination."""
    return f"backprop verify {shlex.quote(label)} --seed {seed}"


def _send(process: subprocess.Popen[bytes], order: Any) -> None:
    """One line; the pipe stays open, which tells the judge that somebody waits for it."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()


def _close(pipe: IO[bytes] | None) -> None:
    with contextlib.suppress(OSError):
        if pipe is not None:
            pipe.close()


class _Listener:
    """Waits for the line that carries the number of this call and the last word; an earlier one is kept till then."""

    def __init__(self, pipe: IO[bytes] | None, nonce: Any) -> None:
        self.report: dict[str, Any] | None = None
        self.final = False
        self._nonce = nonce
        self._done = threading.Event()
        threading.Thread(target=self._listen, args=(pipe,), daemon=True).start()

    def wait(
        self, process: subprocess.Popen[bytes], watch: Stopwatch, limit: float, abandon: threading.Event | None
    ) -> bool:
        """Wait for the verdict or the end of the process; False if neither came in time, or nobody waits any more."""
        while watch.read() < limit and not self._done.wait(POLL):
            if abandon is not None and abandon.is_set():
                return False
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
