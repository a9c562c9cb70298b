"""Keys of parameters read as people write them: W_hidden and b_hidden, Wxh and bh, hidden_weights and hidden_bias."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backprop.examiner.subject.protocol.pairing import Item

__all__ = ["BIAS_WORDS", "group_by_stems", "has_word", "list_words", "split_kind"]

WEIGHT_WORDS = {"w", "u", "v", "k", "weight", "weights", "kernel", "theta", "embedding"}
BIAS_WORDS = {"b", "bias", "biases", "offset", "intercept"}


def split_kind(key: str) -> tuple[str, str]:
    """What a key calls its parameter ("W", "b" or "") and whose it is, in lower case.

    >>> split_kind("W_hidden"), split_kind("hiddenBias"), split_kind("Wxh"), split_kind("by"), split_kind("gamma")
    (('W', 'hidden'), ('b', 'hidden'), ('W', 'xh'), ('b', 'y'), ('', 'gamma'))
    """
    words = list_words(key)
    for kind, known in (("W", WEIGHT_WORDS), ("b", BIAS_WORDS)):
        found = next((word for word in words if word in known), None)
        if found is not None and len(words) > 1:
            rest = list(words)
            rest.remove(found)
            return kind, "".join(rest)
        if found is not None:
            return kind, ""
    short = re.fullmatch(r"(?:d_?)?([WwUVb])([a-zA-Z]{1,3})", key)
    if short:
        return ("b" if short[1] == "b" else "W"), short[2].lower()
    return "", "".join(words)


def list_words(key: str) -> list[str]:
    """The words of a key, split at underscores, changes of case and digits.

    >>> list_words("hiddenLayer_Weights2")
    ['hidden', 'layer', 'weights', '2']
    """
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", key)]


def has_word(key: str, known: set[str]) -> bool:
    """Whether one of the words of a key is in a set."""
    return not known.isdisjoint(list_words(key))


def group_by_stems(items: Sequence[Item]) -> list[list[Item]] | None:
    """The layers of a flat dict whose biases say by name which weights they belong to; None if they do not.

    A bias belongs to the weights of its stem, or to those whose stem ends with it (bh to Wxh and Whh). Weights that no
    bias claims are a layer of their own; what is neither belongs to the layer before it.

    >>> keys = {"Wxh": (4, 3), "Whh": (4, 4), "Why": (2, 4), "bh": (4, 1), "by": (2, 1)}
    >>> [[path[0] for path, _ in block] for block in group_by_stems([((key,), shape) for key, shape in keys.items()])]
    [['Wxh', 'Whh', 'bh'], ['Why', 'by']]
    """
    if any(len(path) != 1 or not isinstance(path[0], str) or "." in path[0] for path, _ in items):
        return None
    kinds = [split_kind(str(path[0])) for path, _ in items]
    biases = [i for i, (kind, _) in enumerate(kinds) if kind == "b"]
    weights = [i for i, (kind, _) in enumerate(kinds) if kind == "W"]
    if len(biases) < 2 or any(not kinds[i][1] for i in biases):
        return None
    owner: dict[int, int] = {}
    for i in biases:
        mine = [k for k in weights if kinds[k][1] == kinds[i][1]]
        mine = mine or [k for k in weights if kinds[k][1].endswith(kinds[i][1])]
        if not mine or not owner.keys().isdisjoint(mine):
            return None
        owner |= dict.fromkeys((*mine, i), mine[0])
    return _collect(items, weights, owner)


def _collect(items: Sequence[Item], weights: Sequence[int], owner: dict[int, int]) -> list[list[Item]]:
    """Blocks in the order of their first weights."""
    blocks: dict[int, list[Item]] = {owner.get(k, k): [] for k in weights}
    last = weights[0]
    for i, item in enumerate(items):
        last = owner.get(i, i if i in weights else last)
        blocks[last].append(item)
    return list(blocks.values())
