"""The judge's side: a process that takes one request, judges, and says the verdict on a private pipe."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from backprop.examiner.apart import host
from backprop.examiner.apart.remote import HOST, RemoteSubject
from backprop.examiner.pace import Pace
from backprop.examiner.saying.report import Report
from backprop.examiner.subject.protocol.subjects import Unusable
from backprop.processes import COPIES, Forked, Started, leave, limit_memory, seal, start_python

__all__ = ["main"]


def main() -> None:
    """The judge's side: take the request from standard input, judge, write one line to the private pipe.

    The subject's code runs in another process, a copy of this one from before the request was read, which is asked for
    numbers. This one never imports it. Its input stays open as long as the process that asked is there.
    """
    subject = Forked(host.main) if COPIES else start_python(HOST)
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

        tell(_judge(request, subject, pace, tell), final=True)
    os._exit(0)


def _obey(orders: IO[bytes], pace: Pace) -> None:
    """Stop where that is asked for; leave with the one who could ask."""
    for _ in orders:
        pace.stop()
    leave()


def _judge(request: dict[str, Any], process: Started, pace: Pace, tell: Callable[[Report], None]) -> Report:
    target = request["target"]
    how: dict[str, Any] = {name: request[name] for name in ("seed", "memory", "text", "loader", "options")}
    subject = RemoteSubject(target, **how, process=process)
    module, _, function = request["judge"].partition(":")
    try:
        # Imported while the other process loads the subject.
        judge: Callable[..., Report] = getattr(importlib.import_module(module), function)
        return judge(subject.load(), seed=request["seed"], pace=pace, early=tell)
    except Unusable as error:
        return Report("unusable", target, notes=(str(error),), reason=error.reason)
    except MemoryError:
        note = f"{target}: it needs more memory than the limit of {request['memory'] >> 20} MiB"
        return Report("unusable", target, notes=(note,))
    finally:
        subject.close()
