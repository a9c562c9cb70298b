"""The four equations as each notation prints them, asked of the formula checker under that notation's conventions.

The checker reads the printed text and knows nothing of how it came about; a transpose on the other side is refuted.
"""

from __future__ import annotations

import pytest

from backprop.formulas.check import check_formula
from theory.chapters.notations import sides
from theory.language.printing import show
from theory.notations.choices import NOTATIONS
from theory.notations.rewriting import printed_in

LABELS = ("BP1", "BP2", "BP4")


def printed(label: str, batch: bool, name: str) -> str:
    """The equation as the notation prints it, in LaTeX."""
    with printed_in(NOTATIONS[name]):
        text = " = ".join(show(side, "latex") for side in sides(label, batch))
    text = text.replace(r"\!\top", r"\top")
    return text.replace(r"\nabla_{a}", r"\nabla_{A}") if batch else text


def conventions(batch: bool, name: str) -> dict[str, object]:
    """What the notation's choices are in the keys of the checker."""
    choice = NOTATIONS[name]
    columns = choice.sample_columns if batch else not choice.row_vectors
    z, a, delta, f = ("Z", "A", r"\Delta", "f") if batch else ("z", "a", r"\delta", "f")
    f = dict(choice.signs).get("f", f).replace("σ", r"\sigma")
    product = {(True, True): f"W^l {a}^{{l-1}}", (True, False): f"(W^l)^T {a}^{{l-1}}"}.get(
        (columns, choice.own_first), f"{a}^{{l-1}} W^l"
    )
    return {
        "layers": {"W": "out,in" if choice.own_first else "in,out", "superscript": "layer"},
        "samples": ("columns" if columns else "rows") if batch else "one",
        "vectors": "columns" if columns else "rows",
        "layout": "gradient has the shape of its variable",
        "products": {"juxtaposition": "matrix"},
        "cost": "any", "activation": {f: "any"},
        "definitions": {f"{z}^l": f"{product} + b^l", f"{a}^l": f"{f}_l({z}^l)"},
        "letters": {"C": "cost", "W": "weight", "b": "bias", "T": "transpose", "l": "layer", "L": "last layer",
                    f"{delta}^l": f"dC/d{z}^l"},
    }  # fmt: skip


@pytest.mark.parametrize("name", NOTATIONS)
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("label", LABELS)
def test_the_checker_finds_each_notation_s_equations_right(name, batch, label):
    answer = check_formula(printed(label, batch, name), conventions(batch, name))
    assert answer.understood, answer.reason
    assert answer.holds, answer.differs


@pytest.mark.parametrize(("right", "wrong"), [("nielsen", "rows"), ("rows", "nielsen"), ("lecture", "nielsen")])
@pytest.mark.parametrize("label", ["BP2", "BP4"])
def test_the_equation_of_another_notation_is_refuted(right, wrong, label):
    formula = printed(label, False, wrong)
    signs = [dict(NOTATIONS[name].signs).get("f", "f") for name in (wrong, right)]
    old, new = (sign.replace("σ", r"\sigma") + "'" for sign in signs)
    assert check_formula(formula.replace(old, new), conventions(False, right)).holds is False
