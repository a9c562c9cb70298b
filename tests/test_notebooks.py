"""The notebooks run from the first cell to the last, and what a cell ends with is shown typeset or as its text."""

from __future__ import annotations

import os

import pytest
from kit.house import ROOT

jupytext = pytest.importorskip("jupytext", reason="jupytext is not installed (python -m pip install '.[test]')")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (python -m pip install '.[test]')")
pytest.importorskip("ipykernel", reason="ipykernel is not installed (python -m pip install '.[test]')")

FOLDER = ROOT / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))


def test_there_are_three_and_the_page_names_them():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) >= 3
    assert [path.name for path in NOTEBOOKS if path.name not in page] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")
def test_a_notebook_runs_and_shows_what_it_says(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    notebook = jupytext.read(path)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    results = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    shown = [o["data"] for o in results if o["output_type"] == "execute_result"]
    assert len(shown) >= 2
    for data in shown:
        assert {"text/html", "text/markdown", "text/latex"} & set(data), data["text/plain"][:80]
