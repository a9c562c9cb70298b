"""Ask for a verdict in processes of their own: a time limit, a private verdict, and no way to pass by silence.

Whoever asks only waits, and needs no NumPy for that.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shlex
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from backprop.copies import Copy, start
from backprop.examiner.saying.report import VERDICTS, Report
from backprop.processes import Stopwatch, describe_end, end_family

__all__ = ["CHILD", "examine_file"]

TIMEOUT = 60.0
"""Seconds, where no limit is asked for; those in which a busy machine had no processor for it do not count."""
LONGEST = 200
"""Characters of the subject's last output that are quoted, in whole words."""
LAST_WORD = 0.9
"""Part of the time after which the judge is told to stop and say how far it came."""
MEMORY = 4 * 2**30
GRACE = 2.0
POLL = 0.05
UNEXPLAINED = "the search for the cause was ended; a cause may name another place than the numbers do"
KEPT_OUTPUT = 2000
APART: dict[str, Any] = {"start_new_session": True}
if sys.platform == "win32":
    APART = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
LOADER = "backprop.examiner.subject.loading:load_subject"
"""Who makes a subject of a target, there: "package.module:function" of (target, text) and options."""
CHILD = "backprop.examiner.apart.child:main"
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
    known: Callable[[Report], None] | None = None,
) -> Report:
    """Judge a file (or "package.module:object") in a process of its own; never raises for what it does.

    Parameters: `timeout` in seconds (a minute without the waiting for a processor if not said), `memory` in bytes (kept
    where the system can), `judge` the function that the child calls, "package.module:function" of (subject, seed, pace,
    early) with a `Report` as its result; `abandon` ends everything from another thread, `text` is judged in place of
    what the file holds; `loader` makes a subject of the target in its own process, "package.module:function" of
    (target, text) and `options`; `known` hears "wrong" before its cause is looked for. How much is examined does not
    depend on time; what is cut off before there is a verdict is "undecided", a verdict that was heard stands.

    The subject's code is run, not sandboxed. But the judge is in a process of its own, and the subject in a third one
    that is only asked for numbers: printing, `sys.exit`, `os._exit`, a crash, a hang, silence, changed libraries or a
    walk over its frames never read as a pass. The verdict comes back on a private pipe, with a number drawn for this
    call; where it is missing the report says "unusable" and why. Processes left behind are ended, whoever ends first.
    """
    again = f"backprop verify {shlex.quote(str(target))} --seed {seed}"

    def hear(found: Mapping[str, Any]) -> None:
        if known is not None:
            known(replace(Report.from_dict(found, str(target)), reproduce=again))

    label, nonce, family = str(target), secrets.token_hex(16), secrets.token_hex(16)
    request = {"target": label, "seed": seed, "memory": memory, "judge": judge, "nonce": nonce, "text": text}
    request |= {"loader": loader, "options": dict(options or {})}
    limit = TIMEOUT if timeout is None else timeout
    process = start(CHILD, stderr=subprocess.PIPE, family=family, last_word=signal.SIGTERM, **APART)
    try:
        watch = Stopwatch(process.pid, fair=timeout is None)
        verdict, noise = _Listener(process.stdout, nonce, hear), _Drain(process.stderr)
        _send(process, request)
        late = stopped = not verdict.wait(process, watch, LAST_WORD * limit, abandon)
        if stopped:
            _send(process, "stop")
            late = not verdict.wait(process, watch, limit, abandon)
    finally:
        end_family(process, family)
        _close(process.stdin)
    said = noise.last_line()
    if verdict.report is not None:
        report = replace(Report.from_dict(verdict.report, label), reproduce=again)
        if not verdict.final or (stopped and report.verdict == "undecided" and report.limits):
            ended = f"the time limit of {limit:g} s was reached; --timeout sets another"
            report = report.cut_short(ended if stopped else describe_end(process.returncode))
        return _keep(verdict.known, report)
    reason = f"it did not finish within {limit:g} s" if late else describe_end(process.returncode)
    reason += f"; its last output: {said}" if said else ""
    return Report(
        "unusable", label, notes=(f"{label}: {reason}",), reproduce=again, reason="time" if late else "crashed"
    )


def _keep(known: Mapping[str, Any] | None, report: Report) -> Report:
    """The last report; where "wrong" was known, and the search for its cause was ended, the one of that, and why."""
    if known is None or report.verdict == "wrong":
        return report
    said = replace(Report.from_dict(known, report.subject), reproduce=report.reproduce)
    return replace(said, limits=(*said.limits, UNEXPLAINED, *(report.limits or report.notes)))


def _send(process: subprocess.Popen[bytes] | Copy, order: Any) -> None:
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

    def __init__(self, pipe: IO[bytes] | None, nonce: Any, hear: Callable[[Mapping[str, Any]], None]) -> None:
        self.report: dict[str, Any] | None = None
        self.known: dict[str, Any] | None = None
        self.final = False
        self._nonce, self._hear = nonce, hear
        self._done, self._news = threading.Event(), threading.Event()
        self._heard = False
        threading.Thread(target=self._listen, args=(pipe,), daemon=True).start()

    def wait(
        self, process: subprocess.Popen[bytes] | Copy, watch: Stopwatch, limit: float, abandon: threading.Event | None
    ) -> bool:
        """Wait for the verdict or the end of the process; False if neither came in time, or nobody waits any more."""
        while watch.read() < limit and not self._wait_for_news():
            if abandon is not None and abandon.is_set():
                return False
            if process.poll() is not None:
                # A grandchild may hold the pipe open for ever, so the end of the pipe is not waited for.
                self._done.wait(GRACE)
                return True
        return self._done.is_set()

    def _wait_for_news(self) -> bool:
        """Wait a little; whether it is through. What is known by then is heard by the thread that waits."""
        if self._news.wait(POLL):
            self._news.clear()
            if self.known is not None and not self._heard:
                self._heard = True
                self._hear(self.known)
        return self._done.is_set()

    def _listen(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        # The thread that reads a pipe closes it: a process that got away may hold the other end for ever.
        with contextlib.suppress(OSError, ValueError), pipe:
            for line in pipe:
                if self._accept(line):
                    break
        self._done.set()
        self._news.set()

    def _accept(self, line: bytes) -> bool:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            message = json.loads(line)
            if secrets.compare_digest(message["nonce"], self._nonce) and message["report"]["verdict"] in VERDICTS:
                self.report, self.final = message["report"], message["final"] is True
                if self.report["verdict"] == "wrong" and not self.final:
                    self.known = self.report
                    self._news.set()
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
        return textwrap.shorten(lines[-1], LONGEST, placeholder=" …") if lines else ""

    def _read(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        with contextlib.suppress(OSError, ValueError), pipe:
            while chunk := pipe.read1(65536):  # type: ignore[attr-defined]
                self._kept = (self._kept + chunk)[-KEPT_OUTPUT:]
