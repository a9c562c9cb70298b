"""Arrays and one text in an .npz file: nothing is pickled, and what is damaged or foreign is refused in one line."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from backprop.arrays import Array
from backprop.errors import UsageError

__all__ = ["open_npz", "pack_npz", "read_entry", "read_text"]

LARGEST_HEAD = 65_536
"""Bytes that an array in a file may have before its numbers."""
DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, MemoryError,
)  # fmt: skip
"""What NumPy raises for a file that is not whole or is something else."""


def pack_npz(arrays: Mapping[str, Array], **texts: str) -> bytes:
    """The content of a file with these texts first, as bytes of UTF-8, and these arrays.

    >>> with open_npz(pack_npz({"theta": np.ones(2)}, words="δ"), UsageError) as file:
    ...     read_text(file, "words"), read_entry(file, "theta", 16)
    ('δ', array([1., 1.]))
    """
    stream = io.BytesIO()
    named: Any = {name: np.frombuffer(text.encode(), np.uint8) for name, text in texts.items()} | dict(arrays)
    np.savez(stream, **named)
    return stream.getvalue()


@contextmanager
def open_npz(source: bytes | Path, refuse: Callable[[str], UsageError]) -> Iterator[Any]:
    """The file, read from memory: NumPy leaves open on disk what it cannot make sense of.

    Errors: what `refuse` makes of the reason, for a file that is damaged or whose reading inside the block fails.
    """
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            yield file
    except UsageError:
        raise
    except DAMAGE as error:
        raise refuse(str(error).splitlines()[0] if str(error) else type(error).__name__) from None


def read_entry(file: Any, name: str, largest: int) -> Array:
    """One array of a file, not unpacked if it is larger than it can be."""
    size = file.zip.getinfo(f"{name}.npy").file_size
    if size > largest + LARGEST_HEAD:
        raise ValueError(f"{name} has {size:,} bytes, more than {largest:,}")
    array: Array = file[name]
    return array


def read_text(file: Any, name: str, largest: int | None = None) -> str:
    """One text of a file."""
    array = file[name] if largest is None else read_entry(file, name, largest)
    return str(array.tobytes().decode("utf-8"))
