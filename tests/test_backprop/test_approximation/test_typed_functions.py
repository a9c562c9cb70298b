"""Functions that people type: each is understood by both readers, right in floats, proved, and confirmed apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
from flint import arb, arb_series
from scipy import special

from backprop.approximation import approximate
from backprop.approximation.checking import check_certificate
from backprop.approximation.checking import intervals as iv
from backprop.approximation.checking.evaluate import Place
from backprop.approximation.checking.evaluate import expand as expand_again
from backprop.approximation.checking.reader import read
from backprop.approximation.ground.target import read_target
from backprop.approximation.proving.enclosures import expand
from backprop.approximation.proving.precision import computing
from backprop.approximation.proving.prover import IntervalClaim, prove
from backprop.codegen.functions.elementwise import evaluate
from backprop.door.cli import main
from backprop.errors import UsageError
from theory.functions.elementwise import parse, transcribe

UNIT = (0.0, 1.0)
RIGHT = 3e-14
"""Of the largest value: how near floats come to SciPy's."""
FUNCTIONS = {
    "asinh(3*x)": lambda x: np.arcsinh(3 * x),
    "acosh(1 + x)": lambda x: np.arccosh(1 + x),
    "atanh(x/2)": lambda x: np.arctanh(x / 2),
    "erfc(3*x - 1)": lambda x: special.erfc(3 * x - 1),
    "expit(4*x)": lambda x: special.expit(4 * x),
    "logit((x + 1)/3)": lambda x: special.logit((x + 1) / 3),
    "log10(x + 1/2)": lambda x: np.log10(x + 0.5),
    "log2(x + 1/2)": lambda x: np.log2(x + 0.5),
    "log1p(x)": np.log1p,
    "expm1(x)": np.expm1,
    "cbrt(x - 1/3)": lambda x: np.cbrt(x - 1 / 3),
    "sec(x)": lambda x: 1 / np.cos(x),
    "csc(x + 1)": lambda x: 1 / np.sin(x + 1),
    "cot(x + 1)": lambda x: 1 / np.tan(x + 1),
    "sech(x)": lambda x: 1 / np.cosh(x),
    "coth(x + 1)": lambda x: 1 / np.tanh(x + 1),
    "sinc(3*x - 1)": lambda x: np.sinc(3 * x - 1),
    "floor(3*x)": lambda x: np.floor(3 * x),
    "ceil(5*x)": lambda x: np.ceil(5 * x),
    "mod(5*x - 2, 3/2)": lambda x: np.mod(5 * x - 2, 1.5),
    "clip(x, 0.2, 0.7)": lambda x: np.clip(x, 0.2, 0.7),
    "hypot(x, 1/2)": lambda x: np.hypot(x, 0.5),
    "atan2(x, x - 0.3)": lambda x: np.arctan2(x, x - 0.3),
    "Heaviside(x - 1/2)": lambda x: np.heaviside(x - 0.5, 0.5),
    "heaviside(x - 1/2)": lambda x: np.heaviside(x - 0.5, 0.0),
    "gamma(2*x + 1/2)": lambda x: special.gamma(2 * x + 0.5),
    "gamma(x/2 - 0.8)": lambda x: special.gamma(x / 2 - 0.8),
    "lgamma(3*x + 1/4)": lambda x: special.gammaln(3 * x + 0.25),
    "where(x < 0.4, x**2, 0.8 - x)": lambda x: np.where(x < 0.4, x**2, 0.8 - x),
    "where(0.2 < x <= 0.5, x, sqrt(x))": lambda x: np.where((x > 0.2) & (x <= 0.5), x, np.sqrt(x)),
    "0.2 <= x < 0.5": lambda x: ((x >= 0.2) & (x < 0.5)) * 1.0,
}


def save(folder, approximation):
    file = folder / "c.json"
    file.write_text(json.dumps(approximation.to_dict()))
    return file


@pytest.mark.parametrize("text", FUNCTIONS)
def test_floats_are_those_of_numpy_and_scipy(text):
    x = np.linspace(0.003, 0.997, 211)
    ours, theirs = evaluate(parse(text))(x), FUNCTIONS[text](x)
    assert np.max(np.abs(ours - theirs)) <= RIGHT * max(1, np.max(np.abs(theirs)))


@pytest.mark.parametrize("text", FUNCTIONS)
def test_each_is_proved_and_confirmed_by_the_other_arithmetic(text, tmp_path):
    claim = IntervalClaim(transcribe(text), transcribe("tanh(x)"), (1.0,), (0.5,), (0.25,), 0.125, UNIT)
    values = FUNCTIONS[text](np.linspace(0, 1, 1001))
    found = prove(claim, 2 * float(np.max(np.abs(values))) + 1)
    assert found.verdict == "proved"
    hidden = {"w": [1.0], "b": [0.5], "c": [0.25]}
    data = {"target": text, "activation": "tanh", "domain": list(UNIT), "hidden": hidden, "constant": 0.125}
    file = tmp_path / "c.json"
    file.write_text(json.dumps(data | {"certificate": found.to_dict()}))
    assert check_certificate(file).ok


@pytest.mark.parametrize("text", [text for text in FUNCTIONS if "where" not in text and "<" not in text])
def test_both_arithmetics_have_the_same_taylor_coefficients(text):
    place, terms = 0.3721, 7
    with computing(terms=terms):
        ours = expand(transcribe(text), arb_series([arb(place), 1]))
        theirs = expand_again(read(text, {}), Place({"x": [iv.number(place), iv.ONE]}), terms)
        for k, (low, high) in enumerate(iv.pad(theirs, terms)):
            ends = [arb(iv.upper_float((end, end))) for end in (low, high)]
            slack = 1e-12 * (1 + abs(ends[1]))
            assert bool(ours[k] >= ends[0] - slack)
            assert bool(ours[k] <= ends[1] + slack)


SPELLINGS = {
    "np.sin(2x) + x²": "sin(2*x) + x**2",
    "math.pi*x − 3(x + 1)": "pi*x - 3*(x + 1)",
    "np.arctan2(x, 2)·π": "atan2(x, 2)*pi",
    "np.maximum(x, 0.5)": "max(x, 0.5)",
    "np.where(x <= 0.5, 2x, 1)": "where(x <= 0.5, 2*x, 1)",
}


@pytest.mark.parametrize("text", SPELLINGS)
def test_other_spellings_are_understood_and_shown_in_ours(text):
    assert read_target(text).text == SPELLINGS[text]


@pytest.mark.parametrize(("text", "advice"), [("1/2x", r"write 2\*x"), ("sin x", "is a function"), ("x x", r"x\*x"),
                                              ("where(x, 1, 2)", "must be a comparison"),
                                              ("expp(x)", "did you mean")])  # fmt: skip
def test_what_has_two_meanings_is_refused_with_the_right_spelling(text, advice):
    with pytest.raises(UsageError, match=advice):
        read_target(text)


CONTINUED = [("sin(x)/x", (-1.0, 1.0)), ("exp(-1/x)", UNIT), ("x*log(x)", UNIT), ("x**x", UNIT),
             ("(1 - cos(x))/x**2", (-1.0, 1.0)), ("x*cot(x)", (-1.0, 1.0)), ("log(x)/(x - 1)", (0.5, 2.0))]  # fmt: skip


@pytest.mark.parametrize(("text", "domain"), CONTINUED)
def test_removable_singularities_are_continued_if_asked_for_only(text, domain, tmp_path):
    with pytest.raises(UsageError, match="--continue"):
        approximate(text, width=2, domain=domain)
    found = approximate(text, width=2, domain=domain, certify=True, continued=True)
    assert found.certified
    assert found.sup_error <= found.certificate.bound
    assert found.to_dict()["continued_at"] == list(found.function.continued_at) != []
    assert "continued by its limit at x = " in str(found)
    file = save(tmp_path, found)
    assert "continued at x = " in str(check_certificate(file))
    without = {key: value for key, value in found.to_dict().items() if key != "continued_at"}
    file.write_text(json.dumps(without))
    assert not check_certificate(file).ok


@pytest.mark.parametrize(("text", "domain"), [("abs(x)/x", (-1.0, 1.0)), ("1/x", UNIT), ("sin(1/x)", UNIT)])
def test_what_has_no_limit_is_not_continued(text, domain):
    with pytest.raises(UsageError, match="no limit is shown"):
        approximate(text, width=1, domain=domain, continued=True)


def test_the_command_continues(capsys):
    assert main(["approximate", "sin(x)/x", "--width", "2", "--certify", "--continue", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["continued_at"] == [0.0]


@pytest.mark.parametrize("text", ["0*tan(2*x)", "tan(2*x)*0", "0*gamma(0*x)", "0*csc(x - 1/3)"])
def test_nothing_times_what_has_no_value_is_not_nothing(text):
    claim = IntervalClaim(transcribe(text), transcribe("x"), (), (), (), 0.0, UNIT)
    assert prove(claim, 1.0).verdict == "undecided"


@pytest.mark.parametrize("text", ["|-(x**2)|", "max(0, -(x**2))", "max(0*x, -(x**2))", "-min(0, x**2)"])
def test_a_tie_at_the_centre_of_a_box_does_not_choose_the_branch(text, tmp_path):
    """There the branches agree to second order; which of them the box is on is seen beside it only."""
    file = tmp_path / "c.json"
    hidden = {"w": [1.0], "b": [0.0], "c": [-1.0 if "|" in text else 1.0]}
    proof = {"verdict": "proved", "epsilon": 0.1, "bound": 0.05, "edges": [-1.0, 1.0]}
    data = {"target": text, "activation": "x**2", "domain": [-1.0, 1.0], "constant": 0.0, "hidden": hidden}
    file.write_text(json.dumps(data | {"certificate": proof}))
    assert not check_certificate(file).ok
    claim = IntervalClaim(transcribe(text), transcribe("x**2"), (1.0,), (0.0,), tuple(hidden["c"]), 0.0, (-1.0, 1.0))
    assert prove(claim, 0.1).verdict == "refuted"
