"""Expressions that have a needed value are found over the names in scope, the shortest first."""

from __future__ import annotations

import numpy as np
import pytest

from backprop.reading.proposing.synthesis import Vocabulary, synthesise

NAMES = {"x": (4, 3), "d": (4, 2), "W": (3, 2), "b": (2,), "a": (4, 2), "n": ()}
FORMS = {
    "x.T @ d": lambda v: v["x"].T @ v["d"],
    "d @ W.T": lambda v: v["d"] @ v["W"].T,
    "d.sum(axis=0)": lambda v: v["d"].sum(axis=0),
    "x.T @ d / n": lambda v: v["x"].T @ v["d"] / v["n"],
    "2 * d": lambda v: 2 * v["d"],
    "d * (1 - a ** 2)": lambda v: v["d"] * (1 - v["a"] ** 2),
    "(d @ W.T) * x": lambda v: (v["d"] @ v["W"].T) * v["x"],
    "a * d - a * (a * d).sum(axis=1, keepdims=True)": lambda v: (
        v["a"] * (v["d"] - (v["a"] * v["d"]).sum(axis=1, keepdims=True))
    ),
}


def draw(seed: int) -> list[dict]:
    rng = np.random.default_rng(seed)
    return [{name: rng.normal(size=shape) for name, shape in NAMES.items()} for _ in range(3)]


@pytest.mark.parametrize("form", list(FORMS))
def test_what_is_found_has_the_value_at_every_place(form):
    places = draw(len(form))
    target = [np.asarray(FORMS[form](v)) for v in places]
    names = {name: [v[name] for v in places] for name in NAMES}
    found = synthesise(target, Vocabulary(names, {}, {"n": names.pop("n")}))
    assert found, form
    for candidate in found:
        for k, v in enumerate(places):
            assert np.allclose(eval(candidate.text, {"np": np}, v), target[k], rtol=1e-5)


@pytest.mark.parametrize("form", ["x.T @ d", "d @ W.T"])
def test_entries_that_have_no_effect_are_free(form):
    places = draw(5)
    target = [np.array(FORMS[form](v)) for v in places]
    target[0][0, 0] = np.nan
    names = {name: [v[name] for v in places] for name in NAMES if name != "n"}
    assert synthesise(target, Vocabulary(names, {}, {}))[0].text == form


def test_nothing_is_found_for_numbers_that_are_none_of_these():
    places = draw(6)
    target = [np.random.default_rng(k).normal(size=(4, 2)) for k in range(3)]
    names = {name: [v[name] for v in places] for name in NAMES if name != "n"}
    assert synthesise(target, Vocabulary(names, {}, {})) == []
