"""Readings of a formula by its own definitions: what each letter is, where the definitions leave it open.

A formula that comes with definitions is judged by them alone.  What they do not say (is x a vector?  which letter is
the cost?) follows from how the letters are used; where usage differs, each way is a reading of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backprop.formulas.conventions.declared import COSTS
from backprop.formulas.conventions.marks import shifted
from backprop.formulas.conventions.naming import ONE, key_of
from backprop.formulas.conventions.sketch import LAYERS, Sketch
from backprop.formulas.text.tree import Apply, Deriv, Infix, Sym, walk

__all__ = ["explains", "scenes"]

SHAPED = "gradient has the shape of its variable"
NUMBERS = {
    "\\epsilon": "small constant", "eps": "small constant", "epsilon": "small constant",
    "\\eta": "parameter", "lr": "learning rate", "\\lambda": "penalty", "lam": "penalty", "reg": "penalty",
    "\\alpha": "parameter", "alpha": "parameter", "\\tau": "parameter", "\\rho": "decay rate", "rho": "decay rate",
    "\\beta": "parameter", "\\gamma": "parameter", "\\mu": "parameter", "scale": "parameter", "keep": "parameter",
    "keep_prob": "parameter", "temperature": "parameter", "momentum": "decay rate", "beta1": "decay rate",
    "beta2": "decay rate", "\\kappa": "parameter", "\\nu": "parameter", "\\omega": "parameter", "\\zeta": "parameter",
    "\\delta": "parameter", "\\sigma": "standard deviation", "\\pi": "constant",
}  # fmt: skip
"""Letters that are one number each, as often as not."""
SIZES = {"n", "m", "N", "M", "H", "K", "D", "d", "B", "T", "p"}
ROWS = {"gamma": "scale", "beta": "shift", "b": "bias", "bias": "bias", "g": "scale"}
WEIGHTS = ("W", "U", "V", "\\Theta", "\\Omega", "R", "K", "Q", "w", "theta")
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
        known |= set(sketch.leaves)
    known |= {s.base for s in sketch.assumed if isinstance(s, Sym)} | set(sketch.given.get("letters", {}))
    mine = {node.base for node in sketch.mine if isinstance(node, Sym)} & sketch.bases
    loose = mine - known - set(NUMBERS) - SIZES - {sketch.cost_letter, "T", "\\top", "e", "..."}
    loose -= {name for name in mine if sketch.is_name(name)}
    deltas = [s for s in sketch.mine if isinstance(s, Sym) and s.base in ("\\delta", "\\Delta", "delta")]
    unknown = [s for s in deltas if s.base not in known and len(s.subs) != 2]
    return not loose and not unknown and not breaks_off(sketch)


def breaks_off(sketch: Sketch) -> bool:
    """Whether a layer is defined by something of the layer before that nothing defines: a^{l-1} without a^l."""
    bodies = [s for _, right in sketch.pairs for s in walk(right) if isinstance(s, Sym)]
    open_ones = [s for s in bodies if s.base not in sketch.defined]
    return any(shifted(s, x, p) for s in open_ones for p in ("subscript", "superscript") for x in LAYERS)


def scenes(sketch: Sketch) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Conventions and the words for them, the most usual first."""
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


def is_matrix(base: str) -> bool:
    """Whether a letter is a capital, or a word that begins with one."""
    name = base.lstrip("\\").removeprefix("mathcal{")
    return name[:1].isupper()


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
    return found


def has_powers(sketch: Sketch, letter: str) -> bool:
    """Whether a superscript is a power that has to do with a letter of time: \\beta^{t-i}."""
    sups = [s.value for symbol in sketch.symbols for s in symbol.sups if not s.bracket]
    return any(isinstance(s, Infix) and any(x == Sym(letter) for x in walk(s)) for s in sups)


def the_cost(sketch: Sketch) -> str | None:
    """Any cost of the outputs; of what it is differentiated by, if it stands in a definition or there is none."""
    letter = sketch.cost_letter
    tops = [d.top for d in sketch.nodes if isinstance(d, Deriv) and isinstance(d.top, Sym)]
    free = [top for top in tops if top.base not in sketch.defined and top.base not in sketch.functions]
    if sketch.short and letter not in sketch.defined:
        return f"any {letter}({', '.join(loose)})" if (loose := loose_variables(sketch)) and not sketch.pairs else "any"
    if not free:
        return None
    over = {id(top) for top in tops}
    inside = [
        top for top in free if any(s == top and id(s) not in over for _, right in sketch.pairs for s in walk(right))
    ]
    if inside:
        below = [text_of(sketch, d) for d in sketch.mine if isinstance(d, Deriv)]
        return f"any {named(inside[0])}({', '.join(dict.fromkeys(below))})"
    return "any"


def loose_variables(sketch: Sketch) -> list[str]:
    """What the formula differentiates by and no definition speaks of."""
    below = [d.below for d in sketch.mine if isinstance(d, Deriv) and isinstance(d.below, Sym)]
    return list(dict.fromkeys(named(b) for b in below if b.base not in sketch.defined | sketch.used))


def text_of(sketch: Sketch, node: Deriv) -> str:
    """The variable of a derivative as it is printed, the whole of it."""
    assert isinstance(node.below, Sym)
    return node.below.base


def named(symbol: Sym) -> str:
    """A letter with its named subscripts, in a form that is read back."""
    subs = [key_of(s) if isinstance(s, Sym) else getattr(s, "text", "") for s in symbol.subs]
    return symbol.base + (f"_{{{','.join(subs)}}}" if subs else "")


def roles(sketch: Sketch, form: str, weights: str) -> dict[str, str]:
    """What every letter is called that no definition gives."""
    found: dict[str, str] = {"T": "transpose"} if sketch.turns else {}
    sums = {key_of(limit) for limit in sketch.limits}
    for symbol in sketch.symbols:
        if is_count(sketch, symbol, sums):
            found[named(symbol)] = "number of features"
    known = sketch.used | sketch.parameters
    for base in sketch.leaves:
        if base in sketch.sizes:
            continue
        if base == "\\delta" and not any(s.base == base and len(s.subs) != 2 for s in sketch.symbols):
            continue
        if not sketch.pairs or base in known or base in NUMBERS:
            found.setdefault(base, role_of(sketch, base, form, weights))
    costs = [d.top for d in sketch.nodes if isinstance(d, Deriv) and isinstance(d.top, Sym)]
    for top in costs:
        if top.base in COSTS and top.base not in sketch.functions:
            found[named(top)] = "cost"
    if sketch.short and sketch.cost_letter not in sketch.functions:
        found[sketch.cost_letter] = "cost"
    found |= variances(sketch) | numbered(sketch)
    found |= {base: "gate" for base in sketch.carriers & sketch.defined if len(base) == 1 and sketch.times}
    if form.startswith("batch"):
        found |= {s: "number of samples" for s in ("N", "m", "batch_size", "B") if s in sketch.leaves and s not in sums}
    return {key: role for key, role in found.items() if key not in sketch.given.get("letters", {})}


def variances(sketch: Sketch) -> dict[str, str]:
    """\\sigma^2 is the name of one quantity where \\sigma never stands alone."""
    squared = [s for s in sketch.symbols if s.base in ("\\sigma", "s") and len(s.sups) == 1 and not s.sups[0].bracket]
    squared = [s for s in squared if getattr(s.sups[0].value, "text", "") == "2" and s.base not in sketch.functions]
    alone = {s.base for s in sketch.symbols if s.base in ("\\sigma", "s") and not s.sups and s.base in sketch.bases}
    return {f"{named(s)}^2": "variance" for s in squared if s.base not in alone | sketch.defined}


def numbered(sketch: Sketch) -> dict[str, str]:
    """\\eta_0 and \\eta_m where \\eta is a function: scripts that are a part of the name."""
    functions = {key for key in sketch.stated if "(" in key}
    heads = {symbol.base for symbol in sketch.symbols if any(key.startswith(symbol.base) for key in functions)}
    mine = [s for s in sketch.symbols if s.base in heads and s.subs and not s.sups and s.base not in sketch.functions]
    called = {id(node.function) for node in sketch.nodes if isinstance(node, Apply)}
    return {named(s): ONE for s in mine if id(s) not in called}


def is_count(sketch: Sketch, symbol: Sym, sums: set[str]) -> bool:
    """Whether a letter counts something: it is the limit of a sum, or a d with an index that is used nowhere else."""
    if key_of(symbol) in sums:
        return symbol.base not in sketch.times and not symbol.sups
    if symbol.base not in ("d", "n", "D", "N") or len(symbol.subs) != 1 or not isinstance(symbol.subs[0], Sym):
        return False
    letter = symbol.subs[0]
    return letter.base not in sketch.bound and all(
        letter not in other.subs for other in sketch.symbols if other.base not in ("d", "n", "D", "N")
    )


def role_of(sketch: Sketch, base: str, form: str, weights: str) -> str:
    """One letter's role in a form."""
    plain = base.rstrip("0123456789")
    if plain in ROWS and form.startswith("batch"):
        return ROWS[plain]
    if base in NUMBERS and not (base in ("\\mu", "\\beta") and form.startswith("batch")):
        return "decay rate" if base in ("\\beta", "\\mu") and sketch.times else NUMBERS[base]
    if form == "numbers":
        return "constant"
    if len(base) == 1 and base in SIZES and only_divides(sketch, base):
        return "parameter"
    if form.startswith("batch"):
        heavy = base.lstrip("\\").startswith(("W", "U", "V", "K", "Q", "R", "Theta", "M")) or base == "w"
        return "matrix" if heavy else "input"
    if base == "w" and weights == "matrix":
        return "matrix"
    return "matrix" if is_matrix(base) else "vector"


def only_divides(sketch: Sketch, base: str) -> bool:
    """Whether a letter only stands below a line."""
    below = [n.right for n in sketch.nodes if isinstance(n, Infix) and n.sign == "/"]
    inside = sum(1 for node in below for s in walk(node) if s == Sym(base))
    return inside > 0 and inside == sum(1 for s in sketch.symbols if s == Sym(base))
