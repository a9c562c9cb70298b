"""The words that the keys of conventions name: what the reader must know before it reads."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from backprop.formulas.text.lexicon import FUNCTIONS, STATISTICS, Lexicon
from backprop.formulas.text.tokens import first_piece, tokenise

__all__ = ["COST_ROLES", "build_lexicon"]


COST_ROLES = ("cost", "any cost", "penalised cost")
CALLED = ("diagonal matrix",)
"""Signs that take what stands behind them in brackets."""


def build_lexicon(raw: Mapping[str, Any], formula: str) -> Lexicon:
    """The words that the keys name."""
    definitions, letters = raw.get("definitions", {}), raw.get("letters", {})
    lexicon = Lexicon(latex=any("\\" in str(text) for text in [formula, *definitions.values()]))
    cost = str(raw.get("cost", ""))
    for key in _all_keys(raw, cost):
        _add_words(lexicon, key, letters.get(key), raw, formula)
    lexicon.functions |= {first_piece(k) for k in raw.get("activation", {})}
    called = re.compile(r"\s*(\\?[A-Za-z]\w*?)(?:[_^](?:\{[^{}]*\}|\\[A-Za-z]+|\w))+\s*\(.*\)\s*")
    lexicon.functions |= {m.group(1) for k in definitions if (m := called.fullmatch(k))}
    for key in [*letters, *definitions]:
        _add_pattern(lexicon, key, str(letters.get(key, "")), raw.get("shapes", {}))
    lexicon.costs |= _cost_words(raw, cost)
    lexicon.brackets = "brackets" in raw.get("layers", {})
    _add_products(lexicon, raw)
    return lexicon


def _all_keys(raw: Mapping[str, Any], cost: str) -> list[str]:
    """Every key that is a text with names in it."""
    named = ("superscript", "subscript", "brackets", "W_named_by", "first_layer", "units")
    keys = [key for part in ("letters", "definitions", "shapes", "activation") for key in raw.get(part, {})]
    keys += [key for key in raw.get("layers", {}) if key not in named]
    keys += [cost.split("=")[0]] if "=" in cost else []
    return keys + ([cost[4:]] if cost.startswith("any ") and cost != "any cost" else [])


def _cost_words(raw: Mapping[str, Any], cost: str) -> set[str]:
    words = {first_piece(k) for k, v in raw.get("letters", {}).items() if v in COST_ROLES}
    if "=" in cost:
        words.add(first_piece(cost))
    return words


def _add_words(lexicon: Lexicon, key: str, role: str | None, raw: Mapping[str, Any], formula: str) -> None:
    """The names in the left side of a definition, in a letter's key, in an argument list."""
    tokens, layers = tokenise(key), raw.get("layers", {})
    for at, token in enumerate(tokens):
        if token.kind != "word" or (at and tokens[at - 1].text in ("_", "^")):
            continue
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        head, _, tail = token.text.partition("_")
        indexes = following == "[" and "brackets" in layers
        if following in ("(", "[") and at == 0 and not indexes:
            lexicon.functions.add(token.text)
            lexicon.names |= {token.text} if tail else set()
            continue
        if _is_sign(lexicon, token.text, role, [formula, *raw.get("definitions", {}).values()]):
            continue
        if (token.text.startswith(("d_", "d")) and tail and "_" in tail) or (
            tail and (("_" in tail) or head == "d" or (len(tail) > 1 and lexicon.split_script(tail) == [tail]))
        ):
            lexicon.names.add(token.text)
        if tail and len(tail) > 1 and role is not None and len(tokens) == 1 and "number" in role:
            lexicon.names.add(token.text)
        if role in ("standard deviation", "variance", "mean") and is_common(token.text.lstrip("\\")):
            continue
        if role not in ("transpose",) and not (len(tokens) > 1 and tokens[0].text in ("[",)) and head:
            lexicon.bases.add(head)


def _is_sign(lexicon: Lexicon, word: str, role: str | None, texts: Iterable[Any]) -> bool:
    """Note a name that is called a function; whether it is nothing else, as diag in diag(v)."""
    if role in CALLED and is_called(word, texts):
        lexicon.functions.add(word)
        return True
    if role == "function":
        lexicon.functions.add(word.partition("_")[0])
    return False


def is_called(name: str, texts: Iterable[Any]) -> bool:
    """Whether a bracket stands behind a name, diag(v), so that it is a sign and no quantity.

    >>> is_called("D", [r"D (1 - h^2) W"]), is_called("D", ["D W"])
    (True, False)
    """
    plain = [[token.text for token in tokenise(str(text))] for text in texts]
    return any(a == name and b in ("(", "[") for words in plain for a, b in itertools.pairwise(words))


def _add_pattern(lexicon: Lexicon, key: str, value: str, shapes: Mapping[str, Any]) -> None:
    """dX: dL/dX for any X; [a b]: concatenation; names of several tokens."""
    match = re.fullmatch(r"d\s*(.+?)\s*/\s*d\s*X", value.strip())
    if match and key.strip().endswith("X"):
        prefix = key.strip()[:-1].strip()
        lexicon.prefixes[first_piece(prefix)] = match.group(1)
        for word in (key.strip(), "X"):
            lexicon.bases.discard(word)
        lexicon.names.discard(key.strip())
        return
    if value == "concatenation":
        lexicon.concatenates = True
        return
    words = tuple(token.text for token in tokenise(key))
    opens = len(words) > 1 and words[0] in ("\\delta", "\\Delta", "\\nabla", "\\partial", "d", "D")
    if opens and (words[1][0].isalnum() or words[1].startswith("\\")):
        lexicon.opaque.append(
            words[:2] if words[2:3] in (("_",), ("^",)) and words[0] == "\\Delta" and key not in shapes else words
        )
        lexicon.opaque.sort(key=len, reverse=True)


def _add_products(lexicon: Lexicon, raw: Mapping[str, Any]) -> None:
    for key in raw.get("products", {}):
        if key != "juxtaposition":
            sign = first_piece(key)
            lexicon.signs[sign] = sign
            lexicon.bases.discard(sign)
    given = raw.get("precedence", "")
    order = [part.strip() for part in (given if isinstance(given, list) else given.split(",")) if part.strip()]
    for level, sign in enumerate(order):
        lexicon.precedence[sign if sign == "juxtaposition" else first_piece(sign)] = level


def is_common(name: str) -> bool:
    """Whether a name is that of a function that everybody knows."""
    return name in STATISTICS or name.lower() in FUNCTIONS
