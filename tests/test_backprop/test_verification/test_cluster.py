"""A folder on a cluster: the same reports as on one machine, also where a worker is killed on the way."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from backprop.errors import UsageError
from backprop.verification import cluster
from backprop.verification.cluster import pack_submission
from backprop.verification.grading import grade_folder

RIGHT = """\
import numpy as np
from shapes import N


def theta0(rng):
    return rng.normal(size=N)


def fun(theta):
    return float(np.sum(theta**4))


def grad(theta):
    return 4 * theta**3
"""
WRONG = RIGHT.replace("4 * theta**3", "theta**3")
DEAD = RIGHT + "\nraise SystemExit(3)\n"
COUNT = 6
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a worker is killed by a signal of Linux")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shapes.py").write_text("N = 3\n")
    for k in range(COUNT):
        (tmp_path / f"student{k}.py").write_text((RIGHT, WRONG, DEAD)[k % 3])
    return tmp_path


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[int]]]:
    """The address of a scheduler on this machine, and the process numbers of its two workers."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed (pip install '.[cluster]')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "processes": True}
    with distributed.LocalCluster(**options) as local:
        yield local.scheduler_address, [worker.pid for worker in local.workers.values()]


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_lost_and_nothing_graded_twice_where_a_worker_is_killed(folder: Path, workers) -> None:
    address, pids = workers
    here = grade_folder(folder, lines=True).to_dict()
    done: list[int] = []

    def kill() -> None:
        while not done:
            time.sleep(0.01)
        os.kill(pids[0], signal.SIGKILL)

    killer = Thread(target=kill)
    killer.start()
    there = grade_folder(folder, lines=True, cluster=address, progress=lambda count, _: done.append(count))
    killer.join()
    assert done == list(range(1, len(done) + 1))
    assert there.to_dict() == here
    assert {report.verdict for report in there.reports.values()} == {"verified", "wrong", "unusable"}
    assert all(report.mend for report in there.reports.values() if report.verdict == "wrong")


def test_a_submission_travels_with_what_it_imports(folder: Path) -> None:
    assert list(pack_submission(folder, folder / "student0.py")) == ["shapes.py", "student0.py"]


def test_too_much_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "MOST_BYTES", 10)
    with pytest.raises(UsageError, match="MiB"):
        pack_submission(folder, folder / "student0.py")


def test_a_scheduler_that_does_not_answer_is_said_in_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed (pip install '.[cluster]')")
    monkeypatch.setattr(cluster, "PATIENCE", 0.3)
    with pytest.raises(UsageError, match="no scheduler of Dask answers"):
        grade_folder(folder, cluster="tcp://127.0.0.1:9")


def test_without_dask_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="pip install"):
        grade_folder(folder, cluster="tcp://127.0.0.1:9")
