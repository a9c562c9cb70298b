"""What a user declares: the short form of it, and how it goes before what is inferred."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from backprop.errors import UsageError
from backprop.formulas.conventions.keys import KEYS
from backprop.formulas.text.tokens import tokenise

__all__ = ["COSTS", "ORDERS", "head_of", "merged", "read_where"]

COSTS = ("\\mathcal{L}", "\\mathcal{C}", "\\mathcal{J}", "\\mathcal{E}", "C", "J", "E", "L", "loss", "Loss", "\\ell")
PRODUCTS = ("matrix", "elementwise", "elementwise division", "inner", "scalar")
ORDERS = ("in,out", "out,in")


def read_where(text: str) -> dict[str, Any]:
    """`z = W x + b; C: cost; samples: rows` as conventions.

    >>> read_where("a = f(z); C: cost; samples: rows")
    {'definitions': {'a': 'f(z)'}, 'letters': {'C': 'cost'}, 'samples': 'rows'}
    """
    found: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in _pieces(text))):
        _read_part(found, _EQUALS.sub("=", part))
    return found


def _read_part(found: dict[str, Any], part: str) -> None:
    """One role, key, assumption, condition or definition."""
    name, colon, value = part.partition(":")
    left, equals, right = (piece.strip() for piece in part.partition("="))
    words = _IN_WORDS.fullmatch(part)
    if words and not equals:
        _note(found, words.group(1), _role_in_words(words.group(2) or words.group(3)))
    elif colon and len(name) < len(part.partition("=")[0]) and not value.startswith("="):
        _note(found, name.strip(), _role_in_words(value))
    elif _is_assumption(part):
        found.setdefault("assumptions", []).append(part)
    elif (not equals and _UNEQUAL.search(part)) or "!=" in part:
        found.setdefault("domain", []).append(part)
    elif equals and (role := _normalised(left, right) or _short_name(left, right)):
        _note(found, *role)
    elif equals:
        found.setdefault("definitions", {})[left.rstrip(":")] = right
    else:
        raise UsageError(f"--where holds definitions (z = W x + b) and roles (C: cost) with semicolons, got {part!r}")


_UNEQUAL = re.compile(r"<|>|\\(n?leq?|n?geq?|neq?|lt|gt)(?![a-z])|[≤≥≠]")
_EQUALS = re.compile(r"\\(?:equiv|triangleq|coloneqq|doteq|leftarrow|gets)(?![a-z])|≡|:=|≔|←")
"""Signs that define, besides the sign of equality."""
_IN_WORDS = re.compile(r"([^\s:]+)\s+(?:(?:is|are)\s+(?:an?\s+|the\s+)?([a-z].*)|(symmetric.*))")
_SYMMETRIC = re.compile(r"symmetric(al(ly)?)?( about (zero|0)| around (zero|0)| distribution|ally distributed.*)?")


def _pieces(text: str) -> list[str]:
    """The parts between semicolons (or lines), of which those inside brackets are none."""
    out, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        spaced = char == ";" and text[at - 1 : at] == "\\"
        if (char == ";" and depth <= 0 and not spaced) or char == "\n":
            out.append(text[start:at])
            start, depth = at + 1, 0
    return [*out, text[start:]]


def _role_in_words(text: str) -> str:
    """one-hot, probabilities and the like as roles."""
    words = text.strip().rstrip(".")
    usual = {"one-hot": "one-hot target", "one hot": "one-hot target", "probabilities": "distribution",
             "a distribution": "distribution", "probability": "distribution", "a vector": "vector",
             "a matrix": "matrix", "a scalar": "scalar", "sigmoid": "logistic", "the logistic function": "logistic",
             "symmetric matrix": "symmetric"}  # fmt: skip
    return "symmetric about 0" if _SYMMETRIC.fullmatch(words) else usual.get(words, words)


def _is_assumption(part: str) -> bool:
    """Whether a part speaks of chance: w ~ U(-a, a), independent(w, x), E[w] = 0."""
    tokens = [t.text for t in tokenise(part)]
    if "~" in tokens or tokens[:1] == ["independent"]:
        return True
    opens = len(tokens) > 1 and tokens[1] in ("(", "[", "\\{")
    return opens and is_common_statistic(tokens[0]) and any(t in ("=", "<", ">") for t in tokens)


def is_common_statistic(name: str) -> bool:
    """E, Var, P and their kin.

    >>> is_common_statistic("Var"), is_common_statistic("f")
    (True, False)
    """
    return name in ("E", "Var", "P", "Cov", "std", "Std", "SD", "Pr", "\\mathbb{E}")


def _short_name(left: str, right: str) -> tuple[str, str] | None:
    """\\delta c_t = dL/dc_t: \\delta X is dL/dX for any X."""
    whole = re.fullmatch(r"(\\delta|\\Delta|d)\s*(\\?[A-Za-z].*)", left)
    below = re.fullmatch(r"(?:d|\\partial)\s*(\\?[A-Za-z]+)\s*/\s*(?:d|\\partial)\s*(.+)", right)
    if not whole or not below or below.group(2).strip() != whole.group(2).strip():
        return None
    space = " " if whole.group(1).startswith("\\") else ""
    return f"{whole.group(1)}{space}X", f"d{below.group(1)}/dX"


def _normalised(left: str, right: str) -> tuple[str, str] | None:
    """\\sum_j y_j = 1: y is a distribution; A = A^T: A is symmetric."""
    summed = re.fullmatch(
        r"(?:\\sum|sum)\s*_\s*(?:\{[^{}]*\}|\w)(?:\^\w|\^\{\w+\})?\s*(\\?[A-Za-z]+(?:\{\w+\})?)_\{?\w\}?", left
    )
    if summed and right == "1":
        return summed.group(1), "distribution"
    for one, two in ((left, right), (right, left)):
        if re.fullmatch(re.escape(one) + r"(\^\{?(T|\\top)\}?|\.T)", two):
            return one, "symmetric"
    return None


def _note(found: dict[str, Any], name: str, value: str) -> None:
    if value == "symmetric about 0":
        found.setdefault("assumptions", []).append(f"P[{name} > v] = P[{name} < -v]")
        return
    if value in PRODUCTS and not name[:1].isalpha():
        found.setdefault("products", {})[name] = value
    elif name in KEYS:
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
