"""A folder graded by the workers of a Dask cluster: a submission travels with what it imports, its report comes back.

What is lost with a worker is given to another one by the scheduler; every submission has one report.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backprop.errors import UsageError
from backprop.examiner.saying.report import Report
from backprop.reading.beside import list_siblings
from backprop.verification.marking import grade_file
from backprop.version import VERSION

__all__ = ["grade_on_cluster", "pack_submission"]

MOST_BYTES = 20 * 2**20
"""Of the files that travel with one submission."""
PATIENCE = 20.0
"""Seconds until a scheduler has answered."""
INSTALL = "--cluster needs Dask: python -m pip install 'backprop-verifier[cluster]'"
HERE = "{folder}"


def pack_submission(folder: Path, path: Path) -> dict[str, bytes]:
    """A submission and what it needs, by place in the folder: the modules it imports, and all of a folder of its own.

    Errors: UsageError where that is more than may travel.
    """
    needed = {path, *list_siblings(path).values()}
    if path.parent != folder:
        needed |= {one for one in path.parent.rglob("*") if one.is_file()}
    packed = {one.resolve().relative_to(folder.resolve()).as_posix(): one.read_bytes() for one in sorted(needed)}
    if sum(map(len, packed.values())) > MOST_BYTES:
        raise UsageError(f"{path}: more than {MOST_BYTES >> 20} MiB lie in its folder; grade it on one machine")
    return packed


def grade_there(packed: Mapping[str, bytes], name: str, how: Mapping[str, Any]) -> str:
    """On a worker: unpack, grade as on any machine; the report as JSON, the folder in it as `HERE`."""
    with tempfile.TemporaryDirectory(prefix="backprop-") as place:
        for one, content in packed.items():
            file = Path(place, one)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        report = grade_file(Path(place, name), **how)
        return json.dumps(report.to_dict() | {"reading": report.reading}).replace(place, HERE)


def grade_on_cluster(address: str, folder: Path, files: Sequence[Path], how: Mapping[str, Any]) -> Iterator[Report]:
    """The report of each file, in their order, by the workers of the scheduler at an address.

    `how` are the keywords of `grade_file`. An interruption cancels what waits. Errors: UsageError without Dask, without
    a scheduler there, with workers of another version; a submission whose workers all ended is "unusable".
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise UsageError(INSTALL) from error
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no scheduler of Dask answers at {address!r}: {error}") from error
    with client:
        _check_versions(client.run(_tell_version))
        names = [path.resolve().relative_to(folder.resolve()).as_posix() for path in files]
        packed = [pack_submission(folder, path) for path in files]
        futures = client.map(grade_there, packed, names, how=dict(how), pure=False)
        try:
            for path, future in zip(files, futures, strict=True):
                try:
                    yield read_report(future.result(), folder, path)
                except distributed.KilledWorker:
                    note = f"{path}: the workers that examined it ended"
                    yield Report("unusable", str(path), notes=(note,), reason="crashed")
        finally:
            client.cancel(futures)


def read_report(said: str, folder: Path, path: Path) -> Report:
    """A report that came back, in the words of this machine."""
    found = json.loads(said.replace(HERE, json.dumps(str(folder))[1:-1]))
    return replace(Report.from_dict(found, str(path)), reading=found["reading"])


def _tell_version() -> str:
    return VERSION


def _check_versions(found: Mapping[str, Any]) -> None:
    if not found:
        raise UsageError("the scheduler has no workers; start one with: dask worker ADDRESS")
    others = sorted({str(version) for version in found.values() if version != VERSION})
    if others:
        raise UsageError(f"workers have version {', '.join(others)} of the package, here it is {VERSION}")
