"""Arrays and texts in a .safetensors file, which other frameworks read too; needs the package safetensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from backprop.arrays import Array
from backprop.errors import UsageError

__all__ = ["TENSORS", "pack_tensors", "read_tensors"]

TENSORS = ".safetensors"


def find_library() -> Any:
    """The package that knows the format.  Errors: UsageError if it is not installed."""
    try:
        return import_module("safetensors"), import_module("safetensors.numpy")
    except ImportError:
        raise UsageError(
            f'a {TENSORS} file needs a package of its own: pip install "backprop-verifier[safetensors]"'
        ) from None


def pack_tensors(arrays: Mapping[str, Array], **texts: str) -> bytes:
    """The content of a file with these arrays, and these texts in its head."""
    _, tensors = find_library()
    content: bytes = tensors.save({name: np.ascontiguousarray(a) for name, a in arrays.items()}, metadata=texts)
    return content


def read_tensors(path: Path, refuse: Callable[[str], UsageError]) -> tuple[dict[str, str], dict[str, Array]]:
    """The texts and arrays of a file.  Errors: what `refuse` makes of the reason, for a damaged or foreign one."""
    library, _ = find_library()
    try:
        with library.safe_open(str(path), framework="numpy") as file:
            return dict(file.metadata() or {}), {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (library.SafetensorError, OSError, ValueError, TypeError) as error:
        raise refuse(str(error)) from None
