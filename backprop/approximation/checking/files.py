"""A certificate's file: JSON in a regular file of reasonable size, without anything that reads two ways."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from backprop.errors import UsageError

__all__ = ["load"]

LARGEST = 8 * 2**20
"""Bytes."""


def load(path: str | Path) -> dict[str, Any]:
    """The object of a JSON file.

    Errors: UsageError for what is no regular file, too large, no UTF-8, no JSON, no object, for keys that occur twice,
    NaN and infinities.
    """
    shown = f"{str(path)!a}"
    try:
        text = _read(path).decode("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or ("it is no text" if isinstance(error, UnicodeError) else error)
        raise UsageError(f"cannot read the certificate {shown}: {reason}") from None
    try:
        data = json.loads(text, object_pairs_hook=_refuse_twice, parse_constant=_refuse_constant)
    except json.JSONDecodeError:
        raise UsageError(f"{shown} is no certificate: it is not JSON") from None
    except (ValueError, RecursionError) as error:
        reason = error if isinstance(error, ValueError) else "it is nested too deeply"
        raise UsageError(f"{shown} is no certificate: {str(reason)[:80]}") from None
    if not isinstance(data, dict):
        raise UsageError(f"{shown} is no certificate: it holds no object")
    return data


def _read(path: str | Path) -> bytes:
    """All bytes of a regular file; a pipe or a device is not even waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is no regular file")
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 20} MB")
    return found


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
