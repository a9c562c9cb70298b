"""Nests of parameters: lists, tuples and dicts of arrays, taken apart, named and put together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from backprop.examiner.pairing import Item, pair_lists

__all__ = ["Leaf", "Nest", "Path", "flatten", "flatten_like", "name_leaves", "rebuild"]

Nest: TypeAlias = Any
"""A list, tuple, NamedTuple or dict of nests, or a leaf: an array, a number, a list of numbers."""
Path: TypeAlias = tuple["int | str", ...]

ADDITIVE = {"b", "c", "beta", "bias", "biases", "shift", "offset", "intercept", "threshold"}
NORMALISING = {"gamma", "beta", "scale", "shift"}
SLOPES = {"slope", "slopes", "alpha", "a"}
DEPTH_LIMIT = 20


@dataclass(frozen=True)
class Leaf:
    """One parameter tensor: its name in reports, its layer (None: no layers), and which equation owns it.

    `role` is "W" for multiplicative parameters (BP4), "b" for additive ones (BP3), "" for a flat vector.
    """

    name: str
    layer: int | None
    role: str
    path: Path
    shape: tuple[int, ...]
    dense: bool = True
    """False for what belongs to a normalisation or a learned slope, which sees another error than W and b."""

    @property
    def size(self) -> int:
        """How many entries it has."""
        return int(np.prod(self.shape))


def flatten(nest: Nest) -> list[Any]:
    """List the leaves in their order.

    >>> [int(leaf) for leaf in flatten({"a": (1, 2), "b": np.array(3)})]
    [1, 2, 3]
    """
    return [leaf for _, leaf in _walk(nest)]


def rebuild(template: Nest, leaves: Sequence[Any]) -> Nest:
    """Put leaves into the structure of a template; lists of numbers and plain floats keep their type.

    >>> rebuild({"W": [[1.0, 2.0]], "b": 3.0}, [np.ones((1, 2)), np.array(7.0)])
    {'W': [[1.0, 1.0]], 'b': 7.0}
    """
    supply = iter(leaves)
    return _rebuild(template, supply)


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


def name_leaves(nest: Nest) -> list[Leaf]:
    """Name every leaf in the order of `flatten`: W1, b1, W2 …, the user's own keys in dicts, with layer and role.

    Layers are counted over dense-like blocks; a normalisation or a slope belongs to the block before it.

    >>> params = [(np.ones((2, 3)), np.ones(3)), {"gamma": np.ones(3)}, (np.ones((3, 1)), np.ones(1))]
    >>> [(leaf.name, leaf.layer, leaf.role) for leaf in name_leaves(params)]
    [('W1', 1, 'W'), ('b1', 1, 'b'), ('gamma1', 1, 'W'), ('W2', 2, 'W'), ('b2', 2, 'b')]
    """
    items = [(path, np.shape(leaf)) for path, leaf in _walk(nest)]
    if len(items) == 1 and items[0][0] == ():
        return [Leaf("theta", None, "", (), items[0][1])]
    blocks = _numbered_blocks(items) or pair_lists(items) or _split_into_blocks(items)
    leaves = {leaf.path: leaf for leaf in _name_blocks(blocks, _count_layers(blocks))}
    return [leaves[path] for path, _ in items]


def _walk(nest: Nest, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    children = _children(nest)
    if children is None:
        yield path, nest
        return
    if len(path) > DEPTH_LIMIT:
        raise ValueError("the parameters are nested deeper than a network can be")
    for key, child in children:
        yield from _walk(child, (*path, key))


def _children(nest: Nest) -> list[tuple[int | str, Any]] | None:
    """List (key, child) of a container; None for a leaf."""
    if isinstance(nest, Mapping):
        return [(str(key), value) for key, value in nest.items()]
    if isinstance(nest, tuple) and hasattr(nest, "_fields"):
        names: tuple[str, ...] = nest._fields
        return list(zip(names, nest, strict=True))
    if isinstance(nest, (list, tuple)) and not _is_number_list(nest):
        return list(enumerate(nest))
    return None


def _is_number_list(nest: Any) -> bool:
    """A list of numbers, or of equally long lists of numbers, is an array; a tuple is a container."""
    if not isinstance(nest, list) or not nest:
        return False
    if all(isinstance(x, (int, float)) for x in nest):
        return True
    rows = all(isinstance(x, list) and _is_number_list(x) for x in nest)
    return rows and len({np.shape(x) for x in nest}) == 1


def _rebuild(template: Nest, supply: Iterator[Any]) -> Nest:
    children = _children(template)
    if children is None:
        return _restore(template, next(supply))
    made = [_rebuild(child, supply) for _, child in children]
    if isinstance(template, Mapping):
        filled = dict(zip(template.keys(), made, strict=True))
        return filled if type(template) is dict else _same_mapping(template, filled)
    if hasattr(template, "_fields"):
        return type(template)(*made)
    return tuple(made) if isinstance(template, tuple) else made


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
        by_name = dict(given)
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


def _split_key(key: int | str) -> tuple[str, int | None]:
    """Split "W_2" or "dense2" into letter and number; of a dotted name the last part is the letter.

    >>> _split_key("dW12"), _split_key(3), _split_key("encoder.0.bias")
    (('dW', 12), ('', None), ('bias', None))
    """
    if isinstance(key, str) and "." in key:
        return key.rpartition(".")[2], None
    found = re.fullmatch(r"(.*?)_?(\d+)", key) if isinstance(key, str) else None
    if found:
        return found[1], int(found[2])
    return (key if isinstance(key, str) else ""), None


def _numbered_blocks(items: list[Item]) -> list[list[Item]] | None:
    """One flat dict with numbered keys: the numbers say which block a parameter belongs to."""
    if any(len(path) != 1 or _split_key(path[0])[1] is None for path, _ in items):
        return None
    numbers = sorted({_split_key(path[0])[1] or 0 for path, _ in items})
    return [[item for item in items if _split_key(item[0][0])[1] == number] for number in numbers]


def _split_into_blocks(items: list[Item]) -> list[list[Item]]:
    """Nested: one block a container. Flat: a new block at every weight matrix."""
    blocks: list[list[Item]] = []
    for path, shape in items:
        same = bool(blocks) and _container(blocks[-1][0][0]) == _container(path)
        if len(path) == 1 and same and not _is_dotted(path):
            same = not (_is_matrix(shape) and not _is_bias_beside(path[-1], shape, blocks[-1]))
        if same:
            blocks[-1].append((path, shape))
        else:
            blocks.append([(path, shape)])
    return blocks


def _container(path: Path) -> Path:
    """What holds a leaf; "encoder.0" holds "encoder.0.weight"."""
    return (str(path[0]).rpartition(".")[0],) if _is_dotted(path) else path[:-1]


def _is_dotted(path: Path) -> bool:
    return len(path) == 1 and "." in str(path[0])


def _is_matrix(shape: tuple[int, ...]) -> bool:
    return len(shape) >= 2


def _is_bias_beside(key: int | str, shape: tuple[int, ...], block: list[Item]) -> bool:
    """Whether a matrix in a flat list belongs to the weights before it: as (out, 1) or (1, out), and only one."""
    if _split_key(key)[0]:
        return _is_additive(key, shape, len(block))
    first = block[0][1]
    upright, lying = (first[0], 1), (1, first[-1])
    return len(block) == 1 and _is_matrix(first) and shape in (upright, lying)


def _is_additive(key: int | str, shape: tuple[int, ...], position: int) -> bool:
    letter = _split_key(key)[0].lower()
    if letter:
        return letter in ADDITIVE or letter.lstrip("d_").startswith(("b", "bias"))
    return position > 0 and (len(shape) <= 1 or min(shape) == 1)


def _count_layers(blocks: list[list[Item]]) -> list[int]:
    dense = [_is_dense(block) for block in blocks]
    if not any(dense):
        return list(range(1, len(blocks) + 1))
    layers, reached = [], 0
    for is_dense in dense:
        reached += is_dense
        layers.append(max(reached, 1))
    return layers


def _is_dense(block: list[Item]) -> bool:
    letters = {_split_key(path[-1])[0].lower() for path, _ in block if path}
    if letters & (NORMALISING | SLOPES) and not letters & {"w", "weight", "weights", "kernel"}:
        return False
    if any(_is_matrix(shape) for _, shape in block):
        return True
    shapes = [shape for _, shape in block]
    if _is_dotted(block[0][0]) and len(set(shapes)) == 1:
        # weight and bias of one length: a normalisation, or a learned slope.
        return False
    return bool(letters & {"w", "weight", "weights"}) or (len(shapes) == 2 and shapes[0] != shapes[1])


def _name_further(block: list[Item]) -> dict[int, tuple[str, str]]:
    """Vectors without a key behind W and b: one more is a slope, two more are γ and β of a normalisation."""
    shapes = [shape for _, shape in block]
    keyed = any(_split_key(path[-1])[0] for path, _ in block if path)
    if keyed or len(block) not in (3, 4) or not _is_matrix(shapes[0]) or len({_length(s) for s in shapes[1:]}) > 1:
        return {}
    if any(len(shape) > 1 and 1 not in shape for shape in shapes[1:]):
        return {}
    return {2: ("slope", "W")} if len(block) == 3 else {2: ("gamma", "W"), 3: ("beta", "b")}


def _length(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def _name_blocks(blocks: list[list[Item]], layers: list[int]) -> list[Leaf]:
    leaves: list[Leaf] = []
    used: dict[str, int] = {}
    for block, layer in zip(blocks, layers, strict=True):
        further = _name_further(block)
        for position, (path, shape) in enumerate(block):
            if position in further:
                letter, role = further[position]
                leaves.append(Leaf(f"{letter}{layer}", layer, role, path, shape, dense=False))
                continue
            role = "b" if _is_additive(path[-1], shape, position) else "W"
            letter, number = _split_key(path[-1])
            name = str(path[-1]) if number is not None or _is_dotted(path) else f"{letter or role}{layer}"
            used[name] = used.get(name, 0) + 1
            name = name if used[name] == 1 else f"{name}_{used[name]}"
            dense = _is_dense(block) and letter.lower() not in NORMALISING | SLOPES
            leaves.append(Leaf(name, layer, role, path, shape, dense))
    return leaves
