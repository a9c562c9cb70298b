"""IDX files, the format of MNIST: read whole, plain or compressed, or refused with the reason."""

from __future__ import annotations

import gzip
import math
import os
import stat
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from backprop.data.checks import Integers
from backprop.errors import UsageError

__all__ = ["DATA_VARIABLE", "Mnist", "find_data_folder", "mnist", "read_idx"]

DATA_VARIABLE = "BACKPROP_DATA"
"""The environment variable that names the folder with the files, where no folder is given."""

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_AXES = 32
LARGEST = 2**31
"""Bytes of numbers that are read from one file."""
GZIP = b"\x1f\x8b"
BRIGHTEST, CLASSES = 255, 10
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class Mnist(NamedTuple):
    """Training and test images (n, 784), 0 = paper, 1 = ink, and their labels (n,), 0..9."""

    X: NDArray[np.floating[Any]]
    labels: Integers
    test_X: NDArray[np.floating[Any]]
    test_labels: Integers


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an IDX file, compressed by gzip or not (the content decides, not the name).

    Layout: two zero bytes, the type of the numbers, the number of axes, the length of each axis (32 bits), then the
    numbers, all with the most significant byte first.

    Raises:
        UsageError: the file is missing, cannot be read, is not of this format, or its length does not fit its head.

    Source: Y. LeCun, C. Cortes, C. Burges, the MNIST database of handwritten digits, "the IDX file format".
    """
    shown = os.fspath(path)
    try:
        with _open(path) as stream:
            kind, shape, head = _read_head(stream, shown)
            wanted = kind.itemsize * math.prod(shape)
            content = stream.read(wanted + 1)  # one byte more shows what goes on; nothing else is unpacked
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{shown!r} is a damaged gzip file ({error}); fetch it again") from None
    except UsageError:
        raise
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"cannot read {shown!r}: {reason}") from None
    if len(content) != wanted:
        what = f"is cut off: {head + len(content)} bytes" if len(content) < wanted else "goes on after its end"
        raise UsageError(f"{shown!r} {what} where its shape {shape} needs {head + wanted}; fetch it again")
    return np.frombuffer(content, kind).reshape(shape).astype(kind.newbyteorder("="))


def _open(path: str | os.PathLike[str]) -> BinaryIO:
    """The bytes of a file, expanded while they are read if they are compressed."""
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a device or a pipe may never end
        raise UsageError(f"cannot read {os.fspath(path)!r}: it is no regular file")
    with open(path, "rb") as file:
        is_compressed = file.read(2) == GZIP
    return cast(BinaryIO, gzip.open(path, "rb") if is_compressed else open(path, "rb"))


def _read_head(stream: BinaryIO, shown: str) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """The type of the numbers, the length of each axis, and how many bytes say so."""
    begin = stream.read(4)
    if len(begin) < 4 or begin[:2] != b"\0\0" or begin[2] not in TYPES or not 0 < begin[3] <= MOST_AXES:
        start = begin.hex(" ") or "nothing"
        raise UsageError(f"{shown!r} is not an IDX file: it begins with {start}; an image file begins with 00 00 08 03")
    axes = stream.read(4 * begin[3])
    if len(axes) < 4 * begin[3]:
        raise UsageError(f"{shown!r} is cut off in its head, after {4 + len(axes)} bytes; fetch it again")
    shape = struct.unpack(f">{begin[3]}I", axes)
    kind = np.dtype(TYPES[begin[2]])
    if kind.itemsize * math.prod(shape) > LARGEST:
        raise UsageError(
            f"{shown!r} is cut off or damaged: its head says {shape} numbers, over {LARGEST:,} bytes; fetch it again"
        )
    return kind, shape, 4 + len(axes)


def find_data_folder(folder: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder with the files: the given one, else the one that BACKPROP_DATA names, else None."""
    named = folder if folder is not None else os.environ.get(DATA_VARIABLE) or None
    return None if named is None else Path(named)


def mnist(folder: str | os.PathLike[str] | None = None, dtype: type[np.floating[Any]] = np.float32) -> Mnist:
    """Read the 70,000 handwritten digits of MNIST from the four files in a folder, plain or with the ending .gz.

    Args:
        folder: where the files are; None: the environment variable BACKPROP_DATA says.
        dtype: the type of the pixels; float32 halves memory and time.

    Raises:
        UsageError: no folder, a missing or damaged file, images that are not 28 x 28 or do not fit their labels.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
    Proc. IEEE 86 (1998) 2278; lecture item 15.
    """
    place = find_data_folder(folder)
    if place is None:
        raise UsageError(f"no folder with the MNIST files: give --data DIR or set {DATA_VARIABLE}")
    pairs = []
    for images_name, labels_name in (NAMES[:2], NAMES[2:]):
        images, labels = (read_idx(_find(place, name)) for name in (images_name, labels_name))
        if images.ndim != 3 or images.dtype != np.uint8 or labels.shape != images.shape[:1]:
            raise UsageError(
                f"{images_name} holds {images.shape} of {images.dtype} and {labels_name} {labels.shape}: images must "
                "be (n, rows, columns) of bytes with one label each"
            )
        if labels.dtype != np.uint8 or np.any(labels >= CLASSES):
            wrong = f"holds the label {labels.max()}" if labels.dtype == np.uint8 else f"holds {labels.dtype} numbers"
            raise UsageError(f"{labels_name} {wrong}; the digits are 0..{CLASSES - 1}, one byte each")
        pixels = images.reshape(len(images), -1).astype(dtype)
        pixels /= BRIGHTEST
        pairs += [pixels, labels.astype(np.int64)]
    if pairs[0].shape[1] != pairs[2].shape[1]:
        raise UsageError(f"training images have {pairs[0].shape[1]} pixels, test images {pairs[2].shape[1]}")
    return Mnist(*pairs)


def _find(folder: Path, name: str) -> Path:
    """The file, plain or compressed; older copies have a point in place of the first dash of the ending."""
    choices = [name, name + ".gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz"]
    for choice in choices:
        if (folder / choice).is_file():
            return folder / choice
    raise UsageError(f"no file {name} or {name}.gz in the folder {str(folder)!r}; the four MNIST files belong there")
