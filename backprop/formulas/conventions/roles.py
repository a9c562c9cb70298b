"""What every letter is called that no definition gives, in one way of reading a formula by its own definitions."""

from __future__ import annotations

from backprop.formulas.conventions.declared import COSTS
from backprop.formulas.conventions.letters import key_of
from backprop.formulas.conventions.naming import ONE
from backprop.formulas.conventions.sketch import Sketch
from backprop.formulas.text.tree import Apply, Deriv, Infix, Sym, walk

__all__ = ["NUMBERS", "SIZES", "is_matrix", "named", "roles"]

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


def is_matrix(base: str) -> bool:
    """Whether a letter is a capital, or a word that begins with one."""
    name = base.lstrip("\\").removeprefix("mathcal{")
    return name[:1].isupper()


def named(symbol: Sym) -> str:
    """A letter with its named subscripts, in a form that is read back."""
    subs = [key_of(s) if isinstance(s, Sym) else getattr(s, "text", "") for s in symbol.subs]
    return symbol.base + (f"_{{{','.join(subs)}}}" if subs else "")


def roles(sketch: Sketch, form: str, weights: str) -> dict[str, str]:
    """What every letter is called that no definition gives; what is declared is left out."""
    found: dict[str, str] = {"T": "transpose"} if sketch.turns else {}
    sums = {key_of(limit) for limit in sketch.limits}
    found |= {named(symbol): "number of features" for symbol in sketch.symbols if is_count(sketch, symbol, sums)}
    for base in sketch.leaves:
        if is_open(sketch, base):
            found.setdefault(base, role_of(sketch, base, form, weights))
    found |= costs(sketch) | variances(sketch) | numbered(sketch)
    found |= {base: "gate" for base in sketch.carriers & sketch.defined if len(base) == 1 and sketch.times}
    if form.startswith("batch"):
        found |= {s: "number of samples" for s in ("N", "m", "batch_size", "B") if s in sketch.leaves and s not in sums}
    return {key: role for key, role in found.items() if key not in sketch.given.get("letters", {})}


def is_open(sketch: Sketch, base: str) -> bool:
    """Whether a letter needs a role: one of the definitions, or any if there are none; not the Kronecker delta."""
    sign = base == "\\delta" and not any(s.base == base and len(s.subs) != 2 for s in sketch.symbols)
    known = not sketch.pairs or base in sketch.used | sketch.parameters or base in NUMBERS
    return known and not sign and base not in sketch.sizes


def costs(sketch: Sketch) -> dict[str, str]:
    """The letters that are differentiated and called as costs are."""
    tops = [d.top for d in sketch.nodes if isinstance(d, Deriv) and isinstance(d.top, Sym)]
    tops += [s for _, right in sketch.pairs for s in walk(right) if isinstance(s, Sym) and s.base in sketch.tops]
    found = {named(top): "cost" for top in tops if top.base in COSTS and top.base not in sketch.functions}
    short = sketch.short and sketch.cost_letter not in sketch.functions
    return found | ({sketch.cost_letter: "cost"} if short else {})


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
