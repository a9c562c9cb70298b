"""Conventions that nobody declared, inferred from the letters in use; every inference is said.

A formula that declares nothing is read as one about a layered network (or one layer, or one function) in the usual
letters.  Where usage differs (rows and columns of the weights, the layer that names them, vectors as rows or columns,
the activation), each way is a reading of its own; the first under which the formula holds is the one that is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from backprop.formulas.conventions.declared import COSTS, ORDERS, head_of, merged, read_where
from backprop.formulas.conventions.keys import check_keys
from backprop.formulas.conventions.scenes import explains, scenes
from backprop.formulas.conventions.sketch import Sketch
from backprop.formulas.text.tokens import tokenise
from backprop.formulas.text.tree import NotUnderstood

__all__ = ["Guess", "Supposition", "guess"]

SHAPED = "gradient has the shape of its variable"
FORMS: dict[str, dict[str, Any]] = {
    "scalars": {"samples": "one"},
    "columns": {"samples": "one", "vectors": "columns", "products": {"juxtaposition": "matrix"}},
    "rows": {"samples": "one", "vectors": "rows", "products": {"juxtaposition": "matrix"}},
    "batch": {"samples": "rows", "vectors": "rows", "products": {"juxtaposition": "matrix"}},
    "batch as columns": {"samples": "columns", "vectors": "columns", "products": {"juxtaposition": "matrix"}},
}
SAID = {
    "columns": "columns",
    "rows": "rows",
    "batch": "a batch, samples as rows",
    "batch as columns": "a batch, samples as columns",
}
NO_MATRICES = ("C", "D", "E", "J", "L", "M", "N", "T")
"""Capitals that count something, or are a cost or a sign, as often as not."""
FUNCTION_LETTERS = ("\\sigma", "f", "g", "\\phi", "h", "\\psi", "\\varphi", "F")


@dataclass(frozen=True)
class Supposition:
    """One way of reading what is not declared."""

    raw: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    tentative: bool = False
    """Whether it may only explain why a formula holds: too far-fetched to refute one."""


@dataclass(frozen=True)
class Guess:
    """What is declared, what is inferred for certain, and the readings that remain, the most usual first."""

    base: dict[str, Any]
    declared: dict[str, Any]
    said: dict[str, Any]
    readings: list[Supposition]


def guess(formula: str, declared: Mapping[str, Any], where: str) -> Guess:
    """The ways in which a formula can be read."""
    given = dict(declared)
    for key, value in read_where(where).items():
        merges = isinstance(value, dict)
        given[key] = {**given.get(key, {}), **value} if merges else value
    check_keys(given)
    if declared:
        return Guess(given, given, {}, [Supposition(), *own_readings(formula, given)])
    own = own_readings(formula, given)
    if own and (given.get("definitions") or given.get("assumptions")):
        return Guess({}, given, {}, own)
    letters = Letters(formula, given)
    usual = [replace(r, raw=merged(r.raw, given)) for r in letters.readings()]
    return Guess({}, given, {}, [*own, *usual])


def own_readings(formula: str, given: Mapping[str, Any]) -> list[Supposition]:
    """Readings by nothing but what is declared beside the formula, where that says what every letter is."""
    try:
        sketch = Sketch(formula, given)
    except NotUnderstood:
        return []
    return [Supposition(*scene) for scene in scenes(sketch)] if explains(sketch) else []


class Letters:
    """Which usual letters a formula is written in."""

    def __init__(self, formula: str, given: Mapping[str, Any]) -> None:
        texts = [
            formula,
            *given.get("definitions", {}),
            *given.get("definitions", {}).values(),
            str(given.get("cost", "")),
        ]
        tokens = [t.text for text in texts for t in tokenise(text) if t.kind == "word"]
        self.words = {re.sub(r"^d(?=[A-Za-z])", "", w) for w in tokens} | set(tokens)
        self.words |= {w.split("_")[0] for w in self.words}
        self.words |= {c for w in self.words if w.isalpha() and len(w) == 2 for c in w}
        self.formula, self.given = formula, given
        rights = list(given.get("definitions", {}).values())
        heads = {t.text.split("_")[0] for text in rights for t in tokenise(text) if t.kind == "word"}
        used = {c for head in heads if len(head) <= 2 for c in head}
        taken = {head_of(key) for key in [*given.get("definitions", {}), *given.get("letters", {})]}
        self.matrices = sorted(c for c in used - taken if c.isupper() and c not in NO_MATRICES)
        called = (re.search(rf"(?<![\w\\])({'|'.join(map(re.escape, COSTS))})\(\w+\)", text) for text in rights)
        self.free_cost = next((m for m in called if m and m.group(1) not in taken), None)
        layered = re.search(r"([\^_])\s*\{?\s*([(\[]?)\s*(l|L|\\ell)\s*([+-]\s*1)?\s*[)\]]?", formula)
        layered = layered or re.search(r"(\^)\s*\{?\s*(\[)\d+\]", formula)
        self.script = layered.group(1) if layered else ""
        self.open = layered.group(2) if layered else ""
        self.indexed = re.search(r"_\s*\{?\s*[ijkmn](?![A-Za-z])", formula) is not None or "\\sum" in formula

    def one_of(self, *names: str) -> str:
        """The first of these letters that is used, or the first."""
        return next((name for name in names if name in self.words), names[0])

    @property
    def cost(self) -> str:
        """The letter of the cost; L is a layer where it stands in a script."""
        if self.free_cost is not None:
            return str(self.free_cost.group(1))
        as_layer = re.search(r"[\^_]\s*\{?\s*[(\[]?L|\bL\s*[-,]|=\s*L\b", self.formula) is not None
        names = [name for name in COSTS if not (name == "L" and as_layer)]
        return next((name for name in names if name in self.words), "C")

    def readings(self) -> Iterator[Supposition]:
        """The most usual first."""
        network = {"\\delta", "δ", "W", "w", "z", "Z", "\\theta", "\\Theta", "b"} & self.words
        if (network or self.matrices) and "\\delta_{ij}" not in self.formula.replace(" ", ""):
            yield from self.networks()
        if not (network and self.script):
            yield from self.functions()

    def at(self, shift: str) -> str:
        """The script of a layer, in the form of the formula."""
        closing = {"(": ")", "[": "]", "": ""}[self.open]
        return f"{self.script}{{{self.open}l{shift}{closing}}}" if self.script else ""

    def networks(self) -> Iterator[Supposition]:
        """Readings as a network."""
        function = next(
            (
                f
                for f in FUNCTION_LETTERS
                if re.search(re.escape(f) + r"\s*('|\\prime|\^\{?\\prime)?\s*[_(\[]", self.formula)
            ),
            "f",
        )
        for activation in ("any", "logistic"):
            for named in ("target_layer", "source_layer") if self.script else ("target_layer",):
                for order in ORDERS:
                    yield from self.shaped(function, activation, named, order)

    def shaped(self, function: str, activation: str, named: str, order: str) -> Iterator[Supposition]:
        """Readings with index letters, or with columns, rows, a batch of rows."""
        forms = ("scalars",) if self.indexed else tuple(form for form in FORMS if form != "scalars")
        for form in forms:
            yield self.network(function, activation, named, order, form)
            if form.startswith("batch") and self.has_short_names and self.averages:
                yield self.averaged(self.network(function, activation, named, order, form))
        if not self.indexed and self.given.get("definitions") and self.one_of("W", "w") == "w" and not self.script:
            for form in forms:
                one = self.network(function, activation, named, order, form)
                letters = {**one.raw["letters"], "w": "vector"}
                yield Supposition({**one.raw, "letters": letters}, {**one.said, "weights": "w is a vector"})

    def network(self, function: str, activation: str, named: str, order: str, form: str) -> Supposition:
        """z = W a + b, a = f(z), any cost, under one choice of everything."""
        z, a, b = self.one_of("z", "Z", "net"), self.one_of("a", "A"), self.one_of("b")
        weight = (
            self.one_of("w", "W", "\\theta", "\\Theta") if self.indexed else self.one_of("W", "w", "\\Theta", "\\theta")
        )
        before = self.at("-1")
        source = f"{a}{before}" if self.script else self.one_of("x", "X")
        w = f"{weight}{self.at('' if named == 'target_layer' else '-1')}"
        definitions = self.stated(form, order, (z, a, b, w, source, function))
        letters = self.roles(weight, b, z, form)
        raw: dict[str, Any] = {
            "cost": f"any {self.free_cost.group()}" if self.free_cost else "any",
            "activation": {function: activation}, "definitions": definitions, "letters": letters,
            "layout": SHAPED, "layers": {weight: order, **self.scripts()},
        }  # fmt: skip
        raw |= FORMS[form]
        return Supposition(raw, self.words_of(order, named, form, activation, definitions, function))

    @property
    def has_short_names(self) -> bool:
        """Whether dW stands for a derivative."""
        short = re.search(r"(?<![A-Za-z\\])d[A-Za-z]", self.formula) is not None
        derives = re.search(r"\\partial|∂|\\nabla|d\w*\s*/\s*d|\\frac\s*\{\s*d", self.formula) is not None
        return short and not derives

    @property
    def averages(self) -> str | None:
        """The letter of a mean over samples: m of \\frac{1}{m}, 1/m, (1/m)."""
        found = re.search(r"\\frac\s*\{?1\}?\s*\{?([mNn])\b|\b1\.?\s*/\s*([mNn])\b|/\s*([mNn])\s*$", self.formula)
        return next((letter for letter in found.groups() if letter), None) if found else None

    def averaged(self, one: Supposition) -> Supposition:
        """The cost is a mean over samples: dZ and dA belong to the sum, dW and db to the mean."""
        count, cost, weight, bias = self.averages, self.cost, self.one_of("W", "w"), self.one_of("b")
        here, mean = self.at(""), "J" if self.cost != "J" else "L"
        letters = {**one.raw["letters"], count: "number of samples", mean: "cost", cost: "any cost"}
        letters |= {f"d{letter}{here}": f"d{mean}/d{letter}{here}" for letter in (weight, bias)}
        definitions = {**one.raw["definitions"], mean: f"{cost} / {count}"}
        letters[cost] = "any cost"
        said = {
            **one.said,
            "cost": f"the mean over {count} samples; dW, db are its derivatives, dZ, dA those of the sum",
        }
        return Supposition({**one.raw, "letters": letters, "definitions": definitions}, said)

    def scripts(self) -> dict[str, str]:
        """What scripts count."""
        found = {"superscript" if self.script == "^" else "subscript": "layer"} if self.script else {}
        return {"subscript": "component", **found} if self.indexed else found

    def roles(self, weight: str, bias: str, z: str, form: str) -> dict[str, str]:
        """What the letters are called, and the error."""
        cost, unit = self.cost, "_j" if form == "scalars" else ""
        named = {"L": "last layer", cost: "cost", weight: "weight", bias: "bias", "T": "transpose", "l": "layer"}
        named["x"] = "input"
        named |= {"\\eta": "learning rate"} if "\\eta" in self.words else {}
        named[f"\\delta{unit}{self.at('')}"] = f"d{cost}/d{z}{unit}{self.at('')}"
        if form != "scalars":
            named |= dict.fromkeys((m for m in self.matrices if m != weight), "matrix")
        return {**named, "dX": f"d{cost}/dX"} if self.has_short_names else named

    def stated(self, form: str, order: str, names: tuple[str, ...]) -> dict[str, str]:
        """The forward pass in the form of the formula."""
        z, a, b, w, source, function = names
        here = self.at("")
        if form == "scalars":
            base, _, script = w.partition(self.script) if self.script else (w, "", "")
            pair = "{ij}" if order == "in,out" else "{ji}"
            tail = (self.script + script) if script else ""
            weight = f"{base}_{pair}{tail}"
            before = source.replace(a, f"{a}_i", 1) if self.script else f"{source}_i"
            return {
                f"{z}_j{here}": f"\\sum_i {weight} {before} + {b}_j{here}",
                f"{a}_j{here}": f"{function}({z}_j{here})",
            }
        if form in ("columns", "batch as columns"):
            product = f"{w} {source}" if order == "out,in" else f"({w})^T {source}"
        else:
            product = f"{source} {w}" if order == "in,out" else f"{source} ({w})^T"
        return {f"{z}{here}": f"{product} + {b}{here}", f"{a}{here}": f"{function}({z}{here})"}

    def words_of(
        self, order: str, named: str, form: str, activation: str, definitions: dict[str, str], function: str
    ) -> dict[str, Any]:
        """The reading, said."""
        said = {"definitions": "; ".join(f"{left} = {right}" for left, right in definitions.items()),
                "errors": "delta is the derivative of the cost by z", "cost": "any smooth cost"}  # fmt: skip
        if activation != "any":
            said["activation"] = f"{function} is the logistic function"
        if self.script and named == "source_layer":
            said["weights"] = "named by the layer that they leave"
        if form != "scalars":
            said["vectors"] = SAID[form]
        return said

    def functions(self) -> Iterator[Supposition]:
        """Readings as a statement about functions of a number, or about softmax."""
        letters = dict.fromkeys(("x", "z", "t", "u"), "scalar") | {"\\alpha": "parameter", "\\beta": "parameter"}
        names = [f for f in FUNCTION_LETTERS if f in self.words]
        kinds = ("any", "logistic", "tanh(z)", "max(0, z)", "log(1 + exp(z))") if names else ("any",)
        for kind in kinds:
            said = {"activation": f"{', '.join(names)}: {kind}"} if names else {}
            yield Supposition(
                {"activation": dict.fromkeys(names, kind), "letters": letters, "domain": ["z != 0"]}, said
            )
        yield from self.softmaxes()

    def softmaxes(self) -> Iterator[Supposition]:
        """An output p that is the softmax of z, under cross-entropy with one-hot targets."""
        z = self.one_of("z", "x", "a", "o", "s")
        derives = (
            "partial" in self.formula or "∂" in self.formula or re.search(r"d\w+\s*/\s*d", self.formula) is not None
        )
        for p in ("\\hat{y}", "p", "s", "y", "a", "\\sigma", "S", "q"):
            if p in self.words and p != z:
                target = self.one_of("y", "t") if p != "y" else "t"
                definitions = {f"{p}_i": f"e^{{{z}_i}} / \\sum_k e^{{{z}_k}}"}
                letters = {self.cost: "cost", z: "preactivation", target: "one-hot target", p: "activation"}
                cost = f"{self.cost} = -\\sum_k {target}_k \\log {p}_k"
                said = {"definitions": f"{p} = softmax({z})", "cost": f"cross-entropy, {target} one-hot"}
                raw = {"definitions": definitions, "letters": letters, "cost": cost, "layout": SHAPED}
                yield Supposition(raw, said, tentative=not derives or bool(self.given.get("definitions")))
