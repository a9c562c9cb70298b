"""Readings of a formula by its own definitions: what each letter is, where the definitions leave it open.

A formula that comes with definitions is judged by them alone.  What they do not say (is x a vector?  which letter is
the cost?) follows from how the letters are used; where usage differs, each way is a reading of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backprop.formulas.conventions.declared import COSTS
from backprop.formulas.conventions.marks import shifted
from backprop.formulas.conventions.roles import NUMBERS, SIZES, is_matrix, named, roles
from backprop.formulas.conventions.sketch import LAYERS, Sketch
from backprop.formulas.conventions.units import Texts, layers_of_letters
from backprop.formulas.text.lexicon import INDEX_LETTERS
from backprop.formulas.text.tree import Deriv, Infix, Sym, walk

__all__ = ["explains", "scenes"]

SHAPED = "gradient has the shape of its variable"
FORMS: dict[str, dict[str, Any]] = {
    "numbers": {},
    "columns": {"samples": "one", "vectors": "columns"},
    "rows": {"samples": "one", "vectors": "rows"},
    "batch": {"samples": "rows", "vectors": "rows"},
    "batch as columns": {"samples": "columns", "vectors": "columns"},
}
SAID = {
    "numbers": "quantities are numbers and what their indices count",
    "columns": "vectors are columns",
    "rows": "vectors are rows",
    "batch": "a batch, samples as rows",
    "batch as columns": "a batch, samples as columns",
}


def explains(sketch: Sketch) -> bool:
    """Whether the definitions say what every letter of the formula is, and how each derivative comes about."""
    known = sketch.defined | sketch.used | sketch.parameters | set(sketch.functions) | sketch.bound
    tops = [d.top for d in sketch.mine if isinstance(d, Deriv) and isinstance(d.top, Sym)]
    if not sketch.pairs and all(top.base in known for top in tops) and not sketch.short:
        known |= set(sketch.leaves) - ({"d"} if re.search(r"(?<![A-Za-z\\])d\s*\\?[A-Za-z]", sketch.formula) else set())
    if parts_of_cost(sketch, tops):
        known |= sketch.belows
    known |= {s.base for s in sketch.assumed if isinstance(s, Sym)} | set(sketch.given.get("letters", {}))
    mine = {node.base for node in sketch.mine if isinstance(node, Sym)} & sketch.bases
    loose = mine - known - set(NUMBERS) - SIZES - {sketch.cost_letter, "T", "\\top", "e", "..."}
    loose -= (
        {name for name in mine if sketch.is_name(name)} | ((sketch.indices - sketch.carriers) & INDEX_LETTERS) | {"1"}
    )
    loose -= {top.base for top in tops if top.base in COSTS}
    deltas = [s for s in sketch.mine if isinstance(s, Sym) and s.base in ("\\delta", "\\Delta", "delta")]
    unknown = [s for s in deltas if s.base not in known and len(s.subs) != 2]
    return not loose and not unknown and not breaks_off(sketch)


def breaks_off(sketch: Sketch) -> bool:
    """Whether a layer is defined by something of the layer before that nothing defines: a^{l-1} without a^l."""
    bodies = [s for _, right in sketch.pairs for s in walk(right) if isinstance(s, Sym)]
    open_ones = [s for s in bodies if s.base not in sketch.defined]
    return any(shifted(s, x, p) for s in open_ones for p in ("subscript", "superscript") for x in LAYERS)


def scenes(sketch: Sketch) -> Iterator[tuple[dict[str, Any], dict[str, Any], bool]]:
    """Conventions, the words for them, and whether they may only explain why a formula holds; the most usual first."""
    tops = [d.top for d in sketch.mine if isinstance(d, Deriv) and isinstance(d.top, Sym)]
    open_layout = any(top.base in sketch.defined for top in tops) and "layout" not in sketch.given
    for raw, said in usual(sketch):
        yield raw, said, False
        if open_layout and raw.get("vectors"):
            numerator = "numerator layout: row i, column j is d y_i / d x_j"
            yield {**raw, "layout": "numerator"}, said | {"derivatives": numerator}, False
    if open_layout:
        for raw, said in usual(sketch):
            plain = {key: value for key, value in raw.items() if key != "layout"}
            if plain.get("vectors"):
                yield plain, said | {"derivatives": "of a vector by a vector, entry by entry"}, True


def usual(sketch: Sketch) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Conventions and the words for them."""
    for form in forms(sketch):
        for activation in activations(sketch):
            for weights in ("vector", "matrix") if has_small_weights(sketch, form) else ("vector",):
                raw = reading(sketch, form, activation, weights)
                said = {"read as": SAID[form]} | said_of(sketch, raw, activation)
                yield raw, said | ({"weights": "w is a matrix"} if weights == "matrix" else {})


def said_of(sketch: Sketch, raw: dict[str, Any], activation: str) -> dict[str, Any]:
    """What was inferred, in words."""
    said: dict[str, Any] = {}
    if raw.get("cost"):
        said["cost"] = "any smooth cost of what the definitions give"
    names = [name for name, kind in sketch.functions.items() if kind == "any"]
    if names:
        said["activation"] = f"{', '.join(names)}: {activation}"
    if sketch.times:
        said["time"] = ", ".join(sketch.times)
    return said


def forms(sketch: Sketch) -> list[str]:
    """How vectors lie: as declared, else as the signs show."""
    vectors, samples = sketch.given.get("vectors"), sketch.given.get("samples")
    if samples in ("rows", "columns"):
        return ["batch"] if samples == "rows" else ["batch as columns"]
    if vectors in ("rows", "columns"):
        return [vectors]
    if sketch.has_axes:
        return ["batch"]
    capitals = any(is_matrix(leaf) and leaf not in COSTS and leaf not in SIZES for leaf in sketch.leaves)
    numbers = ["numbers"] if not sketch.has_matrices or sketch.has_components else []
    if not sketch.has_matrices and not (capitals and not sketch.has_components and not sketch.assumed):
        return numbers
    lying = ["batch", "columns", "rows"] if sketch.is_code else ["columns", "rows", "batch"]
    return [*lying, *numbers]


def activations(sketch: Sketch) -> list[str]:
    """Any function; the logistic one where that is what the letter is called."""
    names = [name for name, kind in sketch.functions.items() if kind == "any"]
    return ["any", "logistic"] if set(names) & {"\\sigma", "\\phi", "g", "S", "s"} else ["any"]


def has_small_weights(sketch: Sketch, form: str) -> bool:
    """Whether a small w may be a matrix."""
    return form != "numbers" and "w" in sketch.leaves


def reading(sketch: Sketch, form: str, activation: str, weights: str) -> dict[str, Any]:
    """The conventions of one reading; what is declared goes before."""
    given = dict(sketch.given)
    letters = {**sketch.sizes, **roles(sketch, form, weights), **sketch.short}
    raw: dict[str, Any] = {"layout": SHAPED, **FORMS[form], "letters": letters, "layers": scripts(sketch)}
    raw["activation"] = {n: activation if kind == "any" else kind for n, kind in sketch.functions.items()}
    if form != "numbers":
        raw["products"] = {"juxtaposition": "matrix"}
    cost = the_cost(sketch)
    if cost is not None:
        raw["cost"] = cost
    for key, value in given.items():
        raw[key] = {**raw.get(key, {}), **value} if isinstance(value, dict) else value
    return raw


def scripts(sketch: Sketch) -> dict[str, str]:
    """What scripts count."""
    found: dict[str, str] = {}
    for letter, place in sketch.times.items():
        found[place] = "time"
        raised = any(s.value == Sym(letter) for symbol in sketch.symbols for s in symbol.sups)
        if place == "subscript" and (raised or has_powers(sketch, letter)):
            found["superscript"] = "power"
    if sketch.layered is not None:
        found.setdefault(sketch.layered, "layer")
    counted = sketch.layered or sketch.times
    units = {} if counted else layers_of_letters(Texts(sketch.pairs, sketch.symbols))
    if units:
        found["units"] = ",".join(f"{letter}:{shift}" for letter, shift in units.items())
    return found


def has_powers(sketch: Sketch, letter: str) -> bool:
    """Whether a superscript is a power that has to do with a letter of time: \\beta^{t-i}."""
    sups = [s.value for symbol in sketch.symbols for s in symbol.sups if not s.bracket]
    return any(isinstance(s, Infix) and any(x == Sym(letter) for x in walk(s)) for s in sups)


def the_cost(sketch: Sketch) -> str | None:
    """Any cost of the outputs; of what it is differentiated by, if it stands in a definition or there is none."""
    letter = sketch.cost_letter
    tops = [d.top for d in sketch.nodes if isinstance(d, Deriv) and isinstance(d.top, Sym)]
    free = [top for top in tops if not sketch.gives(top) and top.base not in sketch.functions]
    if sketch.short and letter not in sketch.defined:
        return f"any {letter}({', '.join(loose)})" if (loose := loose_variables(sketch)) and not sketch.pairs else "any"
    parts = parts_of_cost(sketch, tops)
    if not free and not parts:
        return None
    args = [called_with(sketch, top) for top in free]
    if any(args):
        first = next(k for k, arg in enumerate(args) if arg)
        return f"any {named(free[first])}({args[first]})"
    if parts:
        below = [text_of(sketch, d) for d in sketch.mine if isinstance(d, Deriv)]
        return f"any {named(parts[0])}({', '.join(dict.fromkeys(below))})"
    return "any"


def parts_of_cost(sketch: Sketch, tops: list[Sym]) -> list[Sym]:
    """Costs that stand in a definition and have none themselves, as the C_0 of C = C_0 + …"""
    over = {id(top) for top in tops}
    bodies = [s for _, right in sketch.pairs for s in walk(right) if isinstance(s, Sym) and id(s) not in over]
    mine = [s for s in bodies if s in tops or (s.base in COSTS and s.base in sketch.tops)]
    return [s for s in mine if not sketch.gives(s) and s.base not in sketch.functions]


def called_with(sketch: Sketch, top: Sym) -> str:
    """x of L(x), if the cost is written with what it is a function of and that is a letter no definition gives."""
    for text in sketch.texts:
        found = re.search(rf"(?<![A-Za-z\\]){re.escape(top.base)}\s*\(\s*(\\?[A-Za-z]+(?:_\{{?\w+\}}?)?)\s*\)", text)
        if found and found.group(1) not in (left.strip() for left in sketch.stated):
            return found.group(1)
    return ""


def loose_variables(sketch: Sketch) -> list[str]:
    """What the formula differentiates by and no definition speaks of."""
    below = [d.below for d in sketch.mine if isinstance(d, Deriv) and isinstance(d.below, Sym)]
    return list(dict.fromkeys(named(b) for b in below if b.base not in sketch.defined | sketch.used))


def text_of(sketch: Sketch, node: Deriv) -> str:
    """The variable of a derivative as it is printed, the whole of it."""
    assert isinstance(node.below, Sym)
    return node.below.base
