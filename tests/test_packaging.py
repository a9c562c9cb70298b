"""What is shipped: the packages, the data with its notice, and nothing of the tests or examples."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {
    "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "theory", "backprop", "tests", "examples",
    "findings", "docs",
}  # fmt: skip


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_folder_with_code_is_a_package():
    """Packages are found by setuptools: a folder without an `__init__` would stay behind."""
    folders = {path.parent for package in ("theory", "backprop") for path in (ROOT / package).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_the_version_is_stated_once():
    import backprop
    from backprop.version import VERSION

    assert backprop.__version__ == VERSION
    assert project()["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "backprop.version.VERSION"}


def test_the_citation_names_the_version_and_the_changes_have_it():
    from backprop.version import VERSION

    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {VERSION}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_top_level_holds_what_it_should():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a checkout")
    names = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} == TOP_LEVEL


@pytest.fixture(scope="session")
def wheel_names(tmp_path_factory) -> list[str]:
    """The files of a freshly built wheel; building fetches the build tools, so only where a full run is wanted."""
    if os.environ.get("CI") != "true":
        pytest.skip("set CI=true to build the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_no_test_and_no_example(wheel_names):
    roots = {name.split("/")[0] for name in wheel_names if ".dist-info/" not in name}
    assert roots == {"theory", "backprop"}


def test_the_wheel_holds_data_notices_and_types(wheel_names):
    for needed in (
        "backprop/datasets/digits.npz",
        "backprop/datasets/NOTICE",
        "theory/py.typed",
        "backprop/py.typed",
        "backprop/reporting/pages/templates/base.html",
        "backprop/reporting/pages/templates/backprop-math.woff2",
    ):
        assert needed in wheel_names
    assert any(name.endswith("licenses/LICENSE") for name in wheel_names)
    assert any(name.endswith("FONT_LICENSE") for name in wheel_names if "licenses/" in name)
