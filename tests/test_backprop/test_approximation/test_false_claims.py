"""Nothing false is proved or confirmed: holes, cancelled numbers, ends of intervals, files that are no proofs."""

from __future__ import annotations

import json
import os
import random

import pytest
from false_claims import KINDS, Drawn, draw_hole, is_confirmed, is_proved, list_claims, run
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes

from backprop.approximation import approximate
from backprop.approximation.checking import check_certificate
from backprop.approximation.checking.files import LARGEST
from backprop.approximation.ground.named import read_written
from backprop.approximation.ground.wording import describe_above
from backprop.approximation.proving.prover import IntervalClaim, prove
from backprop.approximation.proving.ranges import NoValue
from backprop.approximation.proving.undecided import Undecided
from backprop.approximation.proving.values import enclose_range, enclose_values
from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.pictures import plot_approximation
from theory.functions.activation_catalogue import NAMES
from theory.functions.elementwise import transcribe

UNIT = (0.0, 1.0)
WIDE = (-1.0, 1.0)


def state(target, domain=UNIT, epsilon=0.5, activation="x", units=()):
    return Drawn(target, activation, units, 0.0, domain, epsilon, domain, False)


def save(folder, approximation):
    file = folder / "certificate.json"
    file.write_text(json.dumps(approximation.to_dict()))
    return file


CANCELLED = [
    "(1.00000000000000000001 - 1)*1e20*x",
    "1e-400*10**399*10**1*x",
    "(max(1+x*2**-60, 1+x*2**-54)-1)*2**54",
    "max(10**400*x, 10**500*x)*10**-500",
]
HOLES = [
    ("sqrt((x-0.50003)^2 - 1e-12)", UNIT),
    ("max(sqrt((x-0.50003)^2 - 1e-12), 0.2)", UNIT),
    ("sqrt(x)", WIDE),
    ("sqrt(x)**2", WIDE),
    ("exp(log(x))", WIDE),
    ("x/x", WIDE),
    ("0*log(x)", WIDE),
    ("asin(2*x)", UNIT),
    ("x**1.5", WIDE),
    ("(x > 2)*log(x)", WIDE),
    ("sigmoid(log(x))", WIDE),
]


@pytest.mark.parametrize("text", CANCELLED)
def test_a_function_that_is_x_is_not_confirmed_to_be_small(text, tmp_path):
    for claim in (state(text), state("0", activation=text, units=((1.0, 0.0, 1.0),))):
        assert not is_confirmed(claim, tmp_path)
        assert not is_proved(claim)
        assert is_confirmed(claim._replace(epsilon=1.01), tmp_path)
        assert is_proved(claim._replace(epsilon=1.01))


@pytest.mark.parametrize(("text", "domain"), HOLES)
def test_a_function_without_a_value_somewhere_is_proved_by_neither(text, domain, tmp_path):
    for claim in (state(text, domain, 10.0), state("0", domain, 10.0, text, ((1.0, 0.0, 0.5),))):
        assert not is_confirmed(claim, tmp_path)
        w, b, c = zip(*claim.units, strict=True) if claim.units else ((), (), ())
        found = prove(IntervalClaim(transcribe(claim.target), transcribe(claim.activation), w, b, c, 0.0, domain), 10.0)
        assert found.verdict == "undecided"
        assert "no value at x = " in found.reason


INSIDE = [
    ("sqrt(x)", UNIT), ("sqrt(1 - x**2)", WIDE), ("sqrt(x - x**2)", UNIT), ("sqrt(x*x)", WIDE), ("sqrt(sin(x))", UNIT),
    ("sqrt(x**2 - 2*x + 1)", (0.0, 2.0)), ("x**1.5", UNIT), ("x**(1/3)", UNIT), ("x**pi", UNIT), ("asin(x)", WIDE),
    ("sqrt(1 - cos(x))", WIDE), ("max(sqrt(x), 1/2)", UNIT), ("x**x", (0.1, 1.0)), ("2**x", WIDE), ("planck", UNIT),
]  # fmt: skip


@pytest.mark.parametrize(("text", "domain"), INSIDE)
def test_the_end_of_a_domain_is_inside_of_it(text, domain):
    claim = IntervalClaim(read_written(text), transcribe("tanh(x)"), (), (), (), 0.0, domain)
    assert prove(claim, 3.0).verdict == "proved"


@given(st.integers(0, 10**9))
@settings(max_examples=60)
def test_a_hole_is_found_wherever_it_is(seed):
    drawn = draw_hole(random.Random(seed), is_true=False)
    assert not is_proved(drawn)


@given(st.floats(-2, 2), st.floats(0, 1), st.sampled_from(["sqrt(x)", "log(x)", "x**1.5", "1/x", "asin(x)", "x**-2"]))
def test_values_are_of_every_point_of_a_box_or_there_are_none(low, length, text):
    expression, high = transcribe(text), low + length
    try:
        whole = enclose_range(expression, arb(low), arb(high))
    except Undecided:
        return
    for share in (0.0, 0.3, 1.0):
        inside = enclose_values(expression, *2 * [min(low + share * length, high)])
        assert bool(whole.low <= inside.upper())
        assert bool(inside.lower() <= whole.high)


def test_where_there_is_surely_no_value_that_is_said():
    for text in ("sqrt(x)", "log(x)", "x**0.5", "asin(x)"):
        with pytest.raises(NoValue):
            enclose_values(transcribe(text), -2.0, -1.5)


def test_machine_made_claims_are_never_falsely_proved(capsys):
    found = run(240, seed=5)
    wrong = {key: count for key, count in found.items() if key[1].startswith(("false ", "true not")) and count}
    assert {kind for kind, _ in found} == set(KINDS)
    assert {key: n for key, n in wrong.items() if not key[1].endswith("drawn")} == {}
    assert "FALSE" not in capsys.readouterr().out


def test_half_of_the_claims_are_true():
    claims = list_claims(240, seed=1)
    assert sum(drawn.is_true for _, drawn in claims) == 120


# -- what is saved is confirmed

TEXTS = st.sampled_from([
    "sin(3*x)", "|x - 1/3|", "e**x", "ln(x + 3)", "arctan(2*x)", "sigmoid(x)", "relu(x - 1/2)", "x**(1/3)", "x**1.5",
    "sqrt(x)", "x**0.5", "x**2.0", "2**x", "max(x, 1/4)", "x > 1/3", "erf(x)*x", "gelu(3*x)", "min(x, x**2)",
    "tan(x/4)",
])  # fmt: skip
ACTIVATIONS = st.sampled_from([*(name for name in NAMES if name != "softmax"), "x*tanh(x)", "max(x, x/10)", "sin(x)"])


@settings(max_examples=12)
@given(TEXTS, TEXTS, ACTIVATIONS, st.sampled_from([UNIT, (0.25, 3.0), (0.0, 1e-3)]), st.integers(1, 3))
def test_every_proof_that_is_saved_is_confirmed(tmp_path_factory, first, second, activation, domain, width):
    found = approximate(f"{first} + ({second})", width=width, activation=activation, domain=domain, certify=True)
    if found.certified:
        assert check_certificate(save(tmp_path_factory.mktemp("saved"), found)).ok


def test_the_file_states_the_expression_of_its_activation(tmp_path):
    found = approximate("x**2", width=2, activation="sigmoid", certify=True)
    data = found.to_dict()
    assert data["activation_expression"] == "1/(1 + exp(-x))"
    file = tmp_path / "c.json"
    file.write_text(json.dumps(data | {"activation_expression": "tanh(x)"}))
    assert not check_certificate(file).ok


# -- files

HIDDEN = {"w": [], "b": [], "c": []}
PROOF = {"verdict": "proved", "epsilon": 2.0, "bound": 1.0, "edges": [0.0, 1.0]}
CLAIM = {"target": "x", "activation": "tanh", "domain": [0.0, 1.0], "constant": 0.0, "hidden": HIDDEN}
WHOLE = json.dumps(CLAIM | {"certificate": PROOF})
FILES = {
    "a key twice": WHOLE.replace('"target"', '"target": "0", "target"'),
    "NaN": WHOLE.replace('"constant": 0.0', '"constant": NaN'),
    "infinity": WHOLE.replace('"epsilon": 2.0', '"epsilon": Infinity'),
    "minus infinity": WHOLE.replace('"constant": 0.0', '"constant": -Infinity'),
    "beyond floats": WHOLE.replace('"constant": 0.0', '"constant": 1e999'),
    "no double": WHOLE.replace('"constant": 0.0', '"constant": 9007199254740993'),
    "a control character": WHOLE.replace('"x"', '"x\\u001b[2K\\u000dCONFIRMED"'),
    "deep": "[" * 100_000,
    "much": WHOLE + " " * LARGEST,
    "nothing": "",
    "no object": "[]",
    "no text": None,
    "a double exponential": WHOLE.replace('"x"', '"exp(exp(9999*x)) - exp(exp(9999*x))"'),
    "nested powers": WHOLE.replace('"x"', json.dumps("**".join("x" * 60))),
    "signs": WHOLE.replace('"x"', json.dumps("-" * 480 + "x")),
}

LIMITED = {"a double exponential": ("--timeout", "2")}
"""What is well formed and never ends: a check takes all the time that it is given."""


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_certificate_is_one_line(name, tmp_path, capsys):
    file, text = tmp_path / "c.json", FILES[name]
    file.write_bytes(b"\xff\xfe" if text is None else text.encode())
    assert main(["check-certificate", str(file), *LIMITED.get(name, ())]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()


def test_what_is_no_regular_file_is_refused_at_once(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", "/dev/null", str(tmp_path / "pipe"), str(tmp_path)):
        assert main(["check-certificate", path]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_time_of_a_check_is_bounded(tmp_path, capsys):
    file = save(tmp_path, approximate("sine", width=3, certify=True))
    assert main(["check-certificate", str(file), "--timeout", "1e-6"]) == 2
    assert "was not checked to the end" in capsys.readouterr().err
    assert main(["check-certificate", str(file), "--timeout", "0"]) == 2
    assert main(["check-certificate", str(file), "--timeout", "300"]) == 0


def test_what_is_too_large_to_be_worked_out_is_undecided(tmp_path, capsys):
    file = tmp_path / "c.json"
    file.write_text(WHOLE.replace('"x"', '"exp(exp(exp(99*x)))"'))
    assert main(["check-certificate", str(file), "--json"]) in (1, 2)
    assert "smaller layers" not in capsys.readouterr().err
    tower = IntervalClaim(transcribe("1/exp(exp(exp(exp(99*x))))"), transcribe("tanh(x)"), (), (), (), 0.0, UNIT)
    assert prove(tower, 1e-9, most_boxes=200).verdict in ("undecided", "refuted")


# -- tightness, and the picture

CLOSE = 1.2
"""A proved bound over the error on the grid."""


@pytest.mark.parametrize(("target", "activation"), [("x**2", "tanh"), ("kink", "relu"), ("sin(x)", "sigmoid")])
def test_the_bound_that_is_proved_is_near_the_error_not_near_what_was_asked(target, activation):
    found = approximate(target, epsilon=1e-3, activation=activation, certify=True)
    assert found.certificate.epsilon == 1e-3
    assert found.certificate.bound <= CLOSE * found.sup_error + 1e-14 * max(1, found.sum_abs_c)


def test_the_picture_says_what_the_command_says(tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(Axes, "set_title", lambda axes, text, *args, **options: titles.append(text))
    found = approximate("sine", epsilon=1e-2, certify=True)
    plot_approximation(found, tmp_path / "p.png")
    bound = describe_above(found.certificate.bound)
    assert f"PROVED: at most {bound} " in str(found)
    assert f"Error: at most {bound} at every point (proved)" in titles


def test_what_sympy_simplifies_is_refused_with_the_place():
    for text in ("sqrt(x)**2", "exp(log(x))", "0*log(x)"):
        with pytest.raises(UsageError, match="no value at x = -1"):
            approximate(text, width=1, domain=WIDE)
    with pytest.raises(UsageError, match="no finite real value at x = -10"):
        approximate("x", width=1, activation="exp(log(x))")
    with pytest.raises(UsageError, match="no value at x = 0"):
        approximate("x/x", epsilon=0.1, domain=WIDE, certify=True)
    found = approximate("(3*x - 1)/(3*x - 1)", epsilon=0.1, width=1, domain=WIDE, certify=True)
    assert found.undecided
    assert "0.333333" in str(found)
