"""Numbers that a program's names lead to: where they are, what they are, and how others are put there."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "NumberLeaf", "Place", "children", "find_leaves", "has_cells", "is_borrowed", "is_number", "is_number_list",
    "is_tensor", "list_cells", "put", "read", "set_place", "size_of", "to_array",
]  # fmt: skip

Step: TypeAlias = tuple[str, Any]
Place: TypeAlias = tuple[Step, ...]
"""("name", n), then ("attr", n), ("item", k) or, of a function, ("cell", n): a name of the function around it; at the
end ("part", ends): some rows or columns of an array."""
Ends: TypeAlias = tuple[tuple[int | None, int | None], ...]
"""From where to where, for each axis."""
MOST_LEAVES = 2_000
MOST_NUMBERS = 400
DEEPEST = 12
LONGEST = 100
"""Lists longer than this are data, not containers of parameters."""
ATOMS = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, types.MethodType, str, bytes)


@dataclass(frozen=True)
class NumberLeaf:
    """An array or a number, and every way that leads to it."""

    places: tuple[Place, ...]
    value: Any

    @property
    def name(self) -> str:
        """As one would write it."""
        return write_place(self.places[0])

    def part(self, ends: Ends) -> NumberLeaf:
        """Some rows or columns as a leaf of their own: first its place, then those of the whole."""
        return NumberLeaf(((*self.places[0], ("part", ends)), *self.places), self.value[cut(ends)])


def write_place(place: Place) -> str:
    """A place as Python text.

    >>> write_place((("name", "net"), ("attr", "weights"), ("item", 0)))
    'net.weights[0]'
    """
    out = ""
    for kind, key in place:
        out = key if kind in ("name", "cell") else f"{out}.{key}" if kind == "attr" else f"{out}[{_write_key(key)}]"
    return out


def _write_key(key: Any) -> str:
    if not isinstance(key, tuple):
        return repr(key)
    return ", ".join(":".join("" if end is None else str(end) for end in pair) for pair in key)


def cut(ends: Ends) -> tuple[slice, ...]:
    """What is put in brackets behind an array."""
    return tuple(slice(*pair) for pair in ends)


def is_tensor(value: Any) -> bool:
    """A torch tensor, where torch is loaded."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_jax(value: Any) -> bool:
    """A JAX array that holds numbers (none that stands for numbers while a function is compiled)."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer)


def is_number(value: Any) -> bool:
    """A float, also of NumPy; no integer, no truth value."""
    return isinstance(value, float | np.floating)


def is_number_list(value: Any) -> bool:
    """A list of floats, or a rectangle of such lists."""
    if not isinstance(value, list) or not value or len(value) > MOST_NUMBERS:
        return False
    if all(is_number(one) for one in value):
        return True
    return all(is_number_list(one) and len(one) == len(value[0]) for one in value if isinstance(one, list)) and all(
        isinstance(one, list) for one in value
    )


def to_array(value: Any) -> np.ndarray[Any, Any] | None:
    """The numbers as a plain array of floats or complex numbers (a copy), or None if there are none."""
    try:
        if is_tensor(value):
            value = value.detach().cpu().numpy()
        elif not (isinstance(value, np.ndarray | np.generic | float) or is_jax(value) or is_number_list(value)):
            return None
        found = np.array(value)
    except Exception:  # objects of a subject can fail in any way
        return None
    if found.dtype.kind == "c":
        return found
    return found.astype(float) if found.dtype.kind == "f" else None


def find_leaves(names: Mapping[str, Any]) -> list[NumberLeaf]:
    """Every array and number that the names lead to, each once."""
    found: dict[int, tuple[list[Place], Any]] = {}
    seen: dict[int, Any] = {}  # kept, so that no other object has the number of one that is gone
    queue: list[tuple[Place, Any]] = [((("name", name),), value) for name, value in names.items()]
    while queue and len(found) < MOST_LEAVES:
        place, value = queue.pop(0)
        if is_number(value) or is_tensor(value) or is_jax(value) or isinstance(value, np.ndarray):
            # Equal floats may be one object by chance: each place of a number is a leaf of its own.
            key = hash(place) if is_number(value) else id(value)
            found.setdefault(key, ([], value))[0].append(place)
        elif is_number_list(value):
            found.setdefault(id(value), ([], value))[0].append(place)
        elif len(place) < DEEPEST and (not isinstance(value, ATOMS) or has_cells(value)) and id(value) not in seen:
            seen[id(value)] = value
            queue += [((*place, step), child) for step, child in children(value)]
    return [NumberLeaf(tuple(sorted(places, key=is_borrowed)), value) for places, value in found.values()]


def is_borrowed(place: Place) -> bool:
    """Whether an optimiser of torch holds it: a parameter is called what its model calls it."""
    return ("attr", "param_groups") in place


def has_cells(value: Any) -> bool:
    """Whether a function holds names of a function around it that are no functions, modules or classes."""
    return isinstance(value, types.FunctionType) and any(
        not isinstance(held, ATOMS) or has_cells(held) for _, held in list_cells(value)
    )


def list_cells(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Names of the functions around a function, with what they stand for."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not bound yet
            if cell.cell_contents is not function:
                yield name, cell.cell_contents


def children(value: Any) -> Iterator[tuple[Step, Any]]:
    """What a container or an object holds, and a function that was made in another."""
    if isinstance(value, types.FunctionType):
        yield from ((("cell", name), held) for name, held in list_cells(value))
    elif isinstance(value, Mapping):
        if len(value) <= LONGEST:
            yield from ((("item", key), child) for key, child in list(value.items()) if isinstance(key, str | int))
    elif isinstance(value, list | tuple):
        if len(value) <= LONGEST:
            yield from ((("item", key), child) for key, child in enumerate(value))
    elif not isinstance(value, np.random.Generator | np.random.RandomState):
        yield from ((("attr", key), child) for key, child in list(getattr(value, "__dict__", {}).items()))
        for kind in type(value).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for key in (slots,) if isinstance(slots, str) else tuple(slots):
                if not key.startswith("__") and hasattr(value, key):
                    yield ("attr", key), getattr(value, key)


def read(names: Mapping[str, Any], place: Place) -> Any:
    """What stands at a place; None where there is no such place."""
    value: Any = names
    for kind, key in place:
        try:
            value = _step(value, kind, key)
        except (KeyError, IndexError, AttributeError, TypeError):
            return None
    return value


def _step(owner: Any, kind: str, key: Any) -> Any:
    if kind == "cell":
        return dict(list_cells(owner))[key]
    if kind == "part":
        return owner[cut(key)]
    return getattr(owner, key) if kind == "attr" else owner[key]


def put(names: Any, leaf: NumberLeaf, value: np.ndarray[Any, Any]) -> Any:
    """Put numbers at every place of a leaf, keeping its kind; returns the object that now stands there."""
    old = read(names, leaf.places[0])
    if is_tensor(old):
        torch = sys.modules["torch"]
        with torch.no_grad():
            old.data = torch.as_tensor(np.array(value))
        return old
    if isinstance(old, np.ndarray) and old.dtype == value.dtype and old.shape == value.shape and old.flags.writeable:
        old[...] = value
        return old
    if isinstance(old, list):
        _fill(old, value)
        return old
    if leaf.places[0][-1][0] == "part":
        (*_, (_, ends)), *places = leaf.places
        whole = read(names, places[0])
        new = whole.astype(np.result_type(whole, value))
        new[cut(ends)] = value
        for place in places:
            set_place(names, place, new)
        return new
    for place in leaf.places:
        set_place(names, place, other := _like(old, value))
    return other


def _fill(numbers: list[Any], value: np.ndarray[Any, Any]) -> None:
    for i, one in enumerate(numbers):
        if isinstance(one, list):
            _fill(one, value[i])
        else:
            numbers[i] = value[i].item()


def _like(old: Any, value: np.ndarray[Any, Any]) -> Any:
    if is_jax(old):
        return sys.modules["jax"].numpy.asarray(value)
    if isinstance(old, np.matrix):
        return np.matrix(value)
    return np.array(value) if isinstance(old, np.ndarray) else value.dtype.type(value.item())


def set_place(names: Any, place: Place, value: Any) -> None:
    """Put an object at a place."""
    owner = names
    for kind, key in place[:-1]:
        owner = _step(owner, kind, key)
    kind, key = place[-1]
    if kind == "cell":
        owner.__closure__[owner.__code__.co_freevars.index(key)].cell_contents = value
    elif kind == "attr":
        setattr(owner, key, value)
    elif isinstance(owner, tuple):
        changed = (*owner[:key], value, *owner[key + 1 :])
        set_place(names, place[:-1], type(owner)(*changed) if hasattr(owner, "_fields") else changed)
    else:
        owner[key] = value


def size_of(value: Any) -> float:
    """The largest |entry| of an array; 1 where that is 0 or there is none: what a change of it is measured by.

    >>> size_of(np.array([0.5, -2.0])), size_of(np.zeros(3))
    (2.0, 1.0)
    """
    return float(np.max(np.abs(value), initial=0.0)) or 1.0
