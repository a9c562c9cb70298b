"""Files appear whole or not at all: write under a temporary name, then rename."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from backprop.errors import UsageError

__all__ = ["Content", "make_folder", "write_atomically"]

Content = str | bytes | Callable[[BinaryIO], object]
"""Text (written as UTF-8, newlines as they are), bytes, or a function that writes to an open binary file."""


def make_folder(folder: Path) -> None:
    """The folder and what is missing above it.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {str(folder)!r}: {error.strerror}; give another --out") from None


def write_atomically(path: str | os.PathLike[str], write: Content) -> Path:
    r"""Write a file so that nobody ever sees half of it, and return its path.

    The content goes to a new file in the same folder, which is then renamed over `path`: after a crash,
    a full disk, Ctrl-C or an exception inside `write`, the old file (or its absence) is untouched and
    the temporary file is gone. A symbolic link is followed, so that the link survives; a device or a
    pipe (`/dev/null`) is written to directly, because renaming would replace it.

    Args:
        path: where the file shall be; its folder must exist.
        write: text, bytes, or a callable that is handed the open binary file.

    Raises:
        UsageError: the path is empty or a folder, its folder is missing, or it cannot be written.

    Source: the rename is atomic by POSIX `rename()`; `os.replace` gives the same on other systems.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> write_atomically(Path(folder, "a.txt"), "first\n").read_text()
    'first\n'
    """
    target = _resolve_target(path)
    try:
        if target.exists() and not target.is_file():
            with target.open("wb") as stream:
                _fill(stream, write)
        else:
            _write_beside_and_rename(target, write)
    except OSError as error:
        raise _explain(error, path) from error
    return Path(path)


def _resolve_target(path: str | os.PathLike[str]) -> Path:
    shown = os.fspath(path)
    if not shown.strip() or "\0" in shown:
        raise UsageError(f"cannot write to a file named {shown!r}: give the name of a file")
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise UsageError(f"cannot write the file {shown!r}: it is a folder; give a file name inside it")
        if not target.parent.is_dir():
            missing = str(target.parent)
            raise UsageError(f"cannot write the file {shown!r}: no folder {missing!r}; create it first")
    except OSError as error:
        raise _explain(error, path) from error
    return target


def _write_beside_and_rename(target: Path, write: Content) -> None:
    # The temporary name does not contain the target's, which may already be as long as a name can be.
    beside = target.parent / f".backprop-{secrets.token_hex(8)}.tmp"
    try:
        with beside.open("xb") as stream:
            _fill(stream, write)
        if target.exists():
            # Windows refuses to replace a read-only file, POSIX does not look: refuse everywhere.
            if not os.access(target, os.W_OK):
                raise PermissionError(13, "the file is read-only")
            beside.chmod(target.stat().st_mode)
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _fill(stream: BinaryIO, write: Content) -> None:
    if isinstance(write, str):
        stream.write(write.encode("utf-8"))
    elif isinstance(write, bytes):
        stream.write(write)
    else:
        write(stream)


def _explain(error: OSError, path: str | os.PathLike[str]) -> UsageError:
    reason = (error.strerror or str(error)).lower()
    return UsageError(f"cannot write the file {os.fspath(path)!r}: {reason}; choose another place")
