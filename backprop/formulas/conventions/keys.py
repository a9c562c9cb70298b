"""Conventions: the keys that say what letters, scripts and signs mean, read into one object.

The keys are those of a JSON object: `left_side`, `layers`, `samples`, `vectors`, `shapes`, `layout`, `products`,
`precedence`, `cost`, `activation`, `definitions`, `assumptions`, `domain`, `derivative`, `fixed`, `tolerance` and
`letters`; the README of `backprop/formulas` says what they hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backprop.errors import UsageError, unknown_name
from backprop.formulas.conventions.lefts import (
    as_letters,
    both,
    is_any_derivative,
    is_same_derivative,
    parse_derivative,
    with_hidden_places,
)
from backprop.formulas.conventions.words import COST_ROLES, build_lexicon, is_pair, split_commas
from backprop.formulas.text.lexicon import Lexicon
from backprop.formulas.text.parser import parse
from backprop.formulas.text.tokens import first_piece, tokenise
from backprop.formulas.text.tree import Compare, Infix, NotUnderstood, Num, Rewriting, Sym, Term

__all__ = ["KEYS", "Conventions", "Stated", "check_keys", "cost_name", "listed", "read_conventions"]

KEYS = (
    "left_side", "layers", "samples", "vectors", "shapes", "layout", "products", "precedence", "sums", "cost",
    "activation", "definitions", "assumptions", "domain", "derivative", "fixed", "tolerance", "letters",
)  # fmt: skip
LISTS = ("assumptions", "domain")
FORMS = {
    "assumptions": '["Var[w] = 1", "E[x] = 0"]', "domain": '["x > 0"]',
    "layers": '{"W": "out,in", "subscript": "index"}',
    "shapes": '{"x": "n,1"}', "products": '{"juxtaposition": "matrix"}', "activation": '{"f": "any"}',
    "definitions": '{"z": "W x + b"}', "derivative": '"total" or {"dL/dx": "total"}', "letters": '{"x": "input"}',
    "fixed": '["x"] or {"dL/dx": ["y"]}', "precedence": '"juxtaposition, *" or ["juxtaposition", "*"]',
    "tolerance": "0.01",
}  # fmt: skip
"""How a value of each kind looks."""
OBJECTS = ("layers", "shapes", "products", "activation", "definitions", "derivative", "letters")


@dataclass(frozen=True)
class Stated:
    """left side: right side."""

    left: Term
    right: Term


@dataclass
class Conventions:
    """What a formula means."""

    raw: Mapping[str, Any] = field(default_factory=dict)
    lexicon: Lexicon = field(default_factory=Lexicon)
    definitions: list[Stated] = field(default_factory=list)
    aliases: list[Stated] = field(default_factory=list)
    roles: dict[Sym, str] = field(default_factory=dict)
    shapes: dict[Sym, tuple[str, ...]] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    operand_products: list[tuple[str, Term, str]] = field(default_factory=list)
    pairs: list[tuple[Infix, str]] = field(default_factory=list)
    scripted: set[str] = field(default_factory=set)
    activation: dict[str, Term | str] = field(default_factory=dict)
    cost: Term | None = None
    any_cost: str | None = None
    any_arguments: tuple[Term, ...] | None = None
    assumptions: list[Term] = field(default_factory=list)
    domain: list[Term] = field(default_factory=list)
    fixed: list[tuple[Term, list[Term]]] = field(default_factory=list)
    left_side: Term | None = None
    tolerance: float = 0.0
    as_letters: Rewriting = field(default=lambda node: node)

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
        if isinstance(symbol := parse(key, lexicon), Sym)
    }
    _read_cost(conventions)
    conventions.definitions += [
        Stated(parse(left, lexicon), parse(right, lexicon)) for left, right in raw.get("definitions", {}).items()
    ]
    _read_functions(conventions)
    conventions.assumptions = [parse(text, lexicon) for text in listed(raw, "assumptions")]
    conventions.fixed = _read_fixed(raw.get("fixed", {}), lexicon)
    if "left_side" in raw:
        conventions.left_side = parse(str(raw["left_side"]), lexicon)
    conventions.tolerance = float(raw.get("tolerance", 0.0))
    conventions.as_letters = both(as_letters(conventions), with_hidden_places(conventions))
    return conventions


def _read_functions(conventions: Conventions) -> None:
    """The activations, and which of them differ by a script."""
    raw, lexicon = conventions.raw, conventions.lexicon
    functions = raw.get("activation", {}).items()
    conventions.activation = {first_piece(key): _read_activation(value, lexicon) for key, value in functions}
    conventions.scripted = {first_piece(key) for key, _ in functions if len(tokenise(key)) > 1}


def _read_fixed(given: Any, lexicon: Lexicon) -> list[tuple[Term, list[Term]]]:
    """What is kept constant in which derivative; without a derivative, in all of them."""
    pairs = given.items() if isinstance(given, Mapping) else [("", given)]
    found = []
    for key, texts in pairs:
        items = [texts] if isinstance(texts, str) else [str(text) for text in texts]
        kept = [parse(part, lexicon) for text in items for part in re.split(r",\s*", text) if part.strip()]
        if kept:
            found.append((parse_derivative(key, lexicon) if key else Num("0"), kept))
    return found


def listed(raw: Mapping[str, Any], key: str) -> list[str]:
    """The texts of a list, which may be one text."""
    value = raw.get(key, [])
    return [value] if isinstance(value, str) else list(value)


def check_keys(raw: Mapping[str, Any]) -> None:
    """Unknown keys are refused, wrong types too."""
    if not isinstance(raw, Mapping):
        raise UsageError(f"conventions are a JSON object, got {type(raw).__name__}")
    for key, value in raw.items():
        if key not in KEYS:
            raise unknown_name("convention", key, KEYS)
        if not _is_of_its_kind(key, value):
            shown = FORMS.get(key, '"a word"')
            raise UsageError(f"the convention {key!r} has the form {shown}, got {json.dumps(value)[:80]}")


def _is_of_its_kind(key: str, value: Any) -> bool:
    """Lists and objects hold texts; `fixed` may hold lists of texts, `layers` numbers, `tolerance` is a number.

    A list of one may be written as a text, a list of words as a list or between commas; `total` may stand alone.
    """
    if key in (*LISTS, "precedence"):
        return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
    if key == "derivative" and isinstance(value, str):
        return value.strip().lower() in ("total", "total derivative")
    if key in OBJECTS:
        return isinstance(value, Mapping) and all(isinstance(item, (str, int)) for item in value.values())
    if key == "tolerance":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, str) or key == "fixed"


def _read_letters(conventions: Conventions) -> None:
    """Roles, and letters that stand for a derivative or for the whole of something."""
    lexicon = conventions.lexicon
    for key, value in conventions.raw.get("letters", {}).items():
        text = str(value)
        if is_any_derivative(key, text):
            continue
        whole = re.fullmatch(r"(?:vector|matrix) of (.+)", text)
        if whole or re.match(r"\s*d(\^?\{?2\}?)?\s*\S.*/\s*d", text):
            right = parse(whole.group(1), lexicon) if whole else parse_derivative(text, lexicon)
            left = parse(key, lexicon)
            if not is_same_derivative(left, right):
                conventions.aliases.append(Stated(left, right))
        elif key.strip() and (key[0].isalpha() or key[0] == "\\"):
            _read_role(conventions, key, text)


def _read_role(conventions: Conventions, key: str, role: str) -> None:
    """A letter with its role; a key that is a sign (''), a pattern ([a b]) or a form (U[-a, a]) is no letter."""
    try:
        symbol = parse(key, conventions.lexicon)
    except NotUnderstood:
        return
    if isinstance(symbol, Sym):
        conventions.roles[symbol] = role


def _read_signs(conventions: Conventions) -> None:
    for key, kind in conventions.raw.get("products", {}).items():
        tokens = tokenise(key)
        if is_pair(key) and key != "juxtaposition":
            pair = parse(key, conventions.lexicon)
            if isinstance(pair, Infix):
                conventions.pairs.append((pair, str(kind)))
            continue
        if key == "juxtaposition" or len(tokens) == 1:
            conventions.products["" if key == "juxtaposition" else tokens[0].text] = str(kind)
            continue
        operand = parse(key[tokens[0].end :], conventions.lexicon)
        conventions.operand_products.append((tokens[0].text, operand, str(kind)))


def _read_activation(value: Any, lexicon: Lexicon) -> Term | str:
    text = str(value)
    return text if text in ("any", "logistic", "functional") else parse(text, lexicon)


def cost_name(symbol: Sym) -> str:
    """The name of a cost: C_0 is another one than C.

    >>> cost_name(Sym("C", (Num("0"),)))
    'C_0'
    """
    numbers = [sub.text for sub in symbol.subs if isinstance(sub, Num)]
    return "_".join([symbol.base, *numbers]) if len(numbers) == len(symbol.subs) else symbol.base


def _read_any_cost(conventions: Conventions, name: str, arguments: list[str]) -> None:
    """any L(y, z): the letter, and what it is any function of."""
    lexicon = conventions.lexicon
    symbol = parse(name, lexicon)
    conventions.any_cost = cost_name(symbol) if isinstance(symbol, Sym) else "C"
    conventions.any_arguments = tuple(parse(part, lexicon) for part in arguments)
    lexicon.costs.add(conventions.any_cost)
    lexicon.functions.discard(conventions.any_cost)


def _read_cost(conventions: Conventions) -> None:
    """A formula, `any`, or `any L(y)`."""
    text = conventions.word("cost")
    if text is None:
        return
    lexicon = conventions.lexicon
    if text in ("any", "any cost"):
        names = [cost_name(key) for key, role in conventions.roles.items() if role in COST_ROLES]
        conventions.any_cost = names[0] if names else "C"
        return
    called = re.fullmatch(r"any\s+([^()]+?)\s*\((.*)\)\s*", text)
    if called:
        _read_any_cost(conventions, called.group(1), split_commas(called.group(2)))
        return
    node = parse(text.removeprefix("any "), lexicon)
    if text.startswith("any "):
        conventions.any_cost = str(getattr(getattr(node, "function", node), "base", "C"))
        conventions.any_arguments = tuple(getattr(node, "args", ()))
        lexicon.costs.add(conventions.any_cost)
        lexicon.functions.discard(conventions.any_cost)
    elif isinstance(node, Compare):
        conventions.definitions.append(Stated(node.left, node.right))
    else:
        conventions.cost = node
