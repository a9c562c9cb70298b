"""Names under which other people import what lies in a room, and what `python -m` says of what does not run."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
from kit.house import ROOT, modules

import backprop
from theory.chapters.book import CHAPTERS
from theory.signpost import INSTEAD, describe, find, topic_of

PUBLISHED = {
    "backprop.approximation": ("Approximation", "approximate", "approximate_2d", "certify", "construct"),
    "backprop.approximation.wording": ("describe_above",),
    "backprop.data": ("digits", "disturb", "find_data_folder", "measure_scaling", "mnist", "one_hot", "split"),
    "backprop.estimators": ("BackpropClassifier", "BackpropRegressor"),
    "backprop.explanation": ("explain_findings", "judge_and_explain"),
    "backprop.figures": ("Gate", "Signal", "plot_classes", "plot_gates", "plot_signals", "plot_surfaces"),
    "backprop.layers": ("Activation", "BatchNorm", "Dense"),
    "backprop.plots": ("plot_approximation", "plot_training"),
    "backprop.plots_accuracy": ("plot_slopes",),
    "backprop.reporting.gallery": ("FULL", "QUICK", "draw_approximation_figures"),
    "backprop.reporting.progress": ("show_stages",),
    "backprop.strategies": ("networks",),
    "backprop.training": ("accuracy", "cosine", "draw_parameters", "fit", "one_cycle"),
    "backprop.training.signals": ("count_dead_units", "derive_sizes", "measure_sizes"),
    "theory.four_equations": ("derive_matrix_form",),
    "theory.witness": ("check",),
}
"""What pages, examples and lectures have imported by these names; they stay, wherever the code lies."""


@pytest.mark.parametrize("place", PUBLISHED)
def test_what_was_published_is_found_where_it_was(place):
    module = import_module(place)
    assert [name for name in PUBLISHED[place] if not hasattr(module, name)] == []


def test_a_door_leads_to_the_room_itself():
    from backprop.layers import Dense

    assert Dense is backprop.Dense
    assert import_module("backprop.layers") is import_module("backprop.specification.layers")


def test_a_name_that_never_was_is_refused_as_ever():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'backprop\.nonsense'"):
        import_module("backprop.nonsense")


def run(*words: str) -> str:
    """What `python -m MODULE WORD …` prints."""
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


@pytest.mark.parametrize(
    ("module", "sign"),
    [
        ("theory.functions.value_identities", "find_identity: "),
        ("theory.value_identities", "theory.functions.value_identities\n"),
        ("theory.layers", "# theory/layers"),
        ("backprop.runtime.compiled", "CompiledNetwork: "),
    ],
)
def test_a_module_that_does_nothing_says_what_it_is_and_what_to_run(module, sign):
    told = run(module)
    assert sign in told
    assert told.endswith(INSTEAD[module.partition(".")[0]] + "\n")


def test_a_chapter_prints_itself_under_every_name():
    book = run("theory", "costs")
    assert book.startswith("Costs")
    assert run("theory.costs") == run("theory.chapters.networks.costs") == book
    assert run("theory.chapters.networks.letters_and_rules", "--format", "latex").startswith(r"\section")


def test_every_module_has_a_page_and_every_chapter_its_topic():
    topics = []
    for name, path in modules().items():
        found = find(name.split("."))
        assert found == path or topic_of(found), name
        topics.append(topic_of(path))
        assert len(describe(path).splitlines()) > 1
    assert {topic for topic in topics if topic} <= set(CHAPTERS)
    assert len({topic for topic in topics if topic}) == 11
