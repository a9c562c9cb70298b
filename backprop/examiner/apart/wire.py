"""Values between two processes, one of which is not trusted: plain data and raw arrays, never pickles."""

from __future__ import annotations

import json
import math
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from backprop.examiner.measuring.duals import DualNumber

__all__ = ["Opaque", "Reader", "WireError", "WireWriter", "overwrite"]

NUMBERS = "biufc"
ALIGNED = 16
LENGTH_BYTES = 8
MOST_NESTING = 40


class WireError(ValueError):
    """What arrived cannot be read."""


class Opaque:
    """Something that stays in the other process; a copy of its numbers is here if it has any."""

    def __init__(self, handle: int, numbers: Any = None) -> None:
        self.handle, self.numbers = handle, numbers

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its numbers."""
        return np.shape(self.numbers) if self.numbers is not None else ()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.numbers is None:
            raise TypeError(f"a {type(self).__name__} is no array of numbers")
        return np.array(self.numbers, dtype=dtype)

    def __deepcopy__(self, memo: Any) -> Opaque:
        return self


class WireWriter:
    """Turns values into one message. `keep` takes what cannot travel and returns the number that stands for it.

    A read-only array that `share` knows already travels as a number. Classes of containers are noted in `classes`.
    """

    def __init__(
        self,
        keep: Callable[[Any], int] | None = None,
        share: Callable[[Any], tuple[int, bool]] | None = None,
        classes: dict[tuple[str, str], type] | None = None,
    ) -> None:
        self.keep, self.share = keep, share
        self.classes = {} if classes is None else classes
        self.blobs: list[bytes | memoryview] = []

    def message(self, value: Mapping[str, Any]) -> list[bytes | memoryview]:
        """The parts of a message: its length, the lengths of the rest, the structure as JSON, the arrays."""
        structure = _pad(json.dumps({key: self.write(item) for key, item in value.items()}).encode(), 0)
        sizes = [len(structure), *(len(blob) + -len(blob) % ALIGNED for blob in self.blobs)]
        head = _pad(json.dumps(sizes).encode(), 1) + b"\n"
        total = len(head) + sum(sizes)
        parts: list[bytes | memoryview] = [total.to_bytes(LENGTH_BYTES, "big") + head + structure]
        for blob in self.blobs:
            parts += [blob, bytes(-len(blob) % ALIGNED)]
        return parts

    def write(self, value: Any) -> Any:
        """One value as tagged JSON; the numbers of arrays go into `blobs`."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if type(value) is complex:
            return ["complex", value.real, value.imag]
        if isinstance(value, np.ndarray):
            return self._write_array(value)
        if isinstance(value, np.generic) and value.dtype.kind in NUMBERS:
            return ["scalar", self._write_array(np.asarray(value))]
        if isinstance(value, (Fraction, Decimal)):
            return float(value)
        if isinstance(value, DualNumber):
            return ["dual", float(value.value), float(value.slope)]
        if isinstance(value, Opaque):
            return ["handle", value.handle]
        if isinstance(value, np.random.Generator):
            return ["generator", value.bit_generator.state["bit_generator"], _plain(value.bit_generator.state)]
        return self._write_container(value)

    def _write_container(self, value: Any) -> Any:
        if type(value) is list:
            return ["list", [self.write(item) for item in value]]
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            self.classes["named", type(value).__name__] = type(value)
            return ["named", type(value).__name__, list(value._fields), [self.write(item) for item in value]]
        if type(value) is tuple:
            return ["tuple", [self.write(item) for item in value]]
        if isinstance(value, dict) and all(map(_is_plain_key, value)):
            kind = "" if type(value) is dict else type(value).__name__
            self.classes["dict", kind] = type(value)
            return ["dict", kind, [[self.write(key), self.write(item)] for key, item in value.items()]]
        return self._keep_here(value)

    def _write_array(self, array: np.ndarray) -> Any:
        if array.dtype == object and array.size and all(isinstance(one, DualNumber) for one in array.flat):
            parts = [np.array([getattr(one, part) for one in array.flat], dtype=float) for part in ("value", "slope")]
            return ["duals", list(array.shape), *(self._write_array(part) for part in parts)]
        if array.dtype.kind not in NUMBERS or type(array) is not np.ndarray:
            return self._keep_here(array)
        if self.share is not None and not array.flags.writeable:
            number, known = self.share(array)
            return ["shared", number] if known else ["share", number, self._add(array)]
        return self._add(array)

    def _add(self, array: np.ndarray) -> Any:
        flat: Any = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self.blobs.append(memoryview(flat) if array.size else b"")
        return ["array", array.dtype.str, list(array.shape), len(self.blobs) - 1]

    def _keep_here(self, value: Any) -> Any:
        if self.keep is None:
            raise WireError(f"a {type(value).__name__} cannot be handed over")
        numbers = None
        if hasattr(value, "__array__") or isinstance(value, np.ndarray):
            try:
                found = np.asarray(value)
                numbers = self._add(found) if found.dtype.kind in NUMBERS else None
            except Exception:  # any object, any failure: then it has no numbers
                numbers = None
        return ["opaque", self.keep(value), type(value).__name__[:60], numbers]


class Reader:
    """Turns a message back into values. `find` gives back what was kept here, `classes` those that came from here."""

    def __init__(
        self, find: Callable[[int], Any] | None = None, classes: Mapping[tuple[str, str], type] | None = None
    ) -> None:
        self.find = find
        self.classes = {} if classes is None else classes
        self.shared: dict[int, np.ndarray] = {}
        self.blobs: list[memoryview] = []

    def message(self, data: bytearray) -> dict[str, Any]:
        """The values of a message; raises WireError for anything that is not one."""
        try:
            end = data.index(b"\n")
            sizes = json.loads(data[:end])
            ends = np.cumsum([end + 1, *sizes]).tolist()
            parts = [memoryview(data)[a:b] for a, b in pairwise(ends)]
            self.blobs = parts[1:]
            return {key: self.read(item) for key, item in json.loads(bytes(parts[0])).items()}
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError) as error:
            raise WireError(f"it cannot be read ({type(error).__name__}: {str(error)[:100]})") from error

    def read(self, item: Any, depth: int = 0) -> Any:
        """One value."""
        if not isinstance(item, list):
            return item
        if depth > MOST_NESTING:
            raise WireError("it is nested too deep")
        tag, *rest = item
        method: Callable[..., Any] = getattr(self, f"_read_{tag}")
        return method(*rest, depth=depth + 1)

    def _read_complex(self, real: float, imag: float, depth: int) -> complex:
        return complex(real, imag)

    def _read_array(self, dtype: str, shape: Sequence[int], blob: int, depth: int) -> np.ndarray:
        kind = np.dtype(dtype)
        if kind.kind not in NUMBERS:
            raise WireError("an array of something else than numbers")
        return np.frombuffer(self.blobs[blob], dtype=kind, count=math.prod(shape)).reshape(shape)

    def _read_scalar(self, array: Any, depth: int) -> Any:
        return self.read(array, depth)[()]

    def _read_share(self, number: int, array: Any, depth: int) -> np.ndarray:
        found: np.ndarray = np.array(self.read(array, depth))
        found.setflags(write=False)
        self.shared[number] = found
        return found

    def _read_shared(self, number: int, depth: int) -> np.ndarray:
        return self.shared[number]

    def _read_dual(self, value: float, slope: float, depth: int) -> DualNumber:
        return DualNumber(float(value), float(slope))

    def _read_duals(self, shape: Sequence[int], values: Any, slopes: Any, depth: int) -> np.ndarray:
        pairs = zip(self.read(values, depth).tolist(), self.read(slopes, depth).tolist(), strict=True)
        out = np.empty(int(np.prod(shape)), dtype=object)
        out[:] = [DualNumber(value, slope) for value, slope in pairs]
        return out.reshape(shape)

    def _read_generator(self, name: str, state: Any, depth: int) -> np.random.Generator:
        if name not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
            raise WireError("no generator of NumPy")
        generator = getattr(np.random, name)()
        generator.state = _unplain(state)
        return np.random.Generator(generator)

    def _read_list(self, items: Sequence[Any], depth: int) -> list[Any]:
        return [self.read(item, depth) for item in items]

    def _read_tuple(self, items: Sequence[Any], depth: int) -> tuple[Any, ...]:
        return tuple(self.read(item, depth) for item in items)

    def _read_named(self, name: str, fields: Sequence[str], items: Sequence[Any], depth: int) -> Any:
        kind: Any = self.classes.get(("named", name)) or _named(name, tuple(fields))
        return kind(*(self.read(item, depth) for item in items))

    def _read_dict(self, kind: str, items: Sequence[Any], depth: int) -> dict[Any, Any]:
        pairs = {self.read(key, depth): self.read(item, depth) for key, item in items}
        if not kind:
            return pairs
        known = self.classes.get(("dict", kind))
        filled: dict[Any, Any] = _refill(known or _mapping(kind), pairs)
        return filled

    def _read_handle(self, handle: int, depth: int) -> Any:
        if self.find is None:
            raise WireError("nothing is kept here")
        return self.find(handle)

    def _read_opaque(self, handle: int, name: str, numbers: Any, depth: int) -> Opaque:
        kind: type[Opaque] = _opaque(str(name))
        return kind(int(handle), None if numbers is None else self.read(numbers, depth))


def overwrite(mine: Any, theirs: Any) -> None:
    """Make a value here what it became there, in place, as far as the two have the same structure."""
    if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
        if mine.shape == theirs.shape and mine.flags.writeable:
            mine[...] = theirs
        return
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for key in [key for key in mine if key not in theirs]:
            del mine[key]
        keys: Sequence[Any] = list(theirs)
    elif isinstance(mine, (list, tuple)) and isinstance(theirs, (list, tuple)) and len(mine) == len(theirs):
        keys = range(len(mine))
    else:
        return
    for key in keys:
        new = theirs[key]
        old = mine.get(key) if isinstance(mine, dict) else mine[key]
        if isinstance(mine, tuple) or _same_place(old, new):
            overwrite(old, new)
        else:
            mine[key] = new


def _is_plain_key(key: Any) -> bool:
    """A key that travels: text, a number, None, or a tuple of these."""
    return key is None or type(key) in (str, int, bool, float) or (type(key) is tuple and all(map(_is_plain_key, key)))


def _same_place(old: Any, new: Any) -> bool:
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return bool(old.shape == new.shape)
    if not isinstance(old, (dict, list, tuple)):
        return False
    return isinstance(new, type(old)) and len(old) == len(new)


def _pad(text: bytes, more: int) -> bytes:
    """With spaces behind, so that what follows `more` bytes later is aligned."""
    return text + b" " * (-(len(text) + more) % ALIGNED)


@lru_cache(maxsize=256)
def _named(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


@lru_cache(maxsize=256)
def _mapping(name: str) -> Any:
    return type(name, (dict,), {})


@lru_cache(maxsize=256)
def _opaque(name: str) -> Any:
    return type(name, (Opaque,), {})


def _refill(kind: Any, pairs: dict[Any, Any]) -> Any:
    """A mapping of that class; a plain one if it takes none, as defaultdict."""
    try:
        return kind(pairs)
    except TypeError:
        return pairs


def _plain(state: Any) -> Any:
    """The state of a generator in JSON types."""
    if isinstance(state, dict):
        return {"dict": [[key, _plain(value)] for key, value in state.items()]}
    if isinstance(state, np.ndarray):
        return {"numbers": [int(x) for x in state], "dtype": state.dtype.str}
    return state if isinstance(state, str) else int(state)


def _unplain(state: Any) -> Any:
    if isinstance(state, dict) and "dict" in state:
        return {key: _unplain(value) for key, value in state["dict"]}
    if isinstance(state, dict):
        return np.array(state["numbers"], dtype=state["dtype"])
    return state
