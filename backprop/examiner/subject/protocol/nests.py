"""Nests of parameters: lists, tuples and dicts of arrays, taken apart and put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Nest", "Path", "flatten", "flatten_like", "plan_rebuilding", "rebuild", "walk"]

Nest: TypeAlias = Any
"""A list, tuple, NamedTuple or dict of nests, or a leaf: an array, a number, a list of numbers."""
Path: TypeAlias = tuple["int | str", ...]

DEPTH_LIMIT = 20


def flatten(nest: Nest) -> list[Any]:
    """List the leaves in their order.

    >>> [int(leaf) for leaf in flatten({"a": (1, 2), "b": np.array(3)})]
    [1, 2, 3]
    """
    return [leaf for _, leaf in walk(nest)]


def rebuild(template: Nest, leaves: Sequence[Any]) -> Nest:
    """Put leaves into the structure of a template; lists of numbers and plain floats keep their type.

    >>> rebuild({"W": [[1.0, 2.0]], "b": 3.0}, [np.ones((1, 2)), np.array(7.0)])
    {'W': [[1.0, 1.0]], 'b': 7.0}
    """
    return plan_rebuilding(template)(iter(leaves))


def plan_rebuilding(template: Nest) -> Callable[[Iterator[Any]], Nest]:
    """`rebuild` for one template and many leaves: its structure is looked at once.

    >>> [plan_rebuilding((0.0, {"b": 0.0}))(iter(leaves)) for leaves in ([1.0, 2.0], [3.0, 4.0])]
    [(1.0, {'b': 2.0}), (3.0, {'b': 4.0})]
    """
    children = _children(template)
    if children is None:
        return lambda supply: _restore(template, next(supply))
    parts, fill = [plan_rebuilding(child) for _, child in children], _plan_filling(template)
    return lambda supply: fill([part(supply) for part in parts])


def _plan_filling(template: Nest) -> Callable[[list[Any]], Nest]:
    """What makes a container of its parts."""
    if isinstance(template, Mapping):
        keys = list(template.keys())
        if type(template) is dict:
            return lambda made: dict(zip(keys, made, strict=True))
        return lambda made: _same_mapping(template, dict(zip(keys, made, strict=True)))
    if hasattr(template, "_fields"):
        return lambda made: type(template)(*made)
    return tuple if isinstance(template, tuple) else list


def flatten_like(template: Nest, nest: Nest) -> list[Any]:
    """List the leaves of a nest in the order of a template; None where the nest has nothing.

    Raises ValueError if the two structures cannot be matched.

    >>> flatten_like({"W": 0.0, "b": 0.0}, {"b": 2.0, "W": 1.0})
    [1.0, 2.0]
    """
    try:
        return list(_match(template, nest))
    except ValueError:
        leaves = flatten(nest)
        if len(leaves) == len(flatten(template)):
            return leaves
        raise


def walk(nest: Nest, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every leaf with its path of keys and positions."""
    children = _children(nest)
    if children is None:
        yield path, nest
        return
    if len(path) > DEPTH_LIMIT:
        raise ValueError("the parameters are nested deeper than a network can be")
    for key, child in children:
        yield from walk(child, (*path, key))


def _children(nest: Nest) -> list[tuple[int | str, Any]] | None:
    """List (key, child) of a container; None for a leaf."""
    if isinstance(nest, np.ndarray):
        return None
    if isinstance(nest, Mapping):
        return [(_name_key(key), value) for key, value in nest.items()]
    if isinstance(nest, tuple) and hasattr(nest, "_fields"):
        names: tuple[str, ...] = nest._fields
        return list(zip(names, nest, strict=True))
    if isinstance(nest, (list, tuple)) and not _is_number_list(nest):
        return list(enumerate(nest))
    return None


def _name_key(key: Any) -> str:
    """A key as text; of a tuple the words and then the numbers.

    >>> _name_key(("W", 1)), _name_key((2, "b")), _name_key(3), _name_key((1, 2))
    ('W_1', 'b_2', '3', '1_2')
    """
    if not isinstance(key, tuple):
        return str(key)
    return "_".join(str(part) for part in sorted(key, key=lambda part: not isinstance(part, str)))


def _is_number_list(nest: Any) -> bool:
    """A list of numbers, or of equally long lists of numbers, is an array; a tuple is a container."""
    if not isinstance(nest, list) or not nest:
        return False
    if all(isinstance(x, (int, float)) for x in nest):
        return True
    rows = all(isinstance(x, list) and _is_number_list(x) for x in nest)
    return rows and len({np.shape(x) for x in nest}) == 1


def _same_mapping(template: Any, filled: dict[Any, Any]) -> Any:
    try:
        return type(template)(filled)
    except TypeError:
        return filled


def _restore(template: Any, leaf: Any) -> Any:
    if isinstance(template, list):
        return np.asarray(leaf).tolist()
    if isinstance(template, (int, float)) and isinstance(leaf, np.ndarray):
        return leaf.item()
    return leaf


def _match(template: Nest, nest: Nest) -> Iterator[Any]:
    children = _children(template)
    if children is None:
        yield nest
        return
    given = _children(nest)
    if nest is None:
        given = [(key, None) for key, _ in children]
    if given is None and isinstance(nest, (list, np.ndarray)) and len(np.atleast_1d(np.asarray(nest))) == len(children):
        # Gradients of one shape, in lists or stacked, read as one array.
        given = list(enumerate(nest))
    if given is None:
        raise ValueError(f"expected a {type(template).__name__} of {len(children)}, got {_describe(nest)}")
    if isinstance(template, Mapping) and isinstance(nest, Mapping):
        by_name: dict[int | str, Any] = dict(given)
        given = [(key, by_name.get(_find_key(str(key), by_name))) for key, _ in children]
    if len(given) != len(children):
        raise ValueError(f"expected {len(children)} items as in params, got {len(given)}")
    for (_, child), (_, value) in zip(children, given, strict=True):
        yield from _match(child, value)


def _find_key(key: str, given: Mapping[int | str, Any]) -> str:
    """The key of the gradient of W1: itself, or as many write it dW1, grad_W1, W1_grad.

    >>> _find_key("W1", {"dW1": 0.0, "db1": 0.0})
    'dW1'
    """
    if key in given:
        return key
    written = (f"d{key}", f"d_{key}", f"grad_{key}", f"{key}_grad", f"g{key}", f"grad{key}", f"dL_d{key}", f"dC_d{key}")
    return next((other for other in written if other in given), key)


def _describe(nest: Any) -> str:
    return "numbers" if isinstance(nest, list) else f"{type(nest).__name__}"
