"""What a formula and its definitions show of their letters before anything is declared: functions, short names, places.

Nothing is known by name here that the texts do not show: a letter counts time because a definition comes back to itself
one step earlier, a letter is a matrix because it is a capital that is multiplied or transposed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from backprop.formulas.conventions.declared import COSTS, head_of
from backprop.formulas.conventions.letters import letters_of
from backprop.formulas.conventions.marks import bare_of, closing, elsewhere, is_d, is_index, places_of, uses
from backprop.formulas.conventions.words import build_lexicon
from backprop.formulas.text.lexicon import FUNCTIONS, INDEX_LETTERS
from backprop.formulas.text.parser import parse, parse_formula
from backprop.formulas.text.tokens import tokenise
from backprop.formulas.text.tree import Apply, Bars, Deriv, Infix, Num, Sum, Sym, Term, Turned, walk

__all__ = ["FUNCTION_LETTERS", "LAYERS", "Sketch"]

FUNCTION_LETTERS = ("\\sigma", "f", "g", "\\phi", "h", "\\psi", "F", "G", "\\Phi", "S", "s")
"""Letters that name functions where they stand before a bracket and nowhere without one."""
LAYERS = ("l", "L", "\\ell")
SHORT = re.compile(r"(dL_d|dLd|dL|dJ_d|grad_|d_|d|g_)(?=\w)")
"""What may stand before a name that it is the derivative by."""
MATRIX_NAMES = {"dot", "matmul", "mm", "softmax", "diag", "tr", "trace", "det", "inv", "outer", "transpose"}


@dataclass
class Sketch:
    """The trees of a formula and of its definitions, and what they show."""

    formula: str
    given: Mapping[str, Any]
    functions: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stated: dict[str, str] = dict(self.given.get("definitions", {}))
        self.texts = [self.formula, *self.stated, *self.stated.values(), *self.given.get("assumptions", ())]
        self.tokens = [tokenise(text) for text in self.texts]
        self.functions = self._find_functions()
        self.short = self._find_short_names()
        sizes = {t.text for tokens in self.tokens[1:] for t in tokens if re.fullmatch(r"d_[a-z]+", t.text)}
        self.sizes = dict.fromkeys(sizes - set(self.stated), "number of features")
        raw = {"definitions": self.stated, "activation": self.functions,
               "letters": {**self.given.get("letters", {}), **self.short, **self.sizes}}  # fmt: skip
        self.lexicon = build_lexicon(raw, self.formula)
        self.parts = parse_formula(self.formula, self.lexicon)
        self.pairs = [(parse(left, self.lexicon), parse(right, self.lexicon)) for left, right in self.stated.items()]
        self.pairs = [(bare_of(left), right) for left, right in self.pairs]
        self.mine = [node for part in self.parts for node in walk(part)]
        self.assumed = [node for text in self.given.get("assumptions", ()) for node in walk(parse(text, self.lexicon))]
        self.nodes = [*self.mine, *(node for pair in self.pairs for tree in pair for node in walk(tree)), *self.assumed]
        self.symbols = [node for node in self.nodes if isinstance(node, Sym)]

    def _find_functions(self) -> dict[str, str]:
        """Letters that always stand before a bracket: any function; a cost is one number of all that it is given."""
        called: dict[str, bool] = {}
        for tokens in self.tokens:
            for name, alone in uses(tokens):
                called[name] = called.get(name, True) and not alone
        lefts = {head_of(left) for left in self.stated if "(" not in left}
        found = {
            name: "any" for name, always in called.items() if always and name in FUNCTION_LETTERS and name not in lefts
        }
        costs = [name for name in COSTS if called.get(name) and name not in lefts and self._is_function_of(name)]
        return {**found, **dict.fromkeys(costs, "functional"), **dict(self.given.get("activation", {}))}

    def _is_function_of(self, name: str) -> bool:
        """Whether a cost is given several arguments, or is defined by (or defines) another cost of the same one."""
        called = re.compile(rf"(?<![A-Za-z\\]){re.escape(name)}(?:_\w+|_\{{\w+\}})?\s*(?:\\left)?\(([^()]*)")
        args = {match.group(1).strip() for text in self.texts for match in called.finditer(text)}
        heads = [left.strip() for left in self.stated if left.strip().endswith(")")]
        inside = any(called.search(right) for left, right in self.stated.items() if left.strip().endswith(")"))
        top = re.compile(rf"(?:\\partial|d)\s*{re.escape(name)}\s*[}}/]")
        bare = any(top.search(text) for text in self.texts) and name not in "".join(heads)
        gradient = any(re.search(r"\\nabla(\^2)?\s*" + re.escape(name), text) for text in self.texts)
        return any(called.match(head) for head in heads) or inside or (not bare and (gradient or len(args) > 1))

    def _find_short_names(self) -> dict[str, str]:
        """dW, d_x, \\delta c and others before a name of the definitions, where the whole is no name itself."""
        words = {t.text for tokens in self.tokens[1:] for t in tokens if t.kind == "word"}
        names = {piece for w in words for piece in (w, *w.split("_"))} | {c for w in words if len(w) <= 2 for c in w}
        names |= {head_of(left) for left in self.stated}
        cost, found = self.cost_letter, {}
        for at, token in enumerate(self.tokens[0]):
            follows = self.tokens[0][at + 1].text if at + 1 < len(self.tokens[0]) else ""
            match = SHORT.match(token.text)
            rest = token.text[match.end() :] if match else ""
            plain = rest and token.text not in words and head_of(token.text) not in words
            if (
                match
                and plain
                and not self._is_fraction(at)
                and (rest in names or rest.split("_")[0] in names or head_of(rest) in names)
            ):
                found[match.group() + "X"] = f"d{cost}/dX"
            spaced = token.text in ("d", "\\delta") and follows in names and not is_index(follows)
            if spaced and token.text not in words and not self._is_fraction(at):
                found[token.text + " X" if token.text != "d" else "dX"] = f"d{cost}/dX"
        return found

    def _is_fraction(self, at: int) -> bool:
        """Whether a d is that of dy/dx: above or below a line whose other side begins with d as well."""
        words = [t.text for t in self.tokens[0]]
        line = {k for k, w in enumerate(words) if w == "/"}
        opens = [k for k in range(at) if words[k] == "\\frac"]
        starts = [(k + 2, closing(words, k + 1) + 2) for k in opens if words[k + 1 : k + 2] == ["{"]]
        pairs = [(one, two) for one, two in starts if at in (one, two)]
        pairs += [(k - 1, k + 1) for k in line if at in (k - 1, k + 1)] + [
            (k - 2, k + 1) for k in line if at in (k - 2, k + 1)
        ]
        return any(is_d(words, one) and is_d(words, two) for one, two in pairs)

    @cached_property
    def cost_letter(self) -> str:
        """The letter of the cost: one that the texts use, or L."""
        words = [t.text for tokens in self.tokens for t in tokens]
        tops = re.findall(
            r"(?:\\partial|d)\s*(?:\{|\s)*(\\math\w+\{\w\}|\\?[A-Za-z]+)", self.formula + " ".join(self.texts[1:])
        )
        lefts = {head_of(left) for left in self.stated}
        free = [name for name in COSTS if name in words and name in tops and name not in lefts]
        known = [name for name in COSTS if name in words and name in lefts]
        for name in [*free, *known]:
            return name
        return "L"

    @cached_property
    def defined(self) -> set[str]:
        """The letters that have a definition."""
        return {left.base for left, _ in self.pairs if isinstance(left, Sym)} | {
            left.function.base for left, _ in self.pairs if isinstance(left, Apply)}  # fmt: skip

    def gives(self, symbol: Sym) -> bool:
        """Whether a definition gives a symbol: C = … is none of C_0."""
        mine = [left for left, _ in self.pairs if isinstance(left, Sym) and left.base == symbol.base]
        mine += [
            left.function for left, _ in self.pairs if isinstance(left, Apply) and left.function.base == symbol.base
        ]
        numbered = any(isinstance(sub, Num) for sub in symbol.subs)
        return any(left.subs == symbol.subs for left in mine) if numbered else bool(mine)

    @cached_property
    def parameters(self) -> set[str]:
        """The arguments of the functions that are defined."""
        args = [arg for left, _ in self.pairs if isinstance(left, Apply) for arg in left.args]
        return {node.base for arg in args for node in walk(arg) if isinstance(node, Sym)}

    @cached_property
    def bound(self) -> set[str]:
        """Letters that a sum counts with."""
        return {i.base for node in self.nodes if isinstance(node, Sum) for i in node.index if isinstance(i, Sym)}

    @cached_property
    def limits(self) -> list[Sym]:
        """What sums count up to."""
        return [node.upper for node in self.nodes if isinstance(node, Sum) and isinstance(node.upper, Sym)]

    @cached_property
    def indices(self) -> set[str]:
        """Letters that stand in scripts."""
        found = set()
        for symbol in self.symbols:
            for script in [*symbol.subs, *(s.value for s in symbol.sups if s.bracket or self.counts_in_sups(s.value))]:
                found |= {letter.base for letter in letters_of(script)}
        return found

    def counts_in_sups(self, node: Term) -> bool:
        """Whether a superscript counts layers or times."""
        return any(x.base in LAYERS or x.base in self.times for x in letters_of(node))

    @cached_property
    def times(self) -> dict[str, str]:
        """Letters of time, with where they stand: a quantity is defined by itself one step earlier, or it is a t."""
        found: dict[str, str] = {}
        for left, right in self.pairs:
            if not isinstance(left, Sym):
                continue
            for place, letter in places_of(left):
                mine = {s.base for s in walk(right) if isinstance(s, Sym) and elsewhere(s, left, letter, place)}
                if mine & self.defined and letter not in LAYERS:
                    found[letter] = place
        for symbol in self.symbols:
            for place, letter in places_of(symbol):
                if letter == "t" and "t" not in self.bases and symbol.base in self.defined | self.tops | self.belows:
                    found.setdefault("t", place)
        return found

    @cached_property
    def layered(self) -> str | None:
        """Where the letters of layers stand: superscript or subscript."""
        for symbol in self.symbols:
            for place, letter in places_of(symbol):
                if letter in LAYERS and letter not in self.bound:
                    return place
        return None

    @cached_property
    def bases(self) -> set[str]:
        """Letters of quantities: all that stand outside scripts."""
        inside: set[int] = set()
        for symbol in self.symbols:
            inside |= {id(n) for s in (*symbol.subs, *(p.value for p in symbol.sups)) for n in walk(s)}
        names = {id(node.function) for node in self.nodes if isinstance(node, Apply)}
        return {s.base for s in self.symbols if id(s) not in inside | names}

    @cached_property
    def tops(self) -> set[str]:
        """What is differentiated."""
        return {d.top.base for d in self.nodes if isinstance(d, Deriv) and isinstance(d.top, Sym)}

    @cached_property
    def belows(self) -> set[str]:
        """What it is differentiated by."""
        return {d.below.base for d in self.nodes if isinstance(d, Deriv) and isinstance(d.below, Sym)}

    @cached_property
    def used(self) -> set[str]:
        """Letters in the bodies of definitions."""
        return {s.base for _, right in self.pairs for s in walk(right) if isinstance(s, Sym)}

    @cached_property
    def leaves(self) -> list[str]:
        """Letters that no definition gives, in the order in which they are met."""
        bases = dict.fromkeys(s.base for s in self.symbols)
        plain = (self.bases | self.belows) - self.defined - set(self.functions) - {"...", "e", "\\pi", "\\top"}
        plain -= ((self.indices - self.carriers) & INDEX_LETTERS) | {"1"}
        plain -= set(self.times) | set(LAYERS) | ({"T"} if self.turns else set())
        return [b for b in bases if b in plain and b not in self.bound and not self.is_name(b)]

    @cached_property
    def turns(self) -> bool:
        """Whether a T above a letter transposes it."""
        return any(p.value == Sym("T") for s in self.symbols for p in s.sups) or any(
            isinstance(n, Turned) for n in self.nodes
        )

    def is_name(self, base: str) -> bool:
        """Whether a letter is a function that everybody knows, or a word of code."""
        known = base.lstrip("\\").lower() in FUNCTIONS and base not in self.lexicon.bases
        return known or base in ("True", "False", "axis", "keepdims", "dim", "keepdim", "None")

    @cached_property
    def has_components(self) -> bool:
        """Whether quantities are written by their components, and not as whole matrices."""
        if self.has_products:
            return False
        free = self.bound - set(self.times)
        found = any(self.subs_of(s) & (free | set("ijkmnpqr")) for s in self.symbols if s.base in self.bases)
        return found or any(isinstance(n, Sum) for n in self.nodes)

    def subs_of(self, symbol: Sym) -> set[str]:
        """The index letters below a symbol, without times, layers and names of quantities."""
        letters = {x.base for sub in symbol.subs for x in letters_of(sub)}
        return letters - set(self.times) - set(LAYERS) - (self.carriers - self.bound)

    @cached_property
    def carriers(self) -> set[str]:
        """Letters that carry scripts themselves: i of i_t, so that W_i is a name."""
        return {s.base for s in self.symbols if s.subs or s.sups}

    @cached_property
    def has_matrices(self) -> bool:
        """Whether anything is elementwise, a norm, or of whole vectors."""
        whole = any(isinstance(n, Bars) and n.kind != "abs" for n in self.nodes)
        return self.has_products or whole or any(isinstance(n, Infix) and n.sign == "\\odot" for n in self.nodes)

    @cached_property
    def has_products(self) -> bool:
        """Whether anything is multiplied as rows times columns, transposed, or a function of a whole vector."""
        whole = any(isinstance(n, Turned) for n in self.nodes)
        signs = {n.sign for n in self.nodes if isinstance(n, Infix)}
        calls = {n.function.base.lstrip("\\").lower() for n in self.nodes if isinstance(n, Apply)}
        turned = any(
            getattr(p.value, "base", "") in ("T", "\\top") and p.bracket == "" for s in self.symbols for p in s.sups
        )
        return whole or turned or "@" in signs or bool(calls & MATRIX_NAMES) or self.has_axes

    @cached_property
    def has_axes(self) -> bool:
        """Whether code sums along an axis."""
        return any(isinstance(n, Sym) and n.base in ("axis", "dim") for n in self.nodes)

    @property
    def is_code(self) -> bool:
        """Whether it is written as a program is."""
        return not any("\\" in text for text in self.texts)
