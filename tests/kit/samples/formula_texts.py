"""Formulas to draw: the four equations in any usual notation with their conventions, and the mistakes people print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

__all__ = ["Notation", "equations", "formulas", "mistakes", "notations"]

SHAPED = "gradient has the shape of its variable"


@dataclass(frozen=True)
class Notation:
    """How one author writes a network."""

    cost: str
    weight: str
    activation: str
    form: str
    order: str
    named: str
    opening: str
    hadamard: str

    def at(self, shift: str = "") -> str:
        """The script of layer l + shift."""
        closing = {"": "", "(": ")", "[": "]"}[self.opening]
        return f"^{{{self.opening}l{shift}{closing}}}"

    def leaving(self, shift: int) -> str:
        """The weight that leads into layer l + shift."""
        shift -= self.named == "source_layer"
        return self.weight + self.at({0: "", 1: "+1", -1: "-1"}[shift])

    def conventions(self) -> dict[str, Any]:
        """The same as keys."""
        w, f = self.leaving(0), self.activation
        turned = f"({w})^T"
        columns = f"{w if self.order == 'out,in' else turned} a{self.at('-1')}"
        rows = f"a{self.at('-1')} {w if self.order == 'in,out' else turned}"
        return {
            "layers": {self.weight: self.order, "superscript": "layer", "W_named_by": self.named},
            "samples": "one",
            "vectors": self.form,
            "layout": SHAPED,
            "products": {self.hadamard: "elementwise", "juxtaposition": "matrix"},
            "cost": "any",
            "activation": {f: "any"},
            "definitions": {
                f"z{self.at()}": f"{columns if self.form == 'columns' else rows} + b{self.at()}",
                f"a{self.at()}": f"{f}(z{self.at()})",
            },
            "letters": {
                self.cost: "cost", self.weight: "weight", "b": "bias", "T": "transpose", "L": "last layer",
                f"\\delta{self.at()}": f"d{self.cost}/dz{self.at()}",
            },
        }  # fmt: skip


def equations(notation: Notation) -> dict[str, tuple[str, list[str]]]:
    """The four equations in this notation, right, as factors that a product joins."""
    n, f = notation, notation.activation
    into, onto = n.leaving(0), n.leaving(1)
    columns = n.form == "columns"
    plain = (n.order == "in,out") == columns
    back = onto if plain else f"({onto})^T"
    error = f"{back} \\delta{n.at('+1')}" if columns else f"\\delta{n.at('+1')} {back}"
    outer = ["\\delta" + n.at(), f"(a{n.at('-1')})^T"]
    if (n.order == "in,out") == columns:
        outer = [f"a{n.at('-1')}", f"(\\delta{n.at()})^T"]
    if not columns:
        outer = (
            [f"(a{n.at('-1')})^T", "\\delta" + n.at()]
            if n.order == "in,out"
            else [f"(\\delta{n.at()})^T", f"a{n.at('-1')}"]
        )
    slope = f"{f}'(z{n.at()})"
    last = n.at().replace("l", "L")
    return {
        "BP1": (
            f"\\delta{last}",
            [f"\\frac{{\\partial {n.cost}}}{{\\partial a{last}}}", n.hadamard, slope.replace("l", "L")],
        ),
        "BP2": (f"\\delta{n.at()}", [f"({error})", n.hadamard, slope]),
        "BP3": (f"\\frac{{\\partial {n.cost}}}{{\\partial b{n.at()}}}", [f"\\delta{n.at()}"]),
        "BP4": (f"\\frac{{\\partial {n.cost}}}{{\\partial {into}}}", outer),
    }


def mistakes(notation: Notation, name: str, factors: list[str]) -> dict[str, list[str]]:
    """The same factors with one mistake: name of the mistake -> factors."""
    f, h = notation.activation, notation.hadamard
    right = " ".join(factors)
    found = {"sign": ["-", *factors]}
    if name in ("BP1", "BP2"):
        found["value for derivative"] = right.replace(f"{f}'(", f"{f}(").split(" ")
        found["slope left out"] = factors[:1]
        found["sum for product"] = [factors[0], "+", factors[2]]
        found["slope squared"] = [*factors, h, factors[2]]
    if name == "BP2":
        turned = factors[0].replace(")^T", ")") if "^T" in factors[0] else None
        if turned is not None:
            found["transpose left out"] = [turned, *factors[1:]]
        here, next_one = notation.at(), notation.at("+1")
        found["wrong layer"] = [*factors[:2], factors[2].replace(here, next_one)]
        found["error of this layer"] = [factors[0].replace(f"\\delta{next_one}", f"\\delta{here}"), *factors[1:]]
    if name == "BP4":
        found["factor left out"] = factors[:1]
        found["activation of this layer"] = [
            x.replace("-1", "") if x.lstrip("(").startswith("a") else x for x in factors
        ]
    return {key: value for key, value in found.items() if value != factors}


notations = st.builds(
    Notation,
    cost=st.sampled_from(["C", "J", "E"]),
    weight=st.sampled_from(["W", "w", "\\Theta"]),
    activation=st.sampled_from(["f", "g", "\\sigma", "\\phi"]),
    form=st.sampled_from(["columns", "rows"]),
    order=st.sampled_from(["in,out", "out,in"]),
    named=st.sampled_from(["target_layer", "source_layer"]),
    opening=st.sampled_from(["", "(", "["]),
    hadamard=st.sampled_from(["\\odot", "\\circ", ".*"]),
)
formulas = st.tuples(notations, st.sampled_from(["BP1", "BP2", "BP3", "BP4"]))
