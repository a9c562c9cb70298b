"""Parameters by name: which layer a tensor belongs to, and which equation owns it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop.examiner.subject.protocol.nests import Nest, Path, walk
from backprop.examiner.subject.protocol.orders import put_in_order
from backprop.examiner.subject.protocol.pairing import Item, pair_lists
from backprop.examiner.subject.protocol.stems import BIAS_WORDS, group_by_stems, has_word

__all__ = ["Inputs", "Leaf", "name_leaves"]

ADDITIVE = {"b", "c", "beta", "bias", "biases", "shift", "offset", "intercept", "threshold"}
NORMALISING = {"gamma", "beta", "scale", "shift", "g", "gain", "be", "bt"}
SHIFTS = {"c", "offset", "threshold"}
"""Beside a γ these are its β."""
SLOPES = {"slope", "slopes", "alpha", "a"}


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
        return math.prod(self.shape)


def name_leaves(nest: Nest) -> list[Leaf]:
    """Name every leaf in the order of `flatten`: W1, b1, W2 …, the user's own keys in dicts, with layer and role.

    Layers are counted over dense-like blocks; a normalisation or a slope belongs to the block before it.

    >>> params = [(np.ones((2, 3)), np.ones(3)), {"gamma": np.ones(3)}, (np.ones((3, 1)), np.ones(1))]
    >>> [(leaf.name, leaf.layer, leaf.role) for leaf in name_leaves(params)]
    [('W1', 1, 'W'), ('b1', 1, 'b'), ('gamma1', 1, 'W'), ('W2', 2, 'W'), ('b2', 2, 'b')]
    """
    if type(nest).__name__ == Inputs.__name__:
        # By its name: what comes from another process has a class made after it.
        return [Leaf(str(path[0]), None, "", path, np.shape(leaf)) for path, leaf in walk(nest)]
    items = _mark_intercepts([(path, np.shape(leaf)) for path, leaf in walk(nest)])
    if len(items) == 1 and items[0][0] == ():
        return [Leaf("theta", None, "", (), items[0][1])]
    blocks = _numbered_blocks(items) or group_by_stems(items) or pair_lists(items) or _split_into_blocks(items)
    blocks = put_in_order(blocks)
    leaves = {leaf.path: leaf for leaf in _name_blocks(blocks, _count_layers(blocks))}
    return [leaves[path] for path, _ in items]


class Inputs(dict[str, Any]):
    """Inputs of one operation by name: they have no layers."""


class Intercept(str):
    """The key w0 beside w or W: a bias in the notation of regression."""

    __slots__ = ()


def _mark_intercepts(items: list[Item]) -> list[Item]:
    paths = {path for path, _ in items}

    def is_intercept(path: Path, shape: tuple[int, ...]) -> bool:
        key = path[-1] if path else None
        if not isinstance(key, str) or len(key) < 2 or not key.endswith("0") or not _is_vector(shape):
            return False
        return any((*path[:-1], letter) in paths for letter in (key[:-1], key[:-1].upper()))

    return [
        ((*path[:-1], Intercept(path[-1])), shape) if is_intercept(path, shape) else (path, shape)
        for path, shape in items
    ]


def _is_vector(shape: tuple[int, ...]) -> bool:
    return len(shape) < 2 or 1 in shape


def _split_key(key: int | str) -> tuple[str, int | None]:
    """Split "W_2" or "dense2" into letter and number; of a dotted name the last part is the letter.

    >>> _split_key("dW12"), _split_key(3), _split_key("encoder.0.bias")
    (('dW', 12), ('', None), ('bias', None))
    """
    if isinstance(key, Intercept):
        return "b", None
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
        # A single letter may be anything; as a matrix it is no bias.
        named = letter in ADDITIVE and (len(letter) > 1 or _is_vector(shape))
        plain = named or (letter.lstrip("d_").startswith("b") and _is_vector(shape))
        return plain or has_word(_split_key(key)[0], BIAS_WORDS)
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


def _has_scale(block: list[Item]) -> bool:
    """Whether a γ is among the parameters of a block."""
    return any(_split_key(path[-1])[0].lower() in NORMALISING for path, _ in block if path)


def _name_further(block: list[Item]) -> dict[int, tuple[str, str]]:
    """Vectors without a key behind W and b: one more is a slope, two more are γ and β of a normalisation."""
    shapes = [shape for _, shape in block]
    keyed = any(_split_key(path[-1])[0] for path, _ in block if path)
    if not keyed and not _is_dense(block):
        return {0: ("slope", "W")} if len(block) == 1 else {0: ("gamma", "W"), 1: ("beta", "b")}
    if keyed or len(block) not in (3, 4) or not _is_matrix(shapes[0]) or len({math.prod(s) for s in shapes[1:]}) > 1:
        return {}
    if any(len(shape) > 1 and 1 not in shape for shape in shapes[1:]):
        return {}
    return {2: ("slope", "W")} if len(block) == 3 else {2: ("gamma", "W"), 3: ("beta", "b")}


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
            own = number is not None or (len(path) == 1 and letter)
            name = str(path[-1]) if own else f"{letter or role}{layer}"
            used[name] = used.get(name, 0) + 1
            name = name if used[name] == 1 else f"{name}_{used[name]}"
            dense = _is_dense(block) and not (_is_vector(shape) and letter.lower() in NORMALISING | SLOPES)
            dense = dense and not (letter.lower() in SHIFTS and _has_scale(block))
            leaves.append(Leaf(name, layer, role, path, shape, dense))
    return leaves
