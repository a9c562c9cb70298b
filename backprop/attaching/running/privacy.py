"""A private copy of the folder in which a program runs: whatever it writes, the reader's own files stay as they are."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["in_private_copy"]

PREFIX = "backprop-private-"
MOST_FILES, MOST_BYTES = 300, 20 * 2**20
"""What is copied; the rest of a folder is only linked to, to be read."""
LEFT_OUT = ("__pycache__", "node_modules")
STALE = 3600.0
"""Seconds after which a copy of a process that was ended is taken away."""
WRITES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod")

_guarded: list[str] = []
"""Folders into which nothing may be written now."""
_hooked: list[bool] = []


@contextlib.contextmanager
def in_private_copy(folder: Path) -> Iterator[Path]:
    """Work in a copy of a folder for a while; the folder itself can be read, writing into it is a PermissionError."""
    _clear_stale()
    private = Path(tempfile.mkdtemp(prefix=PREFIX))
    before = Path.cwd()
    try:
        _fill(folder, private)
        os.chdir(private)
        _guard(folder)
        yield private
    finally:
        if _guarded:
            _guarded.pop()
        os.chdir(before)
        shutil.rmtree(private, ignore_errors=True)


def _fill(folder: Path, private: Path) -> None:
    """Copy small files, near ones first; link to all else."""
    files, size = 0, 0
    queue = [(folder, private)]
    while queue:
        here, there = queue.pop(0)
        with contextlib.suppress(OSError):
            there.mkdir(exist_ok=True)
            for entry in sorted(os.scandir(here), key=lambda one: (one.is_dir(), one.name)):
                if entry.name.startswith(".") or entry.name in LEFT_OUT:
                    continue
                target = there / entry.name
                if entry.is_dir() and not entry.is_symlink() and not (Path(entry.path) / "pyvenv.cfg").exists():
                    if files < MOST_FILES:
                        queue.append((Path(entry.path), target))
                    else:
                        target.symlink_to(entry.path)
                    continue
                mine = entry.stat().st_size if entry.is_file() else MOST_BYTES
                if files < MOST_FILES and size + mine <= MOST_BYTES:
                    shutil.copyfile(entry.path, target)
                    files, size = files + 1, size + mine
                else:
                    target.symlink_to(entry.path)


def _guard(folder: Path) -> None:
    _guarded.append(os.path.realpath(folder) + os.sep)
    if not _hooked:
        # A hook of this kind stays for ever; it does nothing while no folder is guarded.
        _hooked.append(True)
        sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guarded or (event != "open" and event not in WRITES):
        return
    if event == "open" and not _is_for_writing(arguments):
        return
    for path in arguments[:2]:
        if isinstance(path, str | bytes | os.PathLike):
            whole = os.path.realpath(os.fsdecode(path))
            if whole.startswith(_guarded[-1]):
                raise PermissionError(f"it writes into {whole}; what is examined may write beside its own copy only")


def _is_for_writing(arguments: tuple[Any, ...]) -> bool:
    mode, flags = arguments[1], arguments[2] if len(arguments) > 2 else 0
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def _clear_stale() -> None:
    with contextlib.suppress(OSError):
        for entry in os.scandir(tempfile.gettempdir()):
            if entry.name.startswith(PREFIX) and time.time() - entry.stat().st_mtime > STALE:
                shutil.rmtree(entry.path, ignore_errors=True)
