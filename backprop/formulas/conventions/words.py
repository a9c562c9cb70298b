"""The words that the keys of conventions name: what the reader must know before it reads."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from backprop.formulas.text.lexicon import FUNCTIONS, INDEX_LETTERS, SIGNS, STATISTICS, Lexicon
from backprop.formulas.text.tokens import first_piece, tokenise

__all__ = ["COST_ROLES", "build_lexicon", "called_name", "is_pair", "split_commas"]


COST_ROLES = ("cost", "any cost", "penalised cost")
OPERATORS = ("\\nabla", "\\partial", "\\frac")
"""Signs that open the name of a derivative and are no letters."""
CALLED = ("diagonal matrix",)
"""Signs that take what stands behind them in brackets."""


def build_lexicon(raw: Mapping[str, Any], formula: str) -> Lexicon:
    """The words that the keys name."""
    definitions, letters = raw.get("definitions", {}), raw.get("letters", {})
    lexicon = Lexicon(latex=any("\\" in str(text) for text in [formula, *definitions.values()]))
    cost = str(raw.get("cost", ""))
    lexicon.counted = _counted(raw, cost)
    for key in _all_keys(raw, cost):
        _add_words(lexicon, key, letters.get(key), raw, formula)
    lexicon.functions |= {first_piece(k) for k in raw.get("activation", {})}
    lexicon.functions |= {name for k in definitions if (name := called_name(k, lexicon.counted))}
    lexicon.bases -= {name for name in lexicon.functions if name.lstrip("\\") in FUNCTIONS}
    for key in [*letters, *definitions]:
        _add_pattern(lexicon, key, str(letters.get(key, "")), raw.get("shapes", {}))
    lexicon.costs |= _cost_words(raw, cost)
    lexicon.brackets = "brackets" in raw.get("layers", {})
    _add_products(lexicon, raw)
    return lexicon


def _counted(raw: Mapping[str, Any], cost: str) -> set[str]:
    """Letters in round brackets behind the names of definitions, where brackets are declared to be an index: x_j(n)."""
    if "brackets" not in raw.get("layers", {}):
        return set()
    keys = [*raw.get("definitions", {}), *raw.get("letters", {}), cost.partition("=")[0], *raw.get("shapes", {})]
    ends = [[token.text for token in tokenise(key)][-3:] for key in keys]
    found = {words[1] for words in ends if len(words) == 3 and (words[0], words[2]) == ("(", ")")}
    return {letter for letter in found if len(letter) == 1 and letter in INDEX_LETTERS | {"\\tau"}}


def called_name(key: str, counted: set[str]) -> str:
    """The name of a function with scripts before its arguments, f_k(x); empty if a key is none.

    >>> called_name("\\\\mathrm{sech}^2(u)", set()), called_name("x_j(n)", {"n"})
    ('sech', '')
    """
    tokens = tokenise(key)
    words = [token.text for token in tokens]
    if len(words) < 5 or tokens[0].kind != "word" or words[1] not in ("_", "^") or words[-1] != ")":
        return ""
    at = 1
    while at + 1 < len(words) and words[at] in ("_", "^", "'"):
        at = behind_script(words, at)
    return words[0] if words[at] == "(" and words[at + 1 : -1] not in [[letter] for letter in counted] else ""


def behind_script(words: list[str], at: int) -> int:
    """The place behind a prime or one script."""
    if words[at] == "'":
        return at + 1
    if words[at + 1] != "{":
        return at + 2
    depth = 0
    for end in range(at + 1, len(words)):
        depth += (words[end] == "{") - (words[end] == "}")
        if depth == 0:
            return end + 1
    return len(words) - 1


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
        if token.kind != "word" or (at and tokens[at - 1].text in ("_", "^")) or token.text in OPERATORS:
            continue
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        head, _, tail = token.text.partition("_")
        indexes = following == "[" and "brackets" in layers
        indexes = indexes or (following == "(" and [t.text for t in tokens[at + 2 : at + 4]] in counted_ends(lexicon))
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


def counted_ends(lexicon: Lexicon) -> list[list[str]]:
    """What stands behind an opening bracket that is an index."""
    return [[letter, ")"] for letter in lexicon.counted]


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
            if is_pair(key):
                continue
            lexicon.signs[sign] = sign
            lexicon.bases.discard(sign)
    given = raw.get("precedence", "")
    order = [part.strip() for part in (given if isinstance(given, list) else given.split(",")) if part.strip()]
    for level, sign in enumerate(order):
        lexicon.precedence[sign if sign == "juxtaposition" else first_piece(sign)] = level


def is_pair(key: str) -> bool:
    """Whether a key of the products is two factors side by side, W x, rather than a sign (and its operand).

    >>> is_pair("W_n X_{n-1}"), is_pair("\\\\circ W"), is_pair("*")
    (True, False, False)
    """
    tokens = tokenise(key)
    return len(tokens) > 1 and tokens[0].kind == "word" and tokens[0].text not in SIGNS


def is_common(name: str) -> bool:
    """Whether a name is that of a function that everybody knows."""
    return name in STATISTICS or name.lower() in FUNCTIONS


def split_commas(text: str) -> list[str]:
    """The arguments between commas that stand in no brackets."""
    out, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            out.append(text[start:at])
            start = at + 1
    return [part for part in [*out, text[start:]] if part.strip()]
