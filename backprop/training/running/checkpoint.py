"""A run on disk: after every epoch all that is needed to go on as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.files import write_atomically
from backprop.npz import open_npz, pack_npz, read_text
from backprop.training.running.records import Best, Records
from backprop.training.trainable import Array, State

__all__ = ["Checkpoint", "Snapshot", "digest"]

FORMAT = "backprop checkpoint 1"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything that changes during a run, between two epochs."""

    theta: Array
    mean: Array
    state: State
    steps: int
    memory: Mapping[str, Array]
    rng: Mapping[str, Any]
    seconds: float
    records: Records


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """One file: arrays (.npz, no pickle) with a JSON text among them, replaced whole after every epoch.

    `settings` says in words and digests what the run depends on; a file of another run is refused.
    """

    path: str | os.PathLike[str]
    settings: Mapping[str, str]

    def write(self, snapshot: Snapshot) -> None:
        """Replace the file by this state of the run."""
        best = snapshot.records.best
        text = {
            "format": FORMAT, "settings": dict(self.settings), "steps": snapshot.steps, "rng": snapshot.rng,
            "seconds": snapshot.seconds, "best_epoch": best.epoch, "judged": best.judged,
            "curve": snapshot.records.curve,
        }  # fmt: skip
        arrays = {"theta": snapshot.theta, "mean": snapshot.mean, "best": best.theta}
        for group, members in (("memory", snapshot.memory), ("state", snapshot.state), ("best_state", best.state)):
            arrays |= {f"{group}.{name}": values for name, values in members.items()}
        write_atomically(self.path, pack_npz(arrays, json=json.dumps(text)))

    def read(self) -> Snapshot | None:
        """What the file holds, or None if there is none.

        Raises:
            UsageError: the file is damaged, is something else, or belongs to another run (it says what differs).
        """
        if not Path(self.path).exists():
            return None
        text, arrays = self._load()
        self._compare(text["settings"])

        def group(name: str) -> dict[str, Array]:
            return {key.partition(".")[2]: a for key, a in arrays.items() if key.startswith(name + ".")}

        best = Best(text["best_epoch"], text["judged"], arrays["best"], group("best_state"))
        records = Records(best, [tuple(record) for record in text["curve"]])
        return Snapshot(arrays["theta"], arrays["mean"], group("state"), text["steps"], group("memory"), text["rng"],
                        text["seconds"], records)  # fmt: skip

    def _load(self) -> tuple[dict[str, Any], dict[str, Array]]:
        with open_npz(Path(self.path), self._refuse) as file:
            text = json.loads(read_text(file, "json"))
            if text["format"] != FORMAT:
                raise ValueError(text["format"])
            arrays = {name: file[name] for name in file.files if name != "json"}
        return text, arrays

    def _refuse(self, _: str) -> UsageError:
        return UsageError(
            f"{os.fspath(self.path)!r} is not a whole checkpoint of this program; "
            "delete it to start anew, or give another name"
        )

    def _compare(self, stored: Mapping[str, str]) -> None:
        for name, value in self.settings.items():
            if stored.get(name) != value:
                raise UsageError(
                    f"the checkpoint {os.fspath(self.path)!r} is of another run: {name} was {stored.get(name)}, now "
                    f"{value}; use the same settings, delete the file, or give another name"
                )


def digest(*arrays: Array) -> str:
    """A short name for the contents of arrays.

    >>> digest(np.zeros(3)) == digest(np.zeros(3)), digest(np.zeros(3)) == digest(np.zeros((3, 1)))
    (True, False)
    """
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()[:16]
