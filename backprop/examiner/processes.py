"""Processes: started with one thread and a clean path, limited, described and ended with all that they left."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

if sys.platform == "linux":
    import fcntl

__all__ = ["describe_end", "end_family", "follow_parent", "limit_memory", "seal", "start_python"]

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
FAMILY = "BACKPROP_EXAMINATION"
"""Variable that every process of one examination inherits, however it leaves its group."""
FOLLOW = "from backprop.examiner.processes import follow_parent; follow_parent()"
GRACE = 2.0
PAUSE = 0.01
NOT_DUMPABLE = (4, 0)
DIE_WITH_PARENT = (1, int(getattr(signal, "SIGKILL", 9)))
PIPE_BYTES = 2**20
PROC = Path("/proc")


def start_python(
    code: str, *, stderr: int | None = None, family: str | None = None, **options: Any
) -> subprocess.Popen[bytes]:
    """Start this Python with the house at the end of its path, and pipes for input and output."""
    root = str(Path(__file__).resolve().parents[2])
    named = {} if family is None else {FAMILY: family}
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", f"import sys; sys.path.append({root!r}); {FOLLOW}; {code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=os.environ | dict.fromkeys(ONE_THREAD, "1") | named,
        **options,
    )
    for pipe in (process.stdin, process.stdout):
        _widen(pipe)
    return process


def _widen(pipe: IO[bytes] | None) -> None:
    """A pipe that holds a matrix: fewer turns between the processes, where the system can (Linux)."""
    if sys.platform == "linux" and pipe is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def end_family(process: subprocess.Popen[bytes], family: str) -> None:
    """End a process, its group and whatever carries the name of its family, as far as the system lets us."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        if process.poll() is None:
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


def _end_members(mark: bytes) -> int:
    """End the processes whose environment carries a mark, where the system shows it; how many there were."""
    found = 0
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                found += 1
    return found


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


def follow_parent() -> None:
    """End with the process that started this one, where the system can (Linux): a killed command leaves nothing."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(*DIE_WITH_PARENT)


def seal() -> None:
    """Keep other processes of the same user out of this one's memory and files, where the system can (Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(*NOT_DUMPABLE)
