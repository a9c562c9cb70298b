"""Layers in their order, however they are kept: dicts filled from the output back, biases first, lists turned round."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from backprop.examiner.subject.protocol.pairing import Item

__all__ = ["put_in_order"]

Block: TypeAlias = list[Item]


def put_in_order(blocks: list[Block]) -> list[Block]:
    """Blocks from the first layer to the last, in each the weights first.

    The numbers of outer keys decide; without them the widths: the biases say how many units a layer has, and what a
    layer gives the next one takes.

    >>> backwards = [((0, 0), (4, 2)), ((0, 1), (2,))], [((1, 0), (3, 4)), ((1, 1), (4,))]
    >>> [block[0][0] for block in put_in_order(list(backwards))]
    [(1, 0), (0, 0)]
    >>> put_in_order([[((0,), (4,))], [((1,), (3, 4)), ((2,), (2,))], [((3,), (4, 2))]])
    [[((1,), (3, 4)), ((0,), (4,))], [((3,), (4, 2)), ((2,), (2,))]]
    """
    blocks = [_put_weights_first(block) for block in _pair_from_the_bias(blocks)]
    numbers = [_outer_number(block) for block in blocks]
    known = [number for number in numbers if number is not None]
    if len(set(known)) == len(blocks):
        return [block for _, block in sorted(zip(known, blocks, strict=True), key=lambda pair: pair[0])]
    return blocks[::-1] if _runs_backwards(blocks) else blocks


def _outer_number(block: Block) -> int | None:
    """The number at the end of the key that holds a block, as in layer2."""
    outer = {path[0] for path, _ in block if len(path) > 1}
    key = outer.pop() if len(outer) == 1 else None
    found = re.search(r"(\d+)$", key) if isinstance(key, str) else None
    return int(found[1]) if found else None


def _put_weights_first(block: Block) -> Block:
    """(b, W) without keys as (W, b)."""
    if len(block) == 2 and all(isinstance(path[-1], int) for path, _ in block if path):
        (_, first), (_, second) = block
        alone = len(first) == 1 or math.prod(first) < math.prod(second)
        if alone and _is_vector(first) and len(second) == 2 and math.prod(first) in second:
            return block[::-1]
    return block


def _pair_from_the_bias(blocks: list[Block]) -> list[Block]:
    """A flat list b1, W1, b2, W2 …, which begins with a vector and ends with a matrix."""
    items = [item for block in blocks for item in block]
    flat = all(len(path) == 1 and isinstance(path[0], int) for path, _ in items)
    if not flat or len(items) % 2 or len(items) < 4:
        return blocks
    pairs = [list(pair) for pair in zip(items[::2], items[1::2], strict=True)]
    return pairs if all(_put_weights_first(pair) != pair for pair in pairs) else blocks


def _runs_backwards(blocks: Sequence[Block]) -> bool:
    """Whether each layer gives what the one *before* it in the list takes, and not the other way round."""
    widths = [_read_widths(block) for block in blocks]
    known = [pair for pair in widths if pair is not None]
    if len(known) < len(blocks) or len(known) < 2:
        return False
    forwards = all(a[1] == b[0] for a, b in pairwise(known))
    return not forwards and all(b[1] == a[0] for a, b in pairwise(known))


def _read_widths(block: Block) -> tuple[int, int] | None:
    """(in, out) of a layer of one matrix and one bias."""
    if len(block) != 2:
        return None
    W, b = sorted((shape for _, shape in block), key=lambda shape: (-math.prod(shape), -len(shape)))
    units = math.prod(b)
    if len(W) != 2 or not _is_vector(b) or units not in W:
        return None
    return (W[1], W[0]) if W[0] == units and W[1] != units else (W[0], W[1])


def _is_vector(shape: tuple[int, ...]) -> bool:
    return len(shape) <= 1 or (len(shape) == 2 and 1 in shape)
