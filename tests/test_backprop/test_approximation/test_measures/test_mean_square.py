"""Means with a density: what is proved is true of other integrals, and tight; what is no density is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.approximation import approximate
from backprop.approximation.checking import check_certificate
from backprop.approximation.ground.hidden import read_sigma
from backprop.approximation.ground.target import read_target
from backprop.approximation.measures import approximate_in_mean
from backprop.approximation.measures.density import read_density
from backprop.approximation.measures.fitting import fit_in_mean, measure_in_mean
from backprop.approximation.measures.proving import enclose_mean_square
from backprop.approximation.proving.prover import IntervalClaim
from backprop.door.cli import main
from backprop.errors import UsageError
from theory.functions.elementwise import find, parse

TIGHT = 1.02
NEARLY = 1e-9
"""Relative, of the integral by mpmath."""
TARGETS = ("sin(3*x)", "abs(x - 0.3)", "x > 0.4", "exp(-x)*x**2", "sqrt(x + 1)", "max(x, 0)")
DENSITIES = ("1", "exp(-x**2)", "1 - x**2", "x**2", "sin(pi*(x + 1)/2)", "x > 0", "(x - 1/2)**2", "2*abs(x)")
EDGES = (-1, -0.5, 0, 0.3, 0.4, 0.5, 1)


def integrate(claim, F, p, sigma):
    """∫ p (F − f)² by Gauss's rule in mpmath's numbers between all breaks and kinks: shares nothing with the balls."""
    kinks = [-b / w for w, b in zip(claim.w, claim.b, strict=True) if w]
    places = sorted({*EDGES, *(kink for kink in kinks if -1 < kink < 1)})

    def integrand(x):
        point = np.array([float(x)])
        network = claim.constant + sum(
            c * float(sigma(w * point + b)[0]) for w, b, c in zip(claim.w, claim.b, claim.c, strict=True)
        )
        return float(p(point)[0]) * (float(F(point)[0]) - network) ** 2

    return float(mpmath.quad(integrand, places))


@given(
    st.sampled_from(TARGETS),
    st.sampled_from(DENSITIES),
    st.sampled_from(["tanh", "relu", "sigmoid", "gelu"]),
    st.lists(st.tuples(*[st.integers(-40, 40)] * 3), min_size=1, max_size=3),
    st.integers(-8, 8),
)
@settings(max_examples=25)
def test_the_root_is_between_the_two_bounds_and_they_are_near_each_other(target, density, activation, units, constant):
    w, b, c = (tuple(value / 16 for value in part) for part in zip(*units, strict=True))
    F, p = read_target(target, (-1, 1)), read_density(density, (-1, 1))
    cuts = tuple(-shift / slope for slope, shift in zip(w, b, strict=True) if slope)
    claim = IntervalClaim(
        F.as_written, find(activation).as_written, w, b, c, constant / 8, (-1.0, 1.0), tuple({*F.breaks, *cuts})
    )
    found = enclose_mean_square(claim, p, 1.0)
    exact = math.sqrt(integrate(claim, F, p, read_sigma(activation).f))
    assert found.verdict == "proved"
    assert found.root_at_least <= exact * (1 + NEARLY) + NEARLY
    assert exact * (1 - NEARLY) - NEARLY <= found.bound <= TIGHT * exact + NEARLY
    mass = float(mpmath.quad(lambda x: float(p(np.array([float(x)]))[0]), EDGES))
    assert found.mass[0] <= mass + NEARLY
    assert mass - NEARLY <= found.mass[1]
    assert -1e-19 <= found.density_at_least <= 0


def test_a_claim_is_refuted_where_the_lower_bound_is_above_it_and_left_where_work_ends():
    claim = IntervalClaim(parse("x"), parse("tanh(x)"), (), (), (), 0.0, (0.0, 1.0))
    density = read_density("3", (0, 1))  # √ ∫ 3 x² = 1
    assert enclose_mean_square(claim, density, 1.0, 1.01).verdict == "proved"
    refuted = enclose_mean_square(claim, density, 1.0, 0.99)
    assert refuted.verdict == "refuted"
    assert 0.99 <= refuted.at_least <= 1
    wavy = replace(claim, target=parse("sin(400*x)"))
    assert enclose_mean_square(wavy, density, 1.0, most_boxes=2).bound >= math.sqrt(1.5)
    exactly = enclose_mean_square(wavy, density, 1.0, math.sqrt(1.5 * (1 - math.sin(800) / 800)), most_boxes=2)
    assert exactly.verdict == "undecided"
    assert "between" in exactly.reason


def test_a_density_that_dips_between_the_points_of_the_grid_is_not_taken():
    """Negative on an interval that no grid point meets: nothing is proved."""
    claim = IntervalClaim(parse("x"), parse("tanh(x)"), (), (), (), 0.0, (0.0, 1.0))
    text = "(x - 0.50003)**2 - 1e-12"
    found = enclose_mean_square(claim, read_density(text, (0, 1)), 1.0)
    assert found.verdict == "undecided"
    assert "at least 0" in found.reason


def test_a_jump_costs_nothing_in_the_mean_what_it_costs_at_a_point():
    found = approximate_in_mean("step", "1", epsilon=0.01)
    assert found.certified
    assert found.bound < 0.01
    assert found.approximation.sup_error > 0.4
    assert "in the largest" not in str(found)


def test_the_weight_is_used_by_the_fit():
    domain = (-3.0, 3.0)
    plain = approximate("sin(3*x)", width=4, domain=domain)
    density = read_density("exp(-8*(x - 1)**2)", domain)
    weighted = fit_in_mean(plain, density)
    assert measure_in_mean(weighted, density) < measure_in_mean(plain, density) / 3
    found = approximate_in_mean("sin(3*x)", density.text, width=4, domain=domain)
    assert found.measured <= measure_in_mean(weighted, density)
    assert found.certificate.root_at_least <= found.measured * TIGHT
    assert found.measured <= found.bound * TIGHT


def test_the_expectation_is_the_square_over_the_area():
    found = approximate_in_mean("x**2", "7*exp(-x**2)", width=3, domain=(-2, 2))
    area = 7 * math.sqrt(math.pi) * math.erf(2)
    assert found.certificate.mass[0] <= area <= found.certificate.mass[1]
    assert found.bound**2 / area <= found.mean_square_bound <= TIGHT**2 * found.bound**2 / area


@pytest.mark.parametrize(
    ("density", "words"),
    [
        ("-1", "negative at x = 0 "),
        ("x - 1/2", "negative"),
        ("1/x", "no finite value at x = 0"),
        ("1/sqrt(x)", "infinite density is not followed"),
        ("log(x)", "no finite value"),
        ("0", "is 0 wherever"),
        ("x > 2", "is 0 wherever"),
        ("1e120*x", "scale it"),
        ("nan", "unknown name 'nan'"),
        ("inf", "unknown name 'inf'"),
        ("y", "unknown name 'y'"),
        ("x*y", "unknown name 'y'"),
        ("", "it is empty"),
        ("exp(-x**2", "never closed"),
        ("__import__('os').system('true')", "unexpected character"),
        ("x" * 2000, "too many"),
        ("(" * 60 + "x" + ")" * 60, "nested too deeply"),
    ],
)
def test_what_is_no_density_is_one_line_and_status_two(density, words, capsys):
    assert main(["approximate", "sin(x)", "--measure", density, "--width", "2"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert "target" not in err.split(":")[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["x*y", "--width", "2"], "one variable"),
        (["sin(x)", "--width", "2", "--derivative"], "--derivative"),
        (["sin(x)"], "needs a width"),
        (["sin(x)", "--epsilon", "0.1", "--method", "adam"], "needs a width"),
        (["sin(x)", "--width", "2", "--domain", "-inf", "inf"], "finite domain"),
        (["sin(x)", "--width", "2", "--no-certify", "--certificate", "c.json"], "no certificate"),
        (["sin(x)", "--width", "0"], "width must be"),
        (["sin(x)", "--width", "2", "--epsilon", "nan"], "epsilon must be"),
        (["missing.csv", "--width", "2"], "missing.csv"),
    ],
)
def test_options_that_do_not_go_with_a_measure_are_refused(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["approximate", *options, "--measure", "1"]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_data_have_no_integral(tmp_path, monkeypatch, capsys):
    (tmp_path / "data.csv").write_text("\n".join(f"{k},{k * k}" for k in range(20)))
    monkeypatch.chdir(tmp_path)
    assert main(["approximate", "data.csv", "--measure", "1", "--width", "2"]) == 2
    assert "between data points" in capsys.readouterr().err


def test_the_text_says_where_it_is_claimed_and_what_is_only_measured(capsys):
    asked = ["approximate", "abs(x)", "--measure", "exp(-x**2)", "--domain", "-3", "3", "--width", "3"]
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert "PROVED: at most" in text
    assert "outside of it nothing is claimed" in text
    assert main([*asked, "--no-certify"]) == 0
    text = capsys.readouterr().out
    assert "no proof was tried" in text
    assert "PROVED" not in text
    assert main([*asked, "--epsilon", "1e-9"]) == 1
    assert "REFUTED: it is at least" in capsys.readouterr().out


# ---------------------------------------------------------------------------------------- the checker


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Files of three claims: smooth, with a zero of p that is no float, with a jump and kinks."""
    folder = tmp_path_factory.mktemp("certificates")
    asked = {
        "smooth": ["sin(3*x)", "--measure", "exp(-x**2)", "--domain", "-3", "3", "--width", "4"],
        "zero": ["x**3", "--measure", "sin(pi*x)", "--width", "2", "--activation", "sigmoid"],
        "jump": ["x > 0.3", "--measure", "abs(x - 1/2)", "--width", "3", "--activation", "relu"],
        "continued": ["sin(x)/x", "--continue", "--measure", "1", "--domain", "-1", "1", "--width", "2"],
    }
    for name, options in asked.items():
        assert main(["approximate", *options, "--json", "--certificate", str(folder / f"{name}.json")]) == 0
    return folder


@pytest.mark.parametrize("name", ["smooth", "zero", "jump", "continued"])
def test_a_saved_mean_is_confirmed_by_other_arithmetic(saved, name, capsys):
    data = json.loads((saved / f"{name}.json").read_text())
    found = check_certificate(saved / f"{name}.json")
    assert found.ok
    assert data["mean_square_certificate"]["root_at_least"] <= found.bound < data["mean_square_certificate"]["epsilon"]
    assert main(["check-certificate", str(saved / f"{name}.json")]) == 0
    text = capsys.readouterr().out
    assert "CONFIRMED: the root of the integral of p (F - f)^2 for p = " in text
    assert "everywhere" not in text


def change(saved, tmp_path, name, edit):
    data = json.loads((saved / f"{name}.json").read_text())
    edit(data)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(data))
    return path


def claim_less(data):
    proof = data["mean_square_certificate"]
    proof["epsilon"] = proof["root_at_least"] * 0.999
    data["epsilon"] = None


@pytest.mark.parametrize("name", ["smooth", "zero", "jump"])
@pytest.mark.parametrize(
    "edit",
    [
        claim_less,
        lambda data: data.update(measure=f"1.2*({data['measure']})"),
        lambda data: data.update(target=f"{data['target']} + 1"),
        lambda data: data.update(measure="x - 10"),
        lambda data: data.update(measure="1/(x - 1/2)"),
        lambda data: data.update(constant=data["constant"] + 0.5),
        lambda data: data["hidden"]["c"].__setitem__(0, data["hidden"]["c"][0] * 1.5),
    ],
)
def test_a_mean_that_is_not_true_is_not_confirmed(saved, tmp_path, name, edit):
    assert not check_certificate(change(saved, tmp_path, name, edit)).ok


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda data: data.pop("measure"), "measure must be text"),
        (lambda data: data.update(measure=3), "measure must be text"),
        (lambda data: data.update(measure="__import__('os')"), "no expression"),
        (lambda data: data.update(certificate=data["mean_square_certificate"]), "two kinds"),
        (lambda data: data["mean_square_certificate"]["edges"].pop(), "do not cover"),
        (lambda data: data["mean_square_certificate"].update(verdict="refuted"), "claims no proof"),
        (lambda data: data.update(root_mean_square_bound=1e-9), "contradicts itself"),
        (lambda data: data["mean_square_certificate"].pop("epsilon"), "lacks"),
        (lambda data: data.update(mean_square_certificate=None), "field does not hold"),
    ],
)
def test_files_that_are_no_claim_are_refused(saved, tmp_path, edit, words):
    with pytest.raises(UsageError, match=words):
        check_certificate(change(saved, tmp_path, "smooth", edit))


def test_a_density_that_is_negative_between_its_boxes_is_not_confirmed(tmp_path, saved):
    def dip(data):
        data["measure"] = "(x - 0.50003)**2 - 1e-12"
        data["mean_square_certificate"]["epsilon"] = 1e3

    found = check_certificate(change(saved, tmp_path, "zero", dip))
    assert not found.ok
    assert "p is" in found.reason
