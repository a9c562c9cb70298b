"""The demo leaves a whole folder, and the page stands alone."""

from __future__ import annotations

import json
import re

import pytest

from backprop.door.cli import main
from backprop.errors import UsageError
from backprop.progress import show_stages
from backprop.reporting import demo

FILES = {
    "derivation.md", "network.py", "verification.json", "verification.txt", "training.png", "approximation.png",
    "index.html",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The demo with a short training run."""
    out = tmp_path_factory.mktemp("demo") / "new" / "folder"
    with pytest.MonkeyPatch.context() as patch, show_stages() as stages:
        patch.setattr(demo, "EPOCHS", 12)
        patch.setattr(demo, "EPSILON", 1e-3)
        summary = demo.run_demo(out, seed=0, stages=stages)
    return out, summary


def test_the_folder_holds_every_file_and_nothing_half_written(folder):
    out, summary = folder
    assert {path.name for path in out.iterdir()} == FILES == set(summary.files)
    assert all(path.stat().st_size > 500 for path in out.iterdir())


def test_the_summary_names_the_level_of_every_claim(folder):
    _, summary = folder
    text = str(summary)
    assert summary.ok
    for word in ("derived", "exact", "tested", "trained", "observed", "on average", "PROVED"):
        assert word in text


def test_the_report_is_json_and_verified(folder):
    report = json.loads((folder[0] / "verification.json").read_text(encoding="utf-8"))
    assert (report["network"], report["verdict"]) == ("64-32-10", "verified")
    assert report["evidence"]["exact"]["parameters"] == 2410


def test_the_generated_module_of_the_folder_verifies_by_itself(folder, capsys):
    assert main(["verify", str(folder[0] / "network.py")]) == 0
    assert "VERIFIED" in capsys.readouterr().out


def test_the_page_needs_nothing_from_the_network_and_links_only_its_own_files(folder):
    page = (folder[0] / "index.html").read_text(encoding="utf-8")
    targets = set(re.findall(r"""\b(?:src|href)=['"]([^'"#][^'"]*)['"]""", page))
    pictures = {target for target in targets if target.startswith("data:image/png;base64,")}
    assert len(pictures) == 2
    assert targets - pictures == FILES - {"index.html"}
    assert len(page.encode()) < 1_000_000
    assert page.count("<math") > 100


def test_the_derivation_of_the_folder_shows_the_induction(folder):
    text = (folder[0] / "derivation.md").read_text(encoding="utf-8")
    assert "The induction over the layers closes" in text
    assert text.count("### BP") >= 8


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot make the folder"), show_stages() as stages:
        demo.run_demo(tmp_path / "file" / "demo", seed=0, stages=stages)
