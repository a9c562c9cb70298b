"""One language of targets and activations, two readers: what they accept is the same, and what it means."""

from __future__ import annotations

import json
import random

import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.samples.expression_texts import draw_text, spoil

from backprop.approximation.checking import check_certificate
from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.definitions import ACTIVATIONS
from backprop.approximation.checking.evaluate import Place, value
from backprop.approximation.checking.intervals import Unclear
from backprop.approximation.checking.reader import read
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.ranges import NoValue
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_range
from backprop.errors import UsageError
from theory.functions.activation_catalogue import ALIASES, NAMES
from theory.functions.elementwise import find, parse, transcribe
from theory.functions.expressions import MAX_DEPTH, MAX_NODES, MAX_TEXT

DRAWN = 1500
BITS = 200
POINTS = (-1.0, 0.0, 0.5, 1.0)


def is_read_by_both(text):
    """Whether both readers accept a text; they must agree."""
    try:
        transcribe(text)
    except ValueError:
        with pytest.raises(UsageError):
            read(text, {})
        return False
    read(text, {})
    return True


@pytest.mark.parametrize("seed", range(2))
def test_thousands_of_texts_are_accepted_by_both_or_refused_by_both(seed):
    rng = random.Random(seed)
    right = [draw_text(rng, rng.randint(1, 5)) for _ in range(DRAWN)]
    accepted = [text for text in right if is_read_by_both(text)]
    assert len(accepted) > 0.95 * DRAWN
    assert 0 < sum(is_read_by_both(spoil(rng, text)) for text in right) < DRAWN
    assert all(is_read_by_both(text) for text in accepted)


EDGES = [
    ("(" * MAX_DEPTH + "x" + ")" * MAX_DEPTH, True),
    ("(" * (MAX_DEPTH + 1) + "x" + ")" * (MAX_DEPTH + 1), False),
    ("-" * MAX_DEPTH + "x", True),
    ("-" * 480 + "x", False),
    ("**".join("x" * (MAX_DEPTH + 1)), True),
    ("**".join("x" * 60), False),
    ("+".join("x" * (MAX_NODES // 2)), True),
    ("+".join("x" * (MAX_NODES // 2 + 1)), False),
    ("x" + " " * (MAX_TEXT - 1), True),
    ("x" + " " * MAX_TEXT, False),
    ("1" * 40 + "*x", True),
    ("1" * 41 + "*x", False),
    ("1e1000*x", True),
    ("1e1001*x", False),
]


@pytest.mark.parametrize(("text", "is_right"), EDGES)
def test_both_have_the_same_bounds(text, is_right):
    assert is_read_by_both(text) == is_right


SHARED = [
    "|x-1/2|", "e**x", "ln(x+1)", "arctan(x)", "sigmoid(x)", "relu(x-1/2)", "||x| - 1|", "x**2.0", "-x^2", "2**3**x",
    "0 < x < 1", "where(0 <= x < 1, x, -x)", "atan2(x, -1)", "hypot(x, 1)", "mod(x, 2)", "clip(x, 0, 1)",
    "heaviside(x, 1/2)", "Heaviside(x)",
]  # fmt: skip
FOREIGN = [
    "x # y", "1_0*x", "0x10*x", "x\n+ 1", "sin(0, x)", "E*x", "sin()", "max()", "max(x)", "erfi(x)", "planck(x)", "",
    "x if x else 1", "where(x, 1, 2)", "where((x < 1), 1, 2)", "where(x < 1, 2)", "atan2(x)", "clip(x, 1)", "u",
    "2x", "x\x1b[2J", "sin x", "pi(x)", "x,1", "|x", "\u0663*x",
]  # fmt: skip


@pytest.mark.parametrize("text", SHARED + [f"{name}(x)" for name in (*NAMES, *ALIASES) if name != "softmax"])
def test_what_the_product_offers_the_checker_reads(text):
    assert is_read_by_both(text)
    parse(text)


@pytest.mark.parametrize("text", FOREIGN)
def test_what_is_not_in_the_grammar_neither_reads(text):
    assert not is_read_by_both(text)


def find_values(text, point):
    """The value at a point as both rooms see it: an interval, "none" where there is none, None where that is open."""
    found = []
    with computing(bits=BITS):
        try:
            found.append(enclose_range(transcribe(text), arb(point), arb(point)))
        except Undecided as error:
            found.append("none" if isinstance(error, NoValue) else None)
        try:
            found.append(tuple(map(to_arb, value(read(text, {}), Place({"x": iv.number(point)})))))
        except Unclear as error:
            found.append("none" if isinstance(error, iv.NoValue) else None)
    return found


def to_arb(end):
    sign, mantissa, exponent, _ = end
    return arb(-int(mantissa) if sign else int(mantissa)) * arb(2) ** int(exponent)


@settings(max_examples=400)
@given(st.integers(0, 10**9), st.sampled_from(POINTS) | st.floats(-2, 2))
def test_both_give_a_text_the_same_meaning(seed, point):
    rng = random.Random(seed)
    text = draw_text(rng, rng.randint(1, 5))
    if not is_read_by_both(text):
        return
    ours, theirs = find_values(text, point)
    if ours is None or theirs is None:
        return
    assert (ours == "none") == (theirs == "none"), text
    if ours != "none":
        assert bool(ours[0] <= theirs[1]), text
        assert bool(theirs[0] <= ours[1]), text


@pytest.mark.parametrize("name", [name for name in NAMES if name != "softmax"])
def test_the_text_of_an_activation_is_what_the_checker_knows_by_its_name(name):
    text = find(name).text
    stated, known = read(text, {}), read(name, ACTIVATIONS)
    for k in range(-40, 41):
        gap = iv.subtract(*([value(tree, Place({"x": iv.number(k / 8)}))] for tree in (stated, known)))[0]
        assert not iv.is_positive(gap), (name, k)
        assert not iv.is_negative(gap), (name, k)


SIDE_CONDITIONS = ["sqrt(x)**2", "exp(log(x))", "x/x", "0*log(x)", "sqrt(x)*sqrt(x)", "x**-1*x", "sigmoid(log(x))"]


@pytest.mark.parametrize("text", SIDE_CONDITIONS)
def test_what_is_read_as_written_keeps_its_side_conditions(text):
    ours, theirs = find_values(text, 0.0 if "/x" in text or "-1" in text else -1.0)
    assert ours == theirs == "none"


def test_a_text_outside_the_grammar_in_a_file_is_one_line(tmp_path):
    file = tmp_path / "c.json"
    hidden = {name: [] for name in "wbc"}
    proof = {"verdict": "proved", "epsilon": 1.0, "edges": [0.0, 1.0]}
    for text in FOREIGN:
        data = {"target": text, "activation": "tanh", "domain": [0, 1], "constant": 0, "hidden": hidden}
        file.write_text(json.dumps(data | {"certificate": proof}))
        with pytest.raises(UsageError) as error:
            check_certificate(file)
        assert str(error.value).isprintable()
