"""Conventions: the keys that say what letters, scripts and signs mean, read into one object.

The keys are those of a JSON object: `left_side`, `layers`, `samples`, `vectors`, `shapes`, `layout`, `products`, `precedence`,
`cost`, `activation`, `definitions`, `assumptions`, `domain`, `derivative`, `fixed`, `tolerance`, `letters` (README.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backprop.errors import UsageError, unknown_name
from backprop.formulas.text.lexicon import FUNCTIONS, STATISTICS, Lexicon
from backprop.formulas.text.parser import Parser, parse
from backprop.formulas.text.tokens import Token, tokenise
from backprop.formulas.text.tree import Binary, Compare, Deriv, Node, NotUnderstood, Sym

__all__ = ["KEYS", "Conventions", "Definition", "read_conventions"]

KEYS = ("left_side", "layers", "samples", "vectors", "shapes", "layout", "products", "precedence", "sums", "cost",
        "activation", "definitions", "assumptions", "domain", "derivative", "fixed", "tolerance", "letters")  # fmt: skip
COST_ROLES = ("cost", "any cost", "penalised cost")
SIGN_ROLES = ("transpose", "derivative", "second derivative", "diagonal matrix", "concatenation", "brackets",
              "continued pattern", "uniform distribution", "variance", "mean", "standard deviation", "name", "function",
              "local")  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """left side: right side."""

    left: Node
    right: Node


@dataclass
class Conventions:
    """What a formula means."""

    raw: Mapping[str, Any] = field(default_factory=dict)
    lexicon: Lexicon = field(default_factory=Lexicon)
    definitions: list[Definition] = field(default_factory=list)
    aliases: list[Definition] = field(default_factory=list)
    roles: dict[Sym, str] = field(default_factory=dict)
    shapes: dict[Sym, tuple[str, ...]] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    operand_products: list[tuple[str, Node, str]] = field(default_factory=list)
    activation: dict[str, Node | str] = field(default_factory=dict)
    cost: Node | None = None
    any_cost: str | None = None
    any_arguments: tuple[Node, ...] | None = None
    assumptions: list[Node] = field(default_factory=list)
    domain: list[Node] = field(default_factory=list)
    fixed: list[tuple[Node, list[Node]]] = field(default_factory=list)
    left_side: Node | None = None
    tolerance: float = 0.0

    def layer(self, key: str) -> str | None:
        """An entry of `layers`."""
        value = self.raw.get("layers", {}).get(key)
        return None if value is None else str(value)

    def word(self, key: str) -> str | None:
        """A key whose value is one word."""
        value = self.raw.get(key)
        return None if value is None else str(value)

    def role(self, symbol: Sym) -> str | None:
        """What a letter is called in `letters`: of the letter as it stands, of the bare letter, of one like it."""
        if symbol in self.roles:
            return self.roles[symbol]
        bare = Sym(symbol.base)
        if bare in self.roles:
            return self.roles[bare]
        same = [role for key, role in self.roles.items() if key.base == symbol.base and key.subs and not _literal(key)]
        return same[0] if same else None


def _literal(key: Sym) -> bool:
    return all(type(sub).__name__ == "Num" or (isinstance(sub, Sym) and len(sub.base) > 1) for sub in key.subs)


def read_conventions(raw: Mapping[str, Any], formula: str = "") -> Conventions:
    """Read the keys; the formula's text says whether it is LaTeX.

    >>> read_conventions({"letters": {"x": "input"}}).role(Sym("x"))
    'input'
    """
    check_keys(raw)
    lexicon = build_lexicon(raw, formula)
    conventions = Conventions(raw, lexicon)
    _read_letters(conventions)
    _read_signs(conventions)
    conventions.shapes = {
        symbol: tuple(part.strip() for part in str(text).split(","))
        for key, text in raw.get("shapes", {}).items()
        if isinstance(symbol := _parse_key(key, lexicon), Sym)
    }
    conventions.definitions = [
        Definition(_parse_key(left, lexicon), parse(right, lexicon))
        for left, right in raw.get("definitions", {}).items()
    ]
    conventions.activation = {
        tokenise(key)[0].text: _read_activation(key, value, lexicon) for key, value in raw.get("activation", {}).items()
    }
    _read_cost(conventions)
    conventions.assumptions = [parse(text, lexicon) for text in raw.get("assumptions", [])]
    conventions.domain = [parse(text, lexicon) for text in raw.get("domain", [])]
    for key, texts in raw.get("fixed", {}).items() if isinstance(raw.get("fixed"), Mapping) else []:
        items = [texts] if isinstance(texts, str) else texts
        kept = [parse(part, lexicon) for text in items for part in re.split(r",\s*", text)]
        conventions.fixed.append((parse(key, lexicon), kept))
    if "left_side" in raw:
        conventions.left_side = parse(str(raw["left_side"]), lexicon)
    conventions.tolerance = float(raw.get("tolerance", 0.0))
    return conventions


def check_keys(raw: Mapping[str, Any]) -> None:
    """Unknown keys are refused, wrong types too."""
    if not isinstance(raw, Mapping):
        raise UsageError(f"conventions are a JSON object, got {type(raw).__name__}")
    for key, value in raw.items():
        if key not in KEYS:
            raise unknown_name("convention", key, KEYS)
        kinds = {"assumptions": list, "domain": list, "letters": Mapping, "definitions": Mapping, "shapes": Mapping,
                 "products": Mapping, "layers": Mapping, "activation": Mapping}  # fmt: skip
        if key in kinds and not isinstance(value, kinds[key]):
            raise UsageError(f"the convention {key!r} is not of its kind, got {type(value).__name__}; see the README of "
                             "backprop/formulas")  # fmt: skip


def build_lexicon(raw: Mapping[str, Any], formula: str) -> Lexicon:
    """The words that the keys name."""
    lexicon = Lexicon(latex="\\" in formula)
    letters = raw.get("letters", {})
    keys = [*letters, *raw.get("definitions", {}), *raw.get("shapes", {}), *raw.get("activation", {})]
    keys += [
        k
        for k in raw.get("layers", {})
        if k not in ("superscript", "subscript", "brackets", "W_named_by", "first_layer")
    ]
    cost = str(raw.get("cost", ""))
    if "=" in cost:
        keys.append(cost.split("=")[0])
    if cost.startswith("any ") and cost != "any cost":
        keys.append(cost[4:])
    for key in keys:
        _add_words(lexicon, key, letters.get(key), raw.get("layers", {}))
    lexicon.functions |= {tokenise(k)[0].text for k in raw.get("activation", {})}
    called = re.compile(r"\s*(\\?[A-Za-z]\w*?)(?:[_^](?:\{[^{}]*\}|\\[A-Za-z]+|\w))+\s*\(.*\)\s*")
    lexicon.functions |= {m.group(1) for k in raw.get("definitions", {}) if (m := called.fullmatch(k))}
    for key in [*letters, *raw.get("definitions", {})]:
        _add_pattern(lexicon, key, str(letters.get(key, "")))
    lexicon.costs |= _cost_words(raw, cost)
    lexicon.brackets = "brackets" in raw.get("layers", {})
    _add_products(lexicon, raw)
    return lexicon


def _cost_words(raw: Mapping[str, Any], cost: str) -> set[str]:
    words = {tokenise(k)[0].text for k, v in raw.get("letters", {}).items() if v in COST_ROLES}
    if "=" in cost:
        words.add(tokenise(cost)[0].text)
    return words


def _add_words(lexicon: Lexicon, key: str, role: str | None, layers: Mapping[str, Any]) -> None:
    """The names in the left side of a definition, in a letter's key, in an argument list."""
    tokens = tokenise(key)
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
        if role == "function":
            lexicon.functions.add(head)
        if (token.text.startswith(("d_", "d")) and tail and "_" in tail) or (
            tail and (("_" in tail) or head == "d" or (len(tail) > 1 and lexicon.split_script(tail) == [tail]))
        ):
            lexicon.names.add(token.text)
        if tail and len(tail) > 1 and role is not None and len(tokens) == 1 and "number" in role:
            lexicon.names.add(token.text)
        if role in ("standard deviation", "variance", "mean") and token.text.lstrip("\\") in STATISTICS | FUNCTIONS:
            continue
        if role not in ("transpose",) and not (len(tokens) > 1 and tokens[0].text in ("[",)) and head:
            lexicon.bases.add(head)


def _add_pattern(lexicon: Lexicon, key: str, value: str) -> None:
    """dX: dL/dX for any X; [a b]: concatenation; names of several tokens."""
    match = re.fullmatch(r"d\s*(.+?)\s*/\s*d\s*X", value.strip())
    if match and key.strip().endswith("X"):
        prefix = key.strip()[:-1].strip()
        lexicon.prefixes[tokenise(prefix)[0].text] = match.group(1)
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
        lexicon.opaque.append(words)
        lexicon.opaque.sort(key=len, reverse=True)


def _add_products(lexicon: Lexicon, raw: Mapping[str, Any]) -> None:
    for key in raw.get("products", {}):
        if key != "juxtaposition":
            sign = tokenise(key)[0].text
            lexicon.signs[sign] = sign
            lexicon.bases.discard(sign)
    order = [part.strip() for part in str(raw.get("precedence", "")).split(",") if part.strip()]
    for level, sign in enumerate(order):
        lexicon.precedence[sign if sign == "juxtaposition" else tokenise(sign)[0].text] = level


def _parse_key(text: str, lexicon: Lexicon) -> Node:
    return parse(text, lexicon)


def _read_letters(conventions: Conventions) -> None:
    """Roles, and letters that stand for a derivative or for the whole of something."""
    lexicon = conventions.lexicon
    for key, value in conventions.raw.get("letters", {}).items():
        text = str(value)
        if key.strip().endswith("X") and re.search(r"/\s*d\s*X$", text):
            continue
        whole = re.fullmatch(r"(?:vector|matrix) of (.+)", text)
        derivative = re.match(r"\s*d(\^?\{?2\}?)?\s*\S.*/\s*d", text)
        if (
            not (whole or derivative)
            and (text in SIGN_ROLES or not key[0].isalnum())
            and key[0] not in "\\"
            and not key[0].isalpha()
        ):
            continue
        try:
            symbol = _parse_key(key, lexicon)
        except NotUnderstood:
            if derivative or whole:
                raise
            continue
        if whole or derivative:
            right = parse(whole.group(1), lexicon) if whole else parse_derivative(text, lexicon)
            conventions.aliases.append(Definition(symbol, right))
        elif isinstance(symbol, Sym):
            conventions.roles[symbol] = text


def parse_derivative(text: str, lexicon: Lexicon) -> Node:
    """dC/dz^l as it stands in `letters`, where d is always a differential."""
    tokens = tokenise(text)
    parser = Parser(
        [Token("word", "\\partial", t.start, t.start + 1) if t.text == "d" else t for t in _cut(tokens)],
        lexicon,
        len(text),
    )
    node = parser.derivative()
    if parser.kind != "end" or not isinstance(node, Deriv):
        raise NotUnderstood(f"the derivative {text!r} is not clear", parser.at)
    return node


def _cut(tokens: list[Token]) -> list[Token]:
    """dL as d L, at the top and at the bottom."""
    out: list[Token] = []
    for at, token in enumerate(tokens):
        opens = at == 0 or tokens[at - 1].text == "/"
        if opens and token.kind == "word" and token.text.startswith("d") and len(token.text) > 1:
            out.append(Token("word", "d", token.start, token.start + 1))
            out.append(Token("word", token.text[1:].lstrip("_"), token.start + 1, token.end))
        else:
            out.append(token)
    return out


def _read_signs(conventions: Conventions) -> None:
    for key, kind in conventions.raw.get("products", {}).items():
        tokens = tokenise(key)
        if key == "juxtaposition" or len(tokens) == 1:
            conventions.products["" if key == "juxtaposition" else tokens[0].text] = str(kind)
            continue
        operand = parse(key[tokens[0].end :], conventions.lexicon)
        conventions.operand_products.append((tokens[0].text, operand, str(kind)))


def _read_activation(key: str, value: Any, lexicon: Lexicon) -> Node | str:
    text = str(value)
    return text if text in ("any", "logistic") else parse(text, lexicon)


def _read_cost(conventions: Conventions) -> None:
    """A formula, `any`, or `any L(y)`."""
    text = conventions.word("cost")
    if text is None:
        return
    lexicon = conventions.lexicon
    if text in ("any", "any cost"):
        names = [key.base for key, role in conventions.roles.items() if role in COST_ROLES]
        conventions.any_cost = names[0] if names else "C"
        return
    node = parse(text.removeprefix("any ") if text.startswith("any ") else text, lexicon)
    if text.startswith("any "):
        conventions.any_cost = getattr(node, "function", node).base
        conventions.any_arguments = tuple(getattr(node, "args", ()))
        lexicon.costs.add(conventions.any_cost)
        lexicon.functions.discard(conventions.any_cost)
    elif isinstance(node, Compare):
        conventions.definitions.append(Definition(node.left, node.right))
    else:
        conventions.cost = node


__all__ += ["Binary", "parse_derivative"]
