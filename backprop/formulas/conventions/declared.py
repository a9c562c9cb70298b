"""What a user declares: the short form of it, and how it goes before what is inferred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backprop.errors import UsageError
from backprop.formulas.conventions.keys import KEYS
from backprop.formulas.text.tokens import tokenise

__all__ = ["COSTS", "ORDERS", "head_of", "merged", "read_where"]

COSTS = ("\\mathcal{L}", "\\mathcal{C}", "\\mathcal{J}", "\\mathcal{E}", "C", "J", "E", "L", "loss", "Loss", "\\ell")
ORDERS = ("in,out", "out,in")


def read_where(text: str) -> dict[str, Any]:
    """`z = W x + b; C: cost; samples: rows` as conventions.

    >>> read_where("a = f(z); C: cost; samples: rows")
    {'definitions': {'a': 'f(z)'}, 'letters': {'C': 'cost'}, 'samples': 'rows'}
    """
    found: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, colon, value = part.partition(":")
        left, equals, right = part.partition("=")
        if colon and len(name) < len(left) and not value.startswith("="):
            _note(found, name.strip(), value.strip())
        elif equals:
            found.setdefault("definitions", {})[left.strip().rstrip(":")] = right.strip()
        else:
            raise UsageError(
                f"--where holds definitions (z = W x + b) and roles (C: cost) with semicolons, got {part!r}"
            )
    return found


def _note(found: dict[str, Any], name: str, value: str) -> None:
    if name in KEYS:
        many = name in ("assumptions", "domain")
        found[name] = [*found.get(name, []), value] if many else value
    elif value in ("any", "logistic"):
        found.setdefault("activation", {})[name] = value
    else:
        found.setdefault("letters", {})[name] = value


def merged(raw: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is declared goes before what is inferred."""
    out = dict(raw)
    for key, value in given.items():
        out[key] = {**out.get(key, {}), **value} if isinstance(value, dict) else value
    if raw.get("cost") == "any" and any(_bare(left) in COSTS for left in given.get("definitions", {})):
        out.pop("cost", None)
    mine = {head_of(left) for left in given.get("definitions", {})}
    if mine:
        out["definitions"] = {**_not_declared(raw, given["definitions"], mine), **given["definitions"]}
    mine |= {head_of(key) for key in given.get("letters", {})}
    letters, declared = out.get("letters", {}), given.get("letters", {})
    out["letters"] = {k: v for k, v in letters.items() if k in declared or "/d" not in v or head_of(k) not in mine}
    return out


def _not_declared(raw: Mapping[str, Any], given: Mapping[str, str], mine: set[str]) -> dict[str, str]:
    """The usual definitions of letters that the declared ones leave open; no second forward pass beside theirs."""
    kept = {k: v for k, v in raw.get("definitions", {}).items() if head_of(k) not in mine}
    weights = {k for k in raw.get("layers", {}) if raw["layers"][k] in ORDERS}
    used = {head_of(t.text) for right in given.values() for t in tokenise(right) if t.kind == "word"}
    first = next(iter(raw.get("definitions", {})), "")
    return kept if not weights & used or head_of(first) in mine else {}


def _bare(left: str) -> str:
    tokens = tokenise(left)
    return tokens[0].text if tokens else ""


def head_of(left: str) -> str:
    """The letter alone: z of z_j^l and of z^l_j."""
    return _bare(left).split("_")[0]
