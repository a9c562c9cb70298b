"""Parameters in a structure of which the examiner can tell layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backprop.attaching.running.leaves import NumberLeaf, Place, is_borrowed, write_place

__all__ = ["fill", "nest", "tidy"]


def fill(node: Any, values: Mapping[tuple[Any, ...], Any], path: tuple[Any, ...] = ()) -> Any:
    if isinstance(node, dict):
        return {key: fill(child, values, (*path, key)) for key, child in node.items()}
    if isinstance(node, list):
        return [fill(child, values, (*path, i)) for i, child in enumerate(node)]
    return values[path]


def tidy(leaf: NumberLeaf) -> str:
    """The name as one would write it, without what a library puts between."""
    return write_place(leaf.places[0]).replace("._modules['", ".").replace("']._parameters['", ".").replace(
        "._parameters['", ".").replace("']", "" if "_parameters" in str(leaf.places[0]) else "']")  # fmt: skip


def nest(leaves: Sequence[NumberLeaf]) -> tuple[Any, list[tuple[Any, ...]]]:
    """Parameters in a structure of which the examiner can tell layers: a dict of names, lists of a name, or blocks.

    Returned: a template with zeros for the parameters in their order, and the path of each.
    """
    places = [leaf.places[0] if leaf.places[0][-1][0] == "part" else min(leaf.places, key=_rank) for leaf in leaves]
    dotted = any("_parameters" in str(place) for place in places)
    if dotted:
        names = [
            ".".join(str(key) for _, key in place[1:] if key not in ("_modules", "_parameters")) for place in places
        ]
        return dict.fromkeys(names, 0), [(name,) for name in names]
    owners = [_owner(place) for place in places]
    if len(set(owners)) == 1:
        return _in_one(places)
    blocks: dict[Place, list[int]] = {}
    for i, owner in enumerate(owners):
        blocks.setdefault(owner, []).append(i)
    template: list[Any] = []
    paths: dict[int, tuple[Any, ...]] = {}
    for number, members in enumerate(blocks.values()):
        keys = [_key(places[i]) for i in members]
        template.append(dict.fromkeys(keys, 0))
        paths |= {i: (number, key) for i, key in zip(members, keys, strict=True)}
    return template, [paths[i] for i in range(len(places))]


def _rank(place: Place) -> tuple[bool, int]:
    return is_borrowed(place), len(place)


def _owner(place: Place) -> Place:
    """What holds a parameter, or the list that holds it."""
    return place[:-2] if len(place) > 1 and place[-1][0] == "item" and isinstance(place[-1][1], int) else _parent(place)


def _parent(place: Place) -> Place:
    return place[:-2] if len(place) > 2 and place[-1] in (("attr", "data"), ("attr", "value")) else place[:-1]


def _key(place: Place) -> str:
    last = place[-2] if place[-1] in (("attr", "data"), ("attr", "value")) and len(place) > 1 else place[-1]
    if last[0] == "part":
        return "b" if last[1][-1] in ((0, 1), (-1, None)) else "W"
    if last[0] == "item" and isinstance(last[1], int):
        return "Wb"[last[1]] if last[1] < 2 else f"p{last[1]}"
    return str(last[1])


def _in_one(places: Sequence[Place]) -> tuple[Any, list[tuple[Any, ...]]]:
    """All in one object: names, and lists of them."""
    template: dict[str, Any] = {}
    paths: list[tuple[Any, ...]] = []
    for place in places:
        if place[-1][0] == "item" and isinstance(place[-1][1], int) and len(place) > 1:
            items = template.setdefault(str(place[-2][1]), [])
            paths.append((str(place[-2][1]), len(items)))
            items.append(0)
        else:
            key = _key(place)
            template[key] = 0
            paths.append((key,))
    return template, paths
